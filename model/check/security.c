/* The security context: capabilities by name, a seccomp profile as base64 of JSON (aci/features.md §7.9). */
#include "model/check/inside.h"

#include <string.h>

static const char *const capabilities[] = {
    "ALL",
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "AUDIT_WRITE",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "IPC_LOCK",
    "IPC_OWNER",
    "KILL",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "MKNOD",
    "NET_ADMIN",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_CHROOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
    NULL,
};

/* With and without the kernel's prefix, in any case. */
static bool capability_known(const char *name)
{
    if (strncasecmp(name, "CAP_", 4) == 0)
        name += 4;
    return fields_word(capabilities, name) >= 0;
}

static void check_capabilities(struct check *check, const struct seat *seat,
                               const struct text_list *names, const char *member)
{
    for (size_t i = 0; i < names->count; i++) {
        if (!capability_known(names->items[i]))
            check_problem(
                check, ERR_SECURITY_CONTEXT,
                seat_path(check, seat, "securityContext.capabilities.%s[%zu]", member, i),
                "The capability '%.63s' in container '%.63s' of container group '%.63s' is unknown "
                "(e.g. 'NET_ADMIN').",
                names->items[i], seat->container->name, check->name);
    }
}

static const char *seccomp_fault(const char *profile, struct arena *arena)
{
    static const struct schema any = {.name = "Seccomp", .size = 1};
    struct problems problems;
    char out;
    size_t size = 0;
    const char *json = word_base64_text(profile, arena, &size);

    if (!json)
        return "is not base64";
    problems_init(&problems, arena);
    return fields_parse(&any, json, size, arena, &out, &problems) ? NULL
                                                                  : "is no base64 of a JSON object";
}

static void check_seccomp(struct check *check, const struct seat *seat, const char *profile)
{
    const char *fault = seccomp_fault(profile, check->problems->arena);

    if (fault)
        check_problem(check, ERR_SECURITY_CONTEXT,
                      seat_path(check, seat, "securityContext.seccompProfile"),
                      "The seccompProfile in container '%.63s' of container group '%.63s' %s.",
                      seat->container->name, check->name, fault);
}

void check_security(struct check *check, const struct seat *seat)
{
    const struct security_context *security = seat->container->properties->security;

    if (!security)
        return;
    if (security->capabilities) {
        check_capabilities(check, seat, &security->capabilities->add, "add");
        check_capabilities(check, seat, &security->capabilities->drop, "drop");
    }
    if (security->seccomp_profile)
        check_seccomp(check, seat, security->seccomp_profile);
    if (security->privileged.value && security->allow_privilege_escalation.given == GIVEN_VALUE &&
        !security->allow_privilege_escalation.value)
        check_problem(check, ERR_SECURITY_CONTEXT,
                      seat_path(check, seat, "securityContext.allowPrivilegeEscalation"),
                      "The container '%.63s' of container group '%.63s' cannot be privileged "
                      "without 'allowPrivilegeEscalation'.",
                      seat->container->name, check->name);
}
