/* Capabilities by name and as sets, and what a location must allow. */
#include "model/capability.h"
#include "tests/unit/model/check.h"

#define BIT(name) CAPABILITY_BIT(capability_find(name))

TEST(capabilities_are_found_by_name_with_and_without_prefix)
{
    assert_int_equal(capability_find("CHOWN"), 0);
    assert_int_equal(capability_find("cap_net_admin"), 12);
    assert_int_equal(capability_find("CAP_CHECKPOINT_RESTORE"), 40);
    assert_int_equal(capability_find("FLY"), CAPABILITY_NONE);
    assert_int_equal(capability_find("ALL"), CAPABILITY_NONE);
    assert_true(capability_is_all("cap_all"));
    assert_string_equal(capability_name(21), "SYS_ADMIN");
}

static uint64_t set_of(const char *json)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct checked checked = check_json(json, "2025-09-01", arena);
    assert_true(checked.valid);
    return capabilities_of(checked.group.properties->containers[0].properties->security);
}

#define CAPABILITIES(rest) WITH(",\"securityContext\":{\"capabilities\":{" rest "}}")
TEST(what_is_named_wins_over_all_and_dropping_over_adding)
{
    uint64_t usual = capabilities_of(NULL);
    assert_int_equal(__builtin_popcountll(usual), 14);
    assert_true(set_of(WITH(",\"securityContext\":{}")) == usual);
    assert_true(set_of(WITH(",\"securityContext\":{\"privileged\":true}")) == CAPABILITY_EVERY);
    assert_true(set_of(CAPABILITIES("\"add\":[\"NET_ADMIN\"],\"drop\":[\"MKNOD\"]")) ==
                ((usual | BIT("NET_ADMIN")) & ~BIT("MKNOD")));
    assert_true(set_of(CAPABILITIES("\"drop\":[\"ALL\"]")) == 0);
    assert_true(set_of(CAPABILITIES("\"add\":[\"CHOWN\"],\"drop\":[\"all\"]")) == BIT("CHOWN"));
    assert_true(set_of(CAPABILITIES("\"add\":[\"ALL\"],\"drop\":[\"SYS_TIME\"]")) ==
                (CAPABILITY_EVERY & ~BIT("SYS_TIME")));
    assert_true(set_of(CAPABILITIES("\"add\":[\"KILL\"],\"drop\":[\"KILL\"]")) ==
                (usual & ~BIT("KILL")));
}

TEST(rights_over_the_node_are_refused_where_the_location_does_not_allow_them)
{
    static const struct {
        const char *json, *field;
    } cases[] = {
        {WITH(",\"securityContext\":{\"privileged\":true}"), "privileged"},
        {CAPABILITIES("\"add\":[\"NET_ADMIN\",\"SYS_ADMIN\"]"), "capabilities.add[1]"},
        {CAPABILITIES("\"add\":[\"ALL\"]"), "capabilities.add[0]"},
        {CAPABILITIES("\"add\":[\"NET_ADMIN\",\"SYS_PTRACE\"],\"drop\":[\"ALL\"]"), NULL},
        {WITH(",\"securityContext\":{\"allowPrivilegeEscalation\":true,\"runAsUser\":0}"), NULL},
        {WITH(""), NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct checked checked = check_json(cases[i].json, "2025-09-01", arena);
        struct group_permits permits = {"westus", false};
        char field[128];
        assert_true(checked.supported);
        bool allowed = group_check_allowed("g", &checked.group, &permits, &checked.problems);
        assert_int_equal(allowed, cases[i].field == NULL);
        permits.privileged = true;
        if (!allowed) {
            text_format(field, sizeof field,
                        "properties.containers[0].properties.securityContext.%s", cases[i].field);
            assert_string_equal(checked.problems.items[0].field, field);
            assert_non_null(strstr(checked.problems.items[0].text, "'westus'"));
            assert_true(group_check_allowed("g", &checked.group, &permits, &checked.problems));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capabilities_are_found_by_name_with_and_without_prefix),
        cmocka_unit_test(what_is_named_wins_over_all_and_dropping_over_adding),
        cmocka_unit_test(rights_over_the_node_are_refused_where_the_location_does_not_allow_them),
    };
    return RUN_TESTS(tests);
}
