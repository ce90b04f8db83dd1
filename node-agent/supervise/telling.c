/* Reports to the plane and the lease they renew. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/status.h"

/* Statuses beyond STATUSES_BYTES follow in the next report: one message stays below LIMIT_LINK_MESSAGE_MAX. */
enum {
    REPORT_ARENA_MAX = 32 << 20,
    STATUSES_MAX = 256,
    STATUSES_BYTES = 3 << 20,
    NS_PER_MS = 1000000,
};

static bool statuses_fill(struct agent *agent, struct arena *arena, struct report *report)
{
    size_t before = arena_used(arena);

    report->statuses = arena_array(arena, STATUSES_MAX, sizeof *report->statuses);
    if (!report->statuses)
        return false;
    for (struct hosted *group = agent->groups.untold; group; group = group->next_untold) {
        group->told = group->taken;
        if (!hosted_untold(group) || report->statuses_count == STATUSES_MAX ||
            arena_used(arena) - before > STATUSES_BYTES)
            continue;
        if (!status_of(group, arena, &report->statuses[report->statuses_count++]))
            return false;
        group->told = group->changes;
    }
    return true;
}

void agent_tell(struct agent *agent)
{
    AUTO(arena) *arena = NULL;
    struct meter_report metered;
    struct node_capacity capacity;
    struct report report = {.capacity = &capacity};
    struct err err = {0};

    if (agent->reporting || agent->refused || agent->epoch == 0 ||
        (!agent->told_due && !agent->groups.untold))
        return;
    arena = arena_new(REPORT_ARENA_MAX);
    if (!arena ||
        !meter_report(agent->parts.meter, (size_t)LIMIT_USE_SAMPLES_MAX, arena, &metered, &err) ||
        !statuses_fill(agent, arena, &report)) {
        log_failure("report_not_made", &err);
        agent->told_due = false;
        return;
    }
    capacity = *agent->parts.join.capacity;
    report.sequence = metered.sequence;
    report.watermark_s = metered.watermark_s;
    report.intervals = metered.intervals;
    report.intervals_count = metered.intervals_count;
    report.samples = metered.samples;
    report.samples_count = metered.samples_count;
    agent_tell_images(agent, arena, &report);
    agent_tell_leaving(agent, &report);
    agent->told_due = false;
    if (!link_report(agent->jobs.link, &report))
        return; /* not joined, or the sender is busy: at the next beat */
    agent->reporting = true;
    agent->report_sequence = report.sequence;
}

/* ---- the lease ---- */

static void fence_begin(struct agent *agent)
{
    struct err err = {0};

    if (!agent->fence_wanted || agent->fence || agent->fence_ms == 0)
        return;
    agent->fence = fence_start(agent->parts.fence, &err);
    if (!agent->fence)
        log_failure("fence_not_started", &err);
}

static void lease_renew(struct agent *agent, int64_t until_boot_ns)
{
    agent->lease_boot_ns = until_boot_ns;
    if (agent->fence_ms == 0) {
        agent->leased = true;
        return;
    }
    fence_begin(agent);
    if (!agent->fence)
        return; /* without a fence nothing may start */
    struct err err = {0};
    if (fence_fd(agent->fence) < 0 && !fence_restart(agent->fence, &err)) {
        log_failure("fence_not_restarted", &err); /* it failed before: again with each report */
        agent->leased = false;
        return;
    }
    if (agent->fenced) {
        if (!fence_finished(agent->fence))
            return;
        fence_reset(agent->fence, until_boot_ns);
        agent->fenced = false;
        log_info("fence_reset", "epoch=%lld", (long long)agent->epoch);
    }
    agent->leased = fence_renew(agent->fence, until_boot_ns);
}

void agent_take_reported(void *context, const struct report_answer *answer, int64_t sent_boot_ns)
{
    struct agent *agent = context;

    agent->reporting = false;
    if (!answer) {
        agent->refused = true;
        agent_watch_lease(agent);
        return;
    }
    if (answer->sequence == agent->report_sequence) {
        meter_ack(agent->parts.meter, answer->sequence);
        agent->images_told = agent->images_sent;
        agent_take_leaving_told(agent);
        groups_take_told(&agent->groups);
    } else {
        agent->refused = true; /* heard, not stored: told again with the next beat */
    }
    lease_renew(agent, sent_boot_ns + answer->lease_ms * NS_PER_MS);
}

void agent_watch_lease(struct agent *agent)
{
    int64_t fenced_ms;

    if (agent->fence && !agent->fenced && fence_fenced_at(agent->fence, &fenced_ms)) {
        log_warn("node_fenced", "at_ms=%lld", (long long)fenced_ms);
        agent->fenced = true;
    }
    if (agent->leased && agent->fence_ms > 0 && clock_boot_ns() > agent->lease_boot_ns) {
        log_warn("lease_lost", "epoch=%lld", (long long)agent->epoch);
        agent->leased = false;
    }
}
