#include "scheduler/promises.h"

#include "base/limits.h"

/* A number says where its promise is, too: places are below 2^PLACE_BITS. */
enum { PLACE_BITS = 20, PLACE_MASK = (1 << PLACE_BITS) - 1 };
_Static_assert((int)LIMIT_SCHEDULER_PROMISES_MAX < (int)PLACE_MASK,
               "a number has room for every place");

void promises_done(struct promises *promises)
{
    key_map_done(&promises->groups);
    free(promises->items);
    *promises = (struct promises){0};
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

static void list_enter(struct promises *promises, uint32_t at)
{
    struct promise *items = promises->items;
    items[at].older = promises->youngest;
    items[at].younger = 0;
    *(promises->youngest ? &items[promises->youngest].younger : &promises->oldest) = at;
    promises->youngest = at;
}

static void list_leave(struct promises *promises, uint32_t at)
{
    struct promise *items = promises->items, *item = &items[at];
    *(item->older ? &items[item->older].younger : &promises->oldest) = item->younger;
    *(item->younger ? &items[item->younger].older : &promises->youngest) = item->older;
}

int64_t promises_add(struct promises *promises, struct fleet *fleet, const struct shape *shape,
                     uint32_t slot, int64_t until_ns)
{
    uint32_t at = item_take(promises);
    if (at == 0)
        return 0;
    promises->given++;
    promises->items[at] = (struct promise){.number = (promises->given << PLACE_BITS) | (int64_t)at,
                                           .node_key = plan_node_get(fleet->plan, slot)->key,
                                           .until_ns = until_ns,
                                           .shape = *shape,
                                           .slot = slot};
    list_enter(promises, at);
    plan_take(fleet->plan, slot, shape);
    promises->count++;
    return promises->items[at].number;
}

/* 0: it ended. */
static uint32_t find(const struct promises *promises, int64_t number)
{
    uint32_t at = (uint32_t)(number & PLACE_MASK);
    return number != 0 && at < promises->used && promises->items[at].number == number ? at : 0;
}

static int64_t end(struct promises *promises, struct fleet *fleet, uint32_t at)
{
    struct promise promise = promises->items[at];
    if (promise.group_key != 0)
        key_map_remove(&promises->groups, promise.group_key);
    list_leave(promises, at);
    promises->items[at].number = 0;
    promises->items[at].younger = promises->free;
    promises->free = at;
    promises->count--;
    if (!fleet_holds(fleet, promise.slot, promise.node_key))
        return PLAN_NONE;
    plan_give(fleet->plan, promise.slot, &promise.shape);
    return promise.slot;
}

int64_t promises_end(struct promises *promises, struct fleet *fleet, int64_t number)
{
    uint32_t at = find(promises, number);
    return at != 0 ? end(promises, fleet, at) : PLAN_NONE;
}

bool promises_keep(struct promises *promises, struct fleet *fleet, int64_t number,
                   struct shape *shape)
{
    uint32_t at = find(promises, number);
    if (at == 0)
        return false;
    *shape = promises->items[at].shape;
    (void)end(promises, fleet, at);
    return true;
}

int64_t promises_end_of(struct promises *promises, struct fleet *fleet, int64_t group_key)
{
    int64_t at = key_map_find(&promises->groups, group_key);
    return at != KEY_MAP_NONE ? end(promises, fleet, (uint32_t)at) : PLAN_NONE;
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

/* Without memory it is bound to none, and lapses. */
int64_t promises_bind(struct promises *promises, struct fleet *fleet, int64_t number,
                      int64_t group_key)
{
    uint32_t at = find(promises, number);
    if (at == 0)
        return PLAN_NONE;
    int64_t gave = promises_end_of(promises, fleet, group_key);
    if (key_map_put(&promises->groups, group_key, at))
        promises->items[at].group_key = group_key;
    return gave;
}

bool promises_has(const struct promises *promises, int64_t group_key)
{
    return key_map_find(&promises->groups, group_key) != KEY_MAP_NONE;
}

int64_t promises_next_ns(const struct promises *promises)
{
    return promises->oldest == 0 ? INT64_MAX : promises->items[promises->oldest].until_ns;
}
