#include "tests/sim/sim.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>

/* ---- joining ---- */

struct joining {
    struct sim *sim;
    struct join_request request;
    struct node_row row;
    const char *credential;
};

static bool join_work(struct tx *tx, void *data, struct err *err)
{
    struct joining *joining = data;
    return store_node_join(tx, &joining->request, &joining->row, &joining->credential,
                           joining->sim->arena, err);
}

void sim_agent_join(struct sim *sim, struct sim_agent *agent)
{
    struct joining joining = {.sim = sim,
                              .request = {.name = agent->name,
                                          .boot_id = "boot",
                                          .location = agent->location,
                                          .os = "Linux",
                                          .architecture = "amd64",
                                          .address = "127.0.0.1",
                                          .version = "1",
                                          .capacity = &agent->capacity}};
    if (agent->cut_off)
        return;
    if (agent->joined) {
        joining.request.node_id = agent->id;
        joining.request.credential = agent->credential;
    }
    assert_int_equal(sim_write(sim, join_work, &joining), ERR_OK);
    if (joining.credential)
        text_copy(agent->credential, sizeof agent->credential, joining.credential);
    text_copy(agent->id, sizeof agent->id, joining.row.id);
    agent->node_key = joining.row.key;
    agent->epoch = joining.row.epoch;
    agent->joined = true;
    agent->must_join = false;
    agent->after = 0;
    agent->lease_until_ns = 0; /* the first report brings it */
}

/* ---- what it is to do ---- */

static struct sim_run *run_of(struct sim_agent *agent, const char *uid)
{
    for (size_t i = 0; i < agent->runs_count; i++)
        if (strcmp(agent->runs[i].uid, uid) == 0)
            return &agent->runs[i];
    return NULL;
}

static bool leased(const struct sim_agent *agent)
{
    return clock_boot_ns() < agent->lease_until_ns;
}

static void take(struct sim_agent *agent, const struct assignment *assignment)
{
    struct sim_run *run = run_of(agent, assignment->uid);
    if (!run) {
        assert_true(agent->runs_count < SIM_RUNS_MAX);
        run = &agent->runs[agent->runs_count++];
        *run = (struct sim_run){0};
        text_copy(run->uid, sizeof run->uid, assignment->uid);
    }
    if (assignment->incarnation < run->incarnation)
        return;
    bool anew = assignment->incarnation > run->incarnation;
    run->ended = run->ended && !anew;
    run->incarnation = assignment->incarnation;
    run->wanted = (enum wanted)assignment->wanted;
    run->shape = (struct shape){assignment->cpu_milli, assignment->memory_mib};
    run->untold = true;
    if (run->wanted != WANTED_RUN)
        run->holds = false;
    if (run->wanted == WANTED_REMOVE)
        run->removed = true;
}

static void begin_runs(struct sim_agent *agent)
{
    if (agent->after == 0)
        return; /* the whole list was not heard since it joined: what it knows may be another's by now */
    for (size_t i = 0; i < agent->runs_count; i++) {
        struct sim_run *run = &agent->runs[i];
        if (!leased(agent) || run->wanted != WANTED_RUN || run->ended || run->holds || run->removed)
            continue;
        run->holds = run->untold = true;
    }
}

/* Groups that a complete answer does not name are gone. */
static void forget_unnamed(struct sim_agent *agent, const char *const *named, size_t named_count)
{
    for (size_t i = 0; i < agent->runs_count; i++) {
        bool found = false;
        for (size_t k = 0; k < named_count; k++)
            found |= strcmp(agent->runs[i].uid, named[k]) == 0;
        if (!found) {
            agent->runs[i].holds = false;
            agent->runs[i].removed = agent->runs[i].untold = true;
            agent->runs[i].wanted = WANTED_REMOVE;
        }
    }
}

static bool epoch_is_current(struct tx *tx, const struct sim_agent *agent)
{
    int64_t key, epoch;
    struct err err = {0};
    assert_true(store_node_check(tx, agent->id, agent->credential, &key, &epoch, &err));
    assert_int_equal(key, agent->node_key);
    return epoch == agent->epoch;
}

void sim_agent_poll(struct sim *sim, struct sim_agent *agent)
{
    struct err err = {0};
    const char *named[SIM_RUNS_MAX * 4];
    size_t named_count = 0;
    if (agent->cut_off || agent->must_join)
        return;
    AUTO(tx) *tx = store_read(sim->store, &err);
    assert_non_null(tx);
    if (!epoch_is_current(tx, agent)) {
        agent->must_join = true;
        return;
    }
    bool whole = agent->after == 0;
    struct desired desired;
    do {
        assert_true(store_desired(tx, agent->node_key, agent->after, sim->arena, &desired, &err));
        for (size_t i = 0; i < desired.assignments_count; i++) {
            assert_true(named_count < COUNT_OF(named));
            named[named_count++] = desired.assignments[i].uid;
            take(agent, &desired.assignments[i]);
        }
        agent->after = desired.revision;
    } while (whole && !desired.complete);
    if (whole)
        forget_unnamed(agent, named, named_count);
    begin_runs(agent);
    sim_meter(sim, agent);
}

/* ---- what it reports ---- */

static enum group_state state_of(const struct sim_run *run)
{
    if (run->wanted != WANTED_RUN)
        return GROUP_STOPPED;
    return run->ended ? GROUP_SUCCEEDED : run->holds ? GROUP_RUNNING : GROUP_PENDING;
}

struct telling {
    struct sim *sim;
    struct sim_agent *agent;
    struct report report;
};

static bool report_work(struct tx *tx, void *data, struct err *err)
{
    struct telling *telling = data;
    return store_report_apply(tx, telling->agent->node_key, &telling->report, telling->sim->arena,
                              err);
}

static void add_statuses(struct sim *sim, struct sim_agent *agent, struct report *report)
{
    report->statuses = arena_array(sim->arena, agent->runs_count + 1, sizeof *report->statuses);
    assert_non_null(report->statuses);
    for (size_t i = 0; i < agent->runs_count; i++) {
        const struct sim_run *run = &agent->runs[i];
        if (!run->untold)
            continue;
        report->statuses[report->statuses_count++] = (struct group_status){
            .uid = run->uid,
            .incarnation = run->incarnation,
            .state = (int)state_of(run),
            .provisioned = run->holds || run->ended,
            .released = !run->holds,
            .removed = run->removed,
        };
    }
}

static void acknowledged(struct sim_agent *agent)
{
    size_t kept = 0;
    for (size_t i = 0; i < agent->runs_count; i++) {
        agent->runs[i].untold = false;
        if (!agent->runs[i].removed)
            agent->runs[kept++] = agent->runs[i];
    }
    agent->runs_count = kept;
}

bool sim_agent_report(struct sim *sim, struct sim_agent *agent)
{
    if (agent->cut_off || agent->must_join)
        return false;
    struct telling telling = {
        sim,
        agent,
        {.epoch = agent->epoch, .sequence = ++agent->sequence, .capacity = &agent->capacity}};
    add_statuses(sim, agent, &telling.report);
    sim_meter_tell(sim, agent, &telling.report);
    scheduler_node_seen(sim->scheduler, agent->node_key, agent->epoch);
    enum err_code code = sim_write(sim, report_work, &telling);
    if (code != ERR_OK) {
        assert_int_equal(code, ERR_NODE_EPOCH);
        agent->must_join = true;
        return false;
    }
    acknowledged(agent);
    sim_meter_taken(sim, agent, telling.report.watermark_s);
    agent->lease_until_ns = clock_boot_ns() + SIM_FENCE_MS * INT64_C(1000000);
    begin_runs(agent);
    sim_meter(sim, agent);
    return true;
}

void sim_agent_report_late(struct sim *sim, struct sim_agent *agent)
{
    struct telling telling = {
        sim, agent, {.epoch = agent->epoch - 1, .sequence = ++agent->sequence}};
    if (!agent->joined)
        return;
    add_statuses(sim, agent, &telling.report);
    scheduler_node_seen(sim->scheduler, agent->node_key, agent->epoch - 1);
    assert_int_equal(sim_write(sim, report_work, &telling), ERR_NODE_EPOCH);
}

void sim_agent_finish_one(struct sim *sim, struct sim_agent *agent)
{
    if (agent->runs_count == 0)
        return;
    struct sim_run *run = &agent->runs[sim_pick(sim, 0, (int64_t)agent->runs_count - 1)];
    if (!run->holds)
        return;
    run->holds = false;
    run->ended = run->untold = true;
    sim_meter(sim, agent);
}

void sim_agents_live(struct sim *sim)
{
    for (size_t i = 0; i < sim->agents_count; i++) {
        struct sim_agent *agent = &sim->agents[i];
        for (size_t k = 0; k < agent->runs_count && !leased(agent); k++) {
            agent->runs[k].untold |= agent->runs[k].holds;
            agent->runs[k].holds = false;
        }
        sim_meter(sim, agent);
    }
}

struct cordoning {
    int64_t node_key;
    bool cordoned;
};

static bool cordon_work(struct tx *tx, void *data, struct err *err)
{
    const struct cordoning *cordoning = data;
    return store_node_cordon(tx, cordoning->node_key, cordoning->cordoned, err);
}

static bool drain_work(struct tx *tx, void *data, struct err *err)
{
    const struct sim_agent *agent = data;
    return store_node_drain(tx, agent->node_key, err);
}

void sim_drain(struct sim *sim, struct sim_agent *agent)
{
    if (agent->joined)
        assert_int_equal(sim_write(sim, drain_work, agent), ERR_OK);
}

void sim_cordon(struct sim *sim, struct sim_agent *agent, bool cordoned)
{
    struct cordoning cordoning = {agent->node_key, cordoned};
    if (agent->joined)
        assert_int_equal(sim_write(sim, cordon_work, &cordoning), ERR_OK);
}
