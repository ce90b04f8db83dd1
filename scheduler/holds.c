#include "scheduler/holds.h"

#define NOWHERE UINT32_MAX

void holds_done(struct holds *holds)
{
    key_map_done(&holds->groups);
    free(holds->items);
    *holds = (struct holds){0};
}

static bool grow(struct holds *holds)
{
    uint32_t wanted = holds->max ? holds->max * 2 : 256;
    struct hold *items = realloc(holds->items, wanted * sizeof *items);
    if (!items)
        return false;
    holds->items = items;
    holds->max = wanted;
    return true;
}

/* Free ones are chained; 0 ends the chain, so indexes in it count from 1. */
static uint32_t item_take(struct holds *holds)
{
    if (holds->free != 0) {
        uint32_t at = holds->free - 1;
        holds->free = holds->items[at].next;
        return at;
    }
    if (holds->count == holds->max && !grow(holds))
        return NOWHERE;
    return holds->count++;
}

static void item_drop(struct holds *holds, uint32_t at)
{
    holds->items[at].group_key = 0;
    holds->items[at].next = holds->free;
    holds->free = at + 1;
}

static uint32_t first_of(const struct holds *holds, int64_t group_key)
{
    int64_t first = key_map_find(&holds->groups, group_key);
    return first == KEY_MAP_NONE ? NOWHERE : (uint32_t)first;
}

/* A group holds once on a node: a new run takes the place of the one before. */
static bool replace(struct holds *holds, struct fleet *fleet, int64_t group_key, uint32_t slot,
                    const struct shape *shape)
{
    for (uint32_t at = first_of(holds, group_key); at != NOWHERE; at = holds->items[at].next) {
        struct hold *hold = &holds->items[at];
        if (hold->slot != slot || !fleet_holds(fleet, slot, hold->node_key))
            continue;
        plan_release(fleet->plan, slot, &hold->shape);
        plan_hold(fleet->plan, slot, shape);
        hold->shape = *shape;
        return true;
    }
    return false;
}

bool holds_add(struct holds *holds, struct fleet *fleet, int64_t group_key, int64_t node_key,
               const struct shape *shape)
{
    int64_t slot = fleet_slot(fleet, node_key);
    if (slot == PLAN_NONE || replace(holds, fleet, group_key, (uint32_t)slot, shape))
        return true;
    uint32_t at = item_take(holds), first = first_of(holds, group_key);
    if (at == NOWHERE)
        return false;
    if (!key_map_put(&holds->groups, group_key, at)) {
        item_drop(holds, at);
        return false;
    }
    holds->items[at] = (struct hold){group_key, node_key, (uint32_t)slot, *shape, first};
    plan_hold(fleet->plan, (uint32_t)slot, shape);
    return true;
}

void holds_remove(struct holds *holds, struct fleet *fleet, int64_t group_key, holds_gave gave,
                  void *context)
{
    uint32_t at = first_of(holds, group_key);
    key_map_remove(&holds->groups, group_key);
    while (at != NOWHERE) {
        struct hold hold = holds->items[at];
        item_drop(holds, at);
        at = hold.next;
        if (!fleet_holds(fleet, hold.slot, hold.node_key))
            continue;
        plan_release(fleet->plan, hold.slot, &hold.shape);
        if (gave)
            gave(hold.slot, context);
    }
}

void holds_clear(struct holds *holds, struct fleet *fleet)
{
    for (size_t i = 0; i < holds->groups.capacity; i++)
        while (holds->groups.cells[i].key != 0)
            holds_remove(holds, fleet, holds->groups.cells[i].key, NULL, NULL);
    holds_done(holds);
}

bool holds_find(const struct holds *holds, int64_t group_key, int64_t node_key, struct shape *shape)
{
    for (uint32_t at = first_of(holds, group_key); at != NOWHERE; at = holds->items[at].next) {
        if (holds->items[at].node_key != node_key)
            continue;
        *shape = holds->items[at].shape;
        return true;
    }
    return false;
}

bool holds_any(const struct holds *holds, int64_t group_key)
{
    return first_of(holds, group_key) != NOWHERE;
}
