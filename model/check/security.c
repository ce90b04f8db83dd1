/* The security context: capabilities by name, a seccomp profile as base64 of JSON (aci/features.md §7.9). */
#include "model/check/inside.h"

#include "model/capability.h"
#include "model/seccomp_profile.h"

static void check_capabilities(struct check *check, const struct seat *seat,
                               const struct text_list *names, const char *member)
{
    for (size_t i = 0; i < names->count; i++) {
        if (capability_find(names->items[i]) == CAPABILITY_NONE &&
            !capability_is_all(names->items[i]))
            check_problem(
                check, ERR_SECURITY_CONTEXT,
                seat_path(check, seat, "securityContext.capabilities.%s[%zu]", member, i),
                "The capability '%.63s' in container '%.63s' of container group '%.63s' is unknown "
                "(e.g. 'NET_ADMIN').",
                names->items[i], seat->container->name, check->name);
    }
}

static void check_seccomp(struct check *check, const struct seat *seat, const char *profile)
{
    struct seccomp_profile read;
    const char *fault = seccomp_profile_read(profile, check->problems->arena, &read);

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
