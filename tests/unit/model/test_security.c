/* Capabilities by name and as sets, and what a location must allow. */
#include "model/capability.h"
#include "model/runtime_class.h"
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

#define TAGGED(tag, class_name)            \
    "{\"tags\":{\"" tag "\":\"" class_name \
    "\"},\"properties\":{\"osType\":\"Linux\",\"containers\":[" GOOD "]}}"
TEST(the_class_is_that_of_the_tag_or_that_of_the_location)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct group_permits permits = {"westus", false, "runc"};
    struct checked checked = check_json(TAGGED("Berth.RuntimeClass", "runsc"), "2025-09-01", arena);
    assert_true(checked.valid);
    assert_string_equal(group_runtime_class(&checked.group, &permits), "runsc");
    checked = check_json(GROUP(GOOD, ""), "2025-09-01", arena);
    assert_string_equal(group_runtime_class(&checked.group, &permits), "runc");
    permits.runtime_class = NULL;
    assert_null(group_runtime_class(&checked.group, &permits));
}

TEST(a_class_with_a_kernel_of_its_own_refuses_what_is_the_nodes)
{
    static const struct {
        const char *json, *field;
    } cases[] = {
        {WITH(",\"securityContext\":{\"privileged\":true}"), "securityContext.privileged"},
        {WITH(",\"securityContext\":{\"seccompProfile\":"
              "\"eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfQUxMT1cifQ==\"}"),
         "securityContext.seccompProfile"},
        {WITH(",\"securityContext\":{\"capabilities\":{\"add\":[\"NET_ADMIN\"]}}"), NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(arena) *arena = arena_new(1 << 20);
        struct checked checked = check_json(cases[i].json, "2025-09-01", arena);
        struct group_permits permits = {"westus", true, "runsc"};
        assert_true(checked.valid);
        assert_int_equal(group_check_allowed("g", &checked.group, &permits, &checked.problems),
                         cases[i].field == NULL);
        if (cases[i].field)
            assert_non_null(strstr(checked.problems.items[0].field, cases[i].field));
        permits.runtime_class = "crun";
        assert_true(group_check_allowed("g", &checked.group, &permits, &checked.problems));
        permits.runtime_class = "No Class";
        assert_false(group_check_allowed("g", &checked.group, &permits, &checked.problems));
    }
}

TEST(classes_are_kept_as_one_text_without_what_is_none)
{
    static const char *names[] = {"crun", "Bad", "runc", "crun", "", "a-name-of-16-byt"};
    char out[RUNTIME_CLASSES_SIZE];
    runtime_classes_join(&(struct text_list){true, names, COUNT_OF(names)}, out);
    assert_string_equal(out, " crun runc ");
    assert_true(runtime_classes_have(out, "runc"));
    assert_false(runtime_classes_have(out, "run"));
    runtime_classes_join(&(struct text_list){0}, out);
    assert_string_equal(out, " ");
}

TEST(gpus_of_each_sku_are_counted_apart)
{
    int64_t there = gpus_of(0, 2) + gpus_of(2, GPU_COUNT_MAX), used = gpus_of(0, 1);
    assert_int_equal(gpus_count(there, 2), GPU_COUNT_MAX);
    assert_int_equal(gpus_count(there, 1), 0);
    assert_true(gpus_fit(gpus_of(0, 1), there, used));
    assert_false(gpus_fit(gpus_of(0, 2), there, used));
    assert_false(gpus_fit(gpus_of(1, 1), there, used));
    assert_true(gpus_fit(0, 0, used));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_class_is_that_of_the_tag_or_that_of_the_location),
        cmocka_unit_test(a_class_with_a_kernel_of_its_own_refuses_what_is_the_nodes),
        cmocka_unit_test(classes_are_kept_as_one_text_without_what_is_none),
        cmocka_unit_test(gpus_of_each_sku_are_counted_apart),
        cmocka_unit_test(capabilities_are_found_by_name_with_and_without_prefix),
        cmocka_unit_test(what_is_named_wins_over_all_and_dropping_over_adding),
        cmocka_unit_test(rights_over_the_node_are_refused_where_the_location_does_not_allow_them),
    };
    return RUN_TESTS(tests);
}
