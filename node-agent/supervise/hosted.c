/* The group's own bookkeeping; decisions are in plan.c. */
#include "node-agent/supervise/hosted.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "node-agent/supervise/health.h"

#include <stdarg.h>
#include <string.h>

const char *const stage_words[] = {"None", "Up", "Ending", "Cleared", NULL};
const char *const member_phase_words[] = {"Waiting", "Starting", "Running", "Ended", NULL};

/* ---- events ---- */

/* Moved to the end; NULL when there is none. */
static struct happening *happenings_again(struct happenings *list, const char *name,
                                          const char *message)
{
    size_t at = list->count;

    while (at > 0 && (strcmp(list->items[at - 1].name, name) != 0 ||
                      strcmp(list->items[at - 1].message, message) != 0))
        at--;
    if (at == 0)
        return NULL;
    struct happening seen = list->items[at - 1];
    memmove(&list->items[at - 1], &list->items[at], (list->count - at) * sizeof seen);
    list->items[list->count - 1] = seen;
    return &list->items[list->count - 1];
}

static struct happening *happenings_new(struct happenings *list, const char *name,
                                        const char *message)
{
    struct happening *grown = realloc(list->items, (list->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    list->items = grown;
    if (list->count == (size_t)LIMIT_EVENTS_MAX)
        memmove(grown, grown + 1, --list->count * sizeof *grown);
    struct happening *added = &grown[list->count++];
    *added = (struct happening){0};
    text_copy(added->name, sizeof added->name, name);
    text_copy(added->message, sizeof added->message, message);
    return added;
}

void happenings_add(struct happenings *list, int64_t now_ms, bool warning, const char *name,
                    const char *format, ...)
{
    char message[GROUP_TEXT_SIZE];
    va_list arguments;

    va_start(arguments, format);
    text_format_v(message, sizeof message, format, arguments);
    va_end(arguments);
    struct happening *seen = happenings_again(list, name, message);
    if (!seen)
        seen = happenings_new(list, name, message);
    if (!seen)
        return;
    if (seen->count++ == 0)
        seen->first_ms = now_ms;
    seen->last_ms = now_ms;
    seen->warning = warning;
}

void happenings_trim(struct happenings *list, const char *name, size_t max)
{
    size_t named = 0;

    for (size_t at = list->count; at-- > 0;) {
        struct happening *item = &list->items[at];
        if (strcmp(item->name, name) != 0 || ++named <= max)
            continue;
        memmove(item, item + 1, (--list->count - at) * sizeof *item);
    }
}

bool happenings_retell(struct happenings *list, int64_t now_ms, const char *name,
                       const char *begins, const char *message)
{
    for (size_t i = list->count; i-- > 0;) {
        struct happening *item = &list->items[i];
        if (strcmp(item->name, name) != 0 || !text_has_prefix(item->message, begins))
            continue;
        text_copy(item->message, sizeof item->message, message);
        item->last_ms = now_ms;
        return true;
    }
    return false;
}

void happenings_done(struct happenings *list)
{
    free(list->items);
    *list = (struct happenings){0};
}

/* ---- groups ---- */

struct hosted *hosted_new(const char *uid, struct err *err)
{
    AUTO(hosted) *group = calloc(1, sizeof *group);

    if (!group) {
        err_set(err, ERR_BUSY, "no memory for a group");
        return NULL;
    }
    text_copy(group->uid, sizeof group->uid, uid);
    group->pace = &restart_pace_usual;
    group->cancel.fd = -1;
    if (!bell_init(&group->cancel, err))
        return NULL;
    return TAKE(group);
}

static void members_free(struct member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        happenings_done(&members[i].happenings);
    free(members);
}

void hosted_free(struct hosted *group)
{
    if (!group)
        return;
    members_free(group->members, group->members_count);
    happenings_done(&group->happenings);
    order_free(group->order);
    order_free(group->newest);
    if (group->cancel.fd >= 0)
        bell_done(&group->cancel);
    free(group);
}

static struct member *members_new(size_t count, struct err *err)
{
    struct member *members = calloc(count ? count : 1, sizeof *members);

    if (!members)
        err_set(err, ERR_BUSY, "no memory for a group");
    return members;
}

bool hosted_members(struct hosted *group, size_t count, struct err *err)
{
    struct member *members = members_new(count, err);

    if (!members)
        return false;
    members_free(group->members, group->members_count);
    group->members = members;
    group->members_count = count;
    return true;
}

/* A container that is started anew in its place goes on with the events of the one of its name (§10.6). */
static void keep_happenings(struct hosted *group, struct member *before, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct member *after = hosted_member(group, before[i].name);
        if (!after)
            continue;
        after->happenings = before[i].happenings;
        before[i].happenings = (struct happenings){0};
    }
}

static void name_members(struct hosted *group, const struct group_properties *properties)
{
    for (size_t i = 0; i < group->members_count; i++) {
        struct member *member = &group->members[i];
        text_copy(member->name, MEMBER_NAME_SIZE, group_container_at(properties, i)->name);
        member->init = i < properties->init_containers_count;
    }
}

bool hosted_begin(struct hosted *group, struct err *err)
{
    const struct group_properties *properties = group->newest->assignment->group->properties;
    struct member *before = group->members;
    size_t before_count = group->members_count, count = group_containers_total(properties);
    struct member *members = members_new(count, err);

    if (!members)
        return false;
    group->members = members;
    group->members_count = count;
    name_members(group, properties);
    if (group->kept)
        keep_happenings(group, before, before_count);
    members_free(before, before_count);
    order_free(group->order);
    group->order = order_hold(group->newest);
    group->incarnation = group->newest_incarnation;
    group->policy = (enum restart_policy)properties->restart_policy;
    group->stage = STAGE_NONE;
    group->retry_ms = group->tries = group->ending_ms = 0;
    group->failed = group->forgotten = group->serving = false;
    group->served = group->serve_ms = 0;
    group->changes++;
    return true;
}

struct member *hosted_member(struct hosted *group, const char *name)
{
    for (size_t i = 0; i < group->members_count; i++) {
        if (strcmp(group->members[i].name, name) == 0)
            return &group->members[i];
    }
    return NULL;
}

struct group_tally hosted_tally(const struct hosted *group)
{
    struct group_tally tally = {0};

    for (size_t i = 0; i < group->members_count; i++) {
        const struct member *member = &group->members[i];
        bool ended = member->phase == MEMBER_ENDED && member->final;
        bool failed = ended && member->current.exit_code != 0;
        tally.init_failed |= member->init && failed;
        if (member->init)
            continue;
        tally.containers++;
        tally.started += member->starts > 0 || ended;
        tally.running += member->phase == MEMBER_RUNNING;
        tally.ended += ended;
        tally.failed += failed;
    }
    return tally;
}

bool hosted_runs(const struct hosted *group)
{
    for (size_t i = 0; i < group->members_count; i++) {
        enum member_phase phase = group->members[i].phase;
        if (phase == MEMBER_RUNNING || phase == MEMBER_STARTING)
            return true;
    }
    return false;
}

bool member_holds_up(const struct member *member)
{
    return member->init &&
           !(member->phase == MEMBER_ENDED && member->final && member->current.exit_code == 0);
}

bool hosted_hands_over(const struct hosted *group)
{
    return group->wanted == WANTED_RUN && group->newest_incarnation > group->incarnation;
}

void member_next_run(struct member *member, int64_t restarts, int64_t started_ms)
{
    if (member->starts > 0)
        member->previous = member->current;
    member->restarts = restarts;
    member->current = (struct run){.started_ms = started_ms, .exit_code = -1};
    if (started_ms == 0)
        return;
    member->starts++;
    member->troubles = 0;
    member->phase = MEMBER_RUNNING;
    happenings_add(&member->happenings, started_ms, false, "Created", "Created container");
    happenings_add(&member->happenings, started_ms, false, "Started", "Started container");
}

const char run_was_stopped[] = "Container stopped per client request";

void member_ended(struct hosted *group, struct member *member, const struct ending *ending)
{
    struct run *run = &member->current;

    member->phase = MEMBER_ENDED;
    member->look = false;
    run->finished_ms = ending->finished_ms;
    run->exit_code = ending->exit_code;
    text_copy(run->detail, sizeof run->detail,
              ending->detail           ? ending->detail
              : ending->exit_code == 0 ? "Completed"
                                       : "Error");
    if (run->started_ms > 0 && run->finished_ms - run->started_ms >= group->pace->reset_ms)
        member->streak = 0;
    member->final =
        group->stage == STAGE_ENDING ||
        !restart_wanted(member->init ? restart_policy_of_init(group->policy) : group->policy,
                        ending->exit_code);
    if (health_ended(group, member))
        member->final = false;
    if (!member->final)
        member->next_start_ms =
            ending->steady_ms + restart_backoff_ms(group->pace, member->streak++);
    if (!member->final && member->next_start_ms > ending->steady_ms)
        happenings_add(&member->happenings, ending->finished_ms, true, "BackOff",
                       "Back-off restarting failed container");
    group->changes++;
}

int64_t steady_ms(void)
{
    return clock_boot_ns() / 1000000;
}
