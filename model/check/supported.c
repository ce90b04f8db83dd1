/* What is valid and not run yet. One line for each: when a node learns it, its line goes. */
#include "model/group_check.h"
#include "model/group_check_inside.h"

static void unsupported(struct check *check, bool given, const char *path)
{
    if (given)
        check_problem(check, ERR_NOT_IMPLEMENTED, path, "'%s' is not supported yet.", path);
}

static void check_container(struct check *check, const struct container *container, size_t index)
{
    const struct container_properties *properties = container->properties;
    const struct resource_requirements *resources = properties->resources;

    if (properties->liveness)
        unsupported(
            check, true,
            check_path(check, "properties.containers[%zu].properties.livenessProbe", index));
    if (properties->readiness)
        unsupported(
            check, true,
            check_path(check, "properties.containers[%zu].properties.readinessProbe", index));
    if (properties->security)
        unsupported(
            check, true,
            check_path(check, "properties.containers[%zu].properties.securityContext", index));
    if (resources && ((resources->requests && resources->requests->gpu) ||
                      (resources->limits && resources->limits->gpu)))
        unsupported(check, true,
                    check_path(check,
                               "properties.containers[%zu].properties.resources.requests.gpu",
                               index));
}

static void check_kinds(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        const struct volume *volume = &properties->volumes[i];
        if (volume->azure_file)
            unsupported(check, true, check_path(check, "properties.volumes[%zu].azureFile", i));
        if (volume->secret.given)
            unsupported(check, true, check_path(check, "properties.volumes[%zu].secret", i));
        if (volume->git)
            unsupported(check, true, check_path(check, "properties.volumes[%zu].gitRepo", i));
    }
    for (size_t i = 0; i < properties->credentials_count; i++) {
        if (properties->credentials[i].identity)
            unsupported(check, true,
                        check_path(check, "properties.imageRegistryCredentials[%zu].identity", i));
    }
}

bool group_check_supported(const struct container_group *group, struct problems *problems)
{
    enum { IDENTITY_NONE = 3 };
    struct check check = {.name = "", .group = group, .problems = problems};
    const struct group_properties *properties = group->properties;
    size_t before = problems->count + problems->more;

    unsupported(&check, group->zones.count > 0, "zones");
    unsupported(&check,
                group->identity && group->identity->type >= 0 &&
                    group->identity->type != IDENTITY_NONE,
                "identity");
    unsupported(&check, properties->os_type == OS_WINDOWS, "properties.osType");
    unsupported(&check, properties->sku == SKU_DEDICATED || properties->sku == SKU_CONFIDENTIAL,
                "properties.sku");
    unsupported(&check, properties->priority == PRIORITY_SPOT, "properties.priority");
    unsupported(&check, properties->init_containers_count > 0, "properties.initContainers");
    unsupported(&check, properties->diagnostics, "properties.diagnostics");
    unsupported(&check, properties->subnets_count > 0, "properties.subnetIds");
    unsupported(&check, properties->encryption, "properties.encryptionProperties");
    unsupported(&check, properties->extensions_count > 0, "properties.extensions");
    unsupported(&check, properties->confidential && properties->confidential->cce_policy,
                "properties.confidentialComputeProperties");
    unsupported(&check, properties->address && properties->address->dns_name_label,
                "properties.ipAddress.dnsNameLabel");
    check_kinds(&check);
    for (size_t i = 0; i < properties->containers_count; i++)
        check_container(&check, &properties->containers[i], i);
    return problems->count + problems->more == before;
}
