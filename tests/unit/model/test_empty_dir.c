#include "model/empty_dir.h"
#include "tests/unit/unit.h"

#include <string.h>

TEST(quantities_are_read_as_kubernetes_writes_them)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: none */
    } cases[] = {
        {"1048576", 1048576}, {"1Ki", 1024},      {"500Mi", 500LL << 20},
        {"1.5Gi", 3LL << 29}, {"2G", 2000000000}, {"3k", 3000},
        {"1e9", 1000000000},  {"0.5Ki", 512},     {"8191Ti", 8191LL << 40},
        {"9000000Ti", -1},    {"0.3", -1},        {"1m", -1},
        {"1KiB", -1},         {"1 Gi", -1},       {"-1", -1},
        {"Gi", -1},           {"", -1},           {"0x10", -1},
        {"1K", -1},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t bytes = -1;
        bool taken = quantity_bytes(cases[i].text, &bytes);
        if (taken != (cases[i].bytes >= 0) || bytes != cases[i].bytes)
            fail_msg("\"%s\" gives %lld", cases[i].text, (long long)bytes);
    }
}

TEST(an_empty_dir_says_where_it_is_and_how_large)
{
    struct empty_dir out;

    assert_null(empty_dir_parse(&(struct raw_json){"{}"}, &out));
    assert_false(out.in_memory);
    assert_int_equal(out.size_bytes, 0);
    assert_null(empty_dir_parse(
        &(struct raw_json){"{\"Medium\":\"memory\",\"sizelimit\":\"2Mi\",\"x\":{}}"}, &out));
    assert_true(out.in_memory);
    assert_int_equal(out.size_bytes, 2 << 20);
    assert_null(empty_dir_parse(&(struct raw_json){"{\"medium\":\"\"}"}, &out));
    assert_false(out.in_memory);
    assert_non_null(empty_dir_parse(&(struct raw_json){"\"x\""}, &out));
    assert_non_null(empty_dir_parse(&(struct raw_json){"{\"sizeLimit\":\"0\"}"}, &out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantities_are_read_as_kubernetes_writes_them),
        cmocka_unit_test(an_empty_dir_says_where_it_is_and_how_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
