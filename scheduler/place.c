/* Plans groups on the picture and commits the plan, many in one piece of the store's work.
 *
 * Oldest first: waiters that fit where room appeared, then those whose placement failed, then those that just came.
 * Planning takes the room at once; what the store then refuses is given back and planned again or forgotten. */
#include "base/clock.h"
#include "base/metrics.h"
#include "scheduler/fit/fit.h"
#include "scheduler/room.h"

#include <string.h>

struct plan_request waiter_request(const struct scheduler *scheduler, const struct waiter *waiter)
{
    return (struct plan_request){
        .pool = waiter->pool,
        .shape = waiter->shape,
        .group_key = waiter->group_key,
        .last_slot = waiter->last_node_key ? fleet_slot(&scheduler->fleet, waiter->last_node_key)
                                           : PLAN_NONE,
        .disk_node = waiter->disk_node_key,
        .disk_slot = waiter->disk_node_key ? fleet_slot(&scheduler->fleet, waiter->disk_node_key)
                                           : PLAN_NONE,
    };
}

/* ---- planning: LOCK_SCHEDULER is held ---- */

static int64_t find_anywhere(const struct scheduler *scheduler, const struct plan_request *request)
{
    int64_t slot = plan_find(scheduler->fleet.plan, request);
    if (slot == PLAN_NONE)
        slot = preempt_slot(scheduler, request->group_key);
    if (slot != PLAN_NONE && !plan_fits(scheduler->fleet.plan, (uint32_t)slot, request))
        slot = PLAN_NONE; /* those that make room have not gone yet */
    if (slot != PLAN_NONE || request->pool->number >= scheduler->keeps_count)
        return slot;
    const struct keep *keep = &scheduler->keeps[request->pool->number];
    bool is_kept = keep->group_key == request->group_key &&
                   plan_fits(scheduler->fleet.plan, keep->slot, request);
    return is_kept ? (int64_t)keep->slot : PLAN_NONE;
}

/* On the node where it ran before, a new run takes the place of the old one: what the group still holds there counts
 * as free for it. */
static int64_t find_place(struct scheduler *scheduler, const struct waiter *waiter)
{
    struct plan *plan = scheduler->fleet.plan;
    struct plan_request request = waiter_request(scheduler, waiter);
    struct shape own;
    bool holds = request.last_slot != PLAN_NONE &&
                 holds_find(&scheduler->holds, waiter->group_key, waiter->last_node_key, &own);
    if (holds)
        plan_give(plan, (uint32_t)request.last_slot, &own);
    int64_t slot = find_anywhere(scheduler, &request);
    if (holds)
        plan_take(plan, (uint32_t)request.last_slot, &own);
    return slot;
}

/* False when no node takes it now. */
static bool plan_one(struct scheduler *scheduler, const struct waiter *waiter)
{
    int64_t slot = find_place(scheduler, waiter);
    if (slot == PLAN_NONE)
        return false;
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, (uint32_t)slot);
    scheduler->placing[scheduler->placing_count++] = (struct placement){
        .waiter = *waiter, .slot = (uint32_t)slot, .node_key = node->key, .epoch = node->epoch};
    plan_take(scheduler->fleet.plan, (uint32_t)slot, &waiter->shape);
    return true;
}

static bool batch_full(const struct scheduler *scheduler)
{
    return scheduler->placing_count == COUNT_OF(scheduler->placing);
}

/* What no room of its own decides: who waits for another kind of node, for GPUs or for a port lets others pass. */
static bool is_of_use(const struct waiter *waiter, void *context)
{
    struct plan_request request = {.shape = waiter->shape};
    return fit_class(context, &request) && fit_gpu(context, &request) &&
           fit_ports(context, &request) && fit_zone(context, &request) &&
           fit_empty(context, &request) && fit_shared(context, &request);
}

static bool is_of_use_and_regular(const struct waiter *waiter, void *context)
{
    return !waiter->shape.spot && is_of_use(waiter, context);
}

static int64_t oldest_for(const struct scheduler *scheduler, const struct plan_node *node)
{
    if (node->kept_for != 0)
        return waiting_find(&scheduler->waiting, node->kept_for);
    struct shape room = plan_free_shape(node);
    void *context = (void *)(uintptr_t)node;
    int64_t at = waiting_oldest(&scheduler->waiting, node->pool, node->key, &room,
                                is_of_use_and_regular, context);
    return at >= 0 ? at
                   : waiting_oldest(&scheduler->waiting, node->pool, node->key, &room, is_of_use,
                                    context);
}

/* Waiters that one node can take now; false when the batch is full before it can take no more. */
static bool plan_grown(struct scheduler *scheduler, uint32_t slot)
{
    const struct plan_node *node;
    while ((node = plan_node_get(scheduler->fleet.plan, slot)) && node->ready && !node->cordoned) {
        int64_t at = oldest_for(scheduler, node);
        if (at < 0)
            return true;
        if (batch_full(scheduler))
            return false;
        if (!plan_one(scheduler, &scheduler->waiting.items[at]))
            return true;
        waiting_remove(&scheduler->waiting, (uint32_t)at);
    }
    return true;
}

static void plan_again(struct scheduler *scheduler, uint32_t at)
{
    if (at < scheduler->waiting.used && scheduler->waiting.items[at].used &&
        plan_one(scheduler, &scheduler->waiting.items[at]))
        waiting_remove(&scheduler->waiting, at);
}

static int64_t wait_for_room(struct scheduler *scheduler, const struct waiter *waiter)
{
    int64_t known = waiting_find(&scheduler->waiting, waiter->group_key);
    if (known >= 0)
        waiter_end(scheduler, (uint32_t)known);
    int64_t at = waiting_add(&scheduler->waiting, waiter);
    if (at < 0)
        picture_doubt(scheduler); /* the store still has it */
    return at;
}

/* The room that admission kept for such a group is there for it now. */
static void plan_fresh(struct scheduler *scheduler, const struct waiter *waiter)
{
    int64_t kept = promises_end_of(&scheduler->promises, &scheduler->fleet, waiter->group_key);
    bool placed = plan_one(scheduler, waiter);
    note_grown(scheduler, kept);
    if (placed)
        return;
    int64_t at = wait_for_room(scheduler, waiter);
    if (at >= 0 && scheduler->untold_count < COUNT_OF(scheduler->untold))
        scheduler->untold[scheduler->untold_count++] = (uint32_t)at;
}

static void drop_first(void *items, size_t size, size_t *count, size_t done)
{
    if (done == 0)
        return; /* there may be no items at all */
    memmove(items, (char *)items + done * size, (*count - done) * size);
    *count -= done;
}

void place_plan(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->lock);
    struct slots *grown = &scheduler->grown, *again = &scheduler->again;
    size_t done = 0;
    while (done < grown->count && plan_grown(scheduler, grown->items[done]))
        done++;
    drop_first(grown->items, sizeof *grown->items, &grown->count, done);
    for (done = 0; done < again->count && !batch_full(scheduler); done++)
        plan_again(scheduler, again->items[done]);
    drop_first(again->items, sizeof *again->items, &again->count, done);
    for (done = 0; done < scheduler->fresh_count && !batch_full(scheduler); done++)
        plan_fresh(scheduler, &scheduler->fresh[done]);
    drop_first(scheduler->fresh, sizeof *scheduler->fresh, &scheduler->fresh_count, done);
}

/* ---- committing ---- */

static bool concerns_one(enum err_code code)
{
    return code == ERR_NODE_EPOCH || code == ERR_NODE_UNKNOWN || code == ERR_CONFLICT ||
           code == ERR_NOT_FOUND || code == ERR_DISK;
}

/* Another group that names the same local disk was placed first: from now on it is known where this one must go. */
static bool learn_disk(struct scheduler *scheduler, struct tx *tx, struct waiter *waiter,
                       struct err *err)
{
    struct err absent = {0};
    const struct pending_row *row =
        store_pending_find(tx, waiter->group_key, scheduler->arena, &absent);
    if (row)
        waiter->disk_node_key = row->disk_node_key;
    if (!row && absent.code != ERR_OK)
        *err = absent;
    return row || absent.code == ERR_OK;
}

static bool place_work(struct tx *tx, void *data, struct err *err)
{
    struct scheduler *scheduler = data;
    for (size_t i = 0; i < scheduler->placing_count; i++) {
        struct placement *placement = &scheduler->placing[i];
        struct err refused = {0};
        placement->first_revision = tx_revision(tx);
        bool placed =
            store_assignment_place(tx, placement->waiter.group_key, placement->waiter.incarnation,
                                   placement->node_key, placement->epoch, &refused);
        if (!placed && !concerns_one(refused.code)) {
            *err = refused;
            return false;
        }
        if (refused.code == ERR_DISK && !learn_disk(scheduler, tx, &placement->waiter, err))
            return false;
        placement->end_revision = tx_revision(tx);
        placement->outcome = refused.code;
    }
    return true;
}

/* What is planned becomes what is held. What the group held before the store replaced, so that is read. */
static void settle_placed(struct scheduler *scheduler, const struct placement *placement)
{
    const struct waiter *waiter = &placement->waiter;
    bool is_first = !holds_any(&scheduler->holds, waiter->group_key);
    if (!holds_add(&scheduler->holds, &scheduler->fleet, waiter->group_key, placement->node_key,
                   &waiter->shape))
        picture_doubt(scheduler);
    keep_end(scheduler, waiter->pool, waiter->group_key);
    if (is_first)
        scheduler->placed[scheduler->placed_count++] = *placement;
    metric_add(METRIC_groups_placed_total, 1);
}

static void settle_retry(struct scheduler *scheduler, const struct placement *placement)
{
    int64_t at = wait_for_room(scheduler, &placement->waiter);
    if (at >= 0 && !slots_add(&scheduler->again, (uint32_t)at))
        picture_doubt(scheduler);
}

static void settle(struct scheduler *scheduler, const struct placement *placement)
{
    plan_give(scheduler->fleet.plan, placement->slot, &placement->waiter.shape);
    if (placement->outcome == ERR_OK) {
        settle_placed(scheduler, placement);
        return;
    }
    if (!slots_add(&scheduler->grown, placement->slot))
        picture_doubt(scheduler);
    if (placement->outcome == ERR_CONFLICT || placement->outcome == ERR_NOT_FOUND) {
        keep_end(scheduler, placement->waiter.pool, placement->waiter.group_key);
        return; /* stopped, removed, or to be run anew: then it is listed again */
    }
    if (placement->outcome == ERR_NODE_EPOCH || placement->outcome == ERR_NODE_UNKNOWN)
        picture_reread_node(scheduler, placement->slot);
    settle_retry(scheduler, placement);
}

bool place_commit(struct scheduler *scheduler, struct err *err)
{
    if (scheduler->placing_count == 0)
        return true;
    scheduler->placed_count = 0;
    bool committed = store_write(scheduler->store, place_work, scheduler, err);
    WITH_LOCK(&scheduler->lock);
    for (size_t i = 0; i < scheduler->placing_count; i++) {
        struct placement *placement = &scheduler->placing[i];
        if (!committed)
            placement->outcome = err->code;
        settle(scheduler, placement);
    }
    scheduler->placing_count = 0;
    return committed || err_add(err, "while placing groups");
}
