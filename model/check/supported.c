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

/* ---- containers ---- */

static void check_container_supported(struct check *check, const struct seat *seat)
{
    const struct container_properties *properties = seat->container->properties;

    for (size_t i = 0; i < properties->environment_count; i++) {
        if (properties->environment[i].secure_value_reference)
            unsupported(
                check, seat_path(check, seat, "environmentVariables[%zu].secureValueReference", i));
    }
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
        if (volume->azure_file && volume->azure_file->account_key_reference)
            unsupported(check,
                        LIST_PATH(check, "volumes", i, ".azureFile.storageAccountKeyReference"));
        if (volume->secret_reference.given)
            unsupported(check, LIST_PATH(check, "volumes", i, ".secretReference"));
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
    size_t before = problems->count + problems->more;

    check_profile_supported(&check);
    check_volumes_supported(&check);
    check_credentials_supported(&check);
    check_containers_supported(&check);
    return problems->count + problems->more == before;
}
