#include "scheduler/promises.h"

#include "base/limits.h"

void promises_done(struct promises *promises)
{
    free(promises->items);
    *promises = (struct promises){0};
}

static uint32_t bucket_of(const struct plan_pool *pool, const struct shape *shape)
{
    uint64_t mixed = (uint64_t)shape->cpu_milli * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ (uint64_t)shape->memory_mib) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ pool->number) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(mixed >> 40) % PROMISE_BUCKETS;
}

static bool grow(struct promises *promises)
{
    uint32_t wanted = promises->max ? promises->max * 2 : 256;
    struct promise *items = realloc(promises->items, wanted * sizeof *items);
    if (!items)
        return false;
    promises->items = items;
    promises->max = wanted;
    promises->used += promises->used == 0;
    return true;
}

/* 0: none to be had. */
static uint32_t item_take(struct promises *promises)
{
    uint32_t at = promises->free;
    if (at != 0) {
        promises->free = promises->items[at].younger;
        return at;
    }
    if (promises->count >= LIMIT_SCHEDULER_PROMISES_MAX)
        return 0;
    if (promises->used == promises->max && !grow(promises))
        return 0;
    return promises->used++;
}

/* Both lists run from the oldest to the youngest. */
static void lists_enter(struct promises *promises, uint32_t at, uint32_t bucket)
{
    struct promise *items = promises->items;
    items[at].older = promises->youngest;
    items[at].bucket_older = promises->buckets[bucket].youngest;
    items[at].younger = items[at].bucket_younger = 0;
    *(promises->youngest ? &items[promises->youngest].younger : &promises->oldest) = at;
    promises->youngest = at;
    uint32_t before = promises->buckets[bucket].youngest;
    *(before ? &items[before].bucket_younger : &promises->buckets[bucket].oldest) = at;
    promises->buckets[bucket].youngest = at;
}

static void lists_leave(struct promises *promises, uint32_t at, uint32_t bucket)
{
    struct promise *items = promises->items, *item = &items[at];
    *(item->older ? &items[item->older].younger : &promises->oldest) = item->younger;
    *(item->younger ? &items[item->younger].older : &promises->youngest) = item->older;
    *(item->bucket_older ? &items[item->bucket_older].bucket_younger
                         : &promises->buckets[bucket].oldest) = item->bucket_younger;
    *(item->bucket_younger ? &items[item->bucket_younger].bucket_older
                           : &promises->buckets[bucket].youngest) = item->bucket_older;
}

bool promises_add(struct promises *promises, struct fleet *fleet, const struct plan_pool *pool,
                  const struct shape *shape, uint32_t slot, int64_t until_ns)
{
    uint32_t at = item_take(promises);
    if (at == 0)
        return false;
    promises->items[at] = (struct promise){.pool = pool,
                                           .shape = *shape,
                                           .node_key = plan_node_get(fleet->plan, slot)->key,
                                           .until_ns = until_ns,
                                           .slot = slot};
    lists_enter(promises, at, bucket_of(pool, shape));
    plan_take(fleet->plan, slot, shape);
    promises->count++;
    return true;
}

static int64_t end(struct promises *promises, struct fleet *fleet, uint32_t at)
{
    struct promise promise = promises->items[at];
    lists_leave(promises, at, bucket_of(promise.pool, &promise.shape));
    promises->items[at].younger = promises->free;
    promises->free = at;
    promises->count--;
    if (!fleet_holds(fleet, promise.slot, promise.node_key))
        return PLAN_NONE;
    plan_give(fleet->plan, promise.slot, &promise.shape);
    return promise.slot;
}

int64_t promises_end(struct promises *promises, struct fleet *fleet, const struct plan_pool *pool,
                     const struct shape *shape)
{
    uint32_t at = promises->count > 0 ? promises->buckets[bucket_of(pool, shape)].oldest : 0;
    for (; at != 0; at = promises->items[at].bucket_younger) {
        const struct promise *item = &promises->items[at];
        if (item->pool == pool && shape_equal(&item->shape, shape))
            return end(promises, fleet, at);
    }
    return PLAN_NONE;
}

int64_t promises_lapse(struct promises *promises, struct fleet *fleet, int64_t now_ns)
{
    while (promises->oldest != 0 && promises->items[promises->oldest].until_ns <= now_ns) {
        int64_t slot = end(promises, fleet, promises->oldest);
        if (slot != PLAN_NONE)
            return slot;
    }
    return PLAN_NONE;
}

int64_t promises_next_ns(const struct promises *promises)
{
    return promises->oldest == 0 ? INT64_MAX : promises->items[promises->oldest].until_ns;
}
