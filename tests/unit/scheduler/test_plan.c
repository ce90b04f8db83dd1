#include "scheduler/plan.h"

#include "base/limits.h"
#include "base/text.h"
#include "scheduler/fit/fit.h"

#include "../unit.h"
#include "seed.h"

#include <string.h>

static int64_t score_after(const struct plan_node *node, const struct shape *shape)
{
    struct shape room = plan_free_shape(node);
    return (room.cpu_milli - shape->cpu_milli) * PLAN_CPU_WEIGHT + room.memory_mib -
           shape->memory_mib;
}

/* The definition, word by word: every node, every rule, least left over, last node, lowest slot. */
static int64_t scan(const struct plan *plan, const struct plan_request *request)
{
    int64_t best = PLAN_NONE;
    for (uint32_t i = 0; i < plan_slots(plan); i++) {
        const struct plan_node *node = plan_node_get(plan, i);
        if (!node || fit_refuses(node, request) >= 0)
            continue;
        if (best == PLAN_NONE) {
            best = i;
            continue;
        }
        int64_t ours = score_after(node, &request->shape);
        int64_t theirs = score_after(plan_node_get(plan, (uint32_t)best), &request->shape);
        if (ours < theirs || (ours == theirs && i == request->last_slot))
            best = i;
    }
    return best;
}

struct world {
    struct plan *plan;
    const struct plan_pool *pools[3];
    uint64_t seed;
    struct held {
        uint32_t slot;
        struct shape shape;
    } held[4000];
    size_t held_count;
};

static void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.plan = plan_new(), .seed = seed};
    world->pools[0] = plan_pool(world->plan, "westus", OS_LINUX);
    world->pools[1] = plan_pool(world->plan, "westus", OS_WINDOWS);
    world->pools[2] = plan_pool(world->plan, "eastus", OS_LINUX);
}

static struct plan_node some_node(struct world *world)
{
    static const char *const classes[] = {" ", " crun ", " crun runsc "};
    struct plan_node node = {
        .key = seed_between(&world->seed, 1, 1000000),
        .pool = world->pools[seed_between(&world->seed, 0, 2)],
        .ready = seed_between(&world->seed, 0, 9) > 0,
        .cordoned = seed_between(&world->seed, 0, 9) == 0,
        .capacity = {1000 * seed_between(&world->seed, 0, 8),
                     512 * seed_between(&world->seed, 0, 16),
                     gpus_of(1, seed_between(&world->seed, 0, 4))},
    };
    text_copy(node.classes, sizeof node.classes, classes[seed_between(&world->seed, 0, 2)]);
    return node;
}

static struct plan_request some_request(struct world *world)
{
    struct plan_request request = {
        .pool = world->pools[seed_between(&world->seed, 0, 2)],
        .shape = {250 * seed_between(&world->seed, 0, 8), 256 * seed_between(&world->seed, 0, 12),
                  .alone = seed_between(&world->seed, 0, 9) == 0},
        .group_key = seed_between(&world->seed, 1, 3),
        .last_slot = seed_between(&world->seed, -1, (int64_t)plan_slots(world->plan) - 1),
    };
    if (seed_between(&world->seed, 0, 3) == 0)
        request.shape.gpus = gpus_of((int)seed_between(&world->seed, 0, 1), 1);
    if (seed_between(&world->seed, 0, 3) == 0)
        text_copy(request.shape.runtime_class, sizeof request.shape.runtime_class, "runsc");
    return request;
}

static void place_one(struct world *world)
{
    struct plan_request request = some_request(world);
    int64_t slot = plan_find(world->plan, &request);
    assert_int_equal(slot, scan(world->plan, &request));
    if (slot == PLAN_NONE || world->held_count == COUNT_OF(world->held))
        return;
    assert_true(plan_fits(world->plan, (uint32_t)slot, &request));
    plan_take(world->plan, (uint32_t)slot, &request.shape);
    world->held[world->held_count++] = (struct held){(uint32_t)slot, request.shape};
}

static void end_one(struct world *world)
{
    if (world->held_count == 0)
        return;
    size_t at = (size_t)seed_between(&world->seed, 0, (int64_t)world->held_count - 1);
    plan_give(world->plan, world->held[at].slot, &world->held[at].shape);
    world->held[at] = world->held[--world->held_count];
}

static void change_a_node(struct world *world)
{
    uint32_t slot = (uint32_t)seed_between(&world->seed, 0, 199);
    const struct plan_node *node = plan_node_get(world->plan, slot);
    if (!node) {
        struct plan_node fresh = some_node(world);
        assert_int_not_equal(plan_node_put(world->plan, PLAN_NONE, &fresh), PLAN_NONE);
    } else if (node->groups == 0 && seed_between(&world->seed, 0, 3) == 0) {
        plan_node_remove(world->plan, slot);
    } else {
        struct plan_node changed = some_node(world);
        assert_int_equal(plan_node_put(world->plan, slot, &changed), slot);
    }
}

static void nobody_holds_too_much(const struct world *world)
{
    struct shape used[256] = {{0}};
    for (size_t i = 0; i < world->held_count; i++) {
        used[world->held[i].slot].cpu_milli += world->held[i].shape.cpu_milli;
        used[world->held[i].slot].memory_mib += world->held[i].shape.memory_mib;
        used[world->held[i].slot].gpus += world->held[i].shape.gpus;
    }
    for (uint32_t i = 0; i < plan_slots(world->plan); i++) {
        const struct plan_node *node = plan_node_get(world->plan, i);
        assert_true(!node || shape_equal(&node->used, &used[i]));
    }
}

TEST(finds_the_best_fit_that_a_scan_of_all_nodes_finds)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world world;
        world_init(&world, seed);
        for (int step = 0; step < 6000; step++) {
            int64_t what = seed_between(&world.seed, 0, 9);
            if (what < 6)
                place_one(&world);
            else if (what < 8)
                end_one(&world);
            else
                change_a_node(&world);
        }
        nobody_holds_too_much(&world);
        plan_free(world.plan);
    }
}

/* Two nodes of the same free room, one bigger: the order is by what is left over, not by share. */
static int64_t add_node(struct plan *plan, const struct plan_pool *pool, int64_t cpu_milli,
                        int64_t memory_mib)
{
    struct plan_node node = {
        .key = 1, .pool = pool, .ready = true, .capacity = {cpu_milli, memory_mib}};
    int64_t slot = plan_node_put(plan, PLAN_NONE, &node);
    assert_int_not_equal(slot, PLAN_NONE);
    return slot;
}

TEST(prefers_the_fullest_node_then_the_last_then_the_oldest)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    for (int i = 0; i < 3; i++)
        add_node(plan, pool, 4000, 8192);
    struct plan_request request = {.pool = pool, .shape = {1000, 1024}, .last_slot = PLAN_NONE};
    assert_int_equal(plan_find(plan, &request), 0);
    request.last_slot = 2;
    assert_int_equal(plan_find(plan, &request), 2);
    plan_take(plan, 1, &request.shape);
    assert_int_equal(plan_find(plan, &request), 1);
}

TEST(a_kept_node_takes_only_its_group)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    add_node(plan, pool, 4000, 8192);
    plan_node_keep(plan, 0, 77);
    struct plan_request request = {
        .pool = pool, .shape = {1000, 1024}, .group_key = 5, .last_slot = 0};
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    assert_false(plan_fits(plan, 0, &request));
    request.group_key = 77;
    assert_true(plan_fits(plan, 0, &request));
    plan_node_keep(plan, 0, 0);
    request.group_key = 5;
    assert_int_equal(plan_find(plan, &request), 0);
}

TEST(keeps_for_a_large_group_the_node_that_lacks_least)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    add_node(plan, pool, 2000, 4096); /* empty, and never large enough */
    add_node(plan, pool, 4000, 8192);
    add_node(plan, pool, 4000, 8192);
    struct shape most = {3000, 7000}, some = {2000, 1024};
    plan_take(plan, 1, &most);
    plan_take(plan, 2, &some);
    struct plan_request request = {.pool = pool, .shape = {4000, 8000}, .last_slot = PLAN_NONE};
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    assert_int_equal(plan_find_nearest(plan, &request), 2);
    request.shape.cpu_milli = 5000;
    assert_int_equal(plan_find_nearest(plan, &request), PLAN_NONE);
}

TEST(says_in_words_who_refused_and_what_would_fit)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *here = plan_pool(plan, "westus", OS_LINUX);
    add_node(plan, plan_pool(plan, "eastus", OS_LINUX), 64000, 65536);
    add_node(plan, plan_pool(plan, "westus", OS_WINDOWS), 64000, 65536);
    add_node(plan, here, 2500, 3072);
    add_node(plan, here, 8000, 1024);
    struct plan_node closed = {
        .key = 9, .pool = here, .ready = true, .cordoned = true, .capacity = {8000, 8192}};
    struct plan_node silent = {.key = 9, .pool = here, .capacity = {8000, 8192}};
    assert_int_equal(plan_node_put(plan, PLAN_NONE, &closed), 4);
    assert_int_equal(plan_node_put(plan, PLAN_NONE, &silent), 5);
    struct shape cpus = {6000, 1024}, memory = {1000, 7168};
    add_node(plan, here, 8000, 8192);
    add_node(plan, here, 8000, 8192);
    plan_take(plan, 6, &cpus);
    plan_take(plan, 7, &memory);
    struct plan_request request = {.pool = here, .shape = {4000, 4096}, .last_slot = PLAN_NONE};
    struct plan_refusal refusal;
    plan_explain(plan, &request, &refusal);
    char words[700];
    plan_refusal_text(&refusal, words, sizeof words);
    assert_string_equal(
        words,
        "Of 8 nodes 1 is in another location, 1 runs another operating system, 2 are too small for "
        "it, 1 does not report, 1 is cordoned, 1 has too little CPU free, 1 has too little memory "
        "free. The largest group that fits now has 8 CPU and 1 GB.");
    request.shape.memory_mib = 10000;
    plan_explain(plan, &request, &refusal);
    plan_refusal_text(&refusal, words, sizeof words);
    assert_string_equal(words, "Of 8 nodes 1 is in another location, 1 runs another operating "
                               "system, 6 are too small for it; none could ever hold it. The "
                               "largest node there has 8 CPU and 8 GB. The largest group that fits "
                               "now has 8 CPU and 1 GB.");
}

static void advice(struct plan *plan, const struct plan_pool *pool, struct shape shape, char *words,
                   size_t size)
{
    struct plan_request request = {.pool = pool, .shape = shape, .last_slot = PLAN_NONE};
    struct plan_refusal refusal;
    plan_explain(plan, &request, &refusal);
    plan_refusal_advice(&refusal, words, size);
}

TEST(says_whether_to_wait_to_ask_for_less_or_to_go_elsewhere)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *here = plan_pool(plan, "westus", OS_LINUX);
    char words[700];
    advice(plan, here, (struct shape){1000, 1024}, words, sizeof words);
    assert_string_equal(words, "There are no nodes.");
    add_node(plan, here, 4000, 8192);
    struct shape most = {3500, 1024};
    plan_take(plan, 0, &most);
    advice(plan, here, (struct shape){2000, 1024}, words, sizeof words);
    assert_string_equal(words, "Of 1 node 1 has too little CPU free. The largest group that fits "
                               "now has 0.5 CPU and 7 GB. Ask for less, or again when there is "
                               "room: it could run there.");
    add_node(plan, plan_pool(plan, "eastus", OS_LINUX), 64000, 1048576);
    add_node(plan, plan_pool(plan, "eastus", OS_LINUX), 64000, 1048576);
    add_node(plan, plan_pool(plan, "northus", OS_WINDOWS), 64000, 1048576);
    advice(plan, here, (struct shape){8000, 1024}, words, sizeof words);
    assert_string_equal(words, "Of 4 nodes 3 are in another location, 1 is too small for it; none "
                               "could ever hold it. The largest node there has 4 CPU and 8 GB. The "
                               "largest group that fits now has 0.5 CPU and 7 GB. It would fit now "
                               "in 'eastus'. Ask for less: waiting would not help.");
    /* A node may be larger than a group may be. */
    advice(plan, plan_pool(plan, "eastus", OS_LINUX), (struct shape){65000, 1024}, words,
           sizeof words);
    assert_non_null(strstr(words, "The largest group that fits now has 31 CPU and 240 GB."));
    advice(plan, plan_pool(plan, "southus", OS_LINUX), (struct shape){1000, 1024}, words,
           sizeof words);
    assert_string_equal(words, "Of 4 nodes 4 are in another location; none could ever hold it. It "
                               "would fit now in 'eastus'.");
}

TEST(says_what_the_nodes_run_where_none_runs_the_right_system)
{
    AUTO(plan) *plan = plan_new();
    char words[700];
    add_node(plan, plan_pool(plan, "westus", OS_LINUX), 4000, 8192);
    advice(plan, plan_pool(plan, "westus", OS_WINDOWS), (struct shape){1000, 1024}, words,
           sizeof words);
    assert_string_equal(words, "Of 1 node 1 runs another operating system; none could ever hold "
                               "it. The nodes there run Linux, none runs Windows.");
}

TEST(a_group_with_a_zone_goes_to_nodes_of_it_alone)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *here = plan_pool(plan, "westus", OS_LINUX);
    struct plan_node two = {
        .key = 7, .pool = here, .ready = true, .zone = "2", .capacity = {8000, 8192}};
    char words[700];
    add_node(plan, here, 2000, 2048);
    assert_int_equal(plan_node_put(plan, PLAN_NONE, &two), 1);
    struct plan_request request = {
        .pool = here, .shape = {1000, 1024, .zone = "2"}, .last_slot = PLAN_NONE};
    assert_int_equal(plan_find(plan, &request), 1);
    request.shape.zone[0] = '\0';
    assert_int_equal(plan_find(plan, &request), 0);
    advice(plan, here, (struct shape){1000, 1024, .zone = "1"}, words, sizeof words);
    assert_string_equal(words, "Of 2 nodes 2 are in another zone; none could ever hold it. The "
                               "zones there are '2'.");
}

TEST(a_dedicated_group_has_its_node_to_itself)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *here = plan_pool(plan, "westus", OS_LINUX);
    struct shape small = {500, 512}, alone = {500, 512, .alone = true};
    struct plan_request shared = {.pool = here, .shape = small, .last_slot = PLAN_NONE};
    struct plan_request whole = {.pool = here, .shape = alone, .last_slot = PLAN_NONE};
    char words[700];
    add_node(plan, here, 2000, 2048);
    add_node(plan, here, 8000, 8192);
    plan_take(plan, 0, &small);
    assert_int_equal(plan_find(plan, &whole), 1);
    plan_take(plan, 1, &alone);
    assert_int_equal(plan_find(plan, &shared), 0);
    assert_int_equal(plan_find(plan, &whole), PLAN_NONE);
    assert_int_equal(plan_find_nearest(plan, &whole), 0);
    advice(plan, here, (struct shape){4000, 1024}, words, sizeof words);
    assert_string_equal(words, "Of 2 nodes 1 is too small for it, 1 is one group's alone. The "
                               "largest group that fits now has 1.5 CPU and 1.5 GB. Ask for less, "
                               "or again when there is room: it could run there.");
    advice(plan, here, alone, words, sizeof words);
    assert_non_null(strstr(words, "Of 2 nodes 2 have other groups."));
    plan_give(plan, 0, &small);
    assert_int_equal(plan_find(plan, &whole), 0);
    plan_give(plan, 1, &alone);
    shared.shape.cpu_milli = 4000;
    assert_int_equal(plan_find(plan, &shared), 1);
}

TEST(counts_what_spot_groups_hold_as_room_for_others_alone)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *here = plan_pool(plan, "westus", OS_LINUX);
    struct shape spot = {3000, 1024, .spot = true}, promised = {1000, 512};
    struct plan_request request = {.pool = here, .shape = {3500, 1024}, .last_slot = PLAN_NONE};
    add_node(plan, here, 4000, 8192);
    plan_take(plan, 0, &spot);
    assert_int_equal(plan_find_without_spot(plan, &request), PLAN_NONE); /* not held yet */
    plan_give(plan, 0, &spot);
    plan_hold(plan, 0, &spot);
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    assert_int_equal(plan_find_without_spot(plan, &request), 0);
    request.shape.spot = true;
    assert_int_equal(plan_find_without_spot(plan, &request), PLAN_NONE);
    request.shape.spot = false;
    plan_take(plan, 0, &promised); /* promised room is not promised again */
    assert_int_equal(plan_find_without_spot(plan, &request), PLAN_NONE);
    plan_give(plan, 0, &promised);
    plan_release(plan, 0, &spot);
    assert_int_equal(plan_find_without_spot(plan, &request), PLAN_NONE);
    assert_int_equal(plan_find(plan, &request), 0);
}

TEST(goes_where_its_local_disk_is_and_nowhere_else)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    char words[700];
    struct plan_refusal refusal;
    struct plan_node node = {.key = 7, .pool = pool, .ready = true, .capacity = {64000, 65536}};
    add_node(plan, pool, 2000, 2048); /* the better fit */
    int64_t slot = plan_node_put(plan, PLAN_NONE, &node);
    add_node(plan, plan_pool(plan, "eastus", OS_LINUX), 64000, 65536);
    struct plan_request request = {.pool = pool,
                                   .shape = {1000, 1024},
                                   .last_slot = PLAN_NONE,
                                   .disk_node = 7,
                                   .disk_slot = slot};
    assert_int_equal(plan_find(plan, &request), slot);
    node.cordoned = true;
    assert_int_equal(plan_node_put(plan, slot, &node), slot);
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    plan_explain(plan, &request, &refusal);
    plan_refusal_advice(&refusal, words, sizeof words);
    assert_string_equal(words, "Of 3 nodes 1 is in another location, 1 does not have its local "
                               "disk, 1 is cordoned. Nothing is free there now. Ask for less, or "
                               "again when there is room: it could run there.");
    plan_node_remove(plan, (uint32_t)slot); /* by an operator: nothing else will do */
    request.disk_slot = PLAN_NONE;
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    plan_explain(plan, &request, &refusal);
    assert_int_equal(refusal.could, 0);
}

TEST(refuses_what_is_larger_than_numbers_can_say)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    add_node(plan, pool, INT64_MAX, INT64_MAX);
    struct plan_request request = {.pool = pool, .shape = {INT64_MAX, 1}, .last_slot = PLAN_NONE};
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    request.shape = (struct shape){LIMIT_NODE_CPU_MILLI_MAX, LIMIT_NODE_MEMORY_MIB_MAX};
    assert_int_equal(plan_find(plan, &request), 0);
}

/* ---- ports of a node's own address ---- */

static struct plan_request wants_port(const struct plan_pool *pool, uint32_t item)
{
    return (struct plan_request){
        .pool = pool, .shape = {1000, 1024, .ports = {{item}, 1}}, .last_slot = PLAN_NONE};
}

TEST(groups_of_one_public_port_are_on_different_nodes)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    struct plan_request web = wants_port(pool, 80), dns = wants_port(pool, 80 | PORT_SET_UDP);
    struct plan_refusal refusal;
    char words[300];
    for (int64_t key = 1; key <= 2; key++) {
        struct plan_node node = {.key = key, .pool = pool, .ready = true, .capacity = {8000, 8192}};
        assert_int_not_equal(plan_node_put(plan, PLAN_NONE, &node), PLAN_NONE);
    }
    int64_t first = plan_find(plan, &web);
    plan_take(plan, (uint32_t)first, &web.shape);
    int64_t second = plan_find(plan, &web);
    assert_int_not_equal(second, first);
    assert_int_equal(plan_find(plan, &dns), first); /* UDP is another port; best fit else */
    plan_take(plan, (uint32_t)second, &web.shape);
    assert_int_equal(plan_find(plan, &web), PLAN_NONE);
    plan_explain(plan, &web, &refusal);
    plan_refusal_text(&refusal, words, sizeof words);
    assert_non_null(strstr(words, "2 have a port of it taken by other groups"));
    plan_give(plan, (uint32_t)first, &web.shape);
    assert_int_equal(plan_find(plan, &web), first);
}

TEST(groups_of_a_node_without_an_address_to_share_have_their_own)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    struct plan_request web = wants_port(pool, 80);
    struct plan_node node = {
        .key = 1, .pool = pool, .ready = true, .shares_nothing = true, .capacity = {8000, 8192}};
    int64_t slot = plan_node_put(plan, PLAN_NONE, &node);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(plan_find(plan, &web), slot);
        plan_take(plan, (uint32_t)slot, &web.shape);
    }
}

TEST(a_port_is_taken_until_everyone_gave_it_back)
{
    struct taken_ports taken = {0};
    struct port_set web = {{80, 443}, 2}, other = {{443}, 1};
    ports_take(&taken, &web);
    ports_take(&taken, &other); /* a group that moves holds twice */
    ports_give(&taken, &web);
    assert_false(ports_are_free(&taken, &other));
    ports_give(&taken, &other);
    assert_true(ports_are_free(&taken, &web));
    assert_int_equal(taken.count, 0);
    ports_done(&taken);
}

TEST(gpus_are_never_given_twice_and_a_class_must_be_there)
{
    AUTO(plan) *plan = plan_new();
    const struct plan_pool *pool = plan_pool(plan, "westus", OS_LINUX);
    struct plan_node plain = {.key = 1, .pool = pool, .ready = true, .capacity = {4000, 4096}};
    struct plan_node with = {.key = 2,
                             .pool = pool,
                             .ready = true,
                             .capacity = {8000, 8192, gpus_of(0, 2) + gpus_of(2, 1)}};
    struct plan_request request = {
        .pool = pool, .shape = {100, 100, gpus_of(0, 1)}, .last_slot = -1};
    char words[512];
    struct plan_refusal refusal;
    text_copy(plain.classes, sizeof plain.classes, " crun runsc ");
    assert_int_equal(plan_node_put(plan, PLAN_NONE, &plain), 0);
    assert_int_equal(plan_node_put(plan, PLAN_NONE, &with), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(plan_find(plan, &request), 1);
        plan_take(plan, 1, &request.shape);
    }
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    plan_explain(plan, &request, &refusal);
    plan_refusal_text(&refusal, words, sizeof words);
    assert_non_null(strstr(words, "1 has too few GPUs of its kind, 1 has too few GPUs free."));
    assert_int_equal(refusal.could, 1);
    plan_give(plan, 1, &request.shape);
    assert_int_equal(plan_find(plan, &request), 1);
    text_copy(request.shape.runtime_class, sizeof request.shape.runtime_class, "runsc");
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
    request.shape.gpus = 0;
    assert_int_equal(plan_find(plan, &request), 0);
    text_copy(request.shape.runtime_class, sizeof request.shape.runtime_class, "run");
    assert_int_equal(plan_find(plan, &request), PLAN_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_one_public_port_are_on_different_nodes),
        cmocka_unit_test(groups_of_a_node_without_an_address_to_share_have_their_own),
        cmocka_unit_test(a_port_is_taken_until_everyone_gave_it_back),
        cmocka_unit_test(gpus_are_never_given_twice_and_a_class_must_be_there),
        cmocka_unit_test(finds_the_best_fit_that_a_scan_of_all_nodes_finds),
        cmocka_unit_test(prefers_the_fullest_node_then_the_last_then_the_oldest),
        cmocka_unit_test(a_kept_node_takes_only_its_group),
        cmocka_unit_test(keeps_for_a_large_group_the_node_that_lacks_least),
        cmocka_unit_test(says_in_words_who_refused_and_what_would_fit),
        cmocka_unit_test(says_whether_to_wait_to_ask_for_less_or_to_go_elsewhere),
        cmocka_unit_test(says_what_the_nodes_run_where_none_runs_the_right_system),
        cmocka_unit_test(a_group_with_a_zone_goes_to_nodes_of_it_alone),
        cmocka_unit_test(a_dedicated_group_has_its_node_to_itself),
        cmocka_unit_test(counts_what_spot_groups_hold_as_room_for_others_alone),
        cmocka_unit_test(goes_where_its_local_disk_is_and_nowhere_else),
        cmocka_unit_test(refuses_what_is_larger_than_numbers_can_say),
    };
    return RUN_TESTS(tests);
}
