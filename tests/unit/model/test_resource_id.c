/* model/resource_id.h */
#include "tests/unit/unit.h"

#include "base/text.h"
#include "model/resource_id.h"

#define GROUPS \
    "/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerInstance/containerGroups"

static struct arena *arena;

static int begin(void **state UNUSED)
{
    arena = arena_new(65536);
    return arena ? 0 : -1;
}

static int end(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

static void reads_any_case_and_empty_segments_and_keeps_names(void **state UNUSED)
{
    struct resource_id id;
    struct err err = {0};

    assert_true(resource_id_parse(
        "/SUBSCRIPTIONS/s1//resourcegroups/My-RG/providers/microsoft.CONTAINERinstance"
        "//containergroups/Web",
        arena, &id, &err));
    assert_string_equal(id.subscription, "s1");
    assert_string_equal(id.resource_group, "My-RG");
    assert_string_equal(id.group, "Web");
}

static void prints_the_canonical_form(void **state UNUSED)
{
    AUTO(text) *out = text_new(1024);
    struct resource_id id = {"s1", "rg", "web"};

    resource_id_print(&id, out);
    assert_string_equal(out->bytes, "/subscriptions/s1/resourceGroups/rg/providers/"
                                    "Microsoft.ContainerInstance/containerGroups/web");
}

static void a_shorter_id_names_what_is_above(void **state UNUSED)
{
    struct resource_id id;
    struct err err = {0};

    assert_true(resource_id_parse("/subscriptions/s1", arena, &id, &err));
    assert_null(id.resource_group);
    assert_true(resource_id_parse("/subscriptions/s1/resourceGroups/rg", arena, &id, &err));
    assert_null(id.group);
}

static void refuses_what_is_no_such_id(void **state UNUSED)
{
    static const char *const wrong[] = {
        "",
        "/",
        "web",
        "/subscriptions",
        "/subscriptions/s/resourceGroups",
        "/subscriptions/s/groups/g",
        "/subscriptions/s/resourceGroups/r/providers/Microsoft.Web/sites/x",
        GROUPS,
        (GROUPS "/a/b"),
        "/a/b/c/d/e/f/g/h/i/j/k/l",
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct resource_id id;
        struct err err = {0};
        assert_false(resource_id_parse(wrong[i], arena, &id, &err));
        assert_int_equal(err.code, ERR_BAD_PATH);
    }
}

static void locations_lose_case_and_spaces(void **state UNUSED)
{
    assert_string_equal(location_normal("West Central US", arena), "westcentralus");
    assert_string_equal(location_normal("WestUs", arena), "westus");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_any_case_and_empty_segments_and_keeps_names, begin,
                                        end),
        cmocka_unit_test_setup_teardown(prints_the_canonical_form, begin, end),
        cmocka_unit_test_setup_teardown(a_shorter_id_names_what_is_above, begin, end),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_such_id, begin, end),
        cmocka_unit_test_setup_teardown(locations_lose_case_and_spaces, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
