/* An agent that starts finds what an earlier one left: records on disk, orders in memory files, containers,
 * namespaces, images held, intervals open. What belongs together is adopted as it is; the rest is taken down. */
#include "base/clock.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/job_steps.h"
#include "node-agent/supervise/plan.h"

enum { RECOVER_ARENA_MAX = 64 << 20 };

/* ---- containers ---- */

static bool recover_container(struct agent *agent, const struct runtime_found *found,
                              struct err *err)
{
    struct hosted *group = agent_find(agent, found->uid);
    struct member *member = group ? hosted_member(group, found->name) : NULL;

    if (!member || found->incarnation != group->incarnation || group->stage == STAGE_CLEARED ||
        found->phase == RUNTIME_CREATED)
        return runtime_remove(agent->parts.runtime, found->uid, found->name, err);
    if (found->restarts > member->restarts || member->starts == 0) {
        /* Its start was not noted any more. */
        member_next_run(member, found->restarts, found->started_ms);
        group->stage = group->stage == STAGE_NONE ? STAGE_UP : group->stage;
    }
    member->found =
        member->phase != MEMBER_STARTING; /* else the run before the one that was about to start */
    agent_take_found(group, member, found);
    return true;
}

/* Noted as running and not there: it was ended by a clear that was under way, or the node rebooted. A start that never
 * came about begins again. */
static void recover_lost(struct hosted *group)
{
    for (size_t i = 0; i < group->members_count; i++) {
        struct member *member = &group->members[i];
        if (member->found)
            continue;
        if (member->phase == MEMBER_STARTING)
            member->phase = MEMBER_WAITING;
        member->lost = member->phase == MEMBER_RUNNING;
        if (member->phase == MEMBER_RUNNING && group->stage == STAGE_ENDING)
            agent_take_end(group, member, clock_now_ms(), EXIT_KILLED, false);
        else if (member->phase == MEMBER_RUNNING)
            member_ended(group, member,
                         &(struct ending){clock_now_ms(), steady_ms(), -1, "Node Stopped"});
    }
}

static bool recover_containers(struct agent *agent, struct arena *arena, struct err *err)
{
    struct runtime_found *found;
    size_t count;

    if (!runtime_list(agent->parts.runtime, arena, &found, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!recover_container(agent, &found[i], err))
            return false;
    }
    for (struct hosted *group = agent->groups.first; group; group = group->next)
        recover_lost(group);
    return true;
}

/* ---- networks, images, the meter ---- */

/* Its listener went with the earlier agent. What runs goes on without one. */
static void recover_identity(struct agent *agent, struct hosted *group)
{
    struct err err = {0};

    if (!job_identity_open(&agent->jobs, group->uid, group->order->assignment, &err))
        log_failure("identity_not_served", &err);
}

/* After a reboot the network of a group is gone: it is prepared again, its containers start again by policy. What its
 * init containers did in memory went with it, so they come first again, but for Never. */
static void begin_again(struct hosted *group)
{
    bool init = group->policy != RESTART_NEVER && !hosted_runs(group);

    group->stage = STAGE_NONE;
    for (size_t i = 0; init && i < group->members_count; i++) {
        struct member *member = &group->members[i];
        if (member->init && member->phase == MEMBER_ENDED && member->final) {
            member->phase = MEMBER_WAITING;
            member->final = false;
        }
    }
}

static bool recover_networks(struct agent *agent, struct arena *arena, struct err *err)
{
    struct network_group *networks;
    size_t count;

    if (!network_list(agent->parts.network, arena, &networks, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!agent_find(agent, networks[i].uid) &&
            (!runtime_group_down(agent->parts.runtime, networks[i].uid, err) ||
             !network_group_down(agent->parts.network, networks[i].uid, err)))
            return false;
    }
    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        struct network_group network;
        if (group->stage == STAGE_UP &&
            !network_group_find(agent->parts.network, group->uid, &network))
            begin_again(group);
        else if (group->stage == STAGE_UP && group->order)
            recover_identity(agent, group);
    }
    return true;
}

static bool image_is_needed(const char *holder, void *context)
{
    struct agent *agent = context;
    char uid[ID_SIZE];

    text_copy(uid, sizeof uid, holder); /* "<uid>.<container>": cut behind the uid */
    return agent_find(agent, uid) != NULL;
}

static bool holds_something(struct agent *agent, const struct hosted *group)
{
    struct network_group network;

    switch (group->stage) {
    case STAGE_NONE: /* from its address on; a pull that nobody works on holds nothing (docs/adr/0017) */
        return network_group_find(agent->parts.network, group->uid, &network);
    case STAGE_UP:
    case STAGE_ENDING:
        return true;
    case STAGE_CLEARED:
        return group->kept;
    }
    return false;
}

/* Nothing of the group runs, nor will it run here again: what it holds is only to be given back. */
static bool is_past(const struct hosted *group)
{
    return !hosted_hands_over(group) && plan_over(group) && !hosted_runs(group);
}

/* When the last container ended; 0: not known. Without it the seconds in which no agent lived would be added to a group
 * that was over. */
static int64_t ended_ms(const struct hosted *group)
{
    int64_t ended = 0;

    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        if (!member->lost && member->current.finished_ms > ended)
            ended = member->current.finished_ms;
    }
    return ended;
}

/* Also what an earlier incarnation held and this one, begun in its place, was about to take over. */
static bool still_held(struct agent *agent, const struct hosted *group, int64_t incarnation)
{
    if (incarnation == group->incarnation)
        return !is_past(group) && holds_something(agent, group);
    return incarnation < group->incarnation && group->stage == STAGE_NONE && !is_past(group) &&
           holds_something(agent, group);
}

static bool recover_meter(struct agent *agent, struct arena *arena, struct err *err)
{
    struct meter_held *held;
    size_t count;

    if (!meter_list(agent->parts.meter, arena, &held, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct hosted *group = agent_find(agent, held[i].uid);
        bool still = group && still_held(agent, group, held[i].incarnation);
        bool past = group && group->incarnation == held[i].incarnation && is_past(group);
        if (held[i].in_doubt && !meter_resume(agent->parts.meter, held[i].uid, held[i].incarnation,
                                              still, past ? ended_ms(group) : 0, err))
            return false;
    }
    return true;
}

bool agent_recover(struct agent *agent, struct err *err)
{
    AUTO(arena) *arena = arena_new(RECOVER_ARENA_MAX);

    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to recover");
    if (!agent_recover_records(agent, err) || !recover_containers(agent, arena, err) ||
        !recover_networks(agent, arena, err) || !recover_meter(agent, arena, err))
        return err_add(err, "while taking over what an earlier agent left");
    image_release_others(agent->parts.images, image_is_needed, agent);
    for (struct hosted *group = agent->groups.first; group; group = group->next)
        agent_changed(agent, group);
    return true;
}
