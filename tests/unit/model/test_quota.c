#include "model/quota.h"

#include "../unit.h"

#define SUBSCRIPTION "6f1a1f4e-0000-4000-8000-000000000001"
#define OTHER "6f1a1f4e-0000-4000-8000-000000000002"

static struct quota_rule rule_of(struct arena *arena, const char *key, const char *value)
{
    struct quota_rule rule;
    struct err err = {0};
    if (!quota_rule_parse(key, value, arena, &rule, &err))
        fail_msg("%s", err.text);
    return rule;
}

TEST(reads_a_limit_with_the_places_it_holds_for)
{
    AUTO(arena) *arena = arena_new(1 << 16);
    struct quota_rule rule = rule_of(arena, "standardcores", "10");
    assert_null(rule.subscription);
    assert_null(rule.location);
    assert_int_equal(rule.quota, QUOTA_STANDARD_CORES);
    assert_int_equal(rule.most, 10);
    rule = rule_of(arena, "West US/ContainerGroups", "0");
    assert_string_equal(rule.location, "westus");
    rule = rule_of(arena, SUBSCRIPTION "/CreatesPerHour", "2147483647");
    assert_string_equal(rule.subscription, SUBSCRIPTION);
    assert_null(rule.location);
    rule = rule_of(arena, SUBSCRIPTION "/eastus/StandardCores", "1");
    assert_string_equal(rule.subscription, SUBSCRIPTION);
    assert_string_equal(rule.location, "eastus");
}

TEST(refuses_a_limit_that_could_not_hold_and_says_why)
{
    static const struct {
        const char *key, *value, *why;
    } cases[] = {
        {"Cores", "1", "there is no quota 'Cores'"},
        {"", "1", "there is no quota ''"},
        {"StandardCores", "-1", "not a whole number"},
        {"StandardCores", "1.5", "not a whole number"},
        {"StandardCores", "2147483648", "not a whole number"},
        {"StandardCores", "", "not a whole number"},
        {"eastus/CreatesPerHour", "1", "of a subscription, not of a location"},
        {"a/b/StandardCores", "1", "is not [SUBSCRIPTION/][LOCATION/]NAME"},
        {SUBSCRIPTION "/a/b/StandardCores", "1", "is not [SUBSCRIPTION/][LOCATION/]NAME"},
    };
    AUTO(arena) *arena = arena_new(1 << 16);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct quota_rule rule;
        struct err err = {0};
        assert_false(quota_rule_parse(cases[i].key, cases[i].value, arena, &rule, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, "quotas");
        assert_non_null(strstr(err.text, cases[i].why));
    }
}

TEST(the_most_specific_limit_counts_in_whatever_order_they_stand)
{
    AUTO(arena) *arena = arena_new(1 << 16);
    struct quota_rule rules[] = {
        rule_of(arena, SUBSCRIPTION "/eastus/StandardCores", "4"),
        rule_of(arena, SUBSCRIPTION "/StandardCores", "3"),
        rule_of(arena, "eastus/StandardCores", "2"),
        rule_of(arena, "StandardCores", "1"),
    };
    static const struct {
        const char *subscription, *location;
        int64_t most;
    } cases[] = {
        {SUBSCRIPTION, "eastus", 4}, {SUBSCRIPTION, "westus", 3}, {SUBSCRIPTION, NULL, 3},
        {OTHER, "eastus", 2},        {OTHER, "westus", 1},        {OTHER, NULL, 1},
    };
    quota_rules_sort(rules, COUNT_OF(rules));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct quota_limits found;
        quota_limits_fill(rules, COUNT_OF(rules), cases[i].subscription, cases[i].location, &found);
        assert_int_equal(found.most[QUOTA_STANDARD_CORES], cases[i].most);
        assert_int_equal(found.most[QUOTA_GROUPS], quota_kinds[QUOTA_GROUPS].fallback);
    }
}

TEST(only_groups_that_run_or_want_to_hold_cores)
{
    static const int64_t held[] = {
        [GROUP_PENDING] = 500, [GROUP_RUNNING] = 500, [GROUP_STOPPED] = 0,
        [GROUP_SUCCEEDED] = 0, [GROUP_FAILED] = 0,    [GROUP_REPAIRING] = 500,
    };
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        struct quota_hold hold = quota_hold_of(true, (enum group_state)i, 500);
        assert_int_equal(hold.groups, 1);
        assert_int_equal(hold.cpu_milli, held[i]);
        hold = quota_hold_of(false, (enum group_state)i, 500);
        assert_int_equal(hold.groups + hold.cpu_milli, 0);
    }
}

TEST(a_group_counts_in_the_quotas_of_its_kind)
{
    struct gpu gpu = {.sku = 2};
    struct resource_amounts requests = {.gpu = &gpu};
    struct resource_requirements resources = {.requests = &requests};
    struct container_properties container = {.resources = &resources};
    struct container containers[] = {{"c", &container}};
    struct group_properties properties = {
        .sku = SKU_STANDARD, .priority = -1, .containers = containers};
    struct container_group group = {.properties = &properties};
    assert_int_equal(quota_class_of(&group), QUOTA_CLASS_STANDARD);
    properties.priority = PRIORITY_SPOT;
    assert_int_equal(quota_pairs[quota_class_of(&group)].cores, QUOTA_SPOT_CORES);
    assert_int_equal(quota_pairs[quota_class_of(&group)].groups, QUOTA_GROUPS);
    properties.containers_count = 1;
    assert_int_equal(quota_pairs[quota_class_of(&group)].cores, QUOTA_V100_CORES);
    properties.sku = SKU_DEDICATED;
    assert_int_equal(quota_pairs[quota_class_of(&group)].groups, QUOTA_DEDICATED_GROUPS);
    properties.sku = SKU_CONFIDENTIAL;
    assert_int_equal(quota_pairs[quota_class_of(&group)].cores, QUOTA_CONFIDENTIAL_CORES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_limit_with_the_places_it_holds_for),
        cmocka_unit_test(refuses_a_limit_that_could_not_hold_and_says_why),
        cmocka_unit_test(the_most_specific_limit_counts_in_whatever_order_they_stand),
        cmocka_unit_test(only_groups_that_run_or_want_to_hold_cores),
        cmocka_unit_test(a_group_counts_in_the_quotas_of_its_kind),
    };
    return RUN_TESTS(tests);
}
