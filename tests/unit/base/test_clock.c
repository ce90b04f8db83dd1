#include "base/clock.h"

#include "tests/unit/unit.h"

TEST(prints_and_reads_the_same_instant)
{
    static const struct {
        const char *text;
        int64_t ms;
        const char *printed;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
        {"2026-01-31T08:11:33Z", 1769847093000, "2026-01-31T08:11:33.000Z"},
        {"2026-01-31t08:11:33.3106967z", 1769847093310, "2026-01-31T08:11:33.310Z"},
        {"2026-01-31T09:11:33.31+01:00", 1769847093310, "2026-01-31T08:11:33.310Z"},
        {"2026-01-31T00:41:33-07:30", 1769847093000, "2026-01-31T08:11:33.000Z"},
        {"2024-02-29T23:59:60Z", 1709251200000, "2024-03-01T00:00:00.000Z"},
        {"1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"},
        {"9999-12-31T23:59:59Z", 253402300799000, "9999-12-31T23:59:59.000Z"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 42;
        char text[CLOCK_TEXT_SIZE];
        assert_true(clock_parse(cases[i].text, &ms));
        assert_int_equal(ms, cases[i].ms);
        clock_text_ms(ms, text);
        assert_string_equal(text, cases[i].printed);
    }
    char text[CLOCK_TEXT_SIZE];
    clock_text(1769847093310, text);
    assert_string_equal(text, "2026-01-31T08:11:33Z");
}

TEST(refuses_what_is_no_instant)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-01-31",
        "2026-01-31 08:11:33Z",
        "2026-01-31T08:11:33",
        "2026-13-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Zx",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "-026-01-01T00:00:00Z",
        "2026-01-01T00:00:00+00:60",
        "yesterday",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 42;
        assert_false(clock_parse(cases[i], &ms));
        assert_int_equal(ms, 42);
    }
}

static int64_t fixed_ms(void *context)
{
    return *(int64_t *)context;
}

TEST(can_be_replaced_and_restored)
{
    int64_t now = 5;
    struct clock_source source = {.now_ms = fixed_ms, .boot_ns = fixed_ms, .context = &now};
    clock_replace(&source);
    assert_int_equal(clock_now_ms(), 5);
    now = 6;
    assert_int_equal(clock_now_ms(), 6);
    assert_int_equal(clock_boot_ns(), 6);
    clock_replace(NULL);
    assert_true(clock_now_ms() > 1700000000000);
    int64_t first = clock_boot_ns();
    assert_true(clock_boot_ns() >= first && first > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_and_reads_the_same_instant),
        cmocka_unit_test(refuses_what_is_no_instant),
        cmocka_unit_test(can_be_replaced_and_restored),
    };
    return RUN_TESTS(tests);
}
