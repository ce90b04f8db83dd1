/* What happened on this node, taken into the groups: jobs that ended, containers that exited. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/record.h"

#include <string.h>

enum { CLEAR_AGAIN_MS = 1000, EXIT_CANNOT_START = 128 };

static const char stopped_by_client[] = "Container stopped per client request";

void agent_changed(struct agent *agent, struct hosted *group)
{
    char folder[PATH_SIZE];
    struct err err = {0};

    group->changes++;
    if (group->forgotten || group->incarnation == 0)
        return;
    if (!record_save(group, group_folder(&agent->parts, group->uid, folder), &err))
        log_failure("record_not_saved", &err);
}

/* The end of a run, as people read it: stopped on purpose has no exit code (client-surface §5). */
static void take_end(struct hosted *group, struct member *member, int64_t finished_ms,
                     int64_t exit_code, bool oom)
{
    bool stopped = group->stage == STAGE_ENDING && group->wanted != WANTED_RUN;

    if (member->phase == MEMBER_ENDED)
        return;
    const char *detail = stopped ? stopped_by_client : oom ? "OOMKilled" : NULL;
    member_ended(group, member,
                 &(struct ending){finished_ms, steady_ms(), stopped ? -1 : exit_code, detail});
    log_info("container_ended", "group=%s container=%s exit=%lld oom=%d again=%d", group->uid,
             member->name, (long long)exit_code, oom, !member->final);
}

/* ---- exits ---- */

void agent_take_exits(struct agent *agent)
{
    char uid[ID_SIZE], name[RUNTIME_NAME_SIZE];

    while (runtime_exit_next(agent->parts.runtime, uid, name)) {
        struct hosted *group = agent_find(agent, uid);
        struct member *member = group ? hosted_member(group, name) : NULL;
        struct runtime_found found;
        struct err err = {0};
        if (!member || !runtime_find(agent->parts.runtime, uid, name, &found, &err))
            continue;
        if (found.incarnation != group->incarnation || found.restarts != member->restarts ||
            member->phase != MEMBER_RUNNING)
            /* of an earlier run, or its job has not told its start yet and will look itself */
            continue;
        if (found.phase == RUNTIME_EXITED || found.phase == RUNTIME_GONE) {
            take_end(group, member, found.finished_ms,
                     found.phase == RUNTIME_EXITED ? found.exit_code : -1, found.oom_killed);
            agent_changed(agent, group);
        }
    }
}

/* A container may have ended before its start was told: look once. */
static void look_for_exit(struct agent *agent, struct hosted *group, struct member *member)
{
    struct runtime_found found;
    struct err err = {0};

    if (!runtime_find(agent->parts.runtime, group->uid, member->name, &found, &err))
        return;
    if (found.phase == RUNTIME_EXITED || found.phase == RUNTIME_GONE)
        take_end(group, member, found.finished_ms,
                 found.phase == RUNTIME_EXITED ? found.exit_code : -1, found.oom_killed);
}

/* ---- jobs ---- */

void agent_progress(void *context, struct message *message)
{
    struct agent *agent = context;
    struct progress *progress = CONTAINER_OF(message, struct progress, message);
    struct hosted *group = agent_find(agent, progress->uid);
    struct member *member = group ? hosted_member(group, progress->member_name) : NULL;

    if (member && group->incarnation == progress->incarnation) {
        const char *name = text_has_prefix(progress->text, "Successfully") ? "Pulled" : "Pulling";
        happenings_add(&member->happenings, clock_now_ms(), false, name, "%s", progress->text);
        agent_changed(agent, group);
    }
    free(progress);
}

static const char *image_of(const struct hosted *group, size_t index)
{
    return group->order->assignment->group->properties->containers[index].properties->image;
}

/* Who waited for the pull has told it already; an image that was there is told now. */
static void image_is_there(struct happenings *list, int64_t now_ms, const char *image)
{
    if (list->count > 0 && strcmp(list->items[list->count - 1].name, "Pulled") == 0)
        return;
    if (list->count == 0)
        happenings_add(list, now_ms, false, "Pulling", "pulling image \"%s\"", image);
    happenings_add(list, now_ms, false, "Pulled", "Successfully pulled image \"%s\"", image);
}

static void prepared(struct hosted *group, const struct job *job, int64_t now_ms)
{
    group->stage = STAGE_UP;
    group->tries = 0;
    text_copy(group->address, sizeof group->address, job->address);
    for (size_t i = 0; i < group->members_count; i++)
        image_is_there(&group->members[i].happenings, now_ms, image_of(group, i));
}

/* Worth trying again: later, and longer each time. Otherwise the group failed for good and gives everything back. */
static void not_prepared(struct hosted *group, const struct job *job, int64_t now_ms)
{
    struct member *member =
        job->member < group->members_count ? &group->members[job->member] : NULL;
    struct happenings *list = member ? &member->happenings : &group->happenings;

    if (job->err.code == ERR_CLOSED)
        return;
    happenings_add(list, now_ms, true, "Failed", "Failed to pull image \"%s\": %s",
                   member ? image_of(group, job->member) : "", job->err.text);
    if (err_code_retry(job->err.code)) {
        happenings_add(list, now_ms, false, "BackOff", "Back-off pulling image \"%s\"",
                       member ? image_of(group, job->member) : "");
        group->retry_ms = steady_ms() + restart_backoff_ms(++group->tries);
        return;
    }
    group->failed = true;
    text_copy(group->failure_code, sizeof group->failure_code, err_code_name(job->err.code));
    text_copy(group->failure_text, sizeof group->failure_text, job->err.text);
}

static void ran(struct agent *agent, struct hosted *group, const struct job *job, int64_t now_ms)
{
    struct member *member = &group->members[job->member];

    if (job->ok) {
        member->starts++;
        member->phase = MEMBER_RUNNING;
        member->current = (struct run){.started_ms = job->started_ms, .exit_code = -1};
        happenings_add(&member->happenings, job->started_ms, false, "Created", "Created container");
        happenings_add(&member->happenings, job->started_ms, false, "Started", "Started container");
        metric_add(METRIC_containers_started_total, 1);
        look_for_exit(agent, group, member);
        return;
    }
    happenings_add(&member->happenings, now_ms, true, "Failed", "Error: %s", job->err.text);
    if (job->unprepared) {
        member->phase = MEMBER_WAITING;
        member->restarts -= member->starts > 0; /* it was no restart */
        group->retry_ms = steady_ms() + CLEAR_AGAIN_MS;
        group->stage = group->stage == STAGE_UP ? STAGE_NONE : group->stage;
        return;
    }
    if (job->refused_second_run)
        member->starts++; /* it ran under an earlier agent; how it ended is not known */
    member->current.started_ms = 0;
    take_end(group, member, now_ms, job->refused_second_run ? -1 : EXIT_CANNOT_START, false);
}

static void cleared(struct agent *agent, struct hosted *group, const struct job *job,
                    int64_t now_ms)
{
    if (!job->ok) {
        log_failure("group_not_cleared", &job->err);
        group->ending_ms = group->retry_ms = steady_ms() + CLEAR_AGAIN_MS;
        group->stage = STAGE_ENDING;
        return;
    }
    for (size_t i = 0; i < group->members_count; i++) {
        struct member *member = &group->members[i];
        if (member->phase == MEMBER_RUNNING || member->phase == MEMBER_STARTING)
            take_end(group, member, now_ms, 137, false);
        member->final = true;
    }
    group->stage = STAGE_CLEARED;
    group->retry_ms = 0;
    group->kept = job->keep_network;
    if (group->wanted != WANTED_RUN && !group->kept)
        group->incarnation = group->newest_incarnation;
    agent_start_tick(agent); /* the meter's end is told with the next report, not a second later */
}

static void note_started(struct hosted *group)
{
    struct group_tally tally = hosted_tally(group);

    if (group->ordered_boot_ns > 0 && tally.started == tally.containers) {
        metric_observe_ns(METRIC_group_start_seconds, clock_boot_ns() - group->ordered_boot_ns);
        group->ordered_boot_ns = 0;
    }
}

void agent_job_done(void *context, struct job *job)
{
    struct agent *agent = context;
    struct hosted *group = agent_find(agent, job->uid);
    int64_t now_ms = clock_now_ms();

    CHECK(group && group->busy > 0); /* a busy group is never dropped */
    group->busy--;
    switch (job->step) {
    case PLAN_PREPARE:
        group->preparing = false;
        bell_wait(&group->cancel, 0);
        if (job->ok)
            prepared(group, job, now_ms);
        else
            not_prepared(group, job, now_ms);
        break;
    case PLAN_RUN:
        ran(agent, group, job, now_ms);
        note_started(group);
        break;
    case PLAN_CLEAR:
        cleared(agent, group, job, now_ms);
        break;
    case PLAN_FORGET:
        group->forgotten = job->ok;
        if (!job->ok) {
            log_failure("group_not_forgotten", &job->err);
            group->retry_ms = steady_ms() + CLEAR_AGAIN_MS;
        }
        break;
    case PLAN_SIGNAL:
    case PLAN_NONE:
    case PLAN_BEGIN:
    case PLAN_CANCEL:
        break;
    }
    agent_changed(agent, group);
}

void agent_tick_done(void *context, struct tick *tick UNUSED)
{
    struct agent *agent = context;

    agent->ticking = false;
}
