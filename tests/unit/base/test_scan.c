#include "base/scan.h"

#include "base/limits.h"
#include "base/scan_inner.h"
#include "base/text.h"

#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>
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

/* NULL when all of `text` is one well-formed value. */
static const char *fault_of(const char *text, size_t size)
{
    struct scan scan;
    scan_init(&scan, text, size, arena);
    scan_skip(&scan);
    const char *wrong = arena_text(arena, scan.wrong);
    scan_done(&scan);
    return wrong;
}

TEST(takes_what_the_grammar_allows)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.5e-3",
        "1E+2",
        "\"\"",
        " [ 1 , 2 ] ",
        "{\"a\":{\"b\":[{},[],\"\\u00e9\\ud83d\\ude00\\n\"]}}",
        "\t\r\n1\n",
        "\"na\xC3\xAFve\"",
        "[1.0,1e5,0.1]",
        "\"\\\\u0000\\\\ud800\"",
        "\"\x7f\"",
        "\"\xED\x9F\xBF\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"",
        "\"\\/\\uDBFF\\uDFFF\"",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_null(fault_of(cases[i], strlen(cases[i])));
}

static const char *const no_json[] = {
    "",
    " ",
    "{",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1 \"b\":2}",
    "{,}",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "1e",
    "1e+",
    "0x1",
    "nul",
    "tru",
    "nulll",
    "\"",
    "\"\\\"",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\u0041\"",
    "\"\x01\"",
    "\"\n\"",
    "\"\xFF\"",
    "\"\xC0\x80\"",
    "\"\xED\xA0\x80\"",
    "\"\xE0\x80\x80\"",
    "\"\xF0\x80\x80\x80\"",
    "\"\xF4\x90\x80\x80\"",
    "\"\xC3\"",
    "\"\xC3",
    "\xC3\xA9",
    "\v1",
    "[1\f]",
    "\"\\ud800\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud800\\n\"",
    "\"\\ud83d\\ude0\"",
    "\"\\ud83d\\ude0x\"",
    "\"\\uDFFF\"",
    "\"\\",
    "\\u0041",
    "{} \"",
    "{} \"abc",
    "1 \"",
    "1 -",
    "{} tru",
    "[1]/",
    "1,",
    "/* x */1",
    "{} {}",
    "[]]",
    "NaN",
    "Infinity",
    "// x\n1",
    "\xEF\xBB\xBF{}",
    "{\"a\":1,\"a\":2}",
};

TEST(refuses_what_it_does_not)
{
    for (size_t i = 0; i < COUNT_OF(no_json); i++)
        if (!fault_of(no_json[i], strlen(no_json[i])))
            fail_msg("taken: %s", no_json[i]);
    assert_string_equal(fault_of("{\"a\":\0}", 7), "a NUL byte is not allowed");
    assert_string_equal(fault_of("\"\0\"", 3), "a NUL byte is not allowed");
}

TEST(says_where_the_fault_is)
{
    struct scan scan;
    int line, column;
    const char *text = "{\n  \"na\xC3\xAFve\": x\n}";
    scan_init(&scan, text, strlen(text), arena);
    assert_false(scan_skip(&scan));
    scan_place(&scan, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 12);
    scan_done(&scan);
}

TEST(names_the_first_of_many_faults)
{
    static const struct {
        const char *text, *wrong;
        int line, column;
    } cases[] = {
        {"", "it ends too early", 1, 1},
        {"[1,\n", "it ends too early", 2, 1},
        {"[tru", "it ends too early", 1, 5},
        {"-", "it ends too early", 1, 2},
        {"{} []", "something follows its end", 1, 4},
        {"[,1]", "unallowed token at this point in JSON text", 1, 2},
        {"{1:2}", "invalid object key (must be a string)", 1, 2},
        {"[x\xFF", "invalid char in json text", 1, 2},
        {"[\"\xFF\" x", "a byte that is not UTF-8 is not allowed", 1, 3},
        {"[\"\\x\" \xFF", NULL, 1, 3},
        {"{\"a\":\"\\u0000\"}", "the NUL character is not allowed", 1, 7},
        {"[\"\\ud83d\\ude00\\ude00\"]", "half of a surrogate pair is not allowed", 1, 15},
        {"{\"a\":{},\n\"a\":{\"b\":1,\"b\":2}}", "a property is given twice", 2, 4},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scan scan;
        int line, column;
        scan_init(&scan, cases[i].text, strlen(cases[i].text), arena);
        assert_false(scan_skip(&scan));
        scan_place(&scan, &line, &column);
        if ((cases[i].wrong && strcmp(scan.wrong, cases[i].wrong) != 0) || line != cases[i].line ||
            column != cases[i].column)
            fail_msg("%s: %s at %d:%d", cases[i].text, scan.wrong, line, column);
        scan_done(&scan);
    }
}

TEST(stops_at_its_depth)
{
    char deep[200];
    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    assert_null(fault_of(deep, 64));
    memset(deep, '[', 100);
    memset(deep + 100, ']', 100);
    assert_string_equal(fault_of(deep, 200), "it is nested too deep");
}

TEST(decodes_strings)
{
    struct scan scan;
    const char *text = NULL;
    size_t size = 0;
    const char *given = "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uD83D\\uDE00z\"";
    scan_init(&scan, given, strlen(given), arena);
    assert_true(scan_string(&scan, &text, &size));
    assert_string_equal(text, "a\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
    assert_int_equal(size, strlen(text));
    scan_done(&scan);
}

TEST(reads_numbers_exactly)
{
    static const struct {
        const char *text;
        bool whole, decimal;
        int64_t value, milli;
    } cases[] = {
        {"0", true, true, 0, 0},
        {"-0", true, true, 0, 0},
        {"1.5", false, true, 0, 1500},
        {"0.1", false, true, 0, 100},
        {"-0.001", false, true, 0, -1},
        {"1.000", true, true, 1, 1000},
        {"15e-1", false, true, 0, 1500},
        {"1e2", true, true, 100, 100000},
        {"0e99999999999", true, true, 0, 0},
        {"0.30000000000000004", false, true, 0, 300},
        {"0.29999999999999999", false, true, 0, 300},
        {"1.1000000000000000888178419700125", false, true, 0, 1100},
        {"1.0005", false, false, 0, 0},
        {"1.00001", false, false, 0, 0},
        {"0.0000000000000000000000001", false, false, 0, 0},
        {"9223372036854775807", true, false, INT64_MAX, 0},
        {"-9223372036854775807", true, false, -INT64_MAX, 0},
        {"9223372036854775808", false, false, 0, 0},
        {"9223372036854775.807", false, true, 0, INT64_MAX},
        {"1e400", false, false, 0, 0},
        {"1e-400", false, false, 0, 0},
        {"123456789012345678901234567890", false, false, 0, 0},
        {"10000000000000000000000e-20", true, true, 100, 100000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct scan scan;
        struct scan_number number;
        int64_t value = 0, milli = 0;
        scan_init(&scan, cases[i].text, strlen(cases[i].text), arena);
        assert_true(scan_number(&scan, &number) && !scan.wrong);
        scan_done(&scan);
        if (scan_number_int(&number, &value) != cases[i].whole ||
            scan_number_milli(&number, &milli) != cases[i].decimal)
            fail_msg("%s: whole %lld, milli %lld", cases[i].text, (long long)value,
                     (long long)milli);
        assert_int_equal(value, cases[i].value);
        assert_int_equal(milli, cases[i].milli);
    }
}

TEST(keeps_raw_values_compact)
{
    struct scan scan;
    const char *raw = NULL;
    const char *text = " { \"a b\" : [ 1 , \" \\\" x \" ] , \"c\" : { } } ";
    scan_init(&scan, text, strlen(text), arena);
    assert_true(scan_raw(&scan, &raw) && !scan.wrong);
    scan_done(&scan);
    assert_string_equal(raw, "{\"a b\":[1,\" \\\" x \"],\"c\":{}}");
}

TEST(finds_a_name_given_twice_among_many)
{
    enum { COUNT = 100000 };
    AUTO(text) *text = text_new(4 << 20);
    text_add_char(text, '{');
    for (int i = 0; i < COUNT; i++)
        text_addf(text, "\"n%d\":0,", i);
    text_add(text, "\"last\":0}");
    assert_null(fault_of(text->bytes, text->size));
    text->bytes[text->size - 1] = ',';
    text_add(text, "\"n777\":0}");
    assert_string_equal(fault_of(text->bytes, text->size), "a property is given twice");
}

TEST(says_when_the_arena_is_full)
{
    AUTO(arena) *small = arena_new(100);
    struct scan scan;
    const char *kept;
    char text[300];
    memset(text, 'a', sizeof text);
    text[0] = text[sizeof text - 1] = '"';
    scan_init(&scan, text, sizeof text, small);
    assert_false(scan_string(&scan, &kept, NULL));
    assert_true(scan.exhausted);
    scan_done(&scan);
}

/* Whatever piece of memory it is that is not there, also one that yajl asked for. */
TEST(says_when_the_tape_is_full)
{
    AUTO(text) *text = text_new(1 << 20);
    text_add(text, "{\"x\":[");
    for (int i = 0; i < 1000; i++)
        text_addf(text, "%d,\"\\n%d\",", i, i);
    text_add(text, "\"");
    for (int i = 0; i < 10000; i++)
        text_add(text, "\\t");
    text_add(text, "\"]}");
    assert_true(text_ok(text));
    size_t tape_max = 0;
    for (bool taken = false; !taken; tape_max += 16) {
        struct scan scan;
        scan_init_within(&scan, text->bytes, text->size, arena, tape_max);
        taken = scan_skip(&scan);
        assert_true(taken || scan.exhausted);
        scan_done(&scan);
        assert_true(tape_max < 1 << 20);
    }
    assert_true(tape_max > text->size);
}

TEST(walks_over_many_blocks_of_tape)
{
    enum { COUNT = 300000 };
    AUTO(text) *text = text_new(4 << 20);
    struct scan scan;
    struct scan_number number;
    int64_t value;
    text_add_char(text, '[');
    for (int i = 0; i < COUNT; i++)
        text_addf(text, "%d,", i);
    text_add(text, "[]]");
    scan_init(&scan, text->bytes, text->size, arena);
    assert_true(scan_enter(&scan));
    for (int i = 0; i < COUNT; i++) {
        assert_true(scan_item(&scan) && scan_number(&scan, &number));
        assert_true(scan_number_int(&number, &value));
        assert_int_equal(value, i);
    }
    assert_true(scan_item(&scan) && scan_enter(&scan));
    assert_false(scan_item(&scan));
    assert_false(scan_item(&scan));
    assert_null(scan.wrong);
    assert_int_equal(scan_type(&scan), SCAN_NOTHING);
    scan_done(&scan);
}

/* What we keep of `text`, read by jansson; NULL when we refuse it. */
static json_t *kept_of(const char *text, size_t size)
{
    struct scan scan;
    const char *raw;
    scan_init(&scan, text, size, arena);
    json_t *kept = scan_raw(&scan, &raw) ? json_loads(raw, JSON_DECODE_ANY, NULL) : NULL;
    if (!scan.wrong && !kept)
        fail_msg("%s: kept as %s", text, raw);
    scan_done(&scan);
    return kept;
}

/* jansson judges every text made by changing bytes of a good one; we agree, on values too. */
TEST(agrees_with_jansson)
{
    static const char good[] = "{\"a\":[1,-2.5e3,true,null,\"x\\u00e9\\n\",{\"b\":\"\xC3\xA9\"}],"
                               "\"c\":{\"d\":0.1}, \"\\ud83D\\uDE00/\":\"\xF0\x9F\x98\x80\"}";
    static const char bytes[] = "{}[]\",:\\u019edD8E+-./tfn \n\t\v\f\x01\x7f\xC3\xA9\xED\xFF";
    char text[sizeof good];
    uint32_t seed = 12345;
    for (int round = 0; round < 200000; round++) {
        memcpy(text, good, sizeof good);
        for (int change = 0; change < 1 + round % 3; change++) {
            seed = seed * 1664525 + 1013904223;
            text[(seed >> 8) % (sizeof good - 1)] = bytes[(seed >> 20) % (sizeof bytes - 1)];
        }
        json_error_t error;
        json_t *theirs =
            json_loadb(text, sizeof good - 1, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        bool overflow = !theirs && json_error_code(&error) == json_error_numeric_overflow;
        const char *wrong = fault_of(text, sizeof good - 1);
        if (!overflow &&
            (theirs != NULL) != (wrong == NULL)) /* numbers of any size are fine with us */
            fail_msg("%s: jansson %s, ours %s", text, theirs ? "takes it" : error.text,
                     wrong ? wrong : "takes it");
        json_t *ours = theirs ? kept_of(text, sizeof good - 1) : NULL;
        if (theirs && !json_equal(theirs, ours))
            fail_msg("%s: kept as something else", text);
        json_decref(theirs);
        json_decref(ours);
        arena_reset(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_grammar_allows),
        cmocka_unit_test(refuses_what_it_does_not),
        cmocka_unit_test(says_where_the_fault_is),
        cmocka_unit_test(names_the_first_of_many_faults),
        cmocka_unit_test(stops_at_its_depth),
        cmocka_unit_test(decodes_strings),
        cmocka_unit_test(reads_numbers_exactly),
        cmocka_unit_test(keeps_raw_values_compact),
        cmocka_unit_test(finds_a_name_given_twice_among_many),
        cmocka_unit_test(says_when_the_arena_is_full),
        cmocka_unit_test(says_when_the_tape_is_full),
        cmocka_unit_test(walks_over_many_blocks_of_tape),
        cmocka_unit_test(agrees_with_jansson),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
