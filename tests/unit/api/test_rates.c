/* The sliding windows against a list of calls, with a clock that goes on only when told. */
#include "api/rates.h"
#include "base/clock.h"
#include "tests/unit/scheduler/seed.h"
#include "tests/unit/unit.h"

enum { TICK_S = 5, CALLS_MAX = 20000 };
#define SUBSCRIPTION "6f1a1f4e-0000-4000-8000-00000000000a"
#define OTHER "6f1a1f4e-0000-4000-8000-00000000000b"

static struct rates *rates;
static int64_t now_ns;

static int64_t boot_ns(void *context UNUSED)
{
    return now_ns;
}

static int64_t now_ms(void *context UNUSED)
{
    return 1700000000000 + now_ns / 1000000;
}

static int begin(void **state UNUSED)
{
    static const struct clock_source source = {.now_ms = now_ms, .boot_ns = boot_ns};
    struct err err = {0};

    now_ns = INT64_C(3000000000); /* the machine has just begun */
    clock_replace(&source);
    rates = rates_new(&err);
    return rates ? 0 : -1;
}

static int end(void **state UNUSED)
{
    rates_free(rates);
    clock_replace(NULL);
    return 0;
}

static void pass_s(int64_t seconds)
{
    now_ns += seconds * 1000000000;
}

static struct rate_answer take(int64_t hour, int64_t five_minutes)
{
    struct rate_limits most = {{hour, five_minutes}};

    return rates_take(rates, SUBSCRIPTION, RATE_CREATES, &most);
}

TEST(allows_as_many_calls_as_the_limit_and_no_more)
{
    for (int i = 0; i < 100; i++) {
        struct rate_answer answer = take(300, 100);
        assert_true(answer.taken);
        assert_int_equal(answer.left[RATE_5_MINUTES], 99 - i);
        assert_int_equal(answer.left[RATE_HOUR], 299 - i);
    }
    struct rate_answer refused = take(300, 100);
    assert_false(refused.taken);
    assert_int_equal(refused.full, RATE_5_MINUTES);
    assert_int_equal(refused.left[RATE_5_MINUTES], 0);
    assert_int_equal(refused.left[RATE_HOUR], 200);
}

TEST(the_time_it_names_is_when_there_is_room)
{
    assert_true(take(300, 2).taken);
    pass_s(100);
    assert_true(take(300, 2).taken);
    struct rate_answer refused = take(300, 2);
    assert_in_range(refused.after_s, 200, 200 + TICK_S);
    pass_s(refused.after_s - 1);
    assert_false(take(300, 2).taken);
    pass_s(1);
    assert_true(take(300, 2).taken);
    assert_false(take(300, 2).taken); /* the second one is not old enough */
}

TEST(the_hour_counts_what_five_minutes_have_forgotten)
{
    for (int i = 0; i < 3; i++) {
        assert_true(take(3, 2).taken);
        pass_s(400);
    }
    struct rate_answer refused = take(3, 2);
    assert_false(refused.taken);
    assert_int_equal(refused.full, RATE_HOUR);
    assert_in_range(refused.after_s, 3600 - 1200, 3600 - 1200 + TICK_S);
    pass_s(refused.after_s);
    assert_true(take(3, 2).taken);
}

TEST(a_lowered_limit_waits_for_as_many_as_are_too_many)
{
    for (int i = 0; i < 10; i++) {
        assert_true(take(300, 10).taken);
        pass_s(10);
    }
    struct rate_answer refused = take(300, 4); /* seven must go */
    assert_false(refused.taken);
    assert_in_range(refused.after_s, 300 - 40, 300 - 40 + TICK_S);
    pass_s(refused.after_s);
    assert_true(take(300, 4).taken);
}

TEST(what_is_allowed_nothing_waits_the_whole_window)
{
    struct rate_answer refused = take(0, 5);
    assert_false(refused.taken);
    assert_int_equal(refused.after_s, 3600);
}

TEST(a_call_that_changed_nothing_comes_back)
{
    struct rate_answer first = take(300, 1);
    assert_true(first.taken);
    rates_give(rates, SUBSCRIPTION, RATE_CREATES, first.tick);
    assert_true(take(300, 1).taken);
    assert_false(take(300, 1).taken);
}

TEST(what_comes_back_late_is_not_counted_twice)
{
    struct rate_answer first = take(300, 2);
    pass_s(400); /* five minutes have forgotten it, the hour has not */
    assert_true(take(300, 2).taken);
    rates_give(rates, SUBSCRIPTION, RATE_CREATES, first.tick);
    struct rate_answer next = take(300, 2);
    assert_int_equal(next.left[RATE_5_MINUTES], 0);
    assert_int_equal(next.left[RATE_HOUR], 298);
    pass_s(4000);
    rates_give(rates, SUBSCRIPTION, RATE_CREATES, first.tick);
    assert_int_equal(take(300, 2).left[RATE_HOUR], 299);
}

TEST(subscriptions_and_kinds_are_counted_apart)
{
    struct rate_limits one = {{1, 1}};
    assert_true(rates_take(rates, SUBSCRIPTION, RATE_CREATES, &one).taken);
    assert_true(rates_take(rates, SUBSCRIPTION, RATE_DELETES, &one).taken);
    assert_true(rates_take(rates, OTHER, RATE_CREATES, &one).taken);
    assert_false(
        rates_take(rates, "6F1A1F4E-0000-4000-8000-00000000000A", RATE_CREATES, &one).taken);
    assert_int_equal(rates_ask(rates, OTHER, RATE_DELETES, &one).left[RATE_HOUR], 1);
    assert_int_equal(rates_ask(rates, OTHER, RATE_CREATES, &one).left[RATE_HOUR], 0);
}

TEST(more_subscriptions_than_there_is_room_for_are_not_refused)
{
    struct rate_limits one = {{1, 1}};
    char subscription[37];
    for (int i = 0; i < LIMIT_RATE_SUBSCRIPTIONS_MAX + 10; i++) {
        text_format(subscription, sizeof subscription, "6f1a1f4e-0000-4000-8000-%012d", i);
        assert_true(rates_take(rates, subscription, RATE_CREATES, &one).taken);
    }
    assert_true(rates_take(rates, subscription, RATE_CREATES, &one).taken);
    assert_false(
        rates_take(rates, "6f1a1f4e-0000-4000-8000-000000000000", RATE_CREATES, &one).taken);
}

/* In any five minutes and any hour no more calls than the limit; and a call is refused only when the last five minutes,
 * or the last hour, and one bucket more were full. */
TEST(no_five_minutes_and_no_hour_have_more_calls_than_the_limit)
{
    static int64_t calls[CALLS_MAX];
    uint64_t seed = 7;
    size_t count = 0;
    for (int i = 0; i < 40000 && count < CALLS_MAX; i++) {
        int64_t long_five = 0, five = 0, hour = 0, long_hour = 0;
        bool taken = take(300, 100).taken;
        for (size_t k = count; k-- > 0 && now_ns - calls[k] < (3600 + TICK_S) * 1000000000LL;) {
            int64_t age_ns = now_ns - calls[k];
            long_hour++;
            hour += age_ns < 3600 * 1000000000LL;
            five += age_ns < 300 * 1000000000LL;
            long_five += age_ns < (300 + TICK_S) * 1000000000LL;
        }
        if (taken) {
            assert_true(five < 100 && hour < 300);
            calls[count++] = now_ns;
        } else {
            assert_true(long_five >= 100 || long_hour >= 300);
        }
        now_ns += seed_between(&seed, 0, 9) ? seed_between(&seed, 0, 2000000000)
                                            : seed_between(&seed, 0, 100) * 1000000000;
    }
    assert_true(count > 1000);
}

#define RATE_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RATE_TEST(allows_as_many_calls_as_the_limit_and_no_more),
        RATE_TEST(the_time_it_names_is_when_there_is_room),
        RATE_TEST(the_hour_counts_what_five_minutes_have_forgotten),
        RATE_TEST(a_lowered_limit_waits_for_as_many_as_are_too_many),
        RATE_TEST(what_is_allowed_nothing_waits_the_whole_window),
        RATE_TEST(a_call_that_changed_nothing_comes_back),
        RATE_TEST(what_comes_back_late_is_not_counted_twice),
        RATE_TEST(subscriptions_and_kinds_are_counted_apart),
        RATE_TEST(more_subscriptions_than_there_is_room_for_are_not_refused),
        RATE_TEST(no_five_minutes_and_no_hour_have_more_calls_than_the_limit),
    };
    return RUN_TESTS(tests);
}
