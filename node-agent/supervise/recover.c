/* An agent that starts finds what an earlier one left: records on disk, orders in memory files, containers,
 * namespaces, images held, intervals open. What belongs together is adopted as it is; the rest is taken down. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/job_steps.h"
#include "node-agent/supervise/plan.h"
#include "node-agent/supervise/record.h"

#include <dirent.h>
#include <string.h>

enum { RECOVER_ARENA_MAX = 64 << 20 };

/* ---- records and orders ---- */

/* After a reboot the steady clock began anew: what seems to wait longer than anything may, waits no more. */
static void forget_waits(struct hosted *group)
{
    int64_t latest_ms = steady_ms() + LIMIT_RESTART_BACKOFF_MAX_MS;

    if (group->retry_ms > latest_ms)
        group->retry_ms = 0;
    if (group->ending_ms > latest_ms)
        group->ending_ms = 0;
    for (size_t i = 0; i < group->members_count; i++) {
        if (group->members[i].next_start_ms > latest_ms)
            group->members[i].next_start_ms = 0;
    }
}

static bool recover_group(struct agent *agent, const char *uid, struct err *err)
{
    char folder[PATH_SIZE], path[PATH_SIZE];
    struct err unknown = {0};
    struct hosted *group = record_load(group_folder(&agent->parts, uid, folder), &unknown);

    if (!group) {
        /* Killed before its first record, or a power cut took it. Everything is taken down; the folder stays until
         * the plane has said that it does not want the group: its marks keep Never from running twice. */
        log_warn("record_unreadable", "group=%s text=%s", uid, LOG_QUOTE(unknown.text));
        group = hosted_new(uid, err);
        if (!group)
            return false;
        group->stage = STAGE_UP;
        group->wanted = WANTED_STOP;
    }
    if (file_exists(group_order_path(&agent->parts, uid, path))) {
        group->order = order_load(path, &unknown);
        if (group->order && group->order->assignment->incarnation != group->incarnation)
            order_free(TAKE(group->order));
        if (group->order && !group->newest && group->newest_incarnation == group->incarnation)
            group->newest = order_hold(group->order);
    }
    forget_waits(group);
    /* A newer order was known and is not at hand: it comes again with the next desired. */
    if (!group->newest && group->wanted == WANTED_RUN)
        group->newest_incarnation = group->incarnation;
    group->next = agent->groups;
    agent->groups = group;
    return true;
}

static bool recover_records(struct agent *agent, struct err *err)
{
    char path[PATH_SIZE];
    bool whole = true;

    text_format(path, sizeof path, "%s/orders", agent->parts.run_dir);
    if (!file_make_folders(path, 0700, err))
        return false;
    text_format(path, sizeof path, "%s/groups", agent->parts.state_dir);
    if (!file_make_folders(path, 0700, err))
        return false;
    DIR *folders = opendir(path);
    if (!folders)
        return err_set(err, ERR_IO, "cannot read %s", path);
    for (struct dirent *entry; whole && (entry = readdir(folders));) {
        if (id_valid(entry->d_name))
            whole = recover_group(agent, entry->d_name, err);
    }
    closedir(folders);
    return whole;
}

/* ---- containers ---- */

static bool recover_container(struct agent *agent, struct runtime_found *found, struct err *err)
{
    struct hosted *group = agent_find(agent, found->uid);
    struct member *member = group ? hosted_member(group, found->name) : NULL;

    if (!member || found->incarnation != group->incarnation || group->stage == STAGE_CLEARED ||
        found->phase == RUNTIME_CREATED) {
        if (!runtime_remove(agent->parts.runtime, found->uid, found->name, err))
            return false;
        found->uid[0] = '\0'; /* not there any more: recover_lost begins its start again */
        return true;
    }
    if (found->restarts > member->restarts || member->starts == 0 ||
        member->phase == MEMBER_STARTING) {
        /* Its start was not noted any more. */
        member->restarts = found->restarts;
        member->starts++;
        member->current = (struct run){.started_ms = found->started_ms, .exit_code = -1};
        member->phase = MEMBER_RUNNING;
        happenings_add(&member->happenings, found->started_ms, false, "Started",
                       "Started container");
        group->stage = group->stage == STAGE_NONE ? STAGE_UP : group->stage;
    }
    if (member->phase == MEMBER_RUNNING && found->phase != RUNTIME_RUNNING)
        member_ended(
            group, member,
            &(struct ending){.finished_ms = found->finished_ms,
                             .steady_ms = steady_ms(),
                             .exit_code = found->phase == RUNTIME_EXITED ? found->exit_code : -1,
                             .detail = found->oom_killed ? "OOMKilled" : NULL});
    return true;
}

static bool found_among(const struct runtime_found *found, size_t count, const char *uid,
                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].uid, uid) == 0 && strcmp(found[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Noted as running and not there: the node rebooted. A start that never came about begins again. */
static void recover_lost(struct hosted *group, const struct runtime_found *found, size_t count)
{
    for (size_t i = 0; i < group->members_count; i++) {
        struct member *member = &group->members[i];
        if (found_among(found, count, group->uid, member->name))
            continue;
        if (member->phase == MEMBER_RUNNING)
            member_ended(group, member,
                         &(struct ending){clock_now_ms(), steady_ms(), -1, "Node Stopped"});
        if (member->phase == MEMBER_STARTING)
            member->phase = MEMBER_WAITING;
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
    for (struct hosted *group = agent->groups; group; group = group->next)
        recover_lost(group, found, count);
    return true;
}

/* ---- networks, images, the meter ---- */

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
    /* After a reboot the network of a group is gone: it is prepared again, its containers start again by policy. */
    for (struct hosted *group = agent->groups; group; group = group->next) {
        struct network_group network;
        if (group->stage == STAGE_UP &&
            !network_group_find(agent->parts.network, group->uid, &network))
            group->stage = STAGE_NONE;
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

static bool holds_something(const struct hosted *group)
{
    return group->kept || group->stage == STAGE_UP || group->stage == STAGE_ENDING ||
           group->stage == STAGE_NONE;
}

/* When the last container ended of a group that will not run again here; 0: one runs, or the next incarnation takes
 * over what it holds. Without it the seconds in which no agent lived would be added to a group that was over. */
static int64_t ended_ms(const struct hosted *group)
{
    int64_t ended = 0;
    bool taken_over = group->wanted == WANTED_RUN && group->newest_incarnation > group->incarnation;

    if (taken_over || !plan_over(group))
        return 0;
    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        if (member->phase == MEMBER_RUNNING || member->phase == MEMBER_STARTING)
            return 0;
        if (member->current.finished_ms > ended)
            ended = member->current.finished_ms;
    }
    return ended;
}

static bool recover_meter(struct agent *agent, struct arena *arena, struct err *err)
{
    struct meter_held *held;
    size_t count;

    if (!meter_list(agent->parts.meter, arena, &held, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct hosted *group = agent_find(agent, held[i].uid);
        bool same = group && group->incarnation == held[i].incarnation;
        int64_t ended = same ? ended_ms(group) : 0;
        bool still = same && ended == 0 && holds_something(group);
        if (held[i].in_doubt &&
            !meter_resume(agent->parts.meter, held[i].uid, held[i].incarnation, still, ended, err))
            return false;
    }
    return true;
}

bool agent_recover(struct agent *agent, struct err *err)
{
    AUTO(arena) *arena = arena_new(RECOVER_ARENA_MAX);

    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to recover");
    if (!recover_records(agent, err) || !recover_containers(agent, arena, err) ||
        !recover_networks(agent, arena, err) || !recover_meter(agent, arena, err))
        return err_add(err, "while taking over what an earlier agent left");
    image_release_others(agent->parts.images, image_is_needed, agent);
    for (struct hosted *group = agent->groups; group; group = group->next)
        agent_changed(agent, group);
    return true;
}
