/* Thousands of random steps for each seed; then what must hold. */
#include "tests/sim/sim.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

enum { STEPS = 2500 };

static struct shape some_shape(struct sim *sim)
{
    static const int64_t cpus[] = {100, 100, 250, 500, 1000, 3000};
    struct shape shape = {cpus[sim_pick(sim, 0, 5)], 103 * sim_pick(sim, 1, 25)};
    int64_t kind = sim_pick(sim, 0, 19);
    shape.spot = kind < 6;
    shape.alone = kind == 6;
    shape.gpus = kind > 17 ? gpus_of(2, sim_pick(sim, 1, 2)) : 0;
    return shape;
}

/* Some do not go where they were admitted, as those with local disks, and some are never stored. */
static void create_step(struct sim *sim)
{
    struct shape shape = some_shape(sim);
    const char *location = sim_pick(sim, 0, 3) ? "westus" : "eastus";
    enum restart_policy policy = (enum restart_policy)sim_pick(sim, 0, 2);
    struct promised_place place;
    int64_t what = sim_pick(sim, 0, 9);
    if (what > 3) {
        sim_create(sim, shape, location, policy);
        return;
    }
    if (sim->groups_count == SIM_GROUPS_MAX || !sim_admit(sim, shape, location, &place))
        return;
    place.node_key = 0;
    if (what > 0)
        sim_make(sim, shape, location, policy, &place);
    else
        scheduler_admit_undo(sim->scheduler, place.promise);
}

static void client_step(struct sim *sim)
{
    int64_t what = sim_pick(sim, 0, 9);
    struct sim_group *group = sim_some_group(sim);
    if (what < 4)
        create_step(sim);
    else if (group && !group->removed)
        sim_order(sim, group,
                  what < 5   ? SIM_STOP
                  : what < 6 ? SIM_START
                  : what < 7 ? SIM_RESTART
                             : SIM_REMOVE);
}

static void trouble_step(struct sim *sim)
{
    struct sim_agent *agent = sim_some_agent(sim);
    switch (sim_pick(sim, 0, 7)) {
    case 0:
        agent->cut_off = true;
        break;
    case 1:
    case 2:
        agent->cut_off = false;
        break;
    case 3:
        sim_agent_report_late(sim, agent);
        break;
    case 4:
        if (sim_pick(sim, 0, 2) == 0)
            sim_drain(sim, agent);
        else
            sim_cordon(sim, agent, sim_pick(sim, 0, 1));
        break;
    case 5:
        sim_agent_finish_one(sim, agent);
        break;
    case 6:
        agent->must_join = true; /* it was restarted, or was told so */
        break;
    case 7:
        if (sim_pick(sim, 0, 9) == 0)
            sim_restart_plane(sim);
        break;
    }
}

static void step(struct sim *sim)
{
    int64_t what = sim_pick(sim, 0, 19);
    if (what < 6)
        client_step(sim);
    else if (what < 7)
        trouble_step(sim);
    else if (what < 14)
        sim_turn(sim, sim_some_agent(sim));
    else if (what < 17)
        sim_pass(sim, sim_pick(sim, 1, 1500));
    else
        scheduler_round(sim->scheduler);
}

/* Everyone is there again and long enough. */
static void heal(struct sim *sim)
{
    for (size_t i = 0; i < sim->agents_count; i++) {
        sim->agents[i].cut_off = false;
        sim_cordon(sim, &sim->agents[i], false);
    }
    for (int i = 0; i < 30; i++) {
        sim_turns(sim);
        sim_rounds(sim);
        sim_pass(sim, 500);
    }
    sim_turns(sim);
    sim_rounds(sim);
}

static void live(uint64_t seed)
{
    AUTO(sim) *sim = sim_new(seed, (size_t)(3 + seed % 8));
    for (int i = 0; i < STEPS; i++) {
        step(sim);
        if (i % 50 == 49) {
            sim_rounds(sim);
            sim_check(sim);
            sim_forget_removed(sim);
        }
    }
    heal(sim);
    sim_check_quiet(sim);
    sim_check_ledger(sim);
    assert_true(sim->created > 50);
}

TEST(no_node_is_over_full_and_nothing_runs_twice_whatever_happens)
{
    const char *given = getenv("BERTH_SIM_SEED");
    if (given) {
        live(strtoull(given, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 6; seed++)
        live(seed);
}

/* ---- stories ---- */

/* A plane begins without nodes; then these come. */
static void region_fill(struct sim *sim, size_t agents, int64_t cpu_milli, int64_t memory_mib)
{
    sim_rounds(sim);
    sim_agents_add(sim, agents);
    for (size_t i = 0; i < agents; i++) {
        sim->agents[i].capacity = (struct node_capacity){cpu_milli, memory_mib};
        sim->agents[i].location = "westus";
    }
    sim_turns(sim);
    sim_rounds(sim);
}

static struct sim *region(size_t agents, int64_t cpu_milli, int64_t memory_mib)
{
    struct sim *sim = sim_new(99, 0);
    region_fill(sim, agents, cpu_milli, memory_mib);
    return sim;
}

TEST(groups_of_a_dead_node_run_elsewhere_within_the_lease)
{
    AUTO(sim) *sim = region(2, 4000, 8192);
    struct sim_group *group = sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    assert_int_equal(sim_state(sim, group), GROUP_RUNNING);
    int64_t node_key = sim_group_row(sim, group)->node_key;
    struct sim_agent *dead = &sim->agents[sim->agents[0].node_key == node_key ? 0 : 1];
    struct sim_agent *other = &sim->agents[dead == &sim->agents[0]];
    dead->cut_off = true;
    int64_t begun = clock_boot_ns();
    while (!other->runs_count && clock_boot_ns() - begun < 20000 * INT64_C(1000000)) {
        sim_pass(sim, 500);
        sim_turn(sim, other);
        sim_rounds(sim);
        sim_check(sim);
    }
    int64_t took_ms = (clock_boot_ns() - begun) / 1000000;
    assert_in_range(took_ms, SIM_LOST_MS, SIM_LOST_MS + 2000);
    dead->cut_off = false;
    sim_settle(sim);
    sim_check_quiet(sim);
}

TEST(an_older_group_goes_first_when_room_appears)
{
    AUTO(sim) *sim = region(1, 4000, 8192);
    struct sim_group *first = sim_create(sim, (struct shape){4000, 1024}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    struct sim_group *second =
        sim_create(sim, (struct shape){2000, 1024}, "westus", RESTART_ALWAYS);
    struct sim_group *third = sim_create(sim, (struct shape){3000, 1024}, "westus", RESTART_ALWAYS);
    struct sim_group *fourth =
        sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    assert_int_equal(sim->scheduler->waiting.count, 3);
    assert_int_equal(sim_order(sim, first, SIM_REMOVE), ERR_OK);
    sim_settle(sim);
    assert_int_equal(sim_state(sim, second), GROUP_RUNNING);
    assert_int_equal(sim_state(sim, third), GROUP_PENDING); /* does not fit beside the second */
    assert_int_equal(sim_state(sim, fourth),
                     GROUP_RUNNING); /* fits, and holds up nobody: it overtakes */
    sim_check_quiet(sim);
}

TEST(a_group_that_waited_too_long_gets_a_node_kept_for_it)
{
    AUTO(sim) *sim = sim_new(99, 0);
    /* Older, and accepted while there were no nodes: none that came could ever hold it. It holds up nobody. */
    assert_non_null(sim_create(sim, (struct shape){9000, 1024}, "westus", RESTART_ALWAYS));
    region_fill(sim, 2, 4000, 8192);
    struct sim_group *small[8];
    for (int i = 0; i < 8; i++)
        small[i] = sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    struct sim_group *large = sim_create(sim, (struct shape){4000, 4096}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    for (int64_t passed = 0; passed <= LIMIT_SCHEDULER_PATIENCE_MS; passed += 1000) {
        sim_pass(sim, 1000);
        sim_settle(sim);
    }
    /* Small ones end one by one and others come: none of them may take what the large one waits for. */
    for (int i = 0; i < 8 && sim_state(sim, large) != GROUP_RUNNING; i++) {
        assert_int_equal(sim_order(sim, small[i], SIM_REMOVE), ERR_OK);
        sim_pass(sim, 300);
        sim_settle(sim);
        sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
        sim_settle(sim);
        sim_check(sim);
    }
    assert_int_equal(sim_state(sim, large), GROUP_RUNNING);
    sim_check_quiet(sim);
}

TEST(a_burst_is_not_told_yes_for_the_same_room_twice)
{
    AUTO(sim) *sim = region(1, 4000, 8192);
    sim->agents[0].location = "eastus";
    sim->agents[0].must_join = true;
    sim_settle(sim);
    for (int i = 0; i < 20; i++)
        sim_create(sim, (struct shape){1000, 1024}, "eastus", RESTART_ALWAYS);
    assert_int_equal(sim->created, 4);
    assert_int_equal(sim->refused, 16);
    sim_settle(sim);
    assert_int_equal(sim->scheduler->waiting.count, 0);
    sim_check_quiet(sim);
}

static const struct shape all = {4000, 8192};

/* A region of one node that is free and refuses what finds no room. */
static struct sim *small_region(void)
{
    struct sim *sim = region(1, all.cpu_milli, all.memory_mib);
    assert_true(scheduler_set_queue(sim->scheduler, "westus", false));
    return sim;
}

TEST(room_promised_to_a_group_that_never_came_is_free_again)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place, other;
    assert_true(sim_admit(sim, all, "West US", &place));
    assert_false(sim_admit(sim, all, "westus", &other));
    scheduler_admit_undo(sim->scheduler, place.promise);
    assert_true(sim_admit(sim, all, "westus", &other));
    scheduler_admit_undo(sim->scheduler, place.promise); /* again: it is not the other's */
    assert_false(sim_admit(sim, all, "westus", &place));
    sim_pass(sim, LIMIT_SCHEDULER_PROMISE_MS + 1);
    sim_rounds(sim);
    assert_true(sim_admit(sim, all, "westus", &place));
}

/* Its room is counted once all the way: promised, held, free. */
TEST(a_new_group_goes_at_once_where_it_was_admitted)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place;
    struct sim_group *group = sim_create(sim, (struct shape){1000, 2048}, "westus", RESTART_ALWAYS);
    const struct group_row *row = sim_group_row(sim, group);
    assert_int_equal(row->node_key, sim->agents[0].node_key);
    assert_false(row->waits);
    for (int i = 0; i < 2; i++) {
        struct node_room room;
        assert_true(scheduler_node_room(sim->scheduler, row->node_key, &room));
        assert_int_equal(room.cpu_milli, 3000);
        assert_int_equal(room.groups, 1);
        sim_rounds(sim);
    }
    assert_int_equal(sim->scheduler->promises.count, 0);
    sim_settle(sim);
    assert_int_equal(sim_state(sim, group), GROUP_RUNNING);
    assert_int_equal(sim_order(sim, group, SIM_REMOVE), ERR_OK);
    sim_settle(sim);
    assert_true(sim_admit(sim, all, "westus", &place));
}

static void made_waits(struct sim *sim, const struct promised_place *place)
{
    struct sim_group *group = sim_make(sim, all, "westus", RESTART_ALWAYS, place);
    assert_true(sim_group_row(sim, group)->waits);
    assert_int_equal(sim_group_row(sim, group)->node_key, 0);
    sim_rounds(sim);
    assert_int_equal(sim->scheduler->promises.count, 0);
}

TEST(a_new_group_waits_when_its_node_was_cordoned_meanwhile)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place;
    assert_true(sim_admit(sim, all, "westus", &place));
    sim_cordon(sim, &sim->agents[0], true);
    made_waits(sim, &place);
    assert_int_equal(sim->scheduler->waiting.count, 1);
    sim_cordon(sim, &sim->agents[0], false);
    sim_settle(sim);
    assert_int_equal(sim_state(sim, &sim->groups[0]), GROUP_RUNNING);
}

TEST(a_new_group_waits_when_it_comes_late)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place;
    assert_true(sim_admit(sim, all, "westus", &place));
    sim_pass(sim, LIMIT_SCHEDULER_PROMISE_MS / 2);
    made_waits(sim, &place);
}

TEST(room_of_a_group_that_went_before_it_was_looked_at_is_free_again)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place, other;
    assert_true(sim_admit(sim, all, "westus", &place));
    place.node_key = 0; /* it must wait */
    struct sim_group *group = sim_make(sim, all, "westus", RESTART_ALWAYS, &place);
    assert_int_equal(sim_order(sim, group, SIM_REMOVE), ERR_OK);
    assert_false(sim_admit(sim, all, "westus", &other));
    sim_rounds(sim);
    assert_true(sim_admit(sim, all, "westus", &other));
}

/* Readers may see a commit before anybody is told of it. */
TEST(a_group_that_is_listed_before_it_was_told_of_gets_its_room)
{
    AUTO(sim) *sim = small_region();
    struct promised_place place;
    assert_true(sim_admit(sim, all, "westus", &place));
    place.node_key = 0;
    struct sim_group *group = sim_make(sim, all, "westus", RESTART_ALWAYS, &place);
    sim_told_later(sim);
    assert_int_equal(sim->scheduler->waiting.count, 1);
    sim_settle(sim);
    assert_int_equal(sim_state(sim, group), GROUP_RUNNING);
    sim_check_quiet(sim);
}

/* Whatever the picture is read anew for, what was told until then counts. */
TEST(a_promise_ends_when_the_picture_is_in_doubt)
{
    AUTO(sim) *sim = small_region();
    sim_create(sim, (struct shape){1000, 2048}, "westus", RESTART_ALWAYS);
    picture_doubt(sim->scheduler);
    sim_create(sim, (struct shape){1000, 2048}, "westus", RESTART_ALWAYS);
    sim_rounds(sim);
    assert_int_equal(sim->scheduler->promises.count, 0);
    struct node_room room;
    assert_true(scheduler_node_room(sim->scheduler, sim->agents[0].node_key, &room));
    assert_int_equal(room.cpu_milli, 2000);
    assert_int_equal(room.groups, 2);
}

TEST(a_location_that_queues_refuses_only_what_could_never_fit)
{
    AUTO(sim) *sim = region(1, 4000, 8192);
    char why[400];
    struct shape huge = {8000, 1024}, large = all;
    struct promised_place place;
    assert_false(
        scheduler_admit(sim->scheduler, &huge, OS_LINUX, "westus", 0, &place, why, sizeof why));
    assert_non_null(strstr(why, "could ever hold it"));
    assert_true(sim_admit(sim, large, "westus", &place));
    assert_true(place.promise != 0 && place.node_key != 0);
    assert_true(sim_admit(sim, large, "westus", &place));
    assert_true(place.promise == 0 && place.node_key == 0);
    assert_false(sim_admit(sim, large, "eastus", &place));
    assert_false(
        scheduler_admit(sim->scheduler, &large, OS_WINDOWS, "nowhere", 0, &place, why, sizeof why));
}

TEST(says_why_a_group_waits_and_says_it_once)
{
    AUTO(sim) *sim = region(1, 4000, 8192);
    sim_create(sim, (struct shape){4000, 8192}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    struct sim_group *waits = sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
    for (int i = 0; i < 5; i++) {
        sim_settle(sim);
        sim_pass(sim, 1500);
    }
    const char *events = sim_group_row(sim, waits)->events;
    assert_non_null(events);
    assert_non_null(strstr(events, "WaitingForNode"));
    assert_non_null(strstr(events, "1 has too little CPU free"));
    assert_non_null(strstr(events, "\"count\":1,"));
}

TEST(a_plane_that_was_away_gives_every_node_a_whole_lease)
{
    AUTO(sim) *sim = region(2, 4000, 8192);
    struct sim_group *group = sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
    sim_settle(sim);
    int64_t node_key = sim_group_row(sim, group)->node_key;
    sim_pass(sim, SIM_LOST_MS * 3);
    sim_rounds(sim);
    sim_settle(sim);
    assert_int_equal(sim_group_row(sim, group)->node_key, node_key);
    assert_int_equal(sim_state(sim, group), GROUP_RUNNING);
    sim_check_quiet(sim);
}

TEST(changes_that_were_not_kept_are_read_again)
{
    AUTO(sim) *sim = region(2, 4000, 8192);
    for (int i = 0; i < 6; i++) {
        sim_create(sim, (struct shape){1000, 1024}, "westus", RESTART_ALWAYS);
        picture_doubt(sim->scheduler);
        sim_settle(sim);
    }
    sim_check_quiet(sim);
    sim_restart_plane(sim);
    sim_settle(sim);
    sim_check_quiet(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_a_dead_node_run_elsewhere_within_the_lease),
        cmocka_unit_test(an_older_group_goes_first_when_room_appears),
        cmocka_unit_test(a_group_that_waited_too_long_gets_a_node_kept_for_it),
        cmocka_unit_test(a_burst_is_not_told_yes_for_the_same_room_twice),
        cmocka_unit_test(room_promised_to_a_group_that_never_came_is_free_again),
        cmocka_unit_test(a_new_group_goes_at_once_where_it_was_admitted),
        cmocka_unit_test(a_new_group_waits_when_its_node_was_cordoned_meanwhile),
        cmocka_unit_test(a_new_group_waits_when_it_comes_late),
        cmocka_unit_test(room_of_a_group_that_went_before_it_was_looked_at_is_free_again),
        cmocka_unit_test(a_group_that_is_listed_before_it_was_told_of_gets_its_room),
        cmocka_unit_test(a_promise_ends_when_the_picture_is_in_doubt),
        cmocka_unit_test(a_location_that_queues_refuses_only_what_could_never_fit),
        cmocka_unit_test(says_why_a_group_waits_and_says_it_once),
        cmocka_unit_test(a_plane_that_was_away_gives_every_node_a_whole_lease),
        cmocka_unit_test(changes_that_were_not_kept_are_read_again),
        cmocka_unit_test(no_node_is_over_full_and_nothing_runs_twice_whatever_happens),
    };
    return RUN_TESTS(tests);
}
