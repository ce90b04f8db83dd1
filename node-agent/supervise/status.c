#include "node-agent/supervise/status.h"

#include "base/clock.h"

#include <string.h>

static const char *time_text(int64_t unix_ms, struct arena *arena)
{
    char text[CLOCK_TEXT_SIZE];

    if (unix_ms <= 0)
        return NULL;
    clock_text(unix_ms, text);
    return arena_text(arena, text);
}

static struct event *events_of(const struct happenings *list, struct arena *arena)
{
    struct event *events = arena_array(arena, list->count, sizeof *events);

    for (size_t i = 0; events && i < list->count; i++) {
        const struct happening *item = &list->items[i];
        events[i] = (struct event){
            .count = item->count,
            .first_timestamp = time_text(item->first_ms, arena),
            .last_timestamp = time_text(item->last_ms, arena),
            .name = arena_text(arena, item->name),
            .message = arena_text(arena, item->message),
            .type = item->warning ? "Warning" : "Normal",
        };
    }
    return events;
}

static struct container_state *state_of_run(const struct run *run, enum container_phase phase,
                                            struct arena *arena)
{
    struct container_state *state = ARENA_NEW(arena, struct container_state);

    if (!state)
        return NULL;
    state->state = container_state_words[phase];
    state->start_time = time_text(run->started_ms, arena);
    state->finish_time = time_text(run->finished_ms, arena);
    if (run->finished_ms > 0 && run->exit_code >= 0)
        state->exit_code = (struct opt_int){GIVEN_VALUE, run->exit_code};
    state->detail_status = arena_text(arena, run->detail);
    return state;
}

/* What a client stopped was running before: not its run before that is told then (client-surface §5). */
static struct container_state *state_before_stop(const struct run *stopped, struct arena *arena)
{
    const struct run running = {.started_ms = stopped->started_ms, .exit_code = -1};

    return state_of_run(&running, CONTAINER_RUNNING, arena);
}

/* Waiting: never started, or ended and to be started again (its last run is the previous state then, §6.2). */
static struct container_view *view_of(const struct member *member, struct arena *arena)
{
    struct container_view *view = ARENA_NEW(arena, struct container_view);
    const struct run *previous = &member->previous;
    bool again = member->phase == MEMBER_ENDED && !member->final;
    bool ran = again || (member->starts > 0 && member->phase != MEMBER_ENDED);

    if (!view)
        return NULL;
    view->restart_count = member->restarts;
    view->events = events_of(&member->happenings, arena);
    view->events_count = view->events ? member->happenings.count : 0;
    if (member->starts == 0 && member->current.finished_ms == 0 && member->happenings.count == 0)
        return view;
    if (member->phase == MEMBER_RUNNING) {
        view->current_state = state_of_run(&member->current, CONTAINER_RUNNING, arena);
    } else if (member->phase == MEMBER_ENDED && member->final) {
        view->current_state = state_of_run(&member->current, CONTAINER_TERMINATED, arena);
    } else {
        const struct run waiting = {.detail = ""};
        struct run backing_off = waiting;
        text_copy(backing_off.detail, sizeof backing_off.detail, again ? "CrashLoopBackOff" : "");
        view->current_state = state_of_run(&backing_off, CONTAINER_WAITING, arena);
        if (ran)
            previous = &member->current;
    }
    if (member->phase == MEMBER_ENDED && strcmp(member->current.detail, run_was_stopped) == 0)
        view->previous_state = state_before_stop(&member->current, arena);
    else if (previous->started_ms > 0 || previous->finished_ms > 0)
        view->previous_state = state_of_run(previous, CONTAINER_TERMINATED, arena);
    return view;
}

static enum group_state state_of(const struct hosted *group)
{
    struct group_tally tally = hosted_tally(group);

    if (group->failed)
        return GROUP_FAILED;
    if (group->wanted != WANTED_RUN && group->stage == STAGE_CLEARED && !group->kept)
        return GROUP_STOPPED;
    return group_state_of(group->policy, &tally);
}

/* One for each image; of an incarnation whose order is not at hand nothing is said. */
static struct image_pin *pins_of(const struct hosted *group, struct arena *arena, size_t *count)
{
    struct image_pin *pins = arena_array(arena, group->members_count + 1, sizeof *pins);

    *count = 0;
    if (!group->order || !group->order->assignment->group)
        return pins;
    const struct group_properties *properties = group->order->assignment->group->properties;
    for (size_t i = 0; pins && i < group->members_count && i < group_containers_total(properties);
         i++) {
        const char *image = group_container_at(properties, i)->properties->image;
        if (*group->members[i].digest && !image_pin_find(pins, *count, image))
            pins[(*count)++] = (struct image_pin){arena_text(arena, image),
                                                  arena_text(arena, group->members[i].digest)};
    }
    return pins;
}

bool status_of(const struct hosted *group, struct arena *arena, struct group_status *out)
{
    struct group_tally tally = hosted_tally(group);
    enum group_state state = state_of(group);

    *out = (struct group_status){
        .uid = arena_text(arena, group->uid),
        .incarnation = group->incarnation,
        .state = (int)state,
        .provisioned = group_tally_is_over(&tally) ||
                       (tally.containers > 0 && tally.started == tally.containers),
        .released = group->stage == STAGE_CLEARED && !group->kept,
        .removed = group->forgotten,
        .address = group->address[0] && (group->stage != STAGE_CLEARED || group->kept)
                       ? arena_text(arena, group->address)
                       : NULL,
        .events = events_of(&group->happenings, arena),
        .containers = arena_array(arena, group->members_count, sizeof(struct container_status)),
    };
    if (group->failed) {
        out->failure = ARENA_NEW(arena, struct failure);
        if (out->failure)
            *out->failure = (struct failure){arena_text(arena, group->failure_code),
                                             arena_text(arena, group->failure_text)};
    }
    out->pins = pins_of(group, arena, &out->pins_count);
    out->events_count = out->events ? group->happenings.count : 0;
    for (size_t i = 0; out->containers && i < group->members_count; i++) {
        out->containers[i].name = arena_text(arena, group->members[i].name);
        out->containers[i].view = view_of(&group->members[i], arena);
        if (!out->containers[i].view)
            return false;
        out->containers_count++;
    }
    return out->containers || group->members_count == 0;
}
