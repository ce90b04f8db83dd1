/* What the spec's security context asks for (aci/features.md §7.9), as the runtime takes it. */
#include "node-agent/supervise/job_steps.h"

#include "model/capability.h"

#include <string.h>

/* The image's user with what the spec puts in its place, "user" or "user:group" as passwd files are
 * asked: a numeric user keeps its group from there. */
const char *rights_user(const struct security_context *security, const char *image_user,
                        struct arena *arena)
{
    const char *user = image_user ? image_user : "";

    if (security && security->run_as_user.given == GIVEN_VALUE)
        user = arena_format(arena, "%lld", (long long)security->run_as_user.value);
    if (!user || !security || security->run_as_group.given != GIVEN_VALUE)
        return user;
    return arena_format(arena, "%.*s:%lld", *user ? (int)strcspn(user, ":") : 1, *user ? user : "0",
                        (long long)security->run_as_group.value);
}

static bool profile_of(const struct security_context *security, struct arena *arena,
                       struct runtime_rights *rights, struct err *err)
{
    if (!security->seccomp_profile)
        return true;
    struct seccomp_profile *profile = ARENA_NEW(arena, struct seccomp_profile);
    const char *fault =
        profile ? seccomp_profile_read(security->seccomp_profile, arena, profile) : "is too large";
    if (fault)
        return err_set(err, ERR_SECURITY_CONTEXT, "the seccompProfile %s", fault);
    rights->profile = profile;
    return true;
}

/* Without a word, programs with a set-user-id bit give no rights; whoever is privileged has them. */
bool rights_of_spec(const struct security_context *security, struct arena *arena,
                    struct runtime_rights **out, struct err *err)
{
    *out = NULL;
    if (!security)
        return true;
    struct runtime_rights *rights = ARENA_NEW(arena, struct runtime_rights);
    if (!rights)
        return err_set(err, ERR_BUSY, "no memory for a security context");
    *rights = (struct runtime_rights){
        .privileged = security->privileged.value,
        .may_gain = security->privileged.value || security->allow_privilege_escalation.value,
        .capabilities = capabilities_of(security),
        .named = capabilities_named(security),
    };
    *out = rights;
    return profile_of(security, arena, rights, err);
}
