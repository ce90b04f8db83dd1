#include "tests/sim/sim.h"
#include "tests/store/recount.h"

#include <string.h>

/* ---- always ---- */

static const struct node_row *node_of(const struct node_row *nodes, size_t count, int64_t key)
{
    for (size_t i = 0; i < count; i++)
        if (nodes[i].key == key)
            return &nodes[i];
    return NULL;
}

struct node_use {
    struct shape all, spot;
    int64_t groups, spot_groups;
    bool alone;
};

static struct node_use use_of(int64_t node_key, const struct assignment_row *assignments,
                              size_t count)
{
    struct node_use use = {0};
    for (size_t k = 0; k < count; k++) {
        const struct shape *shape = &assignments[k].shape;
        if (assignments[k].node_key != node_key || assignments[k].released)
            continue;
        use.all.cpu_milli += shape->cpu_milli;
        use.all.memory_mib += shape->memory_mib;
        use.all.gpus += shape->gpus;
        use.spot.cpu_milli += shape->spot ? shape->cpu_milli : 0;
        use.spot.memory_mib += shape->spot ? shape->memory_mib : 0;
        use.groups++;
        use.spot_groups += shape->spot;
        use.alone |= shape->alone;
    }
    return use;
}

static void no_node_is_over_full(const struct node_row *nodes, size_t nodes_count,
                                 const struct assignment_row *assignments, size_t count)
{
    for (size_t i = 0; i < nodes_count; i++) {
        struct node_use use = use_of(nodes[i].key, assignments, count);
        if (use.all.cpu_milli > nodes[i].cpu_milli || use.all.memory_mib > nodes[i].memory_mib)
            fail_msg("node %s holds %lld mCPU of %lld, %lld MiB of %lld", nodes[i].name,
                     (long long)use.all.cpu_milli, (long long)nodes[i].cpu_milli,
                     (long long)use.all.memory_mib, (long long)nodes[i].memory_mib);
        if (gpus_count(use.all.gpus, 2) > gpus_count(nodes[i].gpus, 2))
            fail_msg("node %s has a GPU in two groups", nodes[i].name);
        if (use.alone && use.groups > 1)
            fail_msg("a dedicated group shares node %s", nodes[i].name);
    }
}

static void one_place_for_each_group(const struct assignment_row *assignments, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (assignments[i].group_key == assignments[k].group_key &&
                assignments[i].wanted == WANTED_RUN && assignments[k].wanted == WANTED_RUN)
                fail_msg("group %lld is wanted on two nodes", (long long)assignments[i].group_key);
}

/* What really runs, wherever: never two copies, whatever the plane thinks. */
static void nothing_runs_twice(const struct sim *sim)
{
    for (size_t a = 0; a < sim->agents_count; a++)
        for (size_t i = 0; i < sim->agents[a].runs_count; i++)
            for (size_t b = a + 1; b < sim->agents_count && sim->agents[a].runs[i].holds; b++)
                for (size_t k = 0; k < sim->agents[b].runs_count; k++)
                    if (sim->agents[b].runs[k].holds &&
                        strcmp(sim->agents[a].runs[i].uid, sim->agents[b].runs[k].uid) == 0)
                        fail_msg("%s runs on %s and on %s", sim->agents[a].runs[i].uid,
                                 sim->agents[a].name, sim->agents[b].name);
}

/* The picture holds on each node what the store says is held there, and what is promised; no more. */
static void picture_is_right(struct sim *sim, const struct node_row *nodes, size_t nodes_count,
                             const struct assignment_row *assignments, size_t count)
{
    struct scheduler *scheduler = sim->scheduler;
    struct shape held = {0}, known = {0};
    for (size_t k = 0; k < count; k++) {
        if (assignments[k].released || !node_of(nodes, nodes_count, assignments[k].node_key))
            continue;
        held.cpu_milli += assignments[k].shape.cpu_milli;
        held.memory_mib += assignments[k].shape.memory_mib;
        held.gpus += assignments[k].shape.gpus;
    }
    for (uint32_t i = 0; i < plan_slots(scheduler->fleet.plan); i++) {
        const struct plan_node *node = plan_node_get(scheduler->fleet.plan, i);
        if (!node)
            continue;
        known.cpu_milli += node->used.cpu_milli;
        known.memory_mib += node->used.memory_mib;
        known.gpus += node->used.gpus;
    }
    for (uint32_t at = scheduler->promises.oldest; at != 0;
         at = scheduler->promises.items[at].younger) {
        known.cpu_milli -= scheduler->promises.items[at].shape.cpu_milli;
        known.memory_mib -= scheduler->promises.items[at].shape.memory_mib;
        known.gpus -= scheduler->promises.items[at].shape.gpus;
    }
    assert_int_equal(known.cpu_milli, held.cpu_milli);
    assert_int_equal(known.memory_mib, held.memory_mib);
    assert_int_equal(known.gpus, held.gpus);
}

struct facts {
    struct node_row *nodes;
    struct assignment_row *assignments;
    size_t nodes_count, assignments_count;
};

static struct facts facts_read(struct sim *sim)
{
    struct err err = {0};
    struct facts facts = {0};
    AUTO(tx) *tx = store_read(sim->store, &err);
    assert_true(
        tx && store_node_list(tx, sim->arena, &facts.nodes, &facts.nodes_count, &err) &&
        store_assignment_list(tx, sim->arena, &facts.assignments, &facts.assignments_count, &err));
    return facts;
}

void sim_check(struct sim *sim)
{
    static const char subscription[] = "11111111-2222-3333-4444-555555555555";
    arena_reset(sim->arena);
    (void)quotas_agree(sim->store, subscription, "westus", sim->arena);
    (void)quotas_agree(sim->store, subscription, "eastus", sim->arena);
    struct facts facts = facts_read(sim);
    no_node_is_over_full(facts.nodes, facts.nodes_count, facts.assignments,
                         facts.assignments_count);
    one_place_for_each_group(facts.assignments, facts.assignments_count);
    nothing_runs_twice(sim);
    picture_is_right(sim, facts.nodes, facts.nodes_count, facts.assignments,
                     facts.assignments_count);
}

/* ---- when all is quiet ---- */

static const struct node_row *row_of(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->nodes_count; i++)
        if (strcmp(facts->nodes[i].name, name) == 0)
            return &facts->nodes[i];
    return NULL;
}

/* By the picture's own word on CPU and memory, for what is promised counts; the rest by the rows. */
static struct sim_room room_in(struct sim *sim, const struct facts *facts,
                               const struct node_row *node)
{
    struct node_room free;
    struct node_use use = use_of(node->key, facts->assignments, facts->assignments_count);
    if (!scheduler_node_room(sim->scheduler, node->key, &free))
        return (struct sim_room){0};
    int64_t slot = fleet_slot(&sim->scheduler->fleet, node->key);
    bool kept = plan_node_get(sim->scheduler->fleet.plan, (uint32_t)slot)->kept_for != 0;
    return (struct sim_room){
        .now = {free.cpu_milli, free.memory_mib, node->gpus - use.all.gpus},
        .without_spot = {free.cpu_milli + use.spot.cpu_milli, free.memory_mib + use.spot.memory_mib,
                         node->gpus - use.all.gpus},
        .groups = use.groups,
        .spot_groups = use.spot_groups,
        .alone = use.alone,
        .open = node->state == NODE_READY && !node->cordoned && !kept,
    };
}

struct sim_room sim_room_of(struct sim *sim, const struct sim_agent *agent)
{
    struct facts facts = facts_read(sim);
    const struct node_row *node = row_of(&facts, agent->name);
    return node ? room_in(sim, &facts, node) : (struct sim_room){0};
}

static bool covers(const struct shape *room, const struct shape *shape)
{
    return room->cpu_milli >= shape->cpu_milli && room->memory_mib >= shape->memory_mib &&
           gpus_count(room->gpus, 2) >= gpus_count(shape->gpus, 2);
}

bool sim_room_takes(const struct sim_room *room, const struct shape *shape)
{
    return room->open && covers(&room->now, shape) &&
           (shape->alone ? room->groups == 0 : !room->alone);
}

bool sim_room_could_take(const struct sim_room *room, const struct shape *shape)
{
    return room->open && !shape->spot && covers(&room->without_spot, shape) &&
           (shape->alone ? room->groups == room->spot_groups : !room->alone);
}

static bool in_location(const char *node, const char *group)
{
    return strcmp(*node ? node : "westus", group) == 0;
}

/* No node could take a group that waits, nor could if its Spot groups gave way to it; those kept for others aside. */
static void nobody_waits_without_need(struct sim *sim, const struct facts *facts)
{
    struct err err = {0};
    struct pending_row *rows = NULL;
    size_t count = 0;
    AUTO(tx) *tx = store_read(sim->store, &err);
    assert_true(tx && store_pending_list(tx, 0, SIM_GROUPS_MAX, sim->arena, &rows, &count, &err));
    assert_int_equal(count, sim->scheduler->waiting.count);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < facts->nodes_count; k++) {
            const struct node_row *node = &facts->nodes[k];
            struct sim_room room = room_in(sim, facts, node);
            if (!in_location(node->location, rows[i].location))
                continue;
            if (sim_room_takes(&room, &rows[i].shape))
                fail_msg("group %lld waits and fits on %s", (long long)rows[i].group_key,
                         node->name);
            if (sim_room_could_take(&room, &rows[i].shape))
                fail_msg(
                    "group %lld waits (%lld mCPU, %lld MiB, alone %d) where Spot could give way on "
                    "%s; %u wait",
                    (long long)rows[i].group_key, (long long)rows[i].shape.cpu_milli,
                    (long long)rows[i].shape.memory_mib, (int)rows[i].shape.alone, node->name,
                    sim->scheduler->waiting.used);
        }
    }
}

static bool runs_somewhere(const struct sim *sim, const char *uid, int64_t incarnation)
{
    for (size_t a = 0; a < sim->agents_count; a++)
        for (size_t i = 0; i < sim->agents[a].runs_count; i++)
            if (sim->agents[a].runs[i].holds && sim->agents[a].runs[i].incarnation == incarnation &&
                strcmp(sim->agents[a].runs[i].uid, uid) == 0)
                return true;
    return false;
}

/* Every group is where its state says: running ones run, others do not. */
static void states_are_true(struct sim *sim)
{
    for (size_t i = 0; i < sim->groups_count; i++) {
        struct group_row *row = sim_group_row(sim, &sim->groups[i]);
        if (!row) {
            assert_true(sim->groups[i].removed);
            continue;
        }
        bool runs = runs_somewhere(sim, row->uid, row->incarnation);
        if (runs != (row->state == GROUP_RUNNING) ||
            (!runs && row->living && row->wanted == WANTED_RUN && !row->waits &&
             row->state != GROUP_SUCCEEDED && row->state != GROUP_FAILED))
            fail_msg("group %s (%s, wanted %s, waits %d) %s", row->name,
                     group_state_words[row->state], wanted_words[row->wanted], row->waits,
                     runs ? "runs" : "does not run");
    }
}

void sim_check_quiet(struct sim *sim)
{
    sim_check(sim);
    struct facts facts = facts_read(sim);
    nobody_waits_without_need(sim, &facts);
    states_are_true(sim);
}
