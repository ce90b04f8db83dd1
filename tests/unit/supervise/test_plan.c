/* node-agent/supervise/plan.h: each stage by hand, then whole lives by seed. */
#include "tests/unit/unit.h"

#include "node-agent/supervise/health.h"
#include "node-agent/supervise/plan.h"

#include <string.h>

/* ---- making groups ---- */

static struct order *order_of(int64_t incarnation, enum restart_policy policy, int wanted)
{
    static const char *const words[] = {"ask"};
    struct probe_exec ask = {{true, (const char **)words, 1}};
    struct probe probe = {.exec = &ask};
    struct container_properties properties = {.image = "i", .readiness = &probe};
    struct container containers[2] = {{"web", &properties}, {"side", &properties}};
    struct group_properties group_properties = {.containers = containers,
                                                .containers_count = 2,
                                                .restart_policy = (int)policy,
                                                .os_type = OS_LINUX,
                                                .sku = SKU_STANDARD,
                                                .priority = -1};
    struct container_group group = {.properties = &group_properties};
    struct assignment assignment = {
        .uid = "u", .incarnation = incarnation, .wanted = wanted, .group = &group};
    struct err err = {0};
    struct order *order = order_new(&assignment, &err);

    assert_non_null(order);
    return order;
}

static void order_group(struct hosted *group, int64_t incarnation, enum restart_policy policy)
{
    order_free(group->newest);
    group->newest = order_of(incarnation, policy, WANTED_RUN);
    group->newest_incarnation = incarnation;
    group->wanted = WANTED_RUN;
}

static struct hosted *fresh_group(enum restart_policy policy)
{
    struct err err = {0};
    struct hosted *group = hosted_new("u", &err);

    assert_non_null(group);
    group->stage = STAGE_CLEARED;
    order_group(group, 1, policy);
    return group;
}

static struct hosted *begun_group(enum restart_policy policy)
{
    struct hosted *group = fresh_group(policy);
    struct err err = {0};

    assert_true(hosted_begin(group, &err));
    return group;
}

static enum plan_step step_of(const struct hosted *group, int64_t now_ms)
{
    return plan_group(group, now_ms, true).step;
}

/* ---- by hand ---- */

TEST(a_new_order_is_begun_then_prepared)
{
    AUTO(hosted) *group = fresh_group(RESTART_ALWAYS);
    struct err err = {0};

    assert_int_equal(step_of(group, 1), PLAN_BEGIN);
    assert_true(hosted_begin(group, &err));
    assert_int_equal(group->members_count, 2);
    assert_int_equal(step_of(group, 1), PLAN_PREPARE);
}

TEST(nothing_starts_without_a_lease)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    assert_int_equal(plan_group(group, 1, false).step, PLAN_NONE);
    group->stage = STAGE_UP;
    assert_int_equal(plan_group(group, 1, false).step, PLAN_NONE);
}

TEST(a_failed_prepare_waits_for_its_time)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->retry_ms = 100;
    struct plan plan = plan_group(group, 1, true);
    assert_int_equal(plan.step, PLAN_NONE);
    assert_int_equal(plan.wake_ms, 100);
    assert_int_equal(step_of(group, 100), PLAN_PREPARE);
}

TEST(containers_run_side_by_side)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_UP;
    assert_int_equal(plan_group(group, 1, true).member, 0);
    group->members[0].phase = MEMBER_STARTING;
    group->busy = 1;
    struct plan plan = plan_group(group, 1, true);
    assert_int_equal(plan.step, PLAN_RUN);
    assert_int_equal(plan.member, 1);
}

/* As begun_group(), with the first of its two containers in the place of an init container. */
static struct hosted *group_with_init(enum restart_policy policy)
{
    struct hosted *group = begun_group(policy);

    group->stage = STAGE_UP;
    group->members[0].init = true;
    return group;
}

static void init_ends(struct hosted *group, int64_t exit_code)
{
    group->members[0].phase = MEMBER_RUNNING;
    group->members[0].starts = 1;
    member_ended(group, &group->members[0], &(struct ending){5, 5, exit_code, NULL});
}

TEST(containers_wait_until_each_init_container_ended_well)
{
    AUTO(hosted) *group = group_with_init(RESTART_ALWAYS);

    assert_int_equal(plan_group(group, 1, true).step, PLAN_RUN);
    assert_int_equal(plan_group(group, 1, true).member, 0);
    group->members[0].phase = MEMBER_STARTING;
    assert_int_equal(step_of(group, 1), PLAN_NONE);
    group->members[0].phase = MEMBER_RUNNING;
    assert_int_equal(step_of(group, 1), PLAN_NONE);
    init_ends(group, 0);
    assert_true(group->members[0].final);
    struct plan plan = plan_group(group, 5, true);
    assert_int_equal(plan.step, PLAN_RUN);
    assert_int_equal(plan.member, 1);
}

TEST(an_init_container_that_failed_is_started_again_before_any_other)
{
    AUTO(hosted) *group = group_with_init(RESTART_ALWAYS);

    init_ends(group, 3);
    group->members[0].next_start_ms = 100;
    struct plan plan = plan_group(group, 5, true);
    assert_int_equal(plan.step, PLAN_NONE);
    assert_int_equal(plan.wake_ms, 100);
    assert_int_equal(plan_group(group, 100, true).step, PLAN_RUN);
    assert_int_equal(plan_group(group, 100, true).member, 0);
    struct group_tally tally = hosted_tally(group);
    assert_int_equal(group_state_of(group->policy, &tally), GROUP_PENDING);
}

TEST(an_init_container_that_fails_under_never_ends_its_group)
{
    AUTO(hosted) *group = group_with_init(RESTART_NEVER);

    init_ends(group, 3);
    assert_true(plan_over(group));
    assert_int_equal(step_of(group, 5), PLAN_CLEAR);
    struct group_tally tally = hosted_tally(group);
    assert_int_equal(group_state_of(group->policy, &tally), GROUP_FAILED);
    assert_int_equal(tally.started, 0);
}

TEST(a_container_that_never_could_start_does_not_keep_its_group_pending)
{
    AUTO(hosted) *group = begun_group(RESTART_NEVER);

    group->stage = STAGE_UP;
    member_next_run(&group->members[0], 0, 0);
    member_ended(group, &group->members[0], &(struct ending){5, 5, 128, NULL});
    member_next_run(&group->members[1], 0, 5);
    struct group_tally tally = hosted_tally(group);
    assert_int_equal(group_state_of(group->policy, &tally), GROUP_RUNNING);
}

TEST(a_stop_cancels_a_prepare_and_then_clears)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->busy = 1;
    group->preparing = true;
    group->wanted = WANTED_STOP;
    assert_int_equal(step_of(group, 1), PLAN_CANCEL);
    group->busy = 0;
    group->preparing = false;
    struct plan plan = plan_group(group, 1, true);
    assert_int_equal(plan.step, PLAN_CLEAR);
    assert_false(plan.keep_network);
}

TEST(running_containers_are_asked_before_they_are_killed)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_UP;
    group->members[0].phase = group->members[1].phase = MEMBER_RUNNING;
    group->wanted = WANTED_REMOVE;
    assert_int_equal(step_of(group, 1), PLAN_SIGNAL);
    group->stage = STAGE_ENDING;
    group->ending_ms = 50;
    assert_int_equal(plan_group(group, 1, true).wake_ms, 50);
    assert_int_equal(step_of(group, 50), PLAN_CLEAR);
    group->members[0].phase = group->members[1].phase = MEMBER_ENDED;
    assert_int_equal(step_of(group, 1), PLAN_CLEAR);
}

TEST(what_runs_while_its_group_is_prepared_again_is_asked_to_end_too)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_NONE;
    group->members[0].phase = MEMBER_RUNNING;
    group->wanted = WANTED_STOP;
    assert_int_equal(step_of(group, 1), PLAN_SIGNAL);
}

TEST(a_begin_that_failed_waits_for_its_time)
{
    AUTO(hosted) *group = fresh_group(RESTART_ALWAYS);

    group->retry_ms = 100;
    assert_int_equal(plan_group(group, 1, true).wake_ms, 100);
    assert_int_equal(step_of(group, 100), PLAN_BEGIN);
}

TEST(a_restart_keeps_the_network_and_a_stop_after_it_gives_it_back)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_UP;
    order_group(group, 2, RESTART_ALWAYS);
    struct plan plan = plan_group(group, 1, true);
    assert_int_equal(plan.step, PLAN_CLEAR);
    assert_true(plan.keep_network);
    group->stage = STAGE_CLEARED;
    group->kept = true;
    assert_int_equal(step_of(group, 1), PLAN_BEGIN);
    group->wanted = WANTED_STOP;
    plan = plan_group(group, 1, true);
    assert_int_equal(plan.step, PLAN_CLEAR);
    assert_false(plan.keep_network);
}

TEST(a_restart_in_place_adds_to_the_events_and_a_new_start_has_its_own)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);
    struct err err = {0};

    member_next_run(&group->members[1], 0, 5);
    order_group(group, 2, RESTART_ALWAYS);
    group->kept = true;
    assert_true(hosted_begin(group, &err));
    member_next_run(&group->members[1], 0, 9);
    assert_int_equal(group->members[0].happenings.count, 0);
    assert_int_equal(group->members[1].happenings.count, 2); /* Created, Started */
    assert_int_equal(group->members[1].happenings.items[1].count, 2);
    assert_int_equal(group->members[1].restarts, 0);
    order_group(group, 3, RESTART_ALWAYS);
    group->kept = false;
    assert_true(hosted_begin(group, &err));
    assert_int_equal(group->members[1].happenings.count, 0);
}

TEST(a_finished_group_gives_everything_back_and_stays_known)
{
    AUTO(hosted) *group = begun_group(RESTART_NEVER);

    group->stage = STAGE_UP;
    for (size_t i = 0; i < 2; i++)
        member_ended(group, &group->members[i], &(struct ending){5, 5, 0, NULL});
    assert_int_equal(step_of(group, 5), PLAN_CLEAR);
    group->stage = STAGE_CLEARED;
    assert_int_equal(step_of(group, 5), PLAN_NONE);
    group->wanted = WANTED_REMOVE;
    assert_int_equal(step_of(group, 5), PLAN_FORGET);
}

TEST(a_clear_or_forget_that_failed_waits_for_its_time)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_ENDING;
    group->wanted = WANTED_REMOVE;
    group->retry_ms = group->ending_ms = 100;
    assert_int_equal(plan_group(group, 1, true).wake_ms, 100);
    assert_int_equal(step_of(group, 100), PLAN_CLEAR);
    group->stage = STAGE_CLEARED;
    assert_int_equal(plan_group(group, 1, true).wake_ms, 100);
    assert_int_equal(step_of(group, 100), PLAN_FORGET);
}

TEST(a_forgotten_group_that_is_ordered_again_begins)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);

    group->stage = STAGE_CLEARED;
    group->wanted = WANTED_REMOVE;
    group->forgotten = true;
    assert_int_equal(step_of(group, 1), PLAN_NONE);
    order_group(group, 2, RESTART_ALWAYS);
    assert_int_equal(step_of(group, 1), PLAN_BEGIN);
}

TEST(a_crash_loop_waits_longer_each_time)
{
    AUTO(hosted) *group = begun_group(RESTART_ALWAYS);
    struct member *member = &group->members[0];
    int64_t now_ms = 1000;

    group->stage = STAGE_UP;
    group->members[1].phase = MEMBER_RUNNING;
    for (int64_t expected = 0; expected <= 20000; expected = expected ? expected * 2 : 10000) {
        member->current = (struct run){.started_ms = now_ms};
        member_ended(group, member, &(struct ending){now_ms, now_ms, 1, NULL});
        assert_int_equal(member->next_start_ms - now_ms, expected);
        now_ms = member->next_start_ms;
        assert_int_equal(step_of(group, now_ms), PLAN_RUN);
    }
    member->current = (struct run){.started_ms = now_ms};
    member_ended(group, member, &(struct ending){now_ms + 600000, now_ms + 600000, 1, NULL});
    assert_int_equal(member->next_start_ms, now_ms + 600000);
}

/* ---- by seed ---- */

struct life {
    uint64_t seed;
    struct hosted *group;
    struct {
        enum plan_step step;
        size_t member;
        bool keep;
        int64_t ready;
    } jobs[8];
    int64_t now_ms;
    int64_t starts[2]; /* of each container in this incarnation */
    int64_t prepared;  /* incarnation that holds something; 0: none */
};

static uint64_t draw(struct life *life, uint64_t below)
{
    life->seed ^= life->seed << 13;
    life->seed ^= life->seed >> 7;
    life->seed ^= life->seed << 17;
    return life->seed % below;
}

static void job_begin(struct life *life, const struct plan *plan)
{
    struct hosted *group = life->group;
    size_t slot = (size_t)group->busy++;

    life->jobs[slot].step = plan->step;
    life->jobs[slot].member = plan->member;
    life->jobs[slot].keep = plan->keep_network;
    if (plan->step == PLAN_PREPARE)
        group->preparing = true;
    if (plan->step == PLAN_SIGNAL) {
        group->stage = STAGE_ENDING;
        group->ending_ms = life->now_ms + 10;
    }
    if (plan->step == PLAN_OPEN) {
        assert_false(group->serving);
        life->jobs[slot].ready = health_ready(group);
        group->serving = true;
        group->served = SERVED_UNKNOWN;
    }
    if (plan->step == PLAN_KILL) {
        struct health *health = &group->members[plan->member].health;
        assert_true(health->failed && !health->ending);
        health->ending = true;
        health->kill_ms = life->now_ms + 10;
    }
    if (plan->step == PLAN_RUN) {
        assert_false(group->members[plan->member].health.ending);
        assert_int_equal(life->prepared, group->incarnation);
        assert_int_not_equal(group->members[plan->member].phase, MEMBER_RUNNING);
        assert_false(plan->member > 0 && member_holds_up(&group->members[0]));
        group->members[plan->member].phase = MEMBER_STARTING;
    }
}

static void run_ends(struct life *life, size_t index)
{
    struct hosted *group = life->group;
    struct member *member = &group->members[index];

    if (draw(life, 4) == 0) {
        member_ended(group, member, &(struct ending){life->now_ms, life->now_ms, 128, NULL});
        return;
    }
    member->phase = MEMBER_RUNNING;
    member->starts++;
    member->current = (struct run){.started_ms = life->now_ms};
    life->starts[index]++;
    if (group->policy == RESTART_NEVER)
        assert_int_equal(life->starts[index], 1);
}

static void job_end(struct life *life)
{
    struct hosted *group = life->group;

    if (group->busy == 0)
        return;
    size_t slot = (size_t)--group->busy;
    switch (life->jobs[slot].step) {
    case PLAN_PREPARE:
        group->preparing = false;
        life->prepared = group->incarnation;
        group->served = 0;
        if (draw(life, 3) > 0)
            group->stage = STAGE_UP;
        else if (draw(life, 8) == 0)
            group->failed = true;
        else
            group->retry_ms = life->now_ms + 5;
        break;
    case PLAN_RUN:
        run_ends(life, life->jobs[slot].member);
        break;
    case PLAN_CLEAR:
        for (size_t i = 0; i < group->members_count; i++) {
            group->members[i].phase = MEMBER_ENDED;
            group->members[i].final = true;
        }
        group->stage = STAGE_CLEARED;
        group->kept = life->jobs[slot].keep;
        if (!group->kept)
            life->prepared = 0;
        break;
    case PLAN_OPEN:
        group->serving = false;
        group->served = draw(life, 4) > 0 ? life->jobs[slot].ready : SERVED_UNKNOWN;
        group->serve_ms = life->now_ms + (group->served == SERVED_UNKNOWN ? 5 : 0);
        break;
    case PLAN_KILL:
        group->members[life->jobs[slot].member].health.ending = false;
        break;
    case PLAN_FORGET:
        assert_int_equal(life->prepared, 0);
        group->forgotten = true;
        break;
    case PLAN_SIGNAL:
    case PLAN_NONE:
    case PLAN_BEGIN:
    case PLAN_CANCEL:
        break;
    }
}

static void exits(struct life *life)
{
    struct member *member = &life->group->members[draw(life, 2)];

    if (life->group->members_count && member->phase == MEMBER_RUNNING)
        member_ended(life->group, member,
                     &(struct ending){life->now_ms, life->now_ms, (int64_t)draw(life, 2), NULL});
}

static void probe_says(struct life *life)
{
    struct member *member = &life->group->members[draw(life, 2)];

    if (!life->group->members_count || member->phase != MEMBER_RUNNING || member->health.failed)
        return;
    if (draw(life, 4) == 0)
        member->health.failed = true;
    else
        member->health.ready = !member->health.ready;
}

static void advance(struct life *life)
{
    struct err err = {0};

    for (int i = 0; i < 16; i++) {
        struct plan plan = plan_group(life->group, life->now_ms, draw(life, 8) > 0);
        if (plan.step == PLAN_NONE || plan.step == PLAN_CANCEL)
            return;
        if (plan.step == PLAN_BEGIN) {
            assert_true(hosted_begin(life->group, &err));
            life->group->members[0].init = draw(life, 2);
            life->group->kept = false;
            memset(life->starts, 0, sizeof life->starts);
        } else {
            job_begin(life, &plan);
        }
    }
    fail_msg("a plan that never ends");
}

static void live(uint64_t seed)
{
    static const enum restart_policy policies[] = {RESTART_ALWAYS, RESTART_ON_FAILURE,
                                                   RESTART_NEVER};
    struct life life = {.seed = seed, .now_ms = 1};
    AUTO(hosted) *group = fresh_group(policies[draw(&life, 3)]);

    life.group = group;
    for (int step = 0; step < 400; step++) {
        life.now_ms += (int64_t)draw(&life, 4);
        switch (draw(&life, 12)) {
        case 0:
            order_group(group, group->newest_incarnation + 1, policies[draw(&life, 3)]);
            break;
        case 1:
            group->wanted = WANTED_STOP;
            break;
        case 2:
        case 3:
            exits(&life);
            break;
        case 4:
            probe_says(&life);
            break;
        default:
            job_end(&life);
            break;
        }
        advance(&life);
    }
    group->wanted = WANTED_REMOVE;
    for (int step = 0; step < 100 && !group->forgotten; step++) {
        life.now_ms += 5;
        job_end(&life);
        advance(&life);
    }
    assert_true(group->forgotten);
}

TEST(whatever_happens_a_removed_group_ends_with_nothing_held)
{
    for (uint64_t seed = 1; seed <= 500; seed++)
        live(seed * 0x9e3779b97f4a7c15u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_order_is_begun_then_prepared),
        cmocka_unit_test(nothing_starts_without_a_lease),
        cmocka_unit_test(a_failed_prepare_waits_for_its_time),
        cmocka_unit_test(containers_run_side_by_side),
        cmocka_unit_test(containers_wait_until_each_init_container_ended_well),
        cmocka_unit_test(an_init_container_that_failed_is_started_again_before_any_other),
        cmocka_unit_test(an_init_container_that_fails_under_never_ends_its_group),
        cmocka_unit_test(a_container_that_never_could_start_does_not_keep_its_group_pending),
        cmocka_unit_test(a_stop_cancels_a_prepare_and_then_clears),
        cmocka_unit_test(running_containers_are_asked_before_they_are_killed),
        cmocka_unit_test(what_runs_while_its_group_is_prepared_again_is_asked_to_end_too),
        cmocka_unit_test(a_begin_that_failed_waits_for_its_time),
        cmocka_unit_test(a_restart_keeps_the_network_and_a_stop_after_it_gives_it_back),
        cmocka_unit_test(a_restart_in_place_adds_to_the_events_and_a_new_start_has_its_own),
        cmocka_unit_test(a_finished_group_gives_everything_back_and_stays_known),
        cmocka_unit_test(a_clear_or_forget_that_failed_waits_for_its_time),
        cmocka_unit_test(a_forgotten_group_that_is_ordered_again_begins),
        cmocka_unit_test(a_crash_loop_waits_longer_each_time),
        cmocka_unit_test(whatever_happens_a_removed_group_ends_with_nothing_held),
    };

    return RUN_TESTS(tests);
}
