/* What kind of group it is: operating system, sku, priority, zones, and what each of them excludes
 * (aci/features.md §27). */
#include "model/check/inside.h"

#include <string.h>

static bool has_gpu(const struct group_properties *properties)
{
    for (size_t i = 0; i < properties->containers_count; i++) {
        const struct container_properties *container = properties->containers[i].properties;
        const struct resource_requirements *resources = container ? container->resources : NULL;
        if (resources && ((resources->requests && resources->requests->gpu) ||
                          (resources->limits && resources->limits->gpu)))
            return true;
    }
    return false;
}

static void refuse_windows(struct check *check, const char *path, const char *what)
{
    check_problem(
        check, ERR_WINDOWS, path,
        "The container group '%.63s' has the osType 'Windows', which does not support %s.",
        check->name, what);
}

static void check_windows(struct check *check, const struct group_properties *properties)
{
    if (properties->containers_count > 1)
        refuse_windows(check, "properties.containers", "more than one container");
    if (properties->init_containers_count > 0)
        refuse_windows(check, "properties.initContainers", "init containers");
    if (properties->volumes_count > 0)
        refuse_windows(check, "properties.volumes", "volumes");
    if (has_gpu(properties))
        refuse_windows(check, "properties.containers", "GPU resources");
}

static void check_os(struct check *check, const struct group_properties *properties)
{
    static const char
        path[] = "properties.osType",
        text[] = "The 'osType' for container group '%s' is invalid. The value must be one of "
                 "'Windows,Linux'.";

    if (!check_instead(check, path, text, check->name) && properties->os_type < 0 &&
        !properties->profile)
        check_problem(check, ERR_OS_TYPE, path, text, check->name);
    if (properties->os_type == OS_WINDOWS)
        check_windows(check, properties);
}

static void check_spot(struct check *check, const struct group_properties *properties)
{
    if (properties->address || properties->subnets_count > 0)
        check_problem(check, ERR_SPOT_NETWORK,
                      properties->address ? "properties.ipAddress" : "properties.subnetIds",
                      "Spot Priority is not supported for container groups with inbound "
                      "connectivity.");
    if (properties->sku == SKU_DEDICATED || properties->sku == SKU_CONFIDENTIAL)
        check_problem(check, ERR_SPOT_SKU, "properties.sku",
                      "Spot Priority Container Group is not supported in '%s' Sku.",
                      group_sku_words[properties->sku]);
    if (has_gpu(properties))
        check_problem(check, ERR_SPOT_GPU, "properties.containers",
                      "Spot Priority Container Groups that include containers requesting GPU "
                      "resources are not supported.");
    if (check->group->zones.count > 0)
        check_problem(check, ERR_ZONE, "zones",
                      "Spot Priority is not supported for container groups with a zone.");
}

static void check_priority(struct check *check, const struct group_properties *properties)
{
    check_instead(check, "properties.priority",
                  "The 'Priority' must be one of 'Regular,Spot' for container group '%s'.",
                  check->name);
    if (properties->priority == PRIORITY_SPOT)
        check_spot(check, properties);
}

static void check_confidential(struct check *check, const struct group_properties *properties)
{
    const char *policy = properties->confidential ? properties->confidential->cce_policy : NULL;
    static const char path[] = "properties.confidentialComputeProperties.ccePolicy";

    if (policy && properties->sku != SKU_CONFIDENTIAL)
        check_problem(check, ERR_CONFIDENTIAL, path,
                      "The container group '%.63s' has a 'ccePolicy', which needs the sku "
                      "'Confidential'; its sku is '%s'.",
                      check->name, properties->sku < 0 ? "" : group_sku_words[properties->sku]);
    else if (policy && !word_base64(policy))
        check_problem(check, ERR_CONFIDENTIAL, path,
                      "The 'ccePolicy' of container group '%.63s' is not base64.", check->name);
}

static void check_zones(struct check *check)
{
    const struct text_list *zones = &check->group->zones;

    for (size_t i = 0; i < zones->count; i++) {
        if (!zones->items[i][0])
            check_problem(check, ERR_ZONE, check_path(check, "zones[%zu]", i),
                          "The zone of container group '%.63s' has no name.", check->name);
        else if (strlen(zones->items[i]) >= ZONE_SIZE)
            check_problem(check, ERR_ZONE, check_path(check, "zones[%zu]", i),
                          "The zone '%.63s' of container group '%.63s' has more than %d letters.",
                          zones->items[i], check->name, ZONE_SIZE - 1);
    }
}

void check_kind(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    check_os(check, properties);
    check_priority(check, properties);
    check_confidential(check, properties);
    check_zones(check);
}
