/* What pretended agents meter and tell, and the ledger held against it. They tell neither GPUs nor classes, as agents of
 * before: the ledger takes them from the order. Some replies are lost, so that much is told twice. */
#include "tests/sim/sim.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/quota.h"

#include <string.h>

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

static int64_t now_s(void)
{
    return clock_now_ms() / 1000;
}

/* The newest that this agent metered of that group; NULL: none. */
static struct sim_held *newest(struct sim *sim, const struct sim_agent *agent, const char *uid)
{
    for (size_t i = sim->held_count; i > 0; i--)
        if (sim->held[i - 1].agent == agent && strcmp(sim->held[i - 1].uid, uid) == 0)
            return &sim->held[i - 1];
    return NULL;
}

static void end(struct sim_held *held)
{
    held->to_s = now_s() > held->from_s ? now_s() : held->from_s;
}

static const struct sim_run *holder(const struct sim_agent *agent, const struct sim_held *held)
{
    for (size_t i = 0; i < agent->runs_count; i++)
        if (agent->runs[i].holds && agent->runs[i].incarnation == held->incarnation &&
            strcmp(agent->runs[i].uid, held->uid) == 0)
            return &agent->runs[i];
    return NULL;
}

/* No two intervals of a run begin in one second: their beginning is their name. */
static void begin(struct sim *sim, const struct sim_agent *agent, const struct sim_run *run)
{
    const struct sim_held *before = newest(sim, agent, run->uid);
    bool same_second = before && before->from_s >= now_s();
    assert_true(sim->held_count < SIM_HELD_MAX);
    struct sim_held *held = &sim->held[sim->held_count++];
    *held = (struct sim_held){.agent = agent,
                              .incarnation = run->incarnation,
                              .from_s = same_second ? before->from_s + 1 : now_s()};
    text_copy(held->uid, sizeof held->uid, run->uid);
}

void sim_meter(struct sim *sim, struct sim_agent *agent)
{
    for (size_t i = 0; i < sim->held_count; i++)
        if (sim->held[i].agent == agent && sim->held[i].to_s == 0 && !holder(agent, &sim->held[i]))
            end(&sim->held[i]);
    for (size_t i = 0; i < agent->runs_count; i++) {
        const struct sim_run *run = &agent->runs[i];
        const struct sim_held *held = run->holds ? newest(sim, agent, run->uid) : NULL;
        if (run->holds && (!held || held->to_s != 0))
            begin(sim, agent, run);
    }
}

void sim_meter_tell(struct sim *sim, struct sim_agent *agent, struct report *report)
{
    report->intervals = arena_array(sim->arena, sim->held_count + 1, sizeof *report->intervals);
    report->watermark_s = now_s();
    assert_non_null(report->intervals);
    for (size_t i = 0; i < sim->held_count; i++) {
        const struct sim_held *held = &sim->held[i];
        if (held->agent == agent && !held->taken)
            report->intervals[report->intervals_count++] =
                (struct usage_interval){.uid = held->uid,
                                        .incarnation = held->incarnation,
                                        .from_s = held->from_s,
                                        .to_s = held->to_s,
                                        .cpu_milli = 1000,
                                        .memory_mib = 1024};
    }
}

void sim_meter_taken(struct sim *sim, struct sim_agent *agent, int64_t watermark_s)
{
    agent->watermark_s = watermark_s;
    if (sim_pick(sim, 0, 7) == 0)
        return; /* the reply was lost */
    for (size_t i = 0; i < sim->held_count; i++)
        if (sim->held[i].agent == agent && sim->held[i].to_s != 0)
            sim->held[i].taken = true;
}

/* ---- the ledger ---- */

static const struct sim_held *truth_of(const struct sim *sim, const struct usage_row *row)
{
    for (size_t i = 0; i < sim->held_count; i++) {
        const struct sim_held *held = &sim->held[i];
        if (held->incarnation == row->incarnation && held->from_s == row->from_s &&
            strcmp(held->uid, row->uid) == 0 && strcmp(held->agent->name, row->node) == 0)
            return held;
    }
    for (size_t i = 0; i < sim->held_count; i++)
        if (strcmp(sim->held[i].uid, row->uid) == 0)
            print_error("%s metered run %lld from %lld to %lld\n", sim->held[i].agent->name,
                        (long long)sim->held[i].incarnation, (long long)sim->held[i].from_s,
                        (long long)sim->held[i].to_s);
    fail_msg("nobody metered run %lld of %s from %lld on %s", (long long)row->incarnation, row->uid,
             (long long)row->from_s, row->node);
    return NULL;
}

static void priced_as_ordered(const struct sim *sim, const struct usage_row *row)
{
    for (size_t i = 0; i < sim->ever_count; i++) {
        const struct sim_group *group = &sim->ever[i];
        if (strcmp(group->uid, row->uid) != 0)
            continue;
        assert_int_equal(row->gpus, group->shape.gpus);
        assert_true(row->price_class >= 0);
        struct shape classed = {0};
        quota_class_shape((enum quota_class)row->price_class, &classed);
        assert_int_equal(classed.spot, group->shape.spot);
        assert_int_equal(classed.alone, group->shape.alone);
        return;
    }
    fail_msg("there was no group %s", row->uid);
}

static int64_t counted_to(const struct sim_held *held)
{
    return held->to_s != 0 ? held->to_s : held->agent->watermark_s;
}

static int64_t ledger_seconds(struct sim *sim)
{
    struct err err = {0};
    struct resource_id id = {.subscription = SUBSCRIPTION};
    struct usage_page page = {0};
    int64_t seconds = 0;
    AUTO(tx) *tx = store_read(sim->store, &err);
    assert_non_null(tx);
    do {
        assert_true(
            store_usage_list(tx, &id, 0, INT64_MAX, page.next_key, 100, sim->arena, &page, &err));
        for (size_t i = 0; i < page.count; i++) {
            const struct sim_held *held = truth_of(sim, &page.rows[i]);
            assert_int_equal(page.rows[i].open, held->to_s == 0);
            assert_int_equal(page.rows[i].to_s, counted_to(held));
            priced_as_ordered(sim, &page.rows[i]);
            seconds += page.rows[i].to_s - page.rows[i].from_s;
        }
    } while (page.next_key != 0);
    return seconds;
}

void sim_check_ledger(struct sim *sim)
{
    int64_t metered = 0;
    for (size_t i = 0; i < sim->held_count; i++)
        metered += counted_to(&sim->held[i]) > sim->held[i].from_s
                       ? counted_to(&sim->held[i]) - sim->held[i].from_s
                       : 0;
    assert_int_equal(ledger_seconds(sim), metered);
}
