#include "model/quota.h"

#include "base/id.h"
#include "base/limits.h"
#include "model/resource_id.h"

#include <string.h>

/* What no node runs has no quota either: zero, as the service shows what a region does not have. */
/* clang-format off */
const struct quota_kind quota_kinds[QUOTA_COUNT] = {
    [QUOTA_GROUPS]              = {"ContainerGroups",             "Container Groups",              false, LIMIT_QUOTA_USE},
    [QUOTA_STANDARD_CORES]      = {"StandardCores",               "Standard SKU cores",            true,  LIMIT_QUOTA_USE},
    [QUOTA_SPOT_CORES]          = {"StandardSpotCores",           "Standard spot SKU cores",       true,  LIMIT_QUOTA_USE},
    [QUOTA_K80_CORES]           = {"StandardK80Cores",            "Standard K80 GPU cores",        true,  LIMIT_QUOTA_USE},
    [QUOTA_P100_CORES]          = {"StandardP100Cores",           "Standard P100 GPU cores",       true,  LIMIT_QUOTA_USE},
    [QUOTA_V100_CORES]          = {"StandardV100Cores",           "Standard V100 GPU cores",       true,  LIMIT_QUOTA_USE},
    [QUOTA_DEDICATED_GROUPS]    = {"DedicatedContainerGroups",    "Dedicated container groups",    false, LIMIT_QUOTA_USE},
    [QUOTA_DEDICATED_CORES]     = {"DedicatedCores",              "Dedicated cores",               true,  LIMIT_QUOTA_USE},
    [QUOTA_CONFIDENTIAL_GROUPS] = {"ConfidentialContainerGroups", "Confidential container groups", false, 0},
    [QUOTA_CONFIDENTIAL_CORES]  = {"ConfidentialCores",           "Confidential cores",            true,  0},
    [QUOTA_CREATES_HOUR]        = {"CreatesPerHour",              "Creates per hour",              false, LIMIT_QUOTA_CALLS_HOUR},
    [QUOTA_CREATES_5_MINUTES]   = {"CreatesPer5Minutes",          "Creates per 5 minutes",         false, LIMIT_QUOTA_CALLS_5_MINUTES},
    [QUOTA_DELETES_HOUR]        = {"DeletesPerHour",              "Deletes per hour",              false, LIMIT_QUOTA_CALLS_HOUR},
    [QUOTA_DELETES_5_MINUTES]   = {"DeletesPer5Minutes",          "Deletes per 5 minutes",         false, LIMIT_QUOTA_CALLS_5_MINUTES},
};

const struct quota_pair quota_pairs[QUOTA_CLASS_COUNT] = {
    [QUOTA_CLASS_STANDARD]     = {QUOTA_GROUPS,              QUOTA_STANDARD_CORES},
    [QUOTA_CLASS_SPOT]         = {QUOTA_GROUPS,              QUOTA_SPOT_CORES},
    [QUOTA_CLASS_K80]          = {QUOTA_GROUPS,              QUOTA_K80_CORES},
    [QUOTA_CLASS_P100]         = {QUOTA_GROUPS,              QUOTA_P100_CORES},
    [QUOTA_CLASS_V100]         = {QUOTA_GROUPS,              QUOTA_V100_CORES},
    [QUOTA_CLASS_DEDICATED]    = {QUOTA_DEDICATED_GROUPS,    QUOTA_DEDICATED_CORES},
    [QUOTA_CLASS_CONFIDENTIAL] = {QUOTA_CONFIDENTIAL_GROUPS, QUOTA_CONFIDENTIAL_CORES},
};
/* clang-format on */

/* ---- what a group counts in ---- */

/* The first container that asks for a GPU says which; -1: none does. */
static int gpu_of(const struct container_group *group)
{
    for (size_t i = 0; i < group->properties->containers_count; i++) {
        const struct container_properties *container = group->properties->containers[i].properties;
        const struct resource_amounts *requests =
            container && container->resources ? container->resources->requests : NULL;
        if (requests && requests->gpu)
            return requests->gpu->sku;
    }
    return -1;
}

enum quota_class quota_class_of(const struct container_group *group)
{
    int gpu = gpu_of(group);
    if (group->properties->sku == SKU_DEDICATED)
        return QUOTA_CLASS_DEDICATED;
    if (group->properties->sku == SKU_CONFIDENTIAL)
        return QUOTA_CLASS_CONFIDENTIAL;
    if (gpu >= 0) /* classes stand in the order of gpu_sku_words */
        return (enum quota_class)(QUOTA_CLASS_K80 + gpu);
    return group->properties->priority == PRIORITY_SPOT ? QUOTA_CLASS_SPOT : QUOTA_CLASS_STANDARD;
}

void quota_class_shape(enum quota_class class, struct shape *shape)
{
    shape->alone = class == QUOTA_CLASS_DEDICATED;
    shape->spot = class == QUOTA_CLASS_SPOT;
}

enum group_sku quota_class_sku(enum quota_class class)
{
    return class == QUOTA_CLASS_DEDICATED      ? SKU_DEDICATED
           : class == QUOTA_CLASS_CONFIDENTIAL ? SKU_CONFIDENTIAL
                                               : SKU_STANDARD;
}

enum group_priority quota_class_priority(enum quota_class class)
{
    return class == QUOTA_CLASS_SPOT ? PRIORITY_SPOT : PRIORITY_REGULAR;
}

struct quota_hold quota_hold_of(bool living, enum group_state state, int64_t cpu_milli)
{
    bool holds = state == GROUP_PENDING || state == GROUP_RUNNING || state == GROUP_REPAIRING;
    return (struct quota_hold){living, living && holds ? cpu_milli : 0};
}

/* ---- the configuration ---- */

static int quota_find(const char *name)
{
    for (int i = 0; i < QUOTA_COUNT; i++)
        if (text_equal_nocase(quota_kinds[i].name, name))
            return i;
    return -1;
}

static bool name_take(const char *key, const char *name, struct quota_rule *rule, struct err *err)
{
    int found = quota_find(name);
    if (found < 0)
        return err_set_field(err, ERR_INVALID, "quotas", "'%.120s': there is no quota '%.60s'", key,
                             name);
    rule->quota = (enum quota)found;
    return !rule->location || rule->quota < QUOTA_USES ||
           err_set_field(err, ERR_INVALID, "quotas",
                         "'%.120s': %s is a quota of a subscription, not of a location", key,
                         quota_kinds[found].name);
}

/* Takes what stands before the next '/'; NULL in *part: nothing more stands before one. */
static bool part_take(const char **rest, struct arena *arena, const char **part, struct err *err)
{
    const char *slash = strchr(*rest, '/');
    *part = NULL;
    if (!slash)
        return true;
    *part = arena_text_n(arena, *rest, (size_t)(slash - *rest));
    *rest = slash + 1;
    return *part || err_set(err, ERR_BUSY, "out of memory reading quotas");
}

static bool places_take(const char *key, const char **rest, struct arena *arena,
                        struct quota_rule *rule, struct err *err)
{
    const char *part;
    if (!part_take(rest, arena, &part, err))
        return false;
    if (part && id_valid(part)) {
        rule->subscription = part;
        if (!part_take(rest, arena, &part, err))
            return false;
    }
    if (part && !(rule->location = location_normal(part, arena)))
        return err_set(err, ERR_BUSY, "out of memory reading quotas");
    return !strchr(*rest, '/') ||
           err_set_field(err, ERR_INVALID, "quotas",
                         "'%.120s' is not [SUBSCRIPTION/][LOCATION/]NAME", key);
}

bool quota_rule_parse(const char *key, const char *value, struct arena *arena,
                      struct quota_rule *rule, struct err *err)
{
    struct quota_rule read = {0};
    const char *name = key;
    if (!places_take(key, &name, arena, &read, err) || !name_take(key, name, &read, err))
        return false;
    if (!value || !text_to_int(value, &read.most) || read.most < 0 ||
        read.most > LIMIT_QUOTA_VALUE_MAX)
        return err_set_field(err, ERR_INVALID, "quotas",
                             "'%.120s' is '%.40s', not a whole number from 0 to %lld", key,
                             value ? value : "", (long long)LIMIT_QUOTA_VALUE_MAX);
    *rule = read;
    return true;
}

static int rank(const struct quota_rule *rule)
{
    return (rule->subscription ? 2 : 0) + (rule->location ? 1 : 0);
}

void quota_rules_sort(struct quota_rule *rules, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct quota_rule rule = rules[i];
        size_t at = i;
        for (; at > 0 && rank(&rules[at - 1]) > rank(&rule); at--)
            rules[at] = rules[at - 1];
        rules[at] = rule;
    }
}

void quota_limits_fill(const struct quota_rule *rules, size_t count, const char *subscription,
                       const char *location, struct quota_limits *filled)
{
    for (int i = 0; i < QUOTA_COUNT; i++)
        filled->most[i] = quota_kinds[i].fallback;
    for (size_t i = 0; i < count; i++) {
        const struct quota_rule *rule = &rules[i];
        if ((!rule->subscription || text_equal_nocase(rule->subscription, subscription)) &&
            (!rule->location || (location && strcmp(rule->location, location) == 0)))
            filled->most[rule->quota] = rule->most;
    }
}
