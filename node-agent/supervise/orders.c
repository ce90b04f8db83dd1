/* What the plane wants of this node, taken into the groups. */
#include "base/clock.h"
#include "base/log.h"
#include "model/group_check.h"
#include "node-agent/supervise/agent_state.h"

#include <string.h>

struct hosted *agent_find(struct agent *agent, const char *uid)
{
    for (struct hosted *group = agent->groups; group; group = group->next) {
        if (strcmp(group->uid, uid) == 0)
            return group;
    }
    return NULL;
}

struct hosted *agent_add(struct agent *agent, const char *uid, struct err *err)
{
    struct hosted *group = hosted_new(uid, err);

    if (!group)
        return NULL;
    group->next = agent->groups;
    agent->groups = group;
    return group;
}

void agent_take_joined(void *context, const struct join_answer *answer)
{
    struct agent *agent = context;

    agent->epoch = answer->epoch;
    agent->listing = true;
    agent->beat_ms = answer->beat_ms > 0 ? answer->beat_ms : agent->beat_ms;
    agent->fence_ms = answer->fence_ms;
    agent->fence_wanted = true;
    agent->told_due = true;
    /* Everything is told anew: the plane may have given up on what it knew of this node. */
    for (struct hosted *group = agent->groups; group; group = group->next)
        group->taken = group->told = 0;
    agent->images_told = agent->images_sent = -1;
}

/* Names become paths here: the plane checks them, and so does the node. */
static bool names_are_safe(const struct container_group *group)
{
    const struct group_properties *properties = group->properties;

    if (!properties || properties->containers_count == 0)
        return false;
    for (size_t i = 0; i < properties->containers_count; i++) {
        const struct container *container = &properties->containers[i];
        if (!container->name || !container_name_valid(container->name) || !container->properties ||
            !container->properties->image || !container->properties->resources ||
            !container->properties->resources->requests)
            return false;
    }
    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (!properties->volumes[i].name || !container_name_valid(properties->volumes[i].name))
            return false;
    }
    return true;
}

/* An order for a group is taken when it is not older than the newest known one. */
static void take_order(struct agent *agent, struct hosted *group,
                       const struct assignment *assignment, struct err *err)
{
    if (assignment->incarnation < group->newest_incarnation ||
        (assignment->wanted == WANTED_RUN &&
         (!assignment->group || !names_are_safe(assignment->group))))
        return;
    if (assignment->wanted == WANTED_RUN) {
        bool same = group->newest && group->newest_incarnation == assignment->incarnation;
        if (!same) {
            struct order *order = order_new(assignment, err);
            if (!order)
                return;
            order_free(group->newest);
            group->newest = order;
            group->ordered_boot_ns = clock_boot_ns();
            log_info("group_ordered", "group=%s name=%s incarnation=%lld", group->uid,
                     LOG_QUOTE(assignment->name ? assignment->name : ""),
                     (long long)assignment->incarnation);
        }
    }
    bool fresh = group->incarnation == 0 && group->stage == STAGE_NONE;
    group->newest_incarnation = assignment->incarnation;
    group->wanted = (enum wanted)assignment->wanted;
    if (fresh) {
        /* nothing was here; plan begins it or confirms that nothing is */
        group->stage = STAGE_CLEARED;
        if (group->wanted != WANTED_RUN)
            group->incarnation = assignment->incarnation;
    }
    /* What is cleared already is told under the number the plane asks about. */
    if (group->stage == STAGE_CLEARED && group->wanted != WANTED_RUN)
        group->incarnation = assignment->incarnation;
    agent_changed(agent, group);
}

/* An agent that came back without its memory files (a reboot) gets the order of the incarnation at work again. */
static void adopt_order(struct hosted *group, const struct assignment *assignment, struct err *err)
{
    if (group->order || !assignment->group || assignment->incarnation != group->incarnation)
        return;
    group->order = order_new(assignment, err);
    if (group->order && !group->newest)
        group->newest = order_hold(group->order);
}

static void remove_unnamed(struct agent *agent)
{
    for (struct hosted *group = agent->groups; group; group = group->next) {
        if (group->named_epoch == agent->epoch || group->wanted == WANTED_REMOVE)
            continue;
        log_info("group_unnamed", "group=%s", group->uid);
        group->wanted = WANTED_REMOVE;
        agent_changed(agent, group);
    }
}

void agent_take_desired(void *context, struct arena *arena UNUSED, const struct desired *desired)
{
    struct agent *agent = context;

    for (size_t i = 0; i < desired->assignments_count; i++) {
        const struct assignment *assignment = &desired->assignments[i];
        struct err err = {0};
        struct hosted *group;
        if (!id_valid(assignment->uid)) {
            log_warn("order_refused", "group=%s", LOG_QUOTE(assignment->uid));
            continue;
        }
        group = agent_find(agent, assignment->uid);
        if (!group)
            group = agent_add(agent, assignment->uid, &err);
        if (group) {
            group->named_epoch = agent->epoch;
            adopt_order(group, assignment, &err);
            take_order(agent, group, assignment, &err);
        }
        if (err.code != ERR_OK)
            log_failure("order_not_taken", &err);
    }
    for (size_t i = 0; i < desired->questions_count; i++)
        job_answer(&agent->jobs, &desired->questions[i]);
    if (agent->listing && desired->complete) {
        agent->listing = false;
        remove_unnamed(agent);
    }
}
