/* model/lifecycle.h */
#include "tests/unit/unit.h"

#include "model/lifecycle.h"

static void a_pending_group_may_run_and_a_stopped_one_may_not(void **state UNUSED)
{
    enum group_state pending = GROUP_PENDING, stopped = GROUP_STOPPED;
    struct err err = {0};

    assert_true(group_move(&pending, GROUP_RUNNING, &err));
    assert_int_equal(pending, GROUP_RUNNING);
    assert_false(group_move(&stopped, GROUP_RUNNING, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_string_equal(err.text, "a Stopped container group cannot become Running");
    assert_int_equal(stopped, GROUP_STOPPED);
}

static void staying_is_always_allowed(void **state UNUSED)
{
    struct err err = {0};

    for (int at = GROUP_PENDING; at <= GROUP_REPAIRING; at++) {
        enum group_state same = (enum group_state)at;
        assert_true(group_move(&same, (enum group_state)at, &err));
    }
}

static void the_group_state_follows_from_its_containers(void **state UNUSED)
{
    static const struct {
        enum restart_policy policy;
        struct group_tally tally;
        enum group_state expected;
    } cases[] = {
        {RESTART_ALWAYS, {.containers = 2}, GROUP_PENDING},
        {RESTART_ALWAYS, {.containers = 2, .started = 1, .running = 1}, GROUP_PENDING},
        {RESTART_ALWAYS, {.containers = 2, .started = 2, .running = 2}, GROUP_RUNNING},
        {RESTART_ALWAYS, {.containers = 2, .started = 2, .running = 1}, GROUP_RUNNING},
        {RESTART_NEVER, {.containers = 2, .started = 2, .ended = 2}, GROUP_SUCCEEDED},
        {RESTART_NEVER, {.containers = 2, .started = 2, .ended = 2, .failed = 1}, GROUP_FAILED},
        {RESTART_NEVER,
         {.containers = 2, .started = 2, .running = 1, .ended = 1, .failed = 1},
         GROUP_RUNNING},
        {RESTART_ON_FAILURE, {.containers = 1, .started = 1, .ended = 1}, GROUP_SUCCEEDED},
        {RESTART_ON_FAILURE,
         {.containers = 2, .started = 2, .running = 1, .ended = 1},
         GROUP_RUNNING},
        {RESTART_NEVER, {.containers = 2, .init_failed = true}, GROUP_FAILED},
        {RESTART_ALWAYS, {.containers = 2}, GROUP_PENDING},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(group_state_of(cases[i].policy, &cases[i].tally), cases[i].expected);
}

static void the_policy_says_who_is_started_again(void **state UNUSED)
{
    assert_true(restart_wanted(RESTART_ALWAYS, 0));
    assert_true(restart_wanted(RESTART_ALWAYS, 1));
    assert_false(restart_wanted(RESTART_ON_FAILURE, 0));
    assert_true(restart_wanted(RESTART_ON_FAILURE, 1));
    assert_true(restart_wanted(RESTART_ON_FAILURE, -1));
    assert_false(restart_wanted(RESTART_NEVER, 1));
}

static void an_init_container_that_ended_well_is_never_started_again(void **state UNUSED)
{
    assert_int_equal(restart_policy_of_init(RESTART_ALWAYS), RESTART_ON_FAILURE);
    assert_int_equal(restart_policy_of_init(RESTART_ON_FAILURE), RESTART_ON_FAILURE);
    assert_int_equal(restart_policy_of_init(RESTART_NEVER), RESTART_NEVER);
}

static void the_back_off_doubles_up_to_five_minutes(void **state UNUSED)
{
    const struct restart_pace *pace = &restart_pace_usual;

    assert_int_equal(restart_backoff_ms(pace, 0), 0);
    assert_int_equal(restart_backoff_ms(pace, 1), 10000);
    assert_int_equal(restart_backoff_ms(pace, 2), 20000);
    assert_int_equal(restart_backoff_ms(pace, 5), 160000);
    assert_int_equal(restart_backoff_ms(pace, 6), 300000);
    assert_int_equal(restart_backoff_ms(pace, 1000000), 300000);
}

static void the_back_off_has_its_own_pace_where_one_is_set(void **state UNUSED)
{
    const struct restart_pace pace = {.first_ms = 200, .max_ms = 500};

    assert_int_equal(restart_backoff_ms(&pace, 1), 200);
    assert_int_equal(restart_backoff_ms(&pace, 2), 400);
    assert_int_equal(restart_backoff_ms(&pace, 3), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pending_group_may_run_and_a_stopped_one_may_not),
        cmocka_unit_test(staying_is_always_allowed),
        cmocka_unit_test(the_group_state_follows_from_its_containers),
        cmocka_unit_test(the_policy_says_who_is_started_again),
        cmocka_unit_test(an_init_container_that_ended_well_is_never_started_again),
        cmocka_unit_test(the_back_off_doubles_up_to_five_minutes),
        cmocka_unit_test(the_back_off_has_its_own_pace_where_one_is_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
