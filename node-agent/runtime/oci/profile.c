/* A client's seccomp profile as an OCI runtime takes it. What engines write has rules that count only
 * for some architectures, kernels and capabilities; a runtime knows no such conditions. */
#include "node-agent/runtime/oci/rights.h"

#include "model/capability.h"
#include "model/seccomp_profile.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#if defined(__x86_64__)
static const char *const machine[] = {"amd64", "x86_64", "SCMP_ARCH_X86_64", NULL};
#elif defined(__aarch64__)
static const char *const machine[] = {"arm64", "aarch64", "SCMP_ARCH_AARCH64", NULL};
#endif

/* ---- which rules count ---- */

static bool lists_machine(const struct text_list *names)
{
    for (size_t i = 0; i < names->count; i++)
        if (fields_word(machine, names->items[i]) >= 0)
            return true;
    return false;
}

static bool has(uint64_t set, const char *name)
{
    int number = capability_find(name);
    return number != CAPABILITY_NONE && set & CAPABILITY_BIT(number);
}

static int version_of(const char *text)
{
    int major = 0, minor = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        major = major * 10 + (*text - '0');
    for (text += *text == '.'; *text >= '0' && *text <= '9'; text++)
        minor = minor * 10 + (*text - '0');
    return major * 10000 + minor;
}

static bool kernel_is(const char *at_least)
{
    struct utsname system;
    return uname(&system) == 0 && version_of(system.release) >= version_of(at_least);
}

/* All capabilities, one of the architectures, at least that kernel. */
static bool includes(const struct seccomp_when *when, uint64_t capabilities)
{
    for (size_t i = 0; i < when->capabilities.count; i++)
        if (!has(capabilities, when->capabilities.items[i]))
            return false;
    return (when->architectures.count == 0 || lists_machine(&when->architectures)) &&
           (!when->min_kernel || kernel_is(when->min_kernel));
}

/* Any of them. */
static bool excludes(const struct seccomp_when *when, uint64_t capabilities)
{
    for (size_t i = 0; i < when->capabilities.count; i++)
        if (has(capabilities, when->capabilities.items[i]))
            return true;
    return lists_machine(&when->architectures) || (when->min_kernel && kernel_is(when->min_kernel));
}

static bool counts(const struct seccomp_rule *rule, uint64_t capabilities)
{
    return (!rule->includes || includes(rule->includes, capabilities)) &&
           (!rule->excludes || !excludes(rule->excludes, capabilities));
}

/* ---- printing ---- */

static void add_words(struct text *out, const char *name, const struct text_list *words)
{
    text_addf(out, ",\"%s\":[", name);
    for (size_t i = 0; i < words->count; i++) {
        text_add(out, i > 0 ? "," : "");
        text_add_json(out, words->items[i]);
    }
    text_add_char(out, ']');
}

static void add_error(struct text *out, const char *name, struct opt_int error)
{
    if (error.given == GIVEN_VALUE)
        text_addf(out, ",\"%s\":%lld", name, (long long)error.value);
}

static void add_arguments(struct text *out, const struct seccomp_rule *rule)
{
    if (rule->arguments_count == 0)
        return;
    text_add(out, ",\"args\":[");
    for (size_t i = 0; i < rule->arguments_count; i++) {
        const struct seccomp_argument *one = &rule->arguments[i];
        text_addf(out, "%s{\"index\":%lld,\"value\":%lld,\"valueTwo\":%lld,\"op\":\"%s\"}",
                  i > 0 ? "," : "", (long long)one->index, (long long)one->value,
                  (long long)one->value_two, seccomp_op_words[one->op]);
    }
    text_add_char(out, ']');
}

static void add_rule(struct text *out, const struct seccomp_rule *rule)
{
    struct text_list one = {
        .given = true, .items = (const char **)(uintptr_t)&rule->name, .count = 1};
    text_addf(out, "{\"action\":\"%s\"", seccomp_action_words[rule->action]);
    add_words(out, "names", rule->names.count > 0 ? &rule->names : &one);
    add_error(out, "errnoRet", rule->error);
    add_arguments(out, rule);
    text_add_char(out, '}');
}

/* The machine's own, and those whose programs it runs too. */
static void add_architectures(struct text *out, const struct seccomp_profile *profile)
{
    if (profile->architectures.count > 0)
        add_words(out, "architectures", &profile->architectures);
    for (size_t i = 0; i < profile->architecture_map_count; i++) {
        const struct seccomp_architecture *one = &profile->architecture_map[i];
        if (profile->architectures.count > 0 || fields_word(machine, one->architecture) < 0)
            continue;
        text_add(out, ",\"architectures\":[");
        text_add_json(out, one->architecture);
        for (size_t k = 0; k < one->further.count; k++) {
            text_add_char(out, ',');
            text_add_json(out, one->further.items[k]);
        }
        text_add_char(out, ']');
        return;
    }
}

void rights_add_profile(struct text *out, const struct seccomp_profile *profile,
                        uint64_t capabilities)
{
    const char *between = "";
    text_addf(out, "{\"defaultAction\":\"%s\"", seccomp_action_words[profile->fallback]);
    add_error(out, "defaultErrnoRet", profile->error);
    add_architectures(out, profile);
    if (profile->flags.count > 0)
        add_words(out, "flags", &profile->flags);
    text_add(out, ",\"syscalls\":[");
    for (size_t i = 0; i < profile->rules_count; i++) {
        if (!counts(&profile->rules[i], capabilities))
            continue;
        text_add(out, between);
        add_rule(out, &profile->rules[i]);
        between = ",";
    }
    text_add(out, "]}");
}
