#include "base/text.h"

#include "tests/unit/unit.h"

#include <string.h>

TEST(grows_and_stays_terminated)
{
    AUTO(text) *text = text_new(100000);
    for (int i = 0; i < 1000; i++)
        text_addf(text, "%d,", i);
    text_add_int(text, INT64_MIN);
    text_add_char(text, ' ');
    text_add_int(text, INT64_MAX);
    text_add(text, "");
    assert_true(text_ok(text));
    assert_int_equal(strlen(text->bytes), text->size);
    assert_non_null(strstr(text->bytes, "998,999,-9223372036854775808 9223372036854775807"));
}

TEST(remembers_that_something_did_not_fit)
{
    AUTO(text) *text = text_new(5);
    text_add(text, "12345");
    assert_true(text_ok(text));
    text_add_char(text, '6');
    assert_false(text_ok(text));
    assert_string_equal(text->bytes, "12345");
    text_clear(text);
    assert_true(text_ok(text));
    text_addf(text, "%s", "123456");
    assert_false(text_ok(text));
    text_clear(text);
    text_addf(text, "%0300d", 1);
    assert_false(text_ok(text));
    text_clear(text);
    text_add_cut(text, "1234567", 7);
    assert_false(text_ok(text));
    assert_string_equal(text->bytes, "12345");
    size_t size;
    assert_null(text_take(text, &size));
}

TEST(takes_no_text_for_a_failed_one)
{
    text_add(NULL, "x");
    text_addf(NULL, "%d", 1);
    text_add_json(NULL, "x");
    text_clear(NULL);
    assert_false(text_ok(NULL));
    text_free(NULL);
}

TEST(gives_its_bytes_away_and_starts_again)
{
    AUTO(text) *text = text_new(1000);
    text_add(text, "mine");
    size_t size = 0;
    AUTO_FREE char *bytes = text_take(text, &size);
    assert_string_equal(bytes, "mine");
    assert_int_equal(size, 4);
    text_addf(text, "%s", "again");
    assert_string_equal(text->bytes, "again");
}

TEST(prints_json_strings_that_parse_whatever_the_bytes)
{
    static const struct {
        const char *given, *printed;
    } cases[] = {
        {NULL, "null"},
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\n\r\t\b\x01\x1f\x7f", "\"\\n\\r\\t\\u0008\\u0001\\u001f\x7f\""},
        {"na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80",
         "\"na\xC3\xAFve \xE2\x82\xAC \xF0\x9F\x98\x80\""},
        {"a\xFF"
         "b",
         "\"a\xEF\xBF\xBD"
         "b\""},
        {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"cut \xE2\x82", "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(text) *text = text_new(1000);
        text_add_json(text, cases[i].given);
        assert_string_equal(text->bytes, cases[i].printed);
    }
}

TEST(cuts_arrays_between_characters)
{
    char out[6];
    assert_true(text_copy(out, sizeof out, "12345"));
    assert_false(text_copy(out, sizeof out, "123456"));
    assert_string_equal(out, "12345");
    assert_false(text_copy(out, sizeof out, "123\xE2\x82\xAC"));
    assert_string_equal(out, "123");
    assert_true(text_copy(out, sizeof out, "12\xE2\x82\xAC"));
    assert_string_equal(out, "12\xE2\x82\xAC");
    assert_false(text_format(out, sizeof out, "%s", "1234\xC3\xAF"));
    assert_string_equal(out, "1234");
    assert_true(text_copy(out, sizeof out, NULL));
    assert_string_equal(out, "");
    assert_true(text_format(out, sizeof out, "%d", 12345));
}

TEST(compares_without_case)
{
    assert_true(text_equal_nocase("OsType", "ostype"));
    assert_false(text_equal_nocase("ostype", "ostyp"));
    assert_false(text_equal_nocase("@", "`"));
    assert_true(text_equal_nocase("", ""));
    assert_true(text_has_prefix("/v1/nodes", "/v1/"));
    assert_false(text_has_prefix("/v", "/v1/"));
}

TEST(reads_strict_numbers)
{
    int64_t value = 7;
    assert_true(text_to_int("-9223372036854775808", &value) && value == INT64_MIN);
    assert_true(text_to_int("9223372036854775807", &value) && value == INT64_MAX);
    assert_true(text_to_int("0", &value) && value == 0);
    static const char *const wrong[] = {"",
                                        "-",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "9223372036854775808",
                                        "-9223372036854775809",
                                        "0x10",
                                        "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(text_to_int(wrong[i], &value));
    assert_int_equal(value, 0);
}

TEST(compares_secrets_exactly)
{
    assert_true(text_equal_secret("token", "token"));
    assert_false(text_equal_secret("token", "tokem"));
    assert_false(text_equal_secret("token", "toke"));
    assert_false(text_equal_secret("token", "tokens"));
    assert_false(text_equal_secret("token", ""));
    assert_false(text_equal_secret("", "t"));
}

TEST(reads_a_byte_as_urls_have_it)
{
    assert_int_equal(text_percent_byte("%4a", 3), 'J');
    assert_int_equal(text_percent_byte("%fFx", 4), 255);
    assert_int_equal(text_percent_byte("%00", 3), 0);
    assert_int_equal(text_percent_byte("%4a", 2), -1);
    assert_int_equal(text_percent_byte("%4", 3), -1);
    assert_int_equal(text_percent_byte("%", 3), -1);
    assert_int_equal(text_percent_byte("%4g", 3), -1);
    assert_int_equal(text_percent_byte("%\x10\x11", 3), -1);
    assert_int_equal(text_percent_byte("a4a", 3), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(remembers_that_something_did_not_fit),
        cmocka_unit_test(takes_no_text_for_a_failed_one),
        cmocka_unit_test(gives_its_bytes_away_and_starts_again),
        cmocka_unit_test(prints_json_strings_that_parse_whatever_the_bytes),
        cmocka_unit_test(cuts_arrays_between_characters),
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(reads_strict_numbers),
        cmocka_unit_test(compares_secrets_exactly),
        cmocka_unit_test(reads_a_byte_as_urls_have_it),
    };
    return RUN_TESTS(tests);
}
