/* The plane of one group: plays the script's acts, remembers what it is told. */
#include "tests/unit/supervise/node.h"

#include "node-agent/runtime/fake.h"

#include <string.h>

/* ---- what it wants ---- */

static struct container *container_of(struct arena *arena, const char *name)
{
    struct container *container = ARENA_NEW(arena, struct container);

    container->name = name;
    container->properties = ARENA_NEW(arena, struct container_properties);
    container->properties->image = "i";
    container->properties->resources = ARENA_NEW(arena, struct resource_requirements);
    container->properties->resources->requests = ARENA_NEW(arena, struct resource_amounts);
    *container->properties->resources->requests =
        (struct resource_amounts){{GIVEN_VALUE, 100}, {GIVEN_VALUE, 100}, NULL};
    return container;
}

/* As init containers come: without resources. */
static struct container *two_of(struct arena *arena, const char *one, const char *other, bool init)
{
    struct container *containers = arena_array(arena, 2, sizeof *containers);

    containers[0] = *container_of(arena, one);
    containers[1] = *container_of(arena, other);
    if (init)
        containers[0].properties->resources = containers[1].properties->resources = NULL;
    return containers;
}

/* Port 80 is the probed container's, 81 nobody's. */
static void add_probes(struct arena *arena, struct group_properties *properties)
{
    static const char *const words[] = {"ask"};
    struct container_properties *web = properties->containers[0].properties;
    struct probe *probe = ARENA_NEW(arena, struct probe);
    struct container_port *ports = arena_array(arena, 2, sizeof *ports);

    ports[0] = (struct container_port){PROTOCOL_TCP, 80};
    ports[1] = (struct container_port){PROTOCOL_TCP, 81};
    probe->exec = ARENA_NEW(arena, struct probe_exec);
    probe->exec->command = (struct text_list){true, (const char **)words, 1};
    web->liveness = web->readiness = probe;
    web->ports = ports;
    web->ports_count = 1;
    properties->address = ARENA_NEW(arena, struct group_address);
    *properties->address = (struct group_address){
        .ports = ports, .ports_count = 2, .type = ADDRESS_PUBLIC, .label_scope = -1};
}

static struct container_group *group_of(struct arena *arena)
{
    struct container_group *group = ARENA_NEW(arena, struct container_group);
    struct container *containers = two_of(arena, "web", "side", false);

    group->properties = ARENA_NEW(arena, struct group_properties);
    *group->properties = (struct group_properties){.containers = containers,
                                                   .containers_count = 2,
                                                   .restart_policy = (int)node->script.policy,
                                                   .os_type = OS_LINUX,
                                                   .sku = SKU_STANDARD,
                                                   .priority = -1};
    if (node->script.init) {
        group->properties->init_containers = two_of(arena, "first", "second", true);
        group->properties->init_containers_count = 2;
    }
    if (node->script.probed)
        add_probes(arena, group->properties);
    return group;
}

/* Everything, each time: as after a join. */
struct desired plane_desired(struct arena *arena)
{
    struct assignment *assignment = ARENA_NEW(arena, struct assignment);
    struct disk_seat *seat = ARENA_NEW(arena, struct disk_seat);

    *assignment = (struct assignment){.uid = NODE_UID,
                                      .incarnation = node->incarnation,
                                      .revision = node->revision,
                                      .wanted = (int)node->wanted,
                                      .name = "g",
                                      .cpu_milli = 200,
                                      .memory_mib = 200,
                                      .group = node->wanted == WANTED_RUN ? group_of(arena) : NULL};
    *seat = (struct disk_seat){.name = "data", .id = arena_text(arena, node->disk)};
    assignment->disks = seat;
    assignment->disks_count = node->disk[0] && node->wanted == WANTED_RUN;
    return (struct desired){.revision = node->revision,
                            .complete = true,
                            .assignments = assignment,
                            .assignments_count = !node->seen[node->incarnation].removed};
}

/* ---- what it is told ---- */

static int64_t events_named(const struct container_view *view, const char *name)
{
    int64_t count = 0;

    for (size_t i = 0; i < view->events_count; i++)
        count += strcmp(view->events[i].name, name) == 0 ? view->events[i].count : 0;
    return count;
}

static void take_words(const struct event *events, size_t count, struct words *words)
{
    *words = (struct words){0};
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &events[i];
        if (strcmp(event->type, "Warning") == 0) {
            text_copy(words->name, sizeof words->name, event->name);
            text_copy(words->warning, sizeof words->warning, event->message);
            words->warnings += event->count;
        } else if (strcmp(event->name, "BackOff") == 0) {
            text_copy(words->again, sizeof words->again, event->message);
        }
    }
}

static const struct container_view *view_of(const struct group_status *status, const char *name)
{
    for (size_t i = 0; i < status->containers_count; i++) {
        if (strcmp(status->containers[i].name, name) == 0)
            return status->containers[i].view;
    }
    return NULL;
}

static void take_status(const struct group_status *status)
{
    struct seen *seen = &node->seen[status->incarnation];
    const struct container_view *view = view_of(status, "web"), *second = view_of(status, "second");

    seen->told = true;
    seen->state = (enum group_state)status->state;
    seen->released = status->released;
    seen->removed = status->removed;
    seen->running |= seen->state == GROUP_RUNNING && status->provisioned;
    seen->failed |= seen->state == GROUP_FAILED;
    text_copy(seen->address, sizeof seen->address, status->address ? status->address : "");
    text_copy(seen->failure, sizeof seen->failure, status->failure ? status->failure->text : "");
    take_words(status->events, status->events_count, &seen->of_group);
    if ((int64_t)status->containers_count > seen->containers)
        seen->containers = (int64_t)status->containers_count;
    if (second && second->current_state)
        text_copy(seen->second_detail, sizeof seen->second_detail,
                  second->current_state->detail_status);
    if (!view)
        return;
    take_words(view->events, view->events_count, &seen->of_web);
    seen->restarts = view->restart_count;
    seen->created_events = events_named(view, "Created");
    seen->started_events = events_named(view, "Started");
    seen->side_started_events = events_named(view_of(status, "side"), "Started");
    seen->exit_code = -1;
    if (view->previous_state && view->previous_state->exit_code.given == GIVEN_VALUE)
        seen->previous_code = view->previous_state->exit_code.value;
    if (view->current_state) {
        text_copy(seen->detail, sizeof seen->detail, view->current_state->detail_status);
        if (view->current_state->exit_code.given == GIVEN_VALUE)
            seen->exit_code = view->current_state->exit_code.value;
    }
}

static void take_interval(const struct usage_interval *told)
{
    for (size_t i = 0; i < node->intervals_count; i++) {
        struct usage_interval *known = &node->intervals[i];
        if (known->incarnation == told->incarnation && known->from_s == told->from_s) {
            if (known->to_s && known->to_s != told->to_s)
                text_format(node->fault, sizeof node->fault, "an interval's end moved");
            known->to_s = told->to_s;
            return;
        }
    }
    CHECK(node->intervals_count < NODE_INTERVALS_MAX);
    node->intervals[node->intervals_count++] = *told;
}

void plane_take_report(const struct report *report)
{
    node->disks_told += (int)report->removed_disks.count;
    for (size_t i = 0; i < report->statuses_count; i++)
        take_status(&report->statuses[i]);
    for (size_t i = 0; i < report->intervals_count; i++)
        take_interval(&report->intervals[i]);
}

/* ---- the script ---- */

static bool reached(enum act_until until)
{
    const struct seen *seen = &node->seen[node->incarnation];

    switch (until) {
    case UNTIL_NOW:
        return true;
    case UNTIL_RUNNING:
        return seen->running;
    case UNTIL_BEGUN:
        return seen->running || seen->failed;
    case UNTIL_AGAIN: /* both were restarted by policy */
        return seen->started_events == 2 && seen->side_started_events == 2;
    case UNTIL_STOPPED:
        return seen->state == GROUP_STOPPED && seen->released;
    case UNTIL_FINISHED:
        return (seen->state == GROUP_SUCCEEDED || seen->state == GROUP_FAILED) && seen->released;
    case UNTIL_REMOVED:
        return seen->removed;
    }
    return false;
}

/* It may never have run: its agent died between its mark and its start. */
static void end(const char *name, int code)
{
    struct runtime_found found;
    struct err err = {0};

    if (runtime_find(node->runtime, NODE_UID, name, &found, &err))
        fake_runtime_end(node->runtime, NODE_UID, name, code, false);
}

/* What they do is done as soon as they run. */
void plane_end_init(void)
{
    struct runtime_found found;
    struct err err = {0};

    for (int i = 0; node->script.init && i < 2; i++) {
        const char *name = i == 0 ? "first" : "second";
        if (runtime_find(node->runtime, NODE_UID, name, &found, &err) &&
            found.phase == RUNTIME_RUNNING)
            fake_runtime_end(node->runtime, NODE_UID, name, 0, false);
    }
}

static void act(enum act_kind kind)
{
    switch (kind) {
    case ACT_RUN:
        node->incarnation++;
        node->wanted = WANTED_RUN;
        break;
    case ACT_STOP:
        node->wanted = WANTED_STOP;
        break;
    case ACT_REMOVE:
        node->wanted = WANTED_REMOVE;
        break;
    case ACT_EXIT:
        end("web", 7);
        end("side", 0);
        break;
    case ACT_END:
        node->played = true;
        break;
    }
}

bool plane_advance(void)
{
    const struct act *acts = node->script.acts;
    bool wants = false;

    while (!node->played && (node->step == 0 || reached(acts[node->step - 1].until))) {
        act(acts[node->step++].kind);
        node->revision++;
        wants = true;
    }
    return wants;
}
