/* What the plane wants of this node, taken into the groups. */
#include "base/clock.h"
#include "base/log.h"
#include "model/group_check.h"
#include "node-agent/supervise/probing.h"

#include <string.h>

/* The first pause before an order is asked for again, and the longest. */
enum { ASK_AGAIN_MS = 1000, ASK_AGAIN_MAX_MS = 30000 };

struct hosted *agent_find(struct agent *agent, const char *uid)
{
    return groups_find(&agent->groups, uid);
}

struct hosted *agent_add(struct agent *agent, const char *uid, struct err *err)
{
    struct hosted *group = hosted_new(uid, err);

    return group && groups_add(&agent->groups, group, err) ? group : NULL;
}

void agent_take_joined(void *context, const struct join_answer *answer)
{
    struct agent *agent = context;

    agent->epoch = answer->epoch;
    agent->listing = true;
    agent->taken_revision = agent->heard_revision = agent->ask_again_ms = agent->asks = 0;
    agent->beat_ms = answer->beat_ms > 0 ? answer->beat_ms : agent->beat_ms;
    agent->fence_ms = answer->fence_ms;
    agent->fence_wanted = true;
    agent->told_due = true;
    /* Everything is told anew: the plane may have given up on what it knew of this node. */
    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        group->taken = group->told = 0;
        groups_put_untold(&agent->groups, group);
    }
    agent->images_told = agent->images_sent = -1;
    agent->leaving.told_count = 0;
}

static bool container_is_safe(const struct container *container, bool init)
{
    const struct container_properties *properties = container->properties;

    if (!container->name || !container_name_valid(container->name) || !properties ||
        !properties->image || (properties->resources ? !properties->resources->requests : !init))
        return false;
    for (size_t i = 0; i < properties->mounts_count; i++) {
        if (!properties->mounts[i].name || !container_name_valid(properties->mounts[i].name))
            return false;
    }
    return true;
}

/* Names become paths here: the plane checks them, and so does the node. */
static bool names_are_safe(const struct container_group *group)
{
    const struct group_properties *properties = group->properties;

    if (!properties || properties->containers_count == 0)
        return false;
    for (size_t i = 0; i < group_containers_total(properties); i++) {
        if (!container_is_safe(group_container_at(properties, i),
                               i < properties->init_containers_count))
            return false;
    }
    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (!properties->volumes[i].name || !container_name_valid(properties->volumes[i].name))
            return false;
    }
    return true;
}

/* Kept until it is begun: an agent that is killed before must find it. That it cannot be is no reason not to run it. */
static bool take_run(struct agent *agent, struct hosted *group, const struct assignment *assignment,
                     struct err *err)
{
    struct order *order = order_new(assignment, err);
    struct err unsaved = {0};
    char path[PATH_SIZE];

    if (!order)
        return false;
    if (!order_save(order, group_newest_path(&agent->parts, group->uid, path), &unsaved))
        log_failure("order_not_saved", &unsaved);
    order_free(group->newest);
    group->newest = order;
    group->ordered_boot_ns = clock_boot_ns();
    log_info("group_ordered", "group=%s name=%s incarnation=%lld", group->uid,
             LOG_QUOTE(assignment->name ? assignment->name : ""),
             (long long)assignment->incarnation);
    return true;
}

/* A later order of an incarnation that is known: only what changes while it runs is another. Containers that
 * start from now on start from it. */
static bool take_renewed(struct agent *agent, struct hosted *group,
                         const struct assignment *assignment, struct err *err)
{
    struct err unsaved = {0};
    char path[PATH_SIZE];

    if (assignment->revision <= group->newest->assignment->revision ||
        assignment->group->properties->containers_count !=
            group->newest->assignment->group->properties->containers_count)
        return true;
    if (!take_run(agent, group, assignment, err))
        return false;
    if (group->incarnation != assignment->incarnation || !group->order)
        return true;
    order_free(group->order);
    group->order = order_hold(group->newest);
    if (!order_save(group->order, group_order_path(&agent->parts, group->uid, path), &unsaved))
        log_failure("order_not_saved", &unsaved);
    job_renew_config(&agent->jobs, group->order);
    return true;
}

/* An order for a group is taken when it is not older than the newest known one. */
static bool take_order(struct agent *agent, struct hosted *group,
                       const struct assignment *assignment, struct err *err)
{
    bool run = assignment->wanted == WANTED_RUN;
    bool known = group->newest && group->newest_incarnation == assignment->incarnation;

    if (assignment->incarnation < group->newest_incarnation)
        return true;
    if (run && (!assignment->group || !assignment->name || !names_are_safe(assignment->group))) {
        log_warn("order_refused", "group=%s incarnation=%lld", group->uid,
                 (long long)assignment->incarnation);
        return true;
    }
    if (run && !(known ? take_renewed(agent, group, assignment, err)
                       : take_run(agent, group, assignment, err)))
        return false;
    bool fresh = group->incarnation == 0 && group->stage == STAGE_NONE;
    group->newest_incarnation = assignment->incarnation;
    group->wanted = (enum wanted)assignment->wanted;
    if (fresh) /* nothing was here; plan begins it or confirms that nothing is */
        group->stage = STAGE_CLEARED;
    /* What is cleared already is told under the number the plane asks about. */
    if (group->stage == STAGE_CLEARED && !run)
        group->incarnation = assignment->incarnation;
    agent_changed(agent, group);
    return true;
}

/* An agent that came back without its memory files (a reboot) gets the order of the incarnation at work again. */
static bool adopt_order(struct agent *agent, struct hosted *group,
                        const struct assignment *assignment, struct err *err)
{
    struct err unsaved = {0};
    char path[PATH_SIZE];

    if (group->order || !assignment->group || assignment->incarnation != group->incarnation)
        return true;
    group->order = order_new(assignment, err);
    if (!group->order)
        return false;
    if (!order_save(group->order, group_order_path(&agent->parts, group->uid, path), &unsaved))
        log_failure("order_not_saved", &unsaved);
    if (!group->newest)
        group->newest = order_hold(group->order);
    agent_probe(agent, group);
    return true;
}

static void remove_unnamed(struct agent *agent)
{
    for (struct hosted *group = agent->groups.first; group; group = group->next) {
        if (group->named_epoch == agent->epoch || group->wanted == WANTED_REMOVE)
            continue;
        log_info("group_unnamed", "group=%s", group->uid);
        group->wanted = WANTED_REMOVE;
        agent_changed(agent, group);
    }
}

/* False when it was not taken and may be the next time. */
static bool take_assignment(struct agent *agent, const struct assignment *assignment)
{
    struct err err = {0};
    struct hosted *group;

    if (!id_valid(assignment->uid)) {
        log_warn("order_refused", "group=%s", LOG_QUOTE(assignment->uid));
        return true;
    }
    group = agent_find(agent, assignment->uid);
    if (!group)
        group = agent_add(agent, assignment->uid, &err);
    if (group)
        group->named_epoch = agent->epoch;
    if (group && adopt_order(agent, group, assignment, &err) &&
        take_order(agent, group, assignment, &err))
        return true;
    log_failure("order_not_taken", &err);
    return !err_code_retry(err.code);
}

void agent_take_desired(void *context, int64_t after, const struct desired *desired)
{
    struct agent *agent = context;
    bool taken = true;

    for (size_t i = 0; i < desired->assignments_count; i++)
        taken &= take_assignment(agent, &desired->assignments[i]);
    taken &= agent_take_leaving(agent, &desired->remove_disks);
    for (size_t i = 0; i < desired->questions_count; i++)
        job_answer(&agent->jobs, &desired->questions[i]);
    if (agent->listing && desired->complete) {
        agent->listing = false;
        remove_unnamed(agent);
    }
    if (desired->revision > agent->heard_revision)
        agent->heard_revision = desired->revision;
    /* One that begins behind an order that was not taken does not close that gap. */
    if (taken && after <= agent->taken_revision && desired->revision > agent->taken_revision)
        agent->taken_revision = desired->revision;
    if (agent->taken_revision >= agent->heard_revision)
        agent->asks = agent->ask_again_ms = 0;
}

/* Not at once, and more and more rarely: what is short now is not helped by asking. */
void agent_ask_again(struct agent *agent)
{
    int64_t now_ms = steady_ms(), pause_ms = (int64_t)ASK_AGAIN_MS << agent->asks;

    if (agent->taken_revision >= agent->heard_revision || now_ms < agent->ask_again_ms)
        return;
    link_ask(agent->jobs.link, agent->taken_revision);
    if (pause_ms < ASK_AGAIN_MAX_MS)
        agent->asks++;
    agent->ask_again_ms = now_ms + (pause_ms < ASK_AGAIN_MAX_MS ? pause_ms : ASK_AGAIN_MAX_MS);
}
