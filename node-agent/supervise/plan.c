/* One branch for each stage. */
#include "node-agent/supervise/plan.h"

#include "node-agent/supervise/health.h"

static bool superseded(const struct hosted *group)
{
    return group->wanted != WANTED_RUN || hosted_hands_over(group);
}

bool plan_over(const struct hosted *group)
{
    struct group_tally tally = hosted_tally(group);

    return superseded(group) || group->failed || group_tally_is_over(&tally);
}

static struct plan wait_until(int64_t wake_ms)
{
    return (struct plan){.step = PLAN_NONE, .wake_ms = wake_ms};
}

static struct plan do_step(enum plan_step step)
{
    return (struct plan){.step = step};
}

static struct plan clear(const struct hosted *group)
{
    return (struct plan){.step = PLAN_CLEAR, .keep_network = hosted_hands_over(group)};
}

static struct plan plan_none(const struct hosted *group, int64_t now_ms, bool leased)
{
    if (group->busy > 0)
        return do_step(group->preparing && plan_over(group) ? PLAN_CANCEL : PLAN_NONE);
    if (plan_over(group)) /* what runs although it must be prepared again is asked first, as ever */
        return hosted_runs(group) ? do_step(PLAN_SIGNAL) : clear(group);
    if (!leased || !group->order)
        return wait_until(0);
    if (group->retry_ms > now_ms)
        return wait_until(group->retry_ms);
    return do_step(PLAN_PREPARE);
}

static struct plan plan_up(const struct hosted *group, int64_t now_ms, bool leased)
{
    int64_t wake_ms = 0;

    if (plan_over(group)) {
        if (group->busy > 0)
            return wait_until(0);
        return hosted_runs(group) ? do_step(PLAN_SIGNAL) : clear(group);
    }
    struct plan health = health_plan(group, now_ms, leased);
    if (health.step != PLAN_NONE || !leased || !group->order)
        return health;
    wake_ms = health.wake_ms;
    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        bool waits =
            member->phase == MEMBER_WAITING || (member->phase == MEMBER_ENDED && !member->final);
        waits = waits && !member->health.ending; /* a signal for it is on its way */
        if (waits && member->next_start_ms <= now_ms)
            return (struct plan){.step = PLAN_RUN, .member = i};
        if (waits && (wake_ms == 0 || member->next_start_ms < wake_ms))
            wake_ms = member->next_start_ms;
        if (member_holds_up(member))
            break;
    }
    return wait_until(wake_ms);
}

static struct plan plan_ending(const struct hosted *group, int64_t now_ms)
{
    if (group->busy > 0)
        return wait_until(0);
    if (hosted_runs(group) && now_ms < group->ending_ms)
        return wait_until(group->ending_ms);
    if (group->retry_ms > now_ms)
        return wait_until(group->retry_ms); /* the last clear failed */
    return clear(group);
}

/* A group that is forgotten here may be placed here again before the plane took note. */
static struct plan plan_cleared(const struct hosted *group, int64_t now_ms)
{
    if (group->busy > 0)
        return wait_until(0);
    bool begins = hosted_hands_over(group);
    if (!begins && group->forgotten)
        return wait_until(0);
    if (group->retry_ms > now_ms && (begins || group->wanted == WANTED_REMOVE))
        return wait_until(group->retry_ms); /* the last begin or forget failed */
    if (begins)
        return do_step(PLAN_BEGIN);
    if (group->kept)
        return do_step(PLAN_CLEAR);
    if (group->wanted == WANTED_REMOVE)
        return do_step(PLAN_FORGET);
    return wait_until(0);
}

struct plan plan_group(const struct hosted *group, int64_t now_ms, bool leased)
{
    switch (group->stage) {
    case STAGE_NONE:
        return plan_none(group, now_ms, leased);
    case STAGE_UP:
        return plan_up(group, now_ms, leased);
    case STAGE_ENDING:
        return plan_ending(group, now_ms);
    case STAGE_CLEARED:
        return plan_cleared(group, now_ms);
    }
    return wait_until(0);
}
