#include "node-agent/supervise/disks_leaving.h"

#include "base/log.h"
#include "node-agent/supervise/agent_state.h"

#include <string.h>

static struct leaving_disk *find(struct leaving *leaving, const char *id)
{
    for (size_t i = 0; i < leaving->count; i++) {
        if (strcmp(leaving->disks[i].id, id) == 0)
            return &leaving->disks[i];
    }
    return NULL;
}

bool agent_take_leaving(struct agent *agent, const struct text_list *ids)
{
    struct leaving *leaving = &agent->leaving;

    for (size_t i = 0; i < ids->count; i++) {
        if (!id_valid(ids->items[i]) || find(leaving, ids->items[i]))
            continue;
        if (leaving->count == COUNT_OF(leaving->disks))
            return false;
        struct leaving_disk *disk = &leaving->disks[leaving->count++];
        *disk = (struct leaving_disk){0};
        text_copy(disk->id, sizeof disk->id, ids->items[i]);
    }
    agent_leave_disks(agent);
    return true;
}

/* ---- removing ---- */

static bool order_names(const struct order *order, const char *id)
{
    for (size_t i = 0; order && i < order->assignment->disks_count; i++) {
        if (strcmp(order->assignment->disks[i].id, id) == 0)
            return true;
    }
    return false;
}

/* The plane waits for that too; a group that was changed may still run as it was. One without an order is known by
 * name only, until the plane has named it: so nothing goes before that. */
static bool is_used(const struct agent *agent, const char *id)
{
    for (const struct hosted *group = agent->groups.first; group; group = group->next) {
        if (order_names(group->order, id) || order_names(group->newest, id))
            return true;
    }
    return agent->listing;
}

struct removal {
    struct work work;
    struct message message;
    struct jobs *jobs;
    char id[ID_SIZE];
    bool ok;
    struct err err;
};

static void removal_take(void *context, struct message *message)
{
    struct agent *agent = context;
    struct removal *removal = CONTAINER_OF(message, struct removal, message);
    struct leaving_disk *disk = find(&agent->leaving, removal->id);

    agent->leaving.busy = false;
    if (disk && removal->ok) {
        disk->gone = agent->told_due = true;
        log_info("disk_removed", "disk=%s", removal->id);
    } else if (disk) {
        log_failure("disk_not_removed", &removal->err);
        disk->retry_ms = steady_ms() + LIMIT_DISK_RETRY_MS;
    }
    free(removal);
    if (agent->jobs.workers)
        agent_leave_disks(agent);
}

static void removal_run(struct work *work)
{
    struct removal *removal = CONTAINER_OF(work, struct removal, work);

    removal->ok = volumes_disk_remove(removal->jobs->parts.volumes, removal->id, &removal->err);
    inbox_put(removal->jobs->inbox, &removal->message);
}

static void removal_drop(struct work *work)
{
    free(CONTAINER_OF(work, struct removal, work));
}

static void remove_one(struct agent *agent, const char *id)
{
    struct removal *removal = calloc(1, sizeof *removal);

    if (!removal)
        return; /* at the next second */
    removal->work = (struct work){.run = removal_run, .drop = removal_drop};
    removal->message.deliver = removal_take;
    removal->jobs = &agent->jobs;
    text_copy(removal->id, sizeof removal->id, id);
    agent->leaving.busy = true;
    workers_submit(agent->jobs.workers, &removal->work);
}

void agent_leave_disks(struct agent *agent)
{
    struct leaving *leaving = &agent->leaving;

    for (size_t i = 0; i < leaving->count && !leaving->busy && agent->jobs.workers; i++) {
        const struct leaving_disk *disk = &leaving->disks[i];
        if (!disk->gone && steady_ms() >= disk->retry_ms && !is_used(agent, disk->id))
            remove_one(agent, disk->id);
    }
}

/* ---- telling ---- */

void agent_tell_leaving(struct agent *agent, struct report *report)
{
    struct leaving *leaving = &agent->leaving;

    leaving->told_count = 0;
    for (size_t i = 0; i < leaving->count; i++) {
        if (leaving->disks[i].gone)
            leaving->told[leaving->told_count++] = leaving->disks[i].id;
    }
    report->removed_disks = (struct text_list){
        .given = leaving->told_count > 0, .items = leaving->told, .count = leaving->told_count};
}

/* One that came to be gone after the report was made was not in it. */
void agent_take_leaving_told(struct agent *agent)
{
    struct leaving *leaving = &agent->leaving;

    for (size_t i = leaving->told_count; i-- > 0;) {
        struct leaving_disk *disk = (struct leaving_disk *)(uintptr_t)leaving->told[i];
        size_t at = (size_t)(disk - leaving->disks);
        memmove(disk, disk + 1, (leaving->count - at - 1) * sizeof *disk);
        leaving->count--;
    }
    leaving->told_count = 0;
}
