/* A region in which nothing goes wrong, so that each eviction can be judged: it was needed, no smaller set would have done,
 * and who needed it runs. */
#include "tests/sim/sim.h"

#include <stdlib.h>

enum { STEPS = 1000, CROWD = 28 };

/* Which of the groups run or are about to, before a step. */
struct before {
    const struct sim_group *group;
    int64_t node_key, incarnation;
};

struct story {
    struct sim *sim;
    struct before spots[SIM_GROUPS_MAX];
    size_t spots_count;
    int64_t evicted, made_room;
};

/* An evicted group is a new run. */
static bool goes_on(const struct group_row *row, int64_t incarnation)
{
    return row && row->living && row->wanted == WANTED_RUN && row->incarnation == incarnation;
}

static void remember_spots(struct story *story)
{
    struct sim *sim = story->sim;
    story->spots_count = 0;
    for (size_t i = 0; i < sim->groups_count; i++) {
        const struct group_row *row = sim_group_row(sim, &sim->groups[i]);
        if (sim->groups[i].shape.spot && row && row->state == GROUP_RUNNING)
            story->spots[story->spots_count++] =
                (struct before){&sim->groups[i], row->node_key, row->incarnation};
    }
}

static const struct sim_agent *agent_of(const struct sim *sim, int64_t node_key)
{
    for (size_t i = 0; i < sim->agents_count; i++)
        if (sim->agents[i].node_key == node_key)
            return &sim->agents[i];
    fail_msg("there is no such node");
    return NULL;
}

static struct shape sum(struct shape one, const struct shape *other, int64_t sign)
{
    one.cpu_milli += sign * other->cpu_milli;
    one.memory_mib += sign * other->memory_mib;
    return one;
}

static bool is_enough(const struct shape *room, const struct shape *shape)
{
    return room->cpu_milli >= shape->cpu_milli && room->memory_mib >= shape->memory_mib;
}

/* Of the spots remembered, those that do not run any more; all on one node. Its key, 0: none. */
static int64_t evicted_of(struct story *story, const struct sim_group **evicted, size_t *count)
{
    int64_t node_key = 0;
    *count = 0;
    for (size_t i = 0; i < story->spots_count; i++) {
        const struct group_row *row = sim_group_row(story->sim, story->spots[i].group);
        if (goes_on(row, story->spots[i].incarnation))
            continue;
        assert_true(node_key == 0 || node_key == story->spots[i].node_key);
        node_key = story->spots[i].node_key;
        evicted[(*count)++] = story->spots[i].group;
    }
    return node_key;
}

static void no_smaller_set_would_do(const struct sim_room *room, const struct shape *shape,
                                    const struct sim_group **evicted, size_t count)
{
    struct shape all = room->now;
    for (size_t i = 0; i < count; i++)
        all = sum(all, &evicted[i]->shape, 1);
    assert_true(is_enough(&all, shape));
    for (size_t i = 0; i < count; i++) {
        struct shape less = sum(all, &evicted[i]->shape, -1);
        assert_false(is_enough(&less, shape));
    }
}

/* A new group comes, and everything that follows from it is judged. */
static void come(struct story *story, struct shape shape)
{
    struct sim *sim = story->sim;
    struct sim_room rooms[SIM_AGENTS_MAX];
    const struct sim_group *evicted[SIM_GROUPS_MAX];
    size_t count;
    bool takes = false, could = false;
    for (size_t i = 0; i < sim->agents_count; i++) {
        rooms[i] = sim_room_of(sim, &sim->agents[i]);
        takes |= sim_room_takes(&rooms[i], &shape);
        could |= sim_room_could_take(&rooms[i], &shape);
    }
    remember_spots(story);
    struct sim_group *group = sim_create(sim, shape, "westus", RESTART_ALWAYS);
    if (!group)
        return; /* no node could ever hold it */
    sim_rounds(sim);
    int64_t node_key = evicted_of(story, evicted, &count);
    assert_true(count == 0 || (!takes && could));
    story->evicted += (int64_t)count;
    if (count > 0 && !shape.alone)
        no_smaller_set_would_do(&rooms[agent_of(sim, node_key) - sim->agents], &shape, evicted,
                                count);
    sim_settle(sim);
    const struct group_row *row = sim_group_row(sim, group);
    assert_int_equal(row->state == GROUP_RUNNING, takes || could);
    assert_true(count == 0 || row->node_key == node_key);
    story->made_room += count > 0;
}

static struct shape some_shape(struct sim *sim)
{
    static const int64_t cpus[] = {100, 250, 500, 1000, 2000, 3000};
    struct shape shape = {cpus[sim_pick(sim, 0, 5)], 103 * sim_pick(sim, 1, 25)};
    int64_t kind = sim_pick(sim, 0, 19);
    shape.spot = kind < 11;
    shape.alone = kind == 11;
    shape.gpus = kind == 12 ? gpus_of(2, sim_pick(sim, 1, 2)) : 0;
    return shape;
}

static void go(struct sim *sim)
{
    struct sim_group *group = sim_some_group(sim);
    if (!group || group->removed)
        return;
    int64_t what = sim_pick(sim, 0, 9);
    if (what < 1)
        sim_agent_finish_one(sim, sim_some_agent(sim));
    else
        sim_order(sim, group, what < 8 ? SIM_REMOVE : what < 9 ? SIM_STOP : SIM_START);
}

static void live(uint64_t seed)
{
    AUTO(sim) *sim = sim_new(seed, 0);
    struct story *story = calloc(1, sizeof *story);
    assert_non_null(story);
    story->sim = sim;
    sim_agents_add(sim, 4);
    for (size_t i = 0; i < sim->agents_count; i++)
        sim->agents[i].location = "";
    sim_settle(sim);
    for (int i = 0; i < STEPS; i++) {
        arena_reset(sim->arena);
        if (sim->groups_count < CROWD && sim_pick(sim, 0, 9) < 6)
            come(story, some_shape(sim));
        else
            go(sim);
        sim_settle(sim);
        sim_pass(sim, sim_pick(sim, 1000, 1500)); /* who has waited is looked at each second */
        sim_settle(sim);
        sim_settle(sim); /* who makes room for whom may take two turns each */
        sim_check_quiet(sim);
        sim_forget_removed(sim);
    }
    sim_check_ledger(sim);
    print_message("seed %llu: %lld made room, %lld evicted, %zu intervals\n",
                  (unsigned long long)seed, (long long)story->made_room, (long long)story->evicted,
                  sim->held_count);
    assert_true(story->made_room > 10);
    free(story);
}

TEST(regular_never_waits_where_spot_could_yield_and_nothing_is_evicted_in_vain)
{
    const char *given = getenv("BERTH_SIM_SEED");
    if (given) {
        live(strtoull(given, NULL, 10));
        return;
    }
    for (uint64_t seed = 1; seed <= 2; seed++)
        live(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_never_waits_where_spot_could_yield_and_nothing_is_evicted_in_vain),
    };
    return RUN_TESTS(tests);
}
