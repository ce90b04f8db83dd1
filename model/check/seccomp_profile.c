/* A seccomp profile out of a request: read by tables, then held against what the node can compile. */
#include "model/seccomp_profile.h"

#include "model/check/inside.h"

#include <string.h>

/* Without SCMP_ACT_NOTIFY and SCMP_ACT_TRACE: nobody on the node would answer. */
const char *const seccomp_action_words[] = {
    "SCMP_ACT_KILL",  "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP",
    "SCMP_ACT_ERRNO", "SCMP_ACT_ALLOW",       "SCMP_ACT_LOG",          NULL,
};
const char *const seccomp_op_words[] = {
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE",        "SCMP_CMP_EQ",
    "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ", NULL,
};

enum { ERRNO_MAX = 4095, ARGUMENTS_MAX = 6 };

/* clang-format off */
static const struct field argument_fields[] = {
    FIELD(struct seccomp_argument, index, "index", .min = 0, .max = ARGUMENTS_MAX - 1),
    FIELD(struct seccomp_argument, value, "value", .min = 0, .max = INT64_MAX),
    FIELD(struct seccomp_argument, value_two, "valueTwo", .min = 0, .max = INT64_MAX),
    FIELD_ENUM(struct seccomp_argument, op, "op", seccomp_op_words, .flags = FIELD_REQUIRED),
};
static const struct schema argument_schema = SCHEMA("SeccompArgument", struct seccomp_argument, argument_fields, "A condition.");

static const struct field when_fields[] = {
    FIELD(struct seccomp_when, capabilities, "caps", .max = 64),
    FIELD(struct seccomp_when, architectures, "arches", .max = 64),
    FIELD(struct seccomp_when, min_kernel, "minKernel", .max = 16, .pattern = "[0-9]{1,4}(\\.[0-9]{1,4})?"),
};
static const struct schema when_schema = SCHEMA("SeccompWhen", struct seccomp_when, when_fields, "When a rule counts.");

static const struct field rule_fields[] = {
    FIELD(struct seccomp_rule, names, "names", .max = LIMIT_SECCOMP_NAMES_MAX),
    FIELD(struct seccomp_rule, name, "name", .max = 64),
    FIELD_ENUM(struct seccomp_rule, action, "action", seccomp_action_words, .flags = FIELD_REQUIRED),
    FIELD(struct seccomp_rule, error, "errnoRet", .min = 0, .max = ERRNO_MAX),
    FIELD_ITEMS(struct seccomp_rule, arguments, "args", &argument_schema, .max = ARGUMENTS_MAX),
    FIELD_STRUCT(struct seccomp_rule, includes, "includes", &when_schema),
    FIELD_STRUCT(struct seccomp_rule, excludes, "excludes", &when_schema),
};
static const struct schema rule_schema = SCHEMA("SeccompRule", struct seccomp_rule, rule_fields, "Calls, and what becomes of them.");

static const struct field architecture_fields[] = {
    FIELD(struct seccomp_architecture, architecture, "architecture", .flags = FIELD_REQUIRED, .max = 64),
    FIELD(struct seccomp_architecture, further, "subArchitectures", .max = 16),
};
static const struct schema architecture_schema = SCHEMA("SeccompArchitecture", struct seccomp_architecture, architecture_fields, "A machine, and others whose programs it runs.");

static const struct field profile_fields[] = {
    FIELD_ENUM(struct seccomp_profile, fallback, "defaultAction", seccomp_action_words, .flags = FIELD_REQUIRED),
    FIELD(struct seccomp_profile, error, "defaultErrnoRet", .min = 0, .max = ERRNO_MAX),
    FIELD(struct seccomp_profile, architectures, "architectures", .max = 32),
    FIELD_ITEMS(struct seccomp_profile, architecture_map, "archMap", &architecture_schema, .max = 32),
    FIELD(struct seccomp_profile, flags, "flags", .max = 8),
    FIELD(struct seccomp_profile, listener_path, "listenerPath"),
    FIELD_ITEMS(struct seccomp_profile, rules, "syscalls", &rule_schema, .max = LIMIT_SECCOMP_RULES_MAX),
};
static const struct schema profile_schema = SCHEMA("SeccompProfile", struct seccomp_profile, profile_fields, "What system calls a container may make.");
/* clang-format on */

static bool word_of(const char *word, const char *letters)
{
    return *word && strspn(word, letters) == strlen(word);
}

/* These reach the runtime as they are. */
static bool names_ok(const struct text_list *names, const char *letters)
{
    for (size_t i = 0; i < names->count; i++)
        if (strlen(names->items[i]) > 64 || !word_of(names->items[i], letters))
            return false;
    return true;
}

#define CALL_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_"
#define WORD_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static const char *rules_fault(const struct seccomp_profile *profile, struct arena *arena)
{
    for (size_t i = 0; i < profile->rules_count; i++) {
        const struct seccomp_rule *rule = &profile->rules[i];
        if (rule->names.count == 0 && !rule->name)
            return arena_format(arena, "names no system call in syscalls[%zu]", i);
        if (!names_ok(&rule->names, CALL_LETTERS) ||
            (rule->name && !word_of(rule->name, CALL_LETTERS)))
            return arena_format(arena, "names something that is no system call in syscalls[%zu]",
                                i);
    }
    return NULL;
}

static const char *profile_fault(const struct seccomp_profile *profile, struct arena *arena)
{
    if (profile->listener_path)
        return "has a listenerPath: nobody listens on the node";
    if (!names_ok(&profile->architectures, WORD_LETTERS) ||
        !names_ok(&profile->flags, WORD_LETTERS))
        return "has an architecture or a flag that is no word of seccomp";
    for (size_t i = 0; i < profile->architecture_map_count; i++)
        if (!word_of(profile->architecture_map[i].architecture, WORD_LETTERS) ||
            !names_ok(&profile->architecture_map[i].further, WORD_LETTERS))
            return arena_format(arena, "has something that is no architecture in archMap[%zu]", i);
    return rules_fault(profile, arena);
}

const char *seccomp_profile_read(const char *base64, struct arena *arena,
                                 struct seccomp_profile *out)
{
    struct problems problems;
    size_t size = 0;
    const char *json = word_base64_text(base64, arena, &size);

    if (!json)
        return "is not base64";
    problems_init(&problems, arena);
    if (fields_parse(&profile_schema, json, size, arena, out, &problems))
        return profile_fault(out, arena);
    if (problems.broken || problems.count == 0 || !problems.items[0].field ||
        !problems.items[0].field[0])
        return "is no base64 of a JSON object";
    return arena_format(arena, "cannot be used: %s", problems.items[0].text);
}
