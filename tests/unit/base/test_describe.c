#include "tests/unit/base/zoo.h"

#include "tests/unit/unit.h"

#include <jansson.h>
#include <string.h>

static json_t *schemas;
static struct text_list seen;

static int set_up(void **state UNUSED)
{
    struct arena *arena = arena_new(1 << 20);
    AUTO(text) *out = text_new(1 << 20);
    seen = (struct text_list){0};
    text_add_char(out, '{');
    fields_describe(&animal_schema, out, &seen, arena);
    fields_describe(&keeper_schema, out, &seen, arena); /* was described: adds nothing */
    text_add_char(out, '}');
    json_error_t error;
    schemas = json_loadb(out->bytes, out->size, JSON_REJECT_DUPLICATES, &error);
    arena_free(arena);
    return schemas ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    json_decref(schemas);
    return 0;
}

/* The description of one property, as compact text. */
static void assert_property(const char *schema, const char *property, const char *expected)
{
    json_t *object =
        json_object_get(json_object_get(json_object_get(schemas, schema), "properties"), property);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (!text || strcmp(text, expected) != 0)
        fail_msg("%s.%s is %s", schema, property, text ? text : "absent");
    free(text);
}

TEST(describes_each_table_once)
{
    assert_int_equal(json_object_size(schemas), 3);
    assert_int_equal(seen.count, 3);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(schemas, "Cage"), "description")),
        "Where it lives.");
}

TEST(describes_every_kind)
{
    assert_property("Animal", "name",
                    "{\"type\":\"string\",\"minLength\":1,\"maxLength\":20,\"pattern\":\"^([a-z]([-"
                    "a-z0-9]*[a-z0-9])?)$\","
                    "\"x-error\":\"InvalidResourceName\"}");
    assert_property("Animal", "status",
                    "{\"type\":\"string\",\"maxLength\":131072,\"readOnly\":true}");
    assert_property("Animal", "token",
                    "{\"type\":\"string\",\"maxLength\":131072,\"writeOnly\":true}");
    assert_property("Animal", "code",
                    "{\"type\":\"string\",\"maxLength\":131072,\"default\":\"none\",\"x-since\":"
                    "\"2025-09-01\"}");
    assert_property("Animal", "tame", "{\"type\":[\"boolean\",\"null\"]}");
    assert_property("Animal", "legs",
                    "{\"type\":\"integer\",\"minimum\":0,\"maximum\":1000,\"description\":"
                    "\"Counted \\\"twice\\\".\"}");
    assert_property("Animal", "weight",
                    "{\"type\":\"number\",\"minimum\":0.001,\"maximum\":5000.5,\"multipleOf\":0."
                    "001,\"x-error\":\"InvalidResourceRequests\"}");
    assert_property("Animal", "age", "{\"type\":\"integer\",\"default\":7}");
    assert_property("Animal", "extinct", "{\"type\":\"boolean\"}");
    assert_property(
        "Animal", "diet",
        "{\"type\":\"string\",\"enum\":[\"Plants\",\"Meat\"],\"x-error\":\"InvalidOsType\"}");
    assert_property("Animal", "mood",
                    "{\"type\":\"string\",\"enum\":[\"Plants\",\"Meat\"],\"default\":\"Meat\"}");
    assert_property(
        "Animal", "tags",
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"},\"maxProperties\":3}");
    assert_property(
        "Animal", "food",
        "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"minItems\":1,\"maxItems\":3}");
    assert_property("Animal", "notes", "{}");
    assert_property("Animal", "keeper", "{\"$ref\":\"#/components/schemas/Keeper\"}");
    assert_property(
        "Animal", "cages",
        "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Cage\"},\"maxItems\":6,"
        "\"x-error\":\"InvalidContainerCount\"}");
    assert_property("Cage", "doors",
                    "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":1}");
}

TEST(keeps_what_is_hidden_out_of_the_contract)
{
    assert_null(json_object_get(json_object_get(json_object_get(schemas, "Animal"), "properties"),
                                "inner"));
}

TEST(says_what_is_required_and_what_excludes_what)
{
    char *required =
        json_dumps(json_object_get(json_object_get(schemas, "Animal"), "required"), JSON_COMPACT);
    char *choice =
        json_dumps(json_object_get(json_object_get(schemas, "Cage"), "oneOf"), JSON_COMPACT);
    assert_string_equal(required, "[\"name\"]");
    assert_string_equal(
        choice,
        "[{\"required\":[\"emptyDir\"]},{\"required\":[\"secret\"]},{\"required\":[\"keeper\"]}]");
    free(required);
    free(choice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(describes_each_table_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(describes_every_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_what_is_hidden_out_of_the_contract, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_what_is_required_and_what_excludes_what, set_up,
                                        tear_down),
    };
    return RUN_TESTS(tests);
}
