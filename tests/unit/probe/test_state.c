/* node-agent/probe/probe.h: the state machine of one probe, by hand and replayed by seed against Kubernetes' rules as
 * written down a second time here. */
#include "tests/unit/unit.h"

#include "node-agent/probe/probe.h"

#include <stdlib.h>

static struct opt_int given(int64_t value)
{
    return (struct opt_int){GIVEN_VALUE, value};
}

TEST(what_is_not_given_is_as_in_kubernetes)
{
    struct probe_rules rules = probe_rules_of(&(struct probe){0});

    assert_int_equal(rules.initial_delay_ms, 0);
    assert_int_equal(rules.period_ms, 10000);
    assert_int_equal(rules.timeout_ms, 1000);
    assert_int_equal(rules.success_threshold, 1);
    assert_int_equal(rules.failure_threshold, 3);
    rules = probe_rules_of(&(struct probe){.initial_delay_s = given(5),
                                           .period_s = given(2),
                                           .timeout_s = given(7),
                                           .success_threshold = given(4),
                                           .failure_threshold = given(6)});
    assert_int_equal(rules.initial_delay_ms, 5000);
    assert_int_equal(rules.period_ms, 2000);
    assert_int_equal(rules.timeout_ms, 7000);
    assert_int_equal(rules.success_threshold, 4);
    assert_int_equal(rules.failure_threshold, 6);
}

static const struct probe_rules quick = {.initial_delay_ms = 500,
                                         .period_ms = 100,
                                         .timeout_ms = 50,
                                         .success_threshold = 2,
                                         .failure_threshold = 3};

TEST(the_first_question_waits_for_the_initial_delay_since_the_start)
{
    struct probe_state fresh = probe_begin(&quick, true, 0, 1000);
    struct probe_state taken_over = probe_begin(&quick, true, 300, 1000);
    struct probe_state old = probe_begin(&quick, true, 99999, 1000);

    assert_int_equal(fresh.due_ms, 1500);
    assert_false(probe_is_due(&fresh, 1499));
    assert_true(probe_is_due(&fresh, 1500));
    assert_int_equal(taken_over.due_ms, 1200);
    assert_int_equal(old.due_ms, 1000);
}

TEST(a_question_under_way_is_not_asked_again_and_missed_ones_are_skipped)
{
    struct probe_state probed = probe_begin(&quick, true, 500, 1000);

    probe_ask(&probed);
    assert_false(probe_is_due(&probed, 5000));
    assert_false(probe_take(&quick, &probed, PROBE_PASSED, 1010));
    assert_int_equal(probed.due_ms, 1100);
    probe_ask(&probed);
    assert_false(probe_take(&quick, &probed, PROBE_PASSED, 1350));
    assert_int_equal(probed.due_ms, 1400);
}

TEST(the_verdict_turns_after_so_many_answers_in_a_row)
{
    struct probe_state probed = probe_begin(&quick, true, 500, 0);
    static const struct {
        enum probe_answer answer;
        bool turned, good;
    } story[] = {
        {PROBE_FAILED, false, true},  {PROBE_FAILED, false, true},  {PROBE_PASSED, false, true},
        {PROBE_FAILED, false, true},  {PROBE_FAILED, false, true},  {PROBE_UNKNOWN, false, true},
        {PROBE_FAILED, true, false},  {PROBE_FAILED, false, false}, {PROBE_PASSED, false, false},
        {PROBE_FAILED, false, false}, {PROBE_PASSED, false, false}, {PROBE_PASSED, true, true},
    };

    for (size_t i = 0; i < COUNT_OF(story); i++) {
        assert_int_equal(probe_take(&quick, &probed, story[i].answer, probed.due_ms),
                         story[i].turned);
        assert_int_equal(probed.good, story[i].good);
    }
}

/* ---- by seed ---- */

/* The rule said in another way: the verdict after all answers is that of the newest run of equal answers that was long
 * enough. */
static bool verdict_of(const struct probe_rules *rules, bool first,
                       const enum probe_answer *answers, size_t count)
{
    for (size_t end = count; end > 0; end--) {
        int64_t run = 0;
        for (size_t at = end; at > 0 && answers[at - 1] == answers[end - 1]; at--)
            run++;
        if (answers[end - 1] == PROBE_PASSED && run >= rules->success_threshold)
            return true;
        if (answers[end - 1] == PROBE_FAILED && run >= rules->failure_threshold)
            return false;
    }
    return first;
}

static void replay(unsigned seed)
{
    enum { LENGTH = 200 };
    enum probe_answer answers[LENGTH];
    struct probe_rules rules = {.initial_delay_ms = rand_r(&seed) % 3000,
                                .period_ms = 1 + rand_r(&seed) % 2000,
                                .success_threshold = 1 + rand_r(&seed) % 4,
                                .failure_threshold = 1 + rand_r(&seed) % 4};
    bool first = rand_r(&seed) % 2, good = first;
    int64_t now_ms = rand_r(&seed) % 10000, begun_ms = now_ms + rules.initial_delay_ms;
    struct probe_state state = probe_begin(&rules, first, 0, now_ms);

    for (size_t count = 0; count < LENGTH;) {
        now_ms += rand_r(&seed) % 1000;
        if (!probe_is_due(&state, now_ms)) {
            assert_true(now_ms < state.due_ms);
            continue;
        }
        assert_true(now_ms >= begun_ms);
        probe_ask(&state);
        now_ms += rand_r(&seed) % 3000;
        enum probe_answer answer = rand_r(&seed) % 5 == 0   ? PROBE_UNKNOWN
                                   : rand_r(&seed) % 2 == 0 ? PROBE_PASSED
                                                            : PROBE_FAILED;
        bool turned = probe_take(&rules, &state, answer, now_ms);
        if (answer != PROBE_UNKNOWN)
            answers[count++] = answer;
        assert_int_equal(state.good, verdict_of(&rules, first, answers, count));
        assert_int_equal(turned, state.good != good);
        good = state.good;
        assert_true(state.due_ms > now_ms && state.due_ms <= now_ms + rules.period_ms);
        assert_int_equal((state.due_ms - begun_ms) % rules.period_ms, 0);
    }
}

TEST(every_history_of_answers_gives_the_verdict_of_the_rules)
{
    for (unsigned seed = 1; seed <= 300; seed++)
        replay(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_is_as_in_kubernetes),
        cmocka_unit_test(the_first_question_waits_for_the_initial_delay_since_the_start),
        cmocka_unit_test(a_question_under_way_is_not_asked_again_and_missed_ones_are_skipped),
        cmocka_unit_test(the_verdict_turns_after_so_many_answers_in_a_row),
        cmocka_unit_test(every_history_of_answers_gives_the_verdict_of_the_rules),
    };
    return RUN_TESTS(tests);
}
