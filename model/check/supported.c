/* What is valid and not run yet. One line for each: when a node learns it, its line goes. What is only kept
 * and shown (sku Standard, priority Regular, tags) is no lie; what a user would wait for in vain is refused. */
#include "model/check/inside.h"

static void unsupported(struct check *check, const char *path)
{
    check_problem(check, ERR_NOT_IMPLEMENTED, path, "'%s' is not supported yet.", path);
}

static void unsupported_if(struct check *check, bool given, const char *path)
{
    if (given)
        unsupported(check, path);
}

static void unsupported_at(struct check *check, bool given, const struct seat *seat,
                           const char *member)
{
    if (given)
        unsupported(check, seat_path(check, seat, "%s", member));
}

/* ---- containers ---- */

static void check_security_supported(struct check *check, const struct seat *seat)
{
    static const struct security_context none;
    const struct container_properties *properties = seat->container->properties;
    const struct security_context *security = properties->security ? properties->security : &none;
    const struct capability_changes *changes = security->capabilities;

    unsupported_at(check, security->privileged.value, seat, "securityContext.privileged");
    unsupported_at(check, security->allow_privilege_escalation.value, seat,
                   "securityContext.allowPrivilegeEscalation");
    unsupported_at(check, changes && (changes->add.count > 0 || changes->drop.count > 0), seat,
                   "securityContext.capabilities");
    unsupported_at(check, security->run_as_user.given == GIVEN_VALUE, seat,
                   "securityContext.runAsUser");
    unsupported_at(check, security->run_as_group.given == GIVEN_VALUE, seat,
                   "securityContext.runAsGroup");
    unsupported_at(check, security->seccomp_profile, seat, "securityContext.seccompProfile");
}

static void check_container_supported(struct check *check, const struct seat *seat)
{
    const struct container_properties *properties = seat->container->properties;
    const struct resource_requirements *resources = properties->resources;

    for (size_t i = 0; i < properties->environment_count; i++) {
        if (properties->environment[i].secure_value_reference)
            unsupported(
                check, seat_path(check, seat, "environmentVariables[%zu].secureValueReference", i));
    }
    unsupported_at(check, properties->config_map && properties->config_map->pairs.count > 0, seat,
                   "configMap");
    unsupported_at(check, resources && resources->requests && resources->requests->gpu, seat,
                   "resources.requests.gpu");
    check_security_supported(check, seat);
}

static void check_containers_supported(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < group_containers_total(properties); i++) {
        struct seat seat = seat_at(properties, i);
        check_container_supported(check, &seat);
    }
}

/* ---- lists of the group ---- */

static void check_volumes_supported(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        const struct volume *volume = &properties->volumes[i];
        if (volume->azure_file)
            unsupported(check, LIST_PATH(check, "volumes", i, ".azureFile"));
        if (volume->secret.given)
            unsupported(check, LIST_PATH(check, "volumes", i, ".secret"));
        if (volume->secret_reference.given)
            unsupported(check, LIST_PATH(check, "volumes", i, ".secretReference"));
        if (volume->git)
            unsupported(check, LIST_PATH(check, "volumes", i, ".gitRepo"));
    }
}

static void check_credentials_supported(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->credentials_count; i++) {
        const struct registry_credential *credential = &properties->credentials[i];
        if (credential->password_reference)
            unsupported(check,
                        LIST_PATH(check, "imageRegistryCredentials", i, ".passwordReference"));
    }
}

static void check_profile_supported(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    unsupported_if(check, properties->profile, "properties.containerGroupProfile");
    unsupported_if(check, properties->standby_pool, "properties.standbyPoolProfile");
    unsupported_if(check, properties->identity_acls, "properties.identityAcls");
    unsupported_if(check, properties->secret_references_count > 0, "properties.secretReferences");
}

bool group_check_supported(const struct container_group *group, struct problems *problems)
{
    struct check check = {.name = "", .group = group, .problems = problems};
    const struct group_properties *properties = group->properties;
    size_t before = problems->count + problems->more;

    unsupported_if(&check, properties->subnets_count > 0, "properties.subnetIds");
    check_profile_supported(&check);
    check_volumes_supported(&check);
    check_credentials_supported(&check);
    check_containers_supported(&check);
    return problems->count + problems->more == before;
}
