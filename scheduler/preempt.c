/* Room for the priority Regular: where a group of it finds none, groups of the priority Spot on one node are evicted and
 * the node is kept for it until they have gone. What they held is held until their node reports that they stopped, so
 * nothing ever runs beside what takes its place.
 *
 *   waits, fits nowhere ─▶ the node that lacks least without its Spot groups is kept ─▶ the cheapest of them evicted
 *   ─▶ their node lets go ─▶ placed (place.c)                          the node goes, or it waits no more ─▶ let go */
#include "scheduler/preempt.h"

#include "base/metrics.h"
#include "base/text.h"
#include "scheduler/room.h"

enum { SLOW_COUNT = 64 };

struct eviction {
    int64_t group_key, node_key;
};

struct evictions {
    struct eviction items[LIMIT_SCHEDULER_BATCH];
    size_t count;
};

static struct keep *find(struct scheduler *scheduler, int64_t group_key)
{
    for (size_t i = 0; i < COUNT_OF(scheduler->preempts); i++)
        if (scheduler->preempts[i].group_key == group_key)
            return &scheduler->preempts[i];
    return NULL;
}

int64_t preempt_slot(const struct scheduler *scheduler, int64_t group_key)
{
    const struct keep *keep = find((struct scheduler *)(uintptr_t)scheduler, group_key);
    return group_key != 0 && keep ? (int64_t)keep->slot : PLAN_NONE;
}

void preempt_end(struct scheduler *scheduler, int64_t group_key)
{
    struct keep *keep = group_key != 0 ? find(scheduler, group_key) : NULL;
    if (keep)
        keep_let_go(scheduler, keep);
}

/* ---- choosing: LOCK_SCHEDULER is held ---- */

static size_t victims_on(const struct scheduler *scheduler, uint32_t slot, struct victim *victims,
                         size_t victims_max)
{
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, slot);
    size_t count = 0;
    for (uint32_t i = 0; i < scheduler->holds.count && count < victims_max; i++) {
        const struct hold *hold = &scheduler->holds.items[i];
        if (hold->group_key != 0 && hold->shape.spot && hold->slot == slot &&
            hold->node_key == node->key)
            victims[count++] = (struct victim){.group_key = hold->group_key, .shape = hold->shape};
    }
    return count;
}

static bool take_victims(struct scheduler *scheduler, const struct plan_request *request,
                         uint32_t slot, struct evictions *evictions)
{
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, slot);
    struct victim victims[LIMIT_SCHEDULER_BATCH];
    struct shape room = plan_free_shape(node);
    size_t count = victims_on(scheduler, slot, victims, COUNT_OF(victims)), chosen = 0;
    if (request->shape.alone && (int64_t)count < node->spot_groups)
        return false; /* more than are evicted at a time */
    if (!victims_choose(victims, count, &room, &request->shape))
        return false;
    for (size_t i = 0; i < count; i++)
        chosen += victims[i].chosen;
    if (chosen > COUNT_OF(evictions->items) - evictions->count)
        return false; /* in the next round */
    for (size_t i = 0; i < count; i++)
        if (victims[i].chosen)
            evictions->items[evictions->count++] =
                (struct eviction){victims[i].group_key, node->key};
    return true;
}

/* For whom Spot groups may give way at all. */
static bool may_take(const struct scheduler *scheduler, uint32_t at)
{
    return at < scheduler->waiting.used && scheduler->waiting.items[at].used &&
           !scheduler->waiting.items[at].shape.spot;
}

static void consider(struct scheduler *scheduler, struct evictions *evictions, uint32_t at)
{
    const struct waiter *waiter = &scheduler->waiting.items[at];
    struct keep *keep = find(scheduler, 0);
    if (!may_take(scheduler, at) || !keep || find(scheduler, waiter->group_key))
        return;
    struct plan_request request = waiter_request(scheduler, waiter);
    int64_t slot = plan_find_without_spot(scheduler->fleet.plan, &request);
    if (slot == PLAN_NONE || !take_victims(scheduler, &request, (uint32_t)slot, evictions))
        return;
    plan_node_keep(scheduler->fleet.plan, (uint32_t)slot, waiter->group_key);
    *keep = (struct keep){.group_key = waiter->group_key,
                          .node_key = plan_node_get(scheduler->fleet.plan, (uint32_t)slot)->key,
                          .slot = (uint32_t)slot};
}

/* Some of those that have waited, in turn: a Regular group may have left Spot groups behind. However many of Spot wait,
 * they hold up nobody here. */
static void consider_slowly(struct scheduler *scheduler, struct evictions *evictions)
{
    uint32_t used = scheduler->waiting.used, considered = 0;
    for (uint32_t i = 0; i < used && considered < SLOW_COUNT; i++) {
        scheduler->preempt_cursor =
            scheduler->preempt_cursor + 1 < used ? scheduler->preempt_cursor + 1 : 0;
        considered += may_take(scheduler, scheduler->preempt_cursor);
        consider(scheduler, evictions, scheduler->preempt_cursor);
    }
}

static void consider_all(struct scheduler *scheduler, struct evictions *evictions, bool slow)
{
    WITH_LOCK(&scheduler->lock);
    for (size_t i = 0; i < scheduler->untold_count; i++)
        consider(scheduler, evictions, scheduler->untold[i]);
    if (slow)
        consider_slowly(scheduler, evictions);
}

/* ---- evicting ---- */

static bool evict_work(struct tx *tx, void *data, struct err *err)
{
    const struct evictions *evictions = data;
    for (size_t i = 0; i < evictions->count; i++) {
        const struct eviction *eviction = &evictions->items[i];
        struct err refused = {0};
        bool evicted = store_group_evict(tx, eviction->group_key, eviction->node_key, &refused);
        if (!evicted && refused.code != ERR_CONFLICT && refused.code != ERR_NOT_FOUND) {
            *err = refused;
            return false;
        }
        if (evicted)
            metric_add(METRIC_groups_evicted_total, 1);
    }
    return true;
}

/* Nothing was evicted: the nodes are for everyone again. */
static void let_all_go(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->lock);
    for (size_t i = 0; i < COUNT_OF(scheduler->preempts); i++)
        keep_let_go(scheduler, &scheduler->preempts[i]);
}

bool preempt(struct scheduler *scheduler, bool slow, struct err *err)
{
    if (scheduler->untold_count == 0 && !slow)
        return true;
    struct evictions *evictions = arena_alloc(scheduler->arena, sizeof *evictions);
    if (!evictions)
        return err_set(err, ERR_BUSY, "no memory to make room");
    evictions->count = 0;
    consider_all(scheduler, evictions, slow);
    if (evictions->count == 0)
        return true;
    if (store_write(scheduler->store, evict_work, evictions, err))
        return true;
    let_all_go(scheduler);
    return err_add(err, "while evicting groups of the priority Spot");
}

/* ---- as time goes ---- */

static bool still_good(const struct scheduler *scheduler, const struct keep *keep)
{
    int64_t at = waiting_find(&scheduler->waiting, keep->group_key);
    if (at < 0 || !fleet_holds(&scheduler->fleet, keep->slot, keep->node_key))
        return false;
    struct plan_request request = waiter_request(scheduler, &scheduler->waiting.items[at]);
    return plan_fits_without_spot(scheduler->fleet.plan, keep->slot, &request);
}

void preempt_renew(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->lock);
    for (size_t i = 0; i < COUNT_OF(scheduler->preempts); i++) {
        struct keep *keep = &scheduler->preempts[i];
        if (keep->group_key != 0 && !still_good(scheduler, keep))
            keep_let_go(scheduler, keep);
    }
}
