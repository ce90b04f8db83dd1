#include "model/capability.h"

#include "base/text.h"

#include <string.h>

enum reach {
    WITHIN, /* rules what is the container's own */
    USUAL,  /* the same, and every container has it unless it is dropped */
    NODE,   /* rules the node: other containers, the kernel, the clock, the disks */
};

/* In the kernel's order: the index is its number. */
static const struct {
    const char *name;
    enum reach reach;
} capabilities[] = {
    {"CHOWN", USUAL},
    {"DAC_OVERRIDE", USUAL},
    {"DAC_READ_SEARCH", NODE}, /* opens files by handle, the node's too */
    {"FOWNER", USUAL},
    {"FSETID", USUAL},
    {"KILL", USUAL},
    {"SETGID", USUAL},
    {"SETUID", USUAL},
    {"SETPCAP", USUAL},
    {"LINUX_IMMUTABLE", WITHIN},
    {"NET_BIND_SERVICE", USUAL},
    {"NET_BROADCAST", WITHIN},
    {"NET_ADMIN", WITHIN}, /* of the group's network namespace */
    {"NET_RAW", USUAL},
    {"IPC_LOCK", WITHIN}, /* locked memory counts against the limit */
    {"IPC_OWNER", WITHIN},
    {"SYS_MODULE", NODE},
    {"SYS_RAWIO", NODE},
    {"SYS_CHROOT", USUAL},
    {"SYS_PTRACE", WITHIN}, /* sees no process but those of its container */
    {"SYS_PACCT", NODE},
    {"SYS_ADMIN", NODE},
    {"SYS_BOOT", NODE},
    {"SYS_NICE", NODE}, /* would take the processor from other groups */
    {"SYS_RESOURCE", NODE},
    {"SYS_TIME", NODE},
    {"SYS_TTY_CONFIG", NODE},
    {"MKNOD", USUAL},
    {"LEASE", WITHIN},
    {"AUDIT_WRITE", USUAL},
    {"AUDIT_CONTROL", NODE},
    {"SETFCAP", USUAL},
    {"MAC_OVERRIDE", NODE},
    {"MAC_ADMIN", NODE},
    {"SYSLOG", NODE},
    {"WAKE_ALARM", NODE},
    {"BLOCK_SUSPEND", NODE},
    {"AUDIT_READ", NODE},
    {"PERFMON", NODE},
    {"BPF", NODE},
    {"CHECKPOINT_RESTORE", NODE},
};
_Static_assert(COUNT_OF(capabilities) == CAPABILITY_COUNT, "each has a name");

static const char *bare(const char *name)
{
    return strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;
}

int capability_find(const char *name)
{
    for (int i = 0; i < CAPABILITY_COUNT; i++)
        if (text_equal_nocase(capabilities[i].name, bare(name)))
            return i;
    return CAPABILITY_NONE;
}

const char *capability_name(int number)
{
    return capabilities[number].name;
}

bool capability_is_all(const char *name)
{
    return text_equal_nocase(bare(name), "ALL");
}

static uint64_t of_reach(enum reach reach)
{
    uint64_t set = 0;
    for (int i = 0; i < CAPABILITY_COUNT; i++)
        set |= capabilities[i].reach == reach ? CAPABILITY_BIT(i) : 0;
    return set;
}

uint64_t capabilities_of_node(void)
{
    return of_reach(NODE);
}

/* Names that are unknown have been refused long before. */
static uint64_t set_of(const struct text_list *names, bool with_all)
{
    uint64_t set = 0;
    for (size_t i = 0; i < names->count; i++) {
        int number = capability_find(names->items[i]);
        if (number != CAPABILITY_NONE)
            set |= CAPABILITY_BIT(number);
        else if (with_all && capability_is_all(names->items[i]))
            set |= CAPABILITY_EVERY;
    }
    return set;
}

static bool lists_all(const struct text_list *names)
{
    return set_of(names, true) != set_of(names, false);
}

/* {add: [ALL], drop: [X]} is all but X, {drop: [ALL], add: [X]} is X alone: what is named wins over
 * ALL, and dropping over adding. */
static uint64_t changed(const struct capability_changes *changes)
{
    uint64_t base = lists_all(&changes->drop)  ? 0
                    : lists_all(&changes->add) ? CAPABILITY_EVERY
                                               : of_reach(USUAL);
    return (base | set_of(&changes->add, false)) & ~set_of(&changes->drop, false);
}

uint64_t capabilities_of(const struct security_context *security)
{
    if (security && security->privileged.value)
        return CAPABILITY_EVERY;
    return security && security->capabilities ? changed(security->capabilities) : of_reach(USUAL);
}

uint64_t capabilities_named(const struct security_context *security)
{
    if (!security || !security->capabilities)
        return 0;
    return set_of(&security->capabilities->add, false) & capabilities_of(security);
}
