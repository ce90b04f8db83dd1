/* Plans carried out: what the loop does itself, and what it hands to a worker. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/supervise/probing.h"

#include <stdio.h>

enum { STEP_AGAIN_MS = 1000 };

static void step_run(struct hosted *group, struct job *job)
{
    struct member *member = &group->members[job->member];

    text_copy(job->member_name, sizeof job->member_name, member->name);
    job->once = group->policy == RESTART_NEVER;
    job->restarts = member->restarts + (member->starts > 0);
    member->phase = MEMBER_STARTING;
}

static void step_signal(const struct agent *agent, struct hosted *group, struct job *job)
{
    int64_t now_ms = clock_now_ms();

    for (size_t i = 0; i < group->members_count && job->running_count < JOB_NAMES_MAX; i++) {
        struct member *member = &group->members[i];
        if (member->phase != MEMBER_RUNNING)
            continue;
        text_copy(job->running[job->running_count++].name, MEMBER_NAME_SIZE, member->name);
        happenings_add(&member->happenings, now_ms, false, "Killing", "Killing container %s",
                       member->name);
    }
    group->stage = STAGE_ENDING;
    group->ending_ms = steady_ms() + agent->parts.stop_grace_ms;
}

/* The file of the newest order becomes that of the order at work. Whenever the agent is killed, recover.c finds by
 * their numbers which is which. */
static void step_begin(struct agent *agent, struct hosted *group)
{
    char newest[PATH_SIZE], path[PATH_SIZE];
    struct err err = {0};

    if (!hosted_begin(group, &err)) {
        log_failure("group_not_begun", &err);
        group->retry_ms = steady_ms() + STEP_AGAIN_MS;
        return;
    }
    group_newest_path(&agent->parts, group->uid, newest);
    group_order_path(&agent->parts, group->uid, path);
    if (rename(newest, path) != 0 && !order_save(group->order, path, &err))
        log_failure("order_not_saved", &err);
    group->kept = false;
    agent_changed(agent, group);
}

static bool step_submit(struct agent *agent, struct hosted *group, const struct plan *plan)
{
    struct job *job =
        job_new(&agent->jobs, plan->step, group->uid, group->incarnation, group->order);

    if (!job)
        return false;
    job->done = agent_job_done;
    job->member = plan->member;
    job->keep_network = plan->keep_network;
    if (plan->step == PLAN_RUN)
        step_run(group, job);
    if (plan->step == PLAN_SIGNAL)
        step_signal(agent, group, job);
    probing_step(group, job);
    if (plan->step == PLAN_PREPARE) {
        group->preparing = true;
        job->cancel_fd = group->cancel.fd;
    }
    group->busy++;
    agent_changed(agent, group);
    job_submit(job);
    return true;
}

static void wake_at(struct agent *agent, struct hosted *group, int64_t wake_ms)
{
    group->wake_ms = wake_ms;
    if (wake_ms > 0 && (agent->wake_ms == 0 || wake_ms < agent->wake_ms))
        agent->wake_ms = wake_ms;
}

/* Until the group has nothing to do now. */
static void agent_advance(struct agent *agent, struct hosted *group)
{
    for (;;) {
        struct plan plan = plan_group(group, steady_ms(), agent->starting);
        if (plan.step == PLAN_NONE) {
            wake_at(agent, group, plan.wake_ms);
            return;
        }
        if (plan.step == PLAN_CANCEL) {
            bell_ring(&group->cancel);
            return;
        }
        if (plan.step == PLAN_BEGIN) {
            step_begin(agent, group);
        } else if (!step_submit(agent, group, &plan)) {
            wake_at(agent, group, steady_ms() + STEP_AGAIN_MS); /* no memory for the job */
            return;
        }
    }
}

/* Due are those whose time has come, and all of them when the node may start containers again, or no more. */
static void wake_groups(struct agent *agent)
{
    int64_t now_ms = steady_ms();
    bool starting = agent->leased && !agent->fenced && !agent->listing;
    bool all = starting != agent->starting;

    if (!all && (agent->wake_ms == 0 || now_ms < agent->wake_ms))
        return;
    agent->starting = starting;
    agent->wake_ms = 0;
    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        if (all || (group->wake_ms > 0 && group->wake_ms <= now_ms))
            groups_put_due(&agent->groups, group);
        else
            wake_at(agent, group, group->wake_ms);
    }
}

void agent_advance_due(struct agent *agent)
{
    struct hosted *group;

    wake_groups(agent);
    while ((group = groups_take_due(&agent->groups))) {
        agent_advance(agent, group);
        if (group->forgotten && group->busy == 0 && !group->is_due && !hosted_untold(group))
            groups_drop(&agent->groups, group);
    }
}
