/* The groups that want to run and have no node: listed from the store in the order in which they began to wait. A
 * listed group is planned in the same round; what finds no room waits in memory until something changes. */
#include "base/clock.h"
#include "scheduler/room.h"

/* LOCK_SCHEDULER is held: pools belong to the plan. */
static bool waiter_from_row(struct scheduler *scheduler, const struct pending_row *row,
                            struct waiter *waiter)
{
    char location[PLAN_LOCATION_SIZE];
    const struct plan_pool *pool = fleet_location(row->location, location)
                                       ? plan_pool(scheduler->fleet.plan, location, row->os)
                                       : NULL;
    if (!pool)
        return false;
    *waiter = (struct waiter){
        .group_key = row->group_key,
        .incarnation = row->incarnation,
        .revision = row->revision,
        .shape = row->shape,
        .pool = pool,
        .last_node_key = row->last_node_key,
        .disk_node_key = row->disk_node_key,
        .since_ns = clock_boot_ns(),
    };
    return true;
}

static bool take_row(struct scheduler *scheduler, const struct pending_row *row, struct err *err)
{
    WITH_LOCK(&scheduler->lock);
    struct waiter *waiter = &scheduler->fresh[scheduler->fresh_count];
    if (!waiter_from_row(scheduler, row, waiter))
        return err_set(err, ERR_BUSY, "no memory for a group that waits");
    scheduler->fresh_count++;
    scheduler->listed_revision = row->revision;
    return true;
}

static void end_if_waiting(struct scheduler *scheduler, int64_t group_key)
{
    WITH_LOCK(&scheduler->lock);
    int64_t at = waiting_find(&scheduler->waiting, group_key);
    if (at >= 0)
        waiter_end(scheduler, (uint32_t)at);
}

bool pending_list(struct scheduler *scheduler, struct tx *tx, struct err *err)
{
    size_t room = COUNT_OF(scheduler->fresh) - scheduler->fresh_count, count;
    if (!scheduler->list_more || room == 0 ||
        scheduler->waiting.count >= LIMIT_SCHEDULER_PENDING_MAX)
        return true;
    struct pending_row *rows;
    if (!store_pending_list(tx, scheduler->listed_revision, room, scheduler->arena, &rows, &count,
                            err))
        return false;
    for (size_t i = 0; i < count; i++) {
        end_if_waiting(scheduler, rows[i].group_key); /* it waits for another run now */
        if (!take_row(scheduler, &rows[i], err))
            return false;
    }
    scheduler->list_more = count == room;
    return true;
}

static bool is_promised(struct scheduler *scheduler, int64_t group_key)
{
    WITH_LOCK(&scheduler->lock);
    return promises_has(&scheduler->promises, group_key);
}

static void end_promise(struct scheduler *scheduler, int64_t group_key)
{
    WITH_LOCK(&scheduler->lock);
    note_grown(scheduler, promises_end_of(&scheduler->promises, &scheduler->fleet, group_key));
}

/* A group that waits, or that is to be listed, changed: it may have been stopped or removed. Who waits already was listed
 * before its promise was told of, and looks for room anew. */
bool pending_renew(struct scheduler *scheduler, struct tx *tx, int64_t group_key, struct err *err)
{
    int64_t at = waiting_find(&scheduler->waiting, group_key);
    bool promised = is_promised(scheduler, group_key);
    if (at < 0 && !promised)
        return true;
    const struct pending_row *row = store_pending_find(tx, group_key, scheduler->arena, err);
    if (!row && err->code != ERR_OK)
        return false;
    if (promised && (at >= 0 || !row))
        end_promise(scheduler, group_key);
    if (at < 0)
        return true;
    const struct waiter *waiter = &scheduler->waiting.items[at];
    if (!row || row->revision != waiter->revision || row->incarnation != waiter->incarnation)
        end_if_waiting(scheduler, group_key);
    return true;
}

/* LOCK_SCHEDULER is held: a node may have been kept for it. */
void waiter_end(struct scheduler *scheduler, uint32_t at)
{
    struct waiter waiter = scheduler->waiting.items[at];
    keep_end(scheduler, waiter.pool, waiter.group_key);
    waiting_remove(&scheduler->waiting, at);
}
