/* Runs that ended, taken into the groups: announced by the runtime, looked for, or found by a new agent. */
#include "base/clock.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"

/* As people read it: stopped on purpose has no exit code (client-surface §5). */
void agent_take_end(struct hosted *group, struct member *member, int64_t finished_ms,
                    int64_t exit_code, bool oom)
{
    bool stopped = group->stage == STAGE_ENDING && group->wanted != WANTED_RUN;

    if (member->phase == MEMBER_ENDED)
        return;
    const char *detail = stopped ? run_was_stopped : oom ? "OOMKilled" : NULL;
    member_ended(group, member,
                 &(struct ending){finished_ms, steady_ms(), stopped ? -1 : exit_code, detail});
    log_info("container_ended", "group=%s container=%s exit=%lld oom=%d again=%d", group->uid,
             member->name, (long long)exit_code, oom, !member->final);
}

bool agent_take_found(struct hosted *group, struct member *member,
                      const struct runtime_found *found)
{
    bool this_run = found->incarnation == group->incarnation && found->restarts == member->restarts;

    if (!this_run || member->phase != MEMBER_RUNNING ||
        (found->phase != RUNTIME_EXITED && found->phase != RUNTIME_GONE))
        return false;
    agent_take_end(group, member, found->finished_ms,
                   found->phase == RUNTIME_EXITED ? found->exit_code : -1, found->oom_killed);
    return true;
}

/* A look that fails is due again with the next second, until the container is known to have ended. One that is not
 * there was removed by someone else, or by a job of ours that will say so. */
bool agent_look(struct agent *agent, struct hosted *group, struct member *member)
{
    struct runtime_found found = {.incarnation = group->incarnation,
                                  .restarts = member->restarts,
                                  .phase = RUNTIME_GONE,
                                  .finished_ms = clock_now_ms()};
    struct err err = {0};

    member->look = member->phase == MEMBER_RUNNING &&
                   !runtime_find(agent->parts.runtime, group->uid, member->name, &found, &err);
    if (member->look && (err.code != ERR_NOT_FOUND || group->busy > 0)) {
        log_debug("end_not_seen", "group=%s container=%s text=%s", group->uid, member->name,
                  LOG_QUOTE(err.text));
        agent->looks = true;
        return false;
    }
    member->look = false;
    return agent_take_found(group, member, &found);
}

void agent_take_exits(struct agent *agent)
{
    char uid[ID_SIZE], name[RUNTIME_NAME_SIZE];

    while (runtime_exit_next(agent->parts.runtime, uid, name)) {
        struct hosted *group = agent_find(agent, uid);
        struct member *member = group ? hosted_member(group, name) : NULL;
        /* One that does not run yet for us: its job has not told its start, and we look when it does. */
        if (member && agent_look(agent, group, member))
            agent_changed(agent, group);
    }
}

static bool members_look_again(struct agent *agent, struct hosted *group)
{
    bool changed = false;

    for (size_t i = 0; i < group->members_count; i++) {
        if (group->members[i].look)
            changed |= agent_look(agent, group, &group->members[i]);
    }
    return changed;
}

void agent_look_again(struct agent *agent)
{
    if (!agent->looks)
        return;
    agent->looks = false; /* set again by what fails again */
    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        if (members_look_again(agent, group))
            agent_changed(agent, group);
    }
}
