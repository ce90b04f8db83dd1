/* Where two values of one type differ. */
#include "tests/unit/base/zoo.h"

#include "tests/unit/unit.h"

#include <string.h>

static struct arena *arena;

static int set_up(void **state UNUSED)
{
    arena = arena_new(64 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

static struct animal parse(const char *json)
{
    struct animal animal;
    struct problems problems;
    problems_init(&problems, arena);
    if (!fields_parse(&animal_schema, json, strlen(json), arena, &animal, &problems))
        fail_msg("%s: %s", json, problems.items[0].text);
    return animal;
}

/* "path old>new" of each difference, with ';' between; "-" is absent, "*" a secret. */
static const char *compared(const char *old_json, const char *now_json, size_t max)
{
    struct animal old = parse(old_json), now = parse(now_json);
    struct difference *found;
    size_t count = 99;
    AUTO(text) *out = text_new(1 << 16);
    assert_true(fields_compare(&animal_schema, &old, &now, max, arena, &found, &count));
    for (size_t i = 0; i < count; i++) {
        assert_true(!found[i].secret || (!found[i].old && !found[i].now));
        text_addf(out, "%s%s ", i > 0 ? ";" : "", found[i].path);
        if (found[i].secret)
            text_add(out, "*");
        else
            text_addf(out, "%s>%s", found[i].old ? found[i].old : "-",
                      found[i].now ? found[i].now : "-");
    }
    assert_true(text_ok(out));
    return arena_text(arena, out->bytes ? out->bytes : "");
}

TEST(says_nothing_of_what_is_the_same)
{
    assert_string_equal(compared("{\"name\":\"a\",\"weight\":1.50,\"tags\":{}}",
                                 "{\"NAME\":\"a\",\"weight\":1.5}", 9),
                        "");
    assert_string_equal(compared("{\"name\":\"a\",\"status\":\"x\"}", "{\"name\":\"a\"}", 9), "");
}

TEST(names_each_leaf_with_its_old_and_new_value)
{
    assert_string_equal(
        compared("{\"name\":\"a\",\"legs\":4,\"food\":[\"x\"],\"diet\":\"meat\"}",
                 "{\"name\":\"b\",\"weight\":2.5,\"food\":[\"x\",\"y\"],\"diet\":\"Plants\"}", 9),
        "name \"a\">\"b\";legs 4>-;weight ->2.5;diet \"Meat\">\"Plants\";food "
        "[\"x\"]>[\"x\",\"y\"]");
}

TEST(tells_that_a_secret_differs_and_not_what_it_is)
{
    assert_string_equal(compared("{\"name\":\"a\",\"token\":\"hush\"}", "{\"name\":\"a\"}", 9),
                        "token *");
    assert_string_equal(
        compared("{\"name\":\"a\",\"keeper\":{\"name\":\"k\",\"password\":\"hush\"}}",
                 "{\"name\":\"a\",\"keeper\":{\"name\":\"k\",\"password\":\"hush\"}}", 9),
        "");
    assert_string_equal(
        compared("{\"name\":\"a\"}",
                 "{\"name\":\"a\",\"keeper\":{\"name\":\"k\",\"password\":\"hush\"}}", 9),
        "keeper ->{\"name\":\"k\"}");
}

TEST(compares_items_by_their_place)
{
    assert_string_equal(
        compared("{\"name\":\"a\",\"cages\":[{\"label\":\"x\",\"emptyDir\":{}}]}",
                 "{\"name\":\"a\",\"cages\":[{\"label\":\"y\",\"emptyDir\":{}},"
                 "{\"label\":\"z\",\"secret\":{\"k\":\"hush\"}}]}",
                 9),
        "cages[0].label \"x\">\"y\";cages[1] ->{\"label\":\"z\",\"doors\":1,\"secret\":{}}");
    assert_string_equal(compared("{\"name\":\"a\",\"cages\":[{\"label\":\"x\",\"emptyDir\":{}}]}",
                                 "{\"name\":\"a\",\"cages\":[]}", 9),
                        "cages[0] {\"label\":\"x\",\"doors\":1,\"emptyDir\":{}}>-");
}

TEST(ends_at_the_ceiling)
{
    assert_string_equal(compared("{\"name\":\"a\",\"legs\":4}", "{\"name\":\"b\",\"legs\":5}", 1),
                        "name \"a\">\"b\"");
}

TEST(says_when_the_arena_is_full)
{
    struct animal old = parse("{\"name\":\"a\"}"), now = parse("{\"name\":\"b\"}");
    AUTO(arena) *small = arena_new(64);
    struct difference *found = NULL;
    size_t count = 7;
    assert_false(fields_compare(&animal_schema, &old, &now, 64, small, &found, &count));
    assert_null(found);
    assert_int_equal(count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_nothing_of_what_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_each_leaf_with_its_old_and_new_value, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(tells_that_a_secret_differs_and_not_what_it_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(compares_items_by_their_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ends_at_the_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_when_the_arena_is_full, set_up, tear_down),
    };
    return RUN_TESTS(tests);
}
