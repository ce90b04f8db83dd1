#include "tests/sim/sim.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/unit/scheduler/seed.h"

#include <stdlib.h>

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

static _Atomic int64_t boot_ns;

static int64_t now_ms(void *context UNUSED)
{
    return 1700000000000 + boot_ns / 1000000;
}

static int64_t boot_now_ns(void *context UNUSED)
{
    return boot_ns;
}

static void must(bool ok, const struct err *err)
{
    if (!ok)
        fail_msg("%s: %s", err_code_name(err->code), err->text);
}

static void plane_begin(struct sim *sim)
{
    struct err err = {0};
    static const struct scheduler_location locations[] = {{"westus", true}, {"eastus", false}};
    sim->store =
        store_open(&(struct store_options){.path = sim->path, .key_path = sim->key_path}, &err);
    must(sim->store != NULL, &err);
    struct scheduler_options options = {.store = sim->store,
                                        .locations = locations,
                                        .locations_count = 2,
                                        .default_location = "westus",
                                        .beat_ms = SIM_BEAT_MS,
                                        .fence_ms = SIM_FENCE_MS,
                                        .lost_ms = SIM_LOST_MS};
    sim->scheduler = scheduler_new(&options, &err);
    must(sim->scheduler != NULL, &err);
}

static void plane_end(struct sim *sim)
{
    scheduler_stop(sim->scheduler);
    store_close(sim->store);
    scheduler_free(sim->scheduler);
    sim->scheduler = NULL;
}

static bool put_resource_group(struct tx *tx, void *data UNUSED, struct err *err)
{
    struct resource_group_row row = {
        .subscription = SUBSCRIPTION, .name = "rg", .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

void sim_agents_add(struct sim *sim, size_t agents)
{
    static struct node_gpus four = {.sku = 2, .count = 4};
    for (size_t i = 0; i < agents; i++) {
        struct sim_agent *agent = &sim->agents[sim->agents_count++];
        text_format(agent->name, sizeof agent->name, "n%zu", i);
        agent->capacity =
            (struct node_capacity){1000 * sim_pick(sim, 2, 8), 1024 * sim_pick(sim, 2, 16)};
        if (i % 3 == 1) {
            agent->capacity.gpus = &four;
            agent->capacity.gpus_count = 1;
        }
        agent->location = i % 4 == 3 ? "eastus" : "";
        agent->must_join = true;
    }
}

struct sim *sim_new(uint64_t seed, size_t agents)
{
    static const struct clock_source source = {now_ms, boot_now_ns, NULL};
    struct sim *sim = calloc(1, sizeof *sim);
    assert_non_null(sim);
    log_configure(LOG_ERROR, false);
    boot_ns = 1000000000000;
    clock_replace(&source);
    sim->seed = seed;
    sim->arena = arena_new((size_t)256 << 20);
    /* Memory: what is tried here is order, not the disk. */
    text_copy(sim->folder, sizeof sim->folder, "/dev/shm/berth-sim-XXXXXX");
    assert_non_null(mkdtemp(sim->folder));
    text_format(sim->path, sizeof sim->path, "%s/berth.db", sim->folder);
    text_format(sim->key_path, sizeof sim->key_path, "%s/key", sim->folder);
    plane_begin(sim);
    assert_int_equal(sim_write(sim, put_resource_group, NULL), ERR_OK);
    sim_agents_add(sim, agents);
    return sim;
}

void sim_free(struct sim *sim)
{
    struct err err = {0};
    if (!sim)
        return;
    plane_end(sim);
    must(file_remove_tree(sim->folder, &err), &err);
    arena_free(sim->arena);
    clock_replace(NULL);
    free(sim);
}

void sim_restart_plane(struct sim *sim)
{
    plane_end(sim);
    plane_begin(sim);
}

int64_t sim_pick(struct sim *sim, int64_t low, int64_t high)
{
    return seed_between(&sim->seed, low, high);
}

enum err_code sim_write(struct sim *sim, store_work work, void *data)
{
    struct err err = {0};
    return store_write(sim->store, work, data, &err) ? ERR_OK : err.code;
}

static bool nothing(struct tx *tx UNUSED, void *data UNUSED, struct err *err UNUSED)
{
    return true;
}

/* Changes are told after the writer is: a second piece of work waits for that. */
static void settle(struct sim *sim)
{
    assert_int_equal(sim_write(sim, nothing, NULL), ERR_OK);
}

void sim_told_later(struct sim *sim)
{
    settle(sim);
    struct changes later = sim->scheduler->changes;
    sim->scheduler->changes = (struct changes){0};
    sim->scheduler->list_more = true;
    (void)scheduler_round(sim->scheduler);
    settle(sim);
    free(sim->scheduler->changes.items);
    sim->scheduler->changes = later;
}

/* Until nothing is left to do and nothing that was done is left to look at. */
void sim_rounds(struct sim *sim)
{
    for (int i = 0; i < 100; i++) {
        settle(sim);
        int64_t sleep_ns = scheduler_round(sim->scheduler);
        settle(sim);
        if (sleep_ns > 0 && sim->scheduler->changes.count == 0 && !sim->scheduler->changes.lost)
            return;
    }
    fail_msg("the scheduler does not come to rest");
}

void sim_pass(struct sim *sim, int64_t ms)
{
    boot_ns += ms * 1000000;
    sim_agents_live(sim);
}
