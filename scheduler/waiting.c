#include "scheduler/waiting.h"

void waiting_done(struct waiting *waiting)
{
    for (uint32_t i = 0; i < waiting->pools_count; i++)
        space_free(waiting->pools[i]);
    free(waiting->pools);
    free(waiting->items);
    key_map_done(&waiting->groups);
    *waiting = (struct waiting){0};
}

static uint32_t coordinate(int64_t amount, int64_t weight)
{
    int64_t most = (int64_t)SPACE_COORDINATE_MAX / weight;
    return (uint32_t)((amount < 0 ? 0 : amount > most ? most : amount) * weight);
}

static bool pools_reserve(struct waiting *waiting, uint32_t number)
{
    while (waiting->pools_count <= number) {
        struct space **pools = realloc(waiting->pools, (waiting->pools_count + 1) * sizeof *pools);
        if (!pools)
            return false;
        waiting->pools = pools;
        waiting->pools[waiting->pools_count] = space_new();
        if (!waiting->pools[waiting->pools_count])
            return false;
        waiting->pools_count++;
    }
    return true;
}

/* An index that may be used; -1 when out of memory. */
static int64_t item_find(struct waiting *waiting)
{
    if (waiting->free != 0)
        return waiting->free - 1;
    if (waiting->used == waiting->max) {
        uint32_t wanted = waiting->max ? waiting->max * 2 : 256;
        struct waiter *items = realloc(waiting->items, wanted * sizeof *items);
        if (!items)
            return -1;
        waiting->items = items;
        waiting->max = wanted;
    }
    return waiting->used;
}

static void item_take(struct waiting *waiting, uint32_t at)
{
    if (at == waiting->used)
        waiting->used++;
    else
        waiting->free = (uint32_t)waiting->items[at].revision;
}

/* One bound to a node is in no index: it would be asked for by nodes that cannot take it. */
static bool index_put(struct waiting *waiting, const struct waiter *waiter, uint32_t at)
{
    return waiter->disk_node_key != 0 ||
           space_put(waiting->pools[waiter->pool->number], at,
                     coordinate(waiter->shape.cpu_milli, PLAN_CPU_WEIGHT),
                     coordinate(waiter->shape.memory_mib, 1), (uint64_t)waiter->revision);
}

static void index_remove(struct waiting *waiting, const struct waiter *waiter, uint32_t at)
{
    if (waiter->disk_node_key == 0)
        space_remove(waiting->pools[waiter->pool->number], at);
}

int64_t waiting_add(struct waiting *waiting, const struct waiter *waiter)
{
    int64_t found = item_find(waiting);
    if (found < 0 || !pools_reserve(waiting, waiter->pool->number))
        return -1;
    uint32_t at = (uint32_t)found;
    if (!index_put(waiting, waiter, at))
        return -1;
    if (!key_map_put(&waiting->groups, waiter->group_key, at)) {
        index_remove(waiting, waiter, at);
        return -1;
    }
    waiting->bound_count += waiter->disk_node_key != 0;
    item_take(waiting, at);
    waiting->items[at] = *waiter;
    waiting->items[at].used = true;
    waiting->count++;
    return found;
}

void waiting_remove(struct waiting *waiting, uint32_t at)
{
    struct waiter *waiter = &waiting->items[at];
    index_remove(waiting, waiter, at);
    waiting->bound_count -= waiter->disk_node_key != 0;
    key_map_remove(&waiting->groups, waiter->group_key);
    waiter->used = false;
    waiter->revision = waiting->free;
    waiting->free = at + 1;
    waiting->count--;
}

int64_t waiting_find(const struct waiting *waiting, int64_t group_key)
{
    return key_map_find(&waiting->groups, group_key);
}

static int64_t oldest_bound(const struct waiting *waiting, const struct plan_pool *pool,
                            int64_t node_key, const struct shape *room, waiting_filter allows,
                            void *context)
{
    int64_t oldest = -1;
    for (uint32_t i = 0; waiting->bound_count > 0 && i < waiting->used; i++) {
        const struct waiter *waiter = &waiting->items[i];
        if (waiter->used && waiter->disk_node_key == node_key && waiter->pool == pool &&
            waiter->shape.cpu_milli <= room->cpu_milli &&
            waiter->shape.memory_mib <= room->memory_mib &&
            (oldest < 0 || waiter->revision < waiting->items[oldest].revision) &&
            (!allows || allows(waiter, context)))
            oldest = i;
    }
    return oldest;
}

struct asked {
    const struct waiting *waiting;
    waiting_filter allows;
    void *context;
};

static bool asks(uint32_t at, void *context)
{
    const struct asked *asked = context;
    return asked->allows(&asked->waiting->items[at], asked->context);
}

int64_t waiting_oldest(const struct waiting *waiting, const struct plan_pool *pool,
                       int64_t node_key, const struct shape *room, waiting_filter allows,
                       void *context)
{
    struct asked asked = {waiting, allows, context};
    if (pool->number >= waiting->pools_count || room->cpu_milli < 0 || room->memory_mib < 0)
        return -1;
    int64_t free =
        space_find_below(waiting->pools[pool->number], coordinate(room->cpu_milli, PLAN_CPU_WEIGHT),
                         coordinate(room->memory_mib, 1), allows ? asks : NULL, &asked);
    int64_t bound = oldest_bound(waiting, pool, node_key, room, allows, context);
    if (free < 0 || bound < 0)
        return free < 0 ? bound : free;
    return waiting->items[bound].revision < waiting->items[free].revision ? bound : free;
}
