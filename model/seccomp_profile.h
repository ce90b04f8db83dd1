/* A seccomp profile as container engines write it (Docker, Podman, the OCI runtime specification): which
 * system calls a container's processes may make. Clients send it as base64 of JSON.
 * Not for: compiling it (node-agent/runtime/).   Threads: pure. */
#ifndef MODEL_SECCOMP_PROFILE_H
#define MODEL_SECCOMP_PROFILE_H

#include "base/fields.h"

struct seccomp_argument { /* op(argument index, value[, value_two]) */
    int64_t index, value, value_two;
    int op;
};

struct seccomp_when { /* when a rule is in the profile, or is not */
    struct text_list capabilities, architectures;
    const char *min_kernel; /* "4.8" */
};

struct seccomp_rule {
    struct text_list names;
    const char *name; /* of one call, as old profiles say it */
    int action;
    struct opt_int error;
    struct seccomp_argument *arguments;
    size_t arguments_count;
    struct seccomp_when *includes, *excludes;
};

struct seccomp_architecture {
    const char *architecture;
    struct text_list further;
};

struct seccomp_profile {
    int fallback; /* the default action */
    struct opt_int error;
    struct text_list architectures, flags;
    struct seccomp_architecture *architecture_map;
    size_t architecture_map_count;
    const char *listener_path;
    struct seccomp_rule *rules;
    size_t rules_count;
};

extern const char *const seccomp_action_words[], *const seccomp_op_words[];

/* NULL: it is read, into the arena. Otherwise what is wrong with it, as the end of a sentence that
 * begins with "The profile". */
const char *seccomp_profile_read(const char *base64, struct arena *arena,
                                 struct seccomp_profile *out) MUST_CHECK;

#endif
