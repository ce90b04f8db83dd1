#include "base/limits.h"
#include "dns/rate.h"
#include "tests/unit/unit.h"

TEST(past_the_limit_every_second_answer_asks_for_tcp)
{
    static struct reply_rates rates;
    for (int i = 0; i < LIMIT_DNS_RATE; i++)
        assert_int_equal(reply_rate_take(&rates, 7, 100), RATE_ANSWER);
    int cut = 0, none = 0;
    for (int i = 0; i < 100; i++) {
        enum rate_word word = reply_rate_take(&rates, 7, 100);
        cut += word == RATE_CUT;
        none += word == RATE_NONE;
    }
    assert_int_equal(cut, 50);
    assert_int_equal(none, 50);
}

TEST(another_network_and_another_second_begin_anew)
{
    static struct reply_rates rates;
    for (int i = 0; i < LIMIT_DNS_RATE + 10; i++)
        (void)reply_rate_take(&rates, 7, 100);
    assert_int_equal(reply_rate_take(&rates, 8, 100), RATE_ANSWER);
    assert_int_equal(reply_rate_take(&rates, 7, 101), RATE_ANSWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(past_the_limit_every_second_answer_asks_for_tcp),
        cmocka_unit_test(another_network_and_another_second_begin_anew),
    };
    return RUN_TESTS(tests);
}
