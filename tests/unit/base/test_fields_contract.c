/* fields_parse_at(): documents of clients that speak an older contract, and write as the service lets them. */
#include "tests/unit/unit.h"

#include "base/fields.h"

#include <string.h>

struct lamp {
    const char *name, *colour;
    struct opt_int watts;
    struct opt_decimal volts;
    struct opt_bool on;
    struct raw_json gas, wire;
};

/* clang-format off */
static const struct field lamp_fields[] = {
    FIELD(struct lamp, name, "name", .flags = FIELD_SCALAR),
    FIELD(struct lamp, colour, "colour", .flags = FIELD_REQUIRED, .since = "2025-09-01"),
    FIELD(struct lamp, watts, "watts", .min = 1, .max = 100, .code = ERR_PORTS),
    FIELD(struct lamp, volts, "volts"),
    FIELD(struct lamp, on, "on"),
    FIELD(struct lamp, gas, "gas", .flags = FIELD_ONE_OF),
    FIELD(struct lamp, wire, "wire", .flags = FIELD_ONE_OF, .since = "2025-09-01"),
};
static const struct schema lamp_schema = SCHEMA("Lamp", struct lamp, lamp_fields, "It shines.");
/* clang-format on */

static struct arena *arena;
static struct lamp lamp;
static struct problems problems;

static int set_up(void **state UNUSED)
{
    arena = arena_new(1 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    arena_free(arena);
    return 0;
}

static bool parse(const char *contract, const char *json)
{
    problems_init(&problems, arena);
    return fields_parse_at(&lamp_schema, contract, json, strlen(json), arena, &lamp, &problems);
}

static void assert_refused(const char *json, enum err_code code, const char *text)
{
    assert_false(parse("2023-05-01", json));
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].code, code);
    assert_string_equal(problems.items[0].text, text);
}

TEST(what_came_later_is_unknown_to_an_older_contract)
{
    static const char json[] = "{\"colour\":7,\"Colour\":8,\"gas\":{},\"WIRE\":{}}";

    assert_true(parse("2023-05-01", json));
    assert_null(lamp.colour);
    assert_null(lamp.wire.text);
    assert_int_equal(problems.unknown.count, 3);
    assert_string_equal(problems.unknown.items[0], "colour");
    assert_string_equal(problems.unknown.items[2], "WIRE");
    assert_false(parse("2025-09-01", json));
    assert_int_equal(problems.unknown.count, 0);
}

TEST(what_came_later_is_neither_required_nor_offered_by_an_older_contract)
{
    assert_refused("{}", ERR_INVALID, "The document must have exactly one of 'gas', not 0.");
    assert_false(parse("2025-09-01", "{}"));
    assert_string_equal(problems.items[0].text, "'colour' is required.");
    assert_string_equal(problems.items[1].text,
                        "The document must have exactly one of 'gas', 'wire', not 0.");
    assert_false(parse(NULL, "{}"));
    assert_int_equal(problems.count, 2);
}

TEST(a_number_may_be_sent_as_a_text)
{
    assert_true(
        parse("2023-05-01", "{\"gas\":1,\"watts\":\"80\",\"volts\":\"1.5\",\"on\":\"True\"}"));
    assert_int_equal(lamp.watts.value, 80);
    assert_int_equal(lamp.volts.milli, 1500);
    assert_true(lamp.on.value);
    assert_true(
        parse("2023-05-01", "{\"gas\":1,\"watts\":\"8e1\",\"volts\":\"-0\",\"on\":\"false\"}"));
    assert_int_equal(lamp.watts.value, 80);
    assert_int_equal(lamp.volts.milli, 0);
    assert_false(lamp.on.value);
}

TEST(a_text_that_is_no_number_names_its_place)
{
    static const char *const texts[] = {"",   "-",  "08",  "1.",  ".5",       "1e",  "1e+",  "+1",
                                        " 1", "1 ", "0x1", "NaN", "Infinity", "1,5", "1.5.2"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *json = arena_format(arena, "{\"gas\":1,\"watts\":\"%s\"}", texts[i]);
        assert_refused(json, ERR_INVALID,
                       arena_format(arena, "'watts' must be a whole number, not '%s'.", texts[i]));
    }
    assert_refused("{\"gas\":1,\"on\":\"yes\"}", ERR_INVALID,
                   "'on' must be true or false, not 'yes'.");
    assert_refused("{\"gas\":1,\"watts\":[]}", ERR_INVALID,
                   "'watts' must be a whole number, not an array.");
    assert_refused("{\"gas\":1,\"watts\":\"101\"}", ERR_PORTS,
                   "'watts' must be between 1 and 100.");
    assert_refused("{\"gas\":1,\"watts\":1e308}", ERR_PORTS, "'watts' is out of range.");
    assert_refused("{\"gas\":1,\"volts\":\"1e308\"}", ERR_INVALID, "'volts' is out of range.");
}

TEST(our_own_documents_stay_strict)
{
    assert_false(parse(NULL, "{\"colour\":\"c\",\"gas\":1,\"watts\":\"80\"}"));
    assert_string_equal(problems.items[0].text, "'watts' must be a whole number, not a string.");
}

TEST(some_texts_may_be_numbers_and_are_kept_as_written)
{
    assert_false(parse("2023-05-01", "{\"gas\":1,\"name\":080.50}")); /* no JSON */
    assert_true(problems.broken);
    assert_true(parse("2023-05-01", "{\"gas\":1,\"name\":80.50}"));
    assert_string_equal(lamp.name, "80.50");
    assert_true(parse("2023-05-01", "{\"gas\":1,\"name\":true}"));
    assert_string_equal(lamp.name, "true");
    assert_false(parse("2023-05-01", "{\"gas\":1,\"name\":{}}"));
    assert_false(problems.broken);
}

TEST(notes_are_no_problems_and_have_a_ceiling)
{
    struct err err;

    problems_init(&problems, arena);
    problems.max = 2;
    for (int i = 0; i < 3; i++)
        problem_note(&problems, "note %d", i);
    assert_int_equal(problems.notes.count, 2);
    assert_string_equal(problems.notes.items[1], "note 1");
    assert_true(problems_to_err(&problems, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_later_is_unknown_to_an_older_contract),
        cmocka_unit_test(what_came_later_is_neither_required_nor_offered_by_an_older_contract),
        cmocka_unit_test(a_number_may_be_sent_as_a_text),
        cmocka_unit_test(a_text_that_is_no_number_names_its_place),
        cmocka_unit_test(our_own_documents_stay_strict),
        cmocka_unit_test(some_texts_may_be_numbers_and_are_kept_as_written),
        cmocka_unit_test(notes_are_no_problems_and_have_a_ceiling),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
