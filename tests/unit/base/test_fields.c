#include "tests/unit/base/zoo.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct arena *arena;
static struct animal animal;
static struct problems problems;

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

static bool parse_n(const char *json, size_t size)
{
    memset(&animal, 0xAA, sizeof animal);
    problems_init(&problems, arena);
    return fields_parse(&animal_schema, json, size, arena, &animal, &problems);
}

static bool parse(const char *json)
{
    return parse_n(json, strlen(json));
}

/* The one problem of a document. */
static void assert_problem(const char *json, enum err_code code, const char *field,
                           const char *text)
{
    if (parse(json))
        fail_msg("no problem in %s", json);
    if (problems.count != 1 || problems.items[0].code != code ||
        strcmp(problems.items[0].field, field) != 0 || strcmp(problems.items[0].text, text) != 0)
        fail_msg("%s: %zu problems, first %s at %s: %s", json, problems.count,
                 err_code_name(problems.items[0].code), problems.items[0].field,
                 problems.items[0].text);
}

static const char *print(enum fields_mode mode)
{
    AUTO(text) *out = text_new(1 << 20);
    fields_print(&animal_schema, &animal, mode, out, NULL);
    assert_true(text_ok(out));
    return arena_text(arena, out->bytes);
}

TEST(reads_every_kind)
{
    assert_true(parse(
        "{\"name\":\"rex\",\"token\":\"t\",\"code\":\"c\",\"tame\":true,\"legs\":4,\"weight\":12.5,"
        "\"age\":3,\"extinct\":true,\"diet\":\"meat\",\"mood\":\"PLANTS\",\"tags\":{\"a\":\"b\"},"
        "\"food\":[\"x\",\"y\"],\"notes\":{ \"k\" : [ 1 ] },\"keeper\":{\"name\":\"kim\"},"
        "\"cages\":[{\"label\":\"one\",\"emptyDir\":{}},{\"label\":\"two\",\"secret\":{\"f\":\"v\"}"
        "}]}"));
    assert_string_equal(animal.name, "rex");
    assert_int_equal(animal.tame.given, GIVEN_VALUE);
    assert_true(animal.tame.value);
    assert_int_equal(animal.legs.value, 4);
    assert_int_equal(animal.weight.milli, 12500);
    assert_int_equal(animal.age, 3);
    assert_true(animal.extinct);
    assert_int_equal(animal.diet, DIET_MEAT);
    assert_int_equal(animal.mood, DIET_PLANTS);
    assert_string_equal(animal.tags.items[0].value, "b");
    assert_int_equal(animal.food.count, 2);
    assert_string_equal(animal.notes.text, "{\"k\":[1]}");
    assert_string_equal(animal.keeper->name, "kim");
    assert_int_equal(animal.cages_count, 2);
    assert_string_equal(animal.cages[1].secret.items[0].key, "f");
    assert_int_equal(animal.cages[0].doors.value, 1);
}

TEST(knows_absent_from_null_from_value)
{
    assert_true(parse("{\"name\":\"rex\",\"legs\":null,\"tags\":null,\"keeper\":null,\"tame\":null,"
                      "\"cages\":null}"));
    assert_int_equal(animal.legs.given, GIVEN_ABSENT);
    assert_int_equal(animal.tame.given, GIVEN_NULL);
    assert_null(animal.keeper);
    assert_null(animal.token);
    assert_int_equal(animal.age, 7);
    assert_int_equal(animal.diet, -1);
    assert_int_equal(animal.mood, DIET_MEAT);
    assert_string_equal(animal.code, "none");
    assert_false(animal.tags.given);
    assert_string_equal(
        print(FIELDS_PUBLIC),
        "{\"name\":\"rex\",\"code\":\"none\",\"tame\":null,\"age\":7,\"extinct\":false,"
        "\"mood\":\"Meat\",\"tags\":{},\"cages\":[]}");
}

TEST(matches_names_without_case_and_prints_them_as_declared)
{
    assert_true(parse(
        "{\"NAME\":\"rex\",\"Cages\":[{\"LABEL\":\"a\",\"EmptyDir\":{}}],\"DIET\":\"PLANTS\"}"));
    assert_non_null(strstr(print(FIELDS_PUBLIC), "\"diet\":\"Plants\""));
    assert_int_equal(problems.unknown.count, 0);
}

/* clang-format off */
TEST(names_the_field_that_is_wrong)
{
    assert_problem("{}", ERR_BAD_NAME, "name", "'name' is required.");
    assert_problem("{\"name\":null}", ERR_BAD_NAME, "name", "'name' is required.");
    assert_problem("{\"name\":5}", ERR_INVALID, "name", "'name' must be a string, not a number.");
    assert_problem("{\"name\":\"\"}", ERR_BAD_NAME, "name", "'name' must not be empty.");
    assert_problem("{\"name\":\"a-name-that-is-too-long\"}", ERR_BAD_NAME, "name", "'name' must have at most 20 bytes.");
    assert_problem("{\"name\":\"-x\"}", ERR_BAD_NAME, "name", "'name' must match the pattern '[a-z]([-a-z0-9]*[a-z0-9])?'.");
    assert_problem("{\"name\":\"x\\n\"}", ERR_BAD_NAME, "name", "'name' must match the pattern '[a-z]([-a-z0-9]*[a-z0-9])?'.");
    assert_problem("{\"name\":\"x\",\"tame\":\"yes\"}", ERR_INVALID, "tame", "'tame' must be true or false, not a string.");
    assert_problem("{\"name\":\"x\",\"legs\":1.5}", ERR_INVALID, "legs", "'legs' must be a whole number.");
    assert_problem("{\"name\":\"x\",\"legs\":1e30}", ERR_INVALID, "legs", "'legs' is out of range.");
    assert_problem("{\"name\":\"x\",\"legs\":-1}", ERR_INVALID, "legs", "'legs' must be between 0 and 1000.");
    assert_problem("{\"name\":\"x\",\"weight\":5000.501}", ERR_REQUESTS_INVALID, "weight", "'weight' must be between 0.001 and 5000.5.");
    assert_problem("{\"name\":\"x\",\"weight\":1.0001}", ERR_REQUESTS_INVALID, "weight", "'weight' must have at most three decimals.");
    assert_problem("{\"name\":\"x\",\"diet\":\"Air\"}", ERR_OS_TYPE, "diet", "'diet' must be one of 'Plants', 'Meat'.");
    assert_problem("{\"name\":\"x\",\"food\":[\"a\",2]}", ERR_INVALID, "food[1]", "'food[1]' must be a string, not a number.");
    assert_problem("{\"name\":\"x\",\"food\":[]}", ERR_INVALID, "food", "'food' must have at least 1 items.");
    assert_problem("{\"name\":\"x\",\"food\":[\"1\",\"2\",\"3\",\"4\"]}", ERR_INVALID, "food", "'food' must have at most 3 items.");
    assert_problem("{\"name\":\"x\",\"tags\":{\"k\":{}}}", ERR_INVALID, "tags.k", "'tags.k' must be a string, not an object.");
    assert_problem("{\"name\":\"x\",\"tags\":[]}", ERR_INVALID, "tags", "'tags' must be an object of strings, not an array.");
    assert_problem("{\"name\":\"x\",\"keeper\":[]}", ERR_INVALID, "keeper", "'keeper' must be an object, not an array.");
    assert_problem("{\"name\":\"x\",\"keeper\":{}}", ERR_INVALID, "keeper.name", "'keeper.name' is required.");
    assert_problem("{\"name\":\"x\",\"cages\":[null]}", ERR_INVALID, "cages[0]", "'cages[0]' must be an object, not null.");
    assert_problem("{\"name\":\"x\",\"cages\":[{\"label\":\"1\",\"emptyDir\":{}},{\"label\":\"2\",\"keeper\":{\"name\":true}}]}", ERR_INVALID,
                   "cages[1].keeper.name", "'cages[1].keeper.name' must be a string, not true or false.");
    assert_problem("[]", ERR_BAD_JSON, "", "The document must be a JSON object.");
}

TEST(wants_exactly_one_of_a_choice)
{
    assert_problem("{\"name\":\"x\",\"cages\":[{\"label\":\"a\"}]}", ERR_VOLUME, "cages[0]",
                   "'cages[0]' must have exactly one of 'emptyDir', 'secret', 'keeper', not 0.");
    assert_problem("{\"name\":\"x\",\"cages\":[{\"label\":\"a\",\"emptyDir\":{},\"secret\":{}}]}", ERR_VOLUME, "cages[0]",
                   "'cages[0]' must have exactly one of 'emptyDir', 'secret', 'keeper', not 2.");
    assert_true(parse("{\"name\":\"x\",\"cages\":[{\"label\":\"a\",\"emptyDir\":null,\"secret\":{}}]}"));
}

TEST(refuses_a_property_given_twice_in_any_case)
{
    assert_problem("{\"name\":\"x\",\"Name\":\"y\"}", ERR_BAD_JSON, "name", "'name' is given twice.");
    assert_problem("{\"name\":\"x\",\"new\":1,\"new\":2}", ERR_BAD_JSON, "new", "'new' is given twice.");
    assert_problem("{\"name\":\"x\",\"tags\":{\"a\":\"1\",\"a\":\"2\"}}", ERR_BAD_JSON, "tags.a", "'tags.a' is given twice.");
    assert_problem("{\"name\":\"x\",\"keeper\":null,\"keeper\":null}", ERR_BAD_JSON, "keeper", "'keeper' is given twice.");
    assert_problem("{\"name\":\"x\",\"notes\":{\"a\":1,\"a\":2}}", ERR_BAD_JSON, "",
                   "The document is not valid JSON: a property is given twice, at line 1, column 31.");
}

/* clang-format on */
TEST(collects_all_problems_and_counts_what_is_beyond_the_ceiling)
{
    assert_false(parse("{\"legs\":\"x\",\"diet\":1,\"cages\":[{},{\"label\":5}]}"));
    static const char *const fields[] = {
        "legs", "diet", "cages[0].label", "cages[0]", "cages[1].label", "cages[1]", "name"};
    assert_int_equal(problems.count, COUNT_OF(fields));
    for (size_t i = 0; i < COUNT_OF(fields); i++)
        assert_string_equal(problems.items[i].field, fields[i]);
    struct err err;
    assert_false(problems_to_err(&problems, &err));
    assert_string_equal(err.field, "legs");
    AUTO(text) *many = text_new(1 << 16);
    text_add(many, "{\"name\":\"x\",\"food\":[\"a\"],\"cages\":[");
    for (int i = 0; i < 50; i++)
        text_addf(many, "%s{\"label\":1,\"emptyDir\":{}}", i > 0 ? "," : "");
    text_add(many, "]}");
    assert_false(parse(many->bytes));
    assert_int_equal(problems.count + problems.more,
                     7); /* what is beyond the array's ceiling is not looked at */
    problems_init(&problems, arena);
    problems.max = 2;
    assert_false(fields_parse(&animal_schema, many->bytes, many->size, arena, &animal, &problems));
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.more, 5);
}

TEST(collects_unknown_properties_apart)
{
    assert_true(parse(
        "{\"name\":\"x\",\"new\":{\"a\":[1,{}]},\"keeper\":{\"name\":\"k\",\"shoe size\":44}}"));
    assert_int_equal(problems.count, 0);
    assert_int_equal(problems.unknown.count, 2);
    assert_string_equal(problems.unknown.items[0], "new");
    assert_string_equal(problems.unknown.items[1], "keeper.shoe size");
}

TEST(skips_what_only_berth_writes)
{
    assert_true(parse("{\"name\":\"x\",\"status\":5,\"inner\":\"y\"}"));
    assert_null(animal.status);
    assert_int_equal(animal.inner, 0);
    struct err err;
    const char *own =
        "{\"name\":\"NOT CHECKED WHEN IT IS OUR "
        "OWN\",\"status\":\"up\",\"inner\":3,\"later\":1,\"cages\":[{\"label\":\"l\"}]}";
    assert_true(fields_read(&animal_schema, own, strlen(own), arena, &animal, &err));
    assert_string_equal(animal.status, "up");
    assert_int_equal(animal.inner, 3);
    own = "{\"status\":\"up\"}";
    assert_false(fields_read(&animal_schema, own, strlen(own), arena, &animal, &err));
    assert_string_equal(err.field, "name");
    assert_int_equal(err.code, ERR_BAD_NAME);
}

TEST(refuses_hostile_documents)
{
    static const struct {
        const char *json;
        size_t size;
        const char *text;
    } cases[] = {
        {"", 0, "The document is not valid JSON: it ends too early, at line 1, column 1."},
        {"{\"name\":\"x\"", 11,
         "The document is not valid JSON: it ends too early, at line 1, column 12."},
        {"{\"name\":\"a\0b\"}", 14,
         "The document is not valid JSON: a NUL byte is not allowed, at line 1, column 11."},
        {"{\"name\":\"a\xFF\"}", 13,
         "The document is not valid JSON: a byte that is not UTF-8 is not allowed, at line 1, "
         "column 11."},
        {"{\"name\":\"x\"}}", 13,
         "The document is not valid JSON: something follows its end, at line 1, column 13."},
        {"{\"x\":\n\n!", 8,
         "The document is not valid JSON: invalid char in json text, at line 3, column 1."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(parse_n(cases[i].json, cases[i].size));
        assert_int_equal(problems.count, 1);
        assert_int_equal(problems.items[0].code, ERR_BAD_JSON);
        assert_string_equal(problems.items[0].text, cases[i].text);
    }
    char deep[1007] = "{\"new\":";
    memset(deep + 7, '[', 1000);
    assert_false(parse_n(deep, sizeof deep));
    assert_string_equal(
        problems.items[0].text,
        "The document is not valid JSON: it is nested too deep, at line 1, column 39.");
}

TEST(says_when_a_document_holds_more_than_may_be_kept)
{
    AUTO(arena) *small = arena_new(40000);
    AUTO(text) *many = text_new(1 << 20);
    text_add(many, "{\"name\":\"x\",\"notes\":[");
    for (int i = 0; i < 50000; i++)
        text_add(many, "1,");
    text_add(many, "1]}");
    problems_init(&problems, small);
    assert_false(fields_parse(&animal_schema, many->bytes, many->size, small, &animal, &problems));
    struct err err;
    assert_false(problems_to_err(&problems, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    /* Whatever room there is, a document that was not read has a problem that says so. */
    const char *wrong = "{\"name\":5,\"cages\":[{},{},{}]}";
    for (size_t room = 0; room < 6000; room += 16) {
        AUTO(arena) *tiny = arena_new(room);
        problems_init(&problems, tiny);
        assert_false(fields_parse(&animal_schema, wrong, strlen(wrong), tiny, &animal, &problems));
        assert_true(problems.count > 0 && problems.items[0].text && problems.items[0].field);
        assert_false(problems_to_err(&problems, &err));
    }
}

TEST(keeps_secrets_to_itself)
{
    const char *json = "{\"name\":\"rex\",\"token\":\"TOPSECRET\",\"status\":\"x\",\"keeper\":{"
                       "\"name\":\"kim\",\"password\":\"TOPSECRET\","
                       "\"keys\":{\"a\":\"TOPSECRET\"}},\"cages\":[{\"label\":\"a\",\"emptyDir\":{}"
                       "},{\"label\":\"b\",\"secret\":{\"f\":\"TOPSECRET\"}}]}";
    assert_true(parse(json));
    static const enum fields_mode modes[] = {FIELDS_PUBLIC, FIELDS_STORED, FIELDS_ALL};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        assert_null(strstr(print(modes[i]), "TOPSECRET"));
        assert_non_null(strstr(print(modes[i]), "\"secret\":{}"));
        assert_null(strstr(print(modes[i]), "token"));
    }
    AUTO(text) *secrets = text_new(1 << 16);
    fields_secrets(&animal_schema, &animal, secrets);
    assert_string_equal(secrets->bytes, "{\"token\":\"TOPSECRET\",\"keeper.password\":"
                                        "\"TOPSECRET\",\"keeper.keys\":{\"a\":\"TOPSECRET\"},"
                                        "\"cages[1].secret\":{\"f\":\"TOPSECRET\"}}");
    const char *all = print(FIELDS_WITH_SECRETS), *stored = print(FIELDS_STORED);
    struct err err;
    assert_true(fields_read(&animal_schema, stored, strlen(stored), arena, &animal, &err));
    assert_null(animal.token);
    assert_true(
        fields_fill_secrets(&animal_schema, &animal, secrets->bytes, secrets->size, arena, &err));
    assert_string_equal(print(FIELDS_WITH_SECRETS), all);
}

TEST(ignores_secrets_whose_place_is_gone)
{
    struct err err;
    assert_true(parse("{\"name\":\"rex\"}"));
    const char *json = "{\"keeper.password\":\"x\",\"cages[0].secret\":{},\"cages[x].secret\":{},"
                       "\"name\":\"no\",\"\":1,\"a.b\":[{}],\"cages\":[],"
                       "\"cages[0]\":1,\"keeper\":{},\"token\":\"yes\"}";
    assert_true(fields_fill_secrets(&animal_schema, &animal, json, strlen(json), arena, &err));
    assert_string_equal(animal.token, "yes");
    assert_string_equal(animal.name, "rex");
    assert_null(animal.keeper);
    assert_false(fields_fill_secrets(&animal_schema, &animal, "{\"token\":", 9, arena, &err));
    assert_false(fields_fill_secrets(&animal_schema, &animal, "[]", 2, arena, &err));
    assert_false(fields_fill_secrets(&animal_schema, &animal, "{\"token\":5}", 11, arena, &err));
}

TEST(prints_by_mode_what_each_reader_may_see)
{
    struct err err;
    const char *json = "{\"name\":\"rex\",\"token\":\"t\",\"status\":\"up\",\"inner\":3}";
    assert_true(fields_read(&animal_schema, json, strlen(json), arena, &animal, &err));
    assert_null(strstr(print(FIELDS_PUBLIC), "inner"));
    assert_non_null(strstr(print(FIELDS_PUBLIC), "\"status\":\"up\""));
    assert_null(strstr(print(FIELDS_STORED), "status"));
    assert_non_null(strstr(print(FIELDS_STORED), "\"inner\":3"));
    assert_non_null(strstr(print(FIELDS_ALL), "\"status\":\"up\""));
    assert_non_null(strstr(print(FIELDS_ALL), "\"inner\":3"));
    assert_non_null(strstr(print(FIELDS_WITH_SECRETS), "\"token\":\"t\""));
}

TEST(prints_decimals_short_and_exact)
{
    static const struct {
        int64_t milli;
        const char *text;
    } cases[] = {{0, "0.0"},
                 {1000, "1.0"},
                 {1500, "1.5"},
                 {100, "0.1"},
                 {10, "0.01"},
                 {1, "0.001"},
                 {1010, "1.01"},
                 {1234567, "1234.567"},
                 {-500, "-0.5"},
                 {-1000, "-1.0"},
                 {INT64_MIN, "-9223372036854775.808"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct animal one = {.weight = {GIVEN_VALUE, cases[i].milli}, .diet = -1, .mood = -1};
        AUTO(text) *out = text_new(1000);
        fields_print(&animal_schema, &one, FIELDS_PUBLIC, out, NULL);
        const char *weight = strstr(out->bytes, "\"weight\":") + 9;
        assert_memory_equal(weight, cases[i].text, strlen(cases[i].text));
        assert_int_equal(weight[strlen(cases[i].text)], ',');
    }
}

TEST(tells_where_something_can_be_spliced_in)
{
    size_t splice = 99;
    AUTO(text) *out = text_new(1000);
    assert_true(parse("{\"name\":\"x\",\"keeper\":{\"name\":\"k\"}}"));
    fields_print(&animal_schema, &animal, FIELDS_PUBLIC, out, &splice);
    assert_memory_equal(out->bytes + splice, "\"name\":\"k\"", 10);
    assert_int_equal(out->bytes[splice - 1], '{');
    assert_true(parse("{\"name\":\"x\"}"));
    fields_print_members(&animal_schema, &animal, FIELDS_PUBLIC, out, &splice);
    assert_int_equal(splice, 0);
}

TEST(reads_back_what_it_printed)
{
    const char *json = "{\"name\":\"rex\",\"code\":\"\\\"\\\\\\n\xC3\xA9\",\"weight\":0.1,"
                       "\"notes\":[\"\\u0001\",null],\"tags\":{\"a\\\"b\":\"\"},\"food\":[\"\"]}";
    assert_true(parse(json));
    const char *first = print(FIELDS_PUBLIC);
    assert_true(parse(first));
    assert_string_equal(print(FIELDS_PUBLIC), first);
}

TEST(prints_an_empty_kind_of_a_choice_to_whoever_sees_secrets)
{
    assert_true(parse("{\"name\":\"x\",\"cages\":[{\"label\":\"a\",\"secret\":{}}]}"));
    assert_non_null(strstr(print(FIELDS_WITH_SECRETS), "\"secret\":{}"));
    assert_non_null(strstr(print(FIELDS_PUBLIC), "\"secret\":{}"));
    assert_true(parse("{\"name\":\"x\",\"cages\":[{\"label\":\"a\",\"emptyDir\":{}}]}"));
    assert_null(strstr(print(FIELDS_WITH_SECRETS), "\"secret\""));
}

TEST(finds_words_without_case)
{
    assert_int_equal(fields_word(diet_words, "MEAT"), DIET_MEAT);
    assert_int_equal(fields_word(diet_words, "meats"), -1);
    assert_int_equal(fields_word(diet_words, ""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind),
        cmocka_unit_test(knows_absent_from_null_from_value),
        cmocka_unit_test(matches_names_without_case_and_prints_them_as_declared),
        cmocka_unit_test(names_the_field_that_is_wrong),
        cmocka_unit_test(wants_exactly_one_of_a_choice),
        cmocka_unit_test(refuses_a_property_given_twice_in_any_case),
        cmocka_unit_test(collects_all_problems_and_counts_what_is_beyond_the_ceiling),
        cmocka_unit_test(collects_unknown_properties_apart),
        cmocka_unit_test(skips_what_only_berth_writes),
        cmocka_unit_test(refuses_hostile_documents),
        cmocka_unit_test(says_when_a_document_holds_more_than_may_be_kept),
        cmocka_unit_test(keeps_secrets_to_itself),
        cmocka_unit_test(ignores_secrets_whose_place_is_gone),
        cmocka_unit_test(prints_by_mode_what_each_reader_may_see),
        cmocka_unit_test(prints_decimals_short_and_exact),
        cmocka_unit_test(tells_where_something_can_be_spliced_in),
        cmocka_unit_test(reads_back_what_it_printed),
        cmocka_unit_test(prints_an_empty_kind_of_a_choice_to_whoever_sees_secrets),
        cmocka_unit_test(finds_words_without_case),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
