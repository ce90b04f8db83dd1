/* Fairness: a group that has been overtaken for too long gets a node kept for it, which takes no other until it
 * fits. One in each pool: the group that waits longest of those that any of its nodes could hold. */
#include "scheduler/fit/fit.h"
#include "scheduler/room.h"

static bool keeps_reserve(struct scheduler *scheduler, uint32_t count)
{
    if (count <= scheduler->keeps_count)
        return true;
    struct keep *keeps = realloc(scheduler->keeps, count * sizeof *keeps);
    if (!keeps)
        return false;
    for (uint32_t i = scheduler->keeps_count; i < count; i++)
        keeps[i] = (struct keep){0};
    scheduler->keeps = keeps;
    scheduler->keeps_count = count;
    return true;
}

void keep_let_go(struct scheduler *scheduler, struct keep *keep)
{
    struct fleet *fleet = &scheduler->fleet;
    if (keep->group_key != 0 && fleet_holds(fleet, keep->slot, keep->node_key)) {
        plan_node_keep(fleet->plan, keep->slot, 0);
        if (!slots_add(&scheduler->grown, keep->slot))
            picture_doubt(scheduler);
    }
    *keep = (struct keep){0};
}

/* LOCK_SCHEDULER is held. */
void keep_end(struct scheduler *scheduler, const struct plan_pool *pool, int64_t group_key)
{
    preempt_end(scheduler, group_key);
    if (pool->number < scheduler->keeps_count &&
        scheduler->keeps[pool->number].group_key == group_key)
        keep_let_go(scheduler, &scheduler->keeps[pool->number]);
}

static bool still_good(const struct scheduler *scheduler, const struct keep *keep)
{
    int64_t at = waiting_find(&scheduler->waiting, keep->group_key);
    if (at < 0 || !fleet_holds(&scheduler->fleet, keep->slot, keep->node_key))
        return false;
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, keep->slot);
    struct plan_request request = waiter_request(scheduler, &scheduler->waiting.items[at]);
    return node->ready && !node->cordoned && fit_could(node, &request);
}

static void keep_begin(struct scheduler *scheduler, struct keep *keep, const struct waiter *waiter)
{
    struct plan_request request = waiter_request(scheduler, waiter);
    int64_t slot = plan_find_nearest(scheduler->fleet.plan, &request);
    if (slot == PLAN_NONE)
        return;
    plan_node_keep(scheduler->fleet.plan, (uint32_t)slot, waiter->group_key);
    *keep =
        (struct keep){waiter->group_key, plan_node_get(scheduler->fleet.plan, (uint32_t)slot)->key,
                      (uint32_t)slot};
}

/* Who may be evicted any time has no node kept for it. */
static bool could_be_here(const struct waiter *waiter, void *context)
{
    if (waiter->shape.spot)
        return false;
    struct plan_request request = {.pool = waiter->pool, .shape = waiter->shape};
    return fit_could(context, &request);
}

/* The waiter that waits longest of those that some node of the pool could hold if it were idle; -1: none. */
static int64_t oldest_possible(const struct scheduler *scheduler, uint32_t pool)
{
    const struct waiter *waiters = scheduler->waiting.items;
    int64_t oldest = -1;
    for (uint32_t i = 0; i < plan_slots(scheduler->fleet.plan); i++) {
        const struct plan_node *node = plan_node_get(scheduler->fleet.plan, i);
        if (!node || node->pool->number != pool || !node->ready || node->cordoned)
            continue;
        int64_t at = waiting_oldest(&scheduler->waiting, node->pool, node->key, &node->capacity,
                                    could_be_here, (void *)(uintptr_t)node);
        if (at >= 0 && (oldest < 0 || waiters[at].revision < waiters[oldest].revision))
            oldest = at;
    }
    return oldest;
}

static bool waited_long(const struct waiter *waiter, int64_t now_ns)
{
    return now_ns - waiter->since_ns >= LIMIT_SCHEDULER_PATIENCE_MS * INT64_C(1000000);
}

void keep_renew(struct scheduler *scheduler, int64_t now_ns)
{
    if (scheduler->waiting.count == 0 && scheduler->keeps_count == 0)
        return;
    WITH_LOCK(&scheduler->lock);
    if (!keeps_reserve(scheduler, scheduler->waiting.pools_count))
        return;
    for (uint32_t i = 0; i < scheduler->keeps_count; i++) {
        struct keep *keep = &scheduler->keeps[i];
        if (keep->group_key != 0 && still_good(scheduler, keep))
            continue;
        keep_let_go(scheduler, keep);
        int64_t oldest = scheduler->waiting.count > 0 ? oldest_possible(scheduler, i) : -1;
        if (oldest >= 0 && waited_long(&scheduler->waiting.items[oldest], now_ns))
            keep_begin(scheduler, keep, &scheduler->waiting.items[oldest]);
    }
}
