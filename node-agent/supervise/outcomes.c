/* What jobs did, taken into the groups. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "node-agent/supervise/probing.h"
#include "node-agent/supervise/record.h"

#include <string.h>

enum { CLEAR_AGAIN_MS = 1000, EXIT_CANNOT_START = 128 };

void agent_changed(struct agent *agent, struct hosted *group)
{
    char folder[PATH_SIZE];
    struct err err = {0};

    agent_probe(agent, group);
    group->changes++;
    groups_put_due(&agent->groups, group);
    groups_put_untold(&agent->groups, group);
    if (group->forgotten || group->incarnation == 0)
        return;
    if (!record_save(group, group_folder(&agent->parts, group->uid, folder), &err))
        log_failure("record_not_saved", &err);
}

/* ---- jobs ---- */

/* How far a pull is stands in the event of its begin (`pulling image "x": 42 % of 312 MB`), not in one for each step;
 * when it is over that says again what the service says. */
static void tell_pull(struct happenings *list, const char *words, int64_t now_ms)
{
    static const char pulled[] = "Successfully pulled image ";
    const char *end = strrchr(words, '"');
    char begins[GROUP_TEXT_SIZE];

    if (text_has_prefix(words, pulled)) {
        if (text_format(begins, sizeof begins, "pulling image %s", words + sizeof pulled - 1))
            (void)happenings_retell(list, now_ms, "Pulling", begins, begins);
        happenings_add(list, now_ms, false, "Pulled", "%s", words);
        return;
    }
    if (end && end[1] == ':' && text_has_prefix(words, "pulling image ") &&
        text_format(begins, sizeof begins, "%.*s", (int)(end + 1 - words), words) &&
        happenings_retell(list, now_ms, "Pulling", begins, words))
        return;
    happenings_add(list, now_ms, false, "Pulling", "%s", words);
}

void agent_progress(void *context, struct message *message)
{
    struct agent *agent = context;
    struct progress *progress = CONTAINER_OF(message, struct progress, message);
    struct hosted *group = agent_find(agent, progress->uid);
    struct member *member = group ? hosted_member(group, progress->member_name) : NULL;

    if (member && group->incarnation == progress->incarnation) {
        tell_pull(&member->happenings, progress->text, clock_now_ms());
        agent_changed(agent, group);
    }
    free(progress);
}

static const char *image_of(const struct hosted *group, size_t index)
{
    return group_container_at(group->order->assignment->group->properties, index)
        ->properties->image;
}

/* Who waited for the pull has told it already; an image that was there is told now. */
static void image_is_there(struct happenings *list, int64_t now_ms, const char *image)
{
    const char *last = list->count > 0 ? list->items[list->count - 1].name : "";

    if (strcmp(last, "Pulled") == 0)
        return;
    if (strcmp(last, "Pulling") != 0)
        happenings_add(list, now_ms, false, "Pulling", "pulling image \"%s\"", image);
    happenings_add(list, now_ms, false, "Pulled", "Successfully pulled image \"%s\"", image);
}

static void prepared(struct hosted *group, const struct job *job, int64_t now_ms)
{
    group->stage = STAGE_UP;
    group->tries = 0;
    group->served = 0; /* nobody is ready, as far as its open ports go */
    text_copy(group->address, sizeof group->address, job->address);
    for (size_t i = 0; i < group->members_count; i++) {
        text_copy(group->members[i].digest, DIGEST_SIZE, job->digests[i]);
        image_is_there(&group->members[i].happenings, now_ms, image_of(group, i));
    }
}

/* What failed, where people read it: a container's image among its own events (§19.3), the rest among the group's. */
static const struct {
    const char *name, *failed, *again;
} part_words[] = {
    [PART_USAGE] = {"Failed", "Failed to note what the group holds",
                    "Back-off noting what the group holds"},
    [PART_USERS] = {"Failed", "Failed to give the group users of its own",
                    "Back-off giving the group users of its own"},
    [PART_VOLUMES] = {"FailedMount", "Failed to mount", "Back-off mounting the volumes"},
    [PART_IMAGE] = {"Failed", "Failed to pull image", "Back-off pulling image"},
    [PART_FOLDERS] = {"Failed", "Failed to make the folder of logs",
                      "Back-off making the folder of logs"},
    [PART_NETWORK] = {"Failed", "Failed to connect the group to its network",
                      "Back-off connecting the group to its network"},
    [PART_LIMITS] = {"Failed", "Failed to set the limits of the group",
                     "Back-off setting the limits of the group"},
};

static void tell_not_prepared(struct hosted *group, const struct job *job, int64_t now_ms)
{
    const char *failed = part_words[job->part].failed, *again = part_words[job->part].again;
    bool retry = err_code_retry(job->err.code);
    struct happenings *list = &group->happenings;
    char image[GROUP_TEXT_SIZE] = "";

    if (job->part == PART_IMAGE) {
        list = &group->members[job->member].happenings;
        text_format(image, sizeof image, " \"%s\"", image_of(group, job->member));
    }
    happenings_add(list, now_ms, true, part_words[job->part].name, "%s%s: %s", failed, image,
                   job->err.text);
    if (retry)
        happenings_add(list, now_ms, false, "BackOff", "%s%s", again, image);
}

/* Worth trying again: later, and longer each time. Otherwise the group failed for good and gives everything back. */
static void not_prepared(struct hosted *group, const struct job *job, int64_t now_ms)
{
    if (job->err.code == ERR_CLOSED)
        return;
    tell_not_prepared(group, job, now_ms);
    if (err_code_retry(job->err.code)) {
        group->retry_ms = steady_ms() + restart_backoff_ms(group->pace, ++group->tries);
        return;
    }
    group->failed = true;
    text_copy(group->failure_code, sizeof group->failure_code, err_code_name(job->err.code));
    text_copy(group->failure_text, sizeof group->failure_text, job->err.text);
}

/* The node could not begin it: nothing of the container's, nor of its policy. Later, and longer each time. */
static void put_off(struct hosted *group, struct member *member, int64_t now_ms)
{
    member->phase = MEMBER_WAITING;
    member->next_start_ms = steady_ms() + restart_backoff_ms(group->pace, ++member->troubles);
    happenings_add(&member->happenings, now_ms, false, "BackOff", "Back-off starting container");
}

static void ran(struct agent *agent, struct hosted *group, const struct job *job, int64_t now_ms)
{
    struct member *member = &group->members[job->member];

    if (job->ok) {
        metric_add(METRIC_containers_started_total, 1);
        metric_add(METRIC_container_restarts_total, member->starts > 0);
        member_next_run(member, job->restarts, job->started_ms);
        (void)agent_look(agent, group, member); /* it may have ended before its start was told */
        return;
    }
    happenings_add(&member->happenings, now_ms, true, "Failed", "Error: %s", job->err.text);
    if (job->unprepared) {
        member->phase = MEMBER_WAITING;
        group->retry_ms = steady_ms() + CLEAR_AGAIN_MS;
        group->stage = group->stage == STAGE_UP ? STAGE_NONE : group->stage;
        return;
    }
    if (err_code_retry(job->err.code) && !job->spent) {
        put_off(group, member, now_ms);
        return;
    }
    member_next_run(member, job->restarts, 0);
    if (job->refused_second_run)
        member->starts++; /* it ran under an earlier agent; how it ended is not known */
    agent_take_end(group, member, now_ms, job->refused_second_run ? -1 : EXIT_CANNOT_START, false);
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
            agent_take_end(group, member, now_ms, EXIT_KILLED, false);
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
    agent_worked(agent);
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
    case PLAN_OPEN:
    case PLAN_KILL:
        probing_done(agent, group, job);
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
