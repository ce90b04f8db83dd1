/* May a group be accepted now? Asked by any thread, answered from memory. A yes takes the room at once, so that a burst
 * is not told yes for the same room twice. */
#include "base/clock.h"
#include "base/text.h"
#include "scheduler/room.h"

#include <string.h>

enum { REFUSAL_KEPT_MS = 100 };

/* LOCK_SCHEDULER is held. */
static struct location *location_find(struct scheduler *scheduler, const char *normal)
{
    for (size_t i = 0; i < scheduler->locations_count; i++)
        if (strcmp(scheduler->locations[i].name, normal) == 0)
            return &scheduler->locations[i];
    return NULL;
}

static bool same_request(const struct plan_request *a, const struct plan_request *b)
{
    return a->pool == b->pool && a->disk_node == b->disk_node && shape_equal(&a->shape, &b->shape);
}

/* Nodes may be in locations that the configuration does not offer (any more). */
static void keep_served(struct scheduler *scheduler, struct plan_refusal *refusal)
{
    size_t kept = 0;
    for (size_t i = 0; i < refusal->elsewhere_count; i++)
        if (location_find(scheduler, refusal->elsewhere[i]->location))
            refusal->elsewhere[kept++] = refusal->elsewhere[i];
    refusal->elsewhere_count = kept;
}

/* The same question within a moment gets the same answer: counting looks at every node. */
static const struct plan_refusal *refusal_of(struct scheduler *scheduler,
                                             const struct plan_request *request)
{
    struct refusal_kept *kept = &scheduler->refused;
    int64_t now_ns = clock_boot_ns();
    if (now_ns >= kept->until_ns || !same_request(&kept->request, request)) {
        plan_explain(scheduler->fleet.plan, request, &kept->refusal);
        keep_served(scheduler, &kept->refusal);
        kept->request = *request;
        kept->until_ns = now_ns + REFUSAL_KEPT_MS * INT64_C(1000000);
    }
    return &kept->refusal;
}

/* LOCK_SCHEDULER is held. Promises are few enough to be kept; one too many is admitted without. Where it goes at once is
 * said for half as long as the room is kept: the other half is for the commit. */
static bool promise(struct scheduler *scheduler, const struct plan_request *request,
                    struct promised_place *place)
{
    const int64_t kept_ns = LIMIT_SCHEDULER_PROMISE_MS * INT64_C(1000000);
    int64_t now_ns = clock_boot_ns(), slot = plan_find(scheduler->fleet.plan, request);
    bool fits_now = slot != PLAN_NONE;
    if (!fits_now) /* Spot groups will make room: what is promised there is not promised again */
        slot = plan_find_without_spot(scheduler->fleet.plan, request);
    if (slot == PLAN_NONE)
        return false;
    place->promise = promises_add(&scheduler->promises, &scheduler->fleet, &request->shape,
                                  (uint32_t)slot, now_ns + kept_ns);
    if (!fits_now || place->promise == 0)
        return true;
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, (uint32_t)slot);
    place->node_key = node->key;
    place->epoch = node->epoch;
    place->until_ns = now_ns + kept_ns / 2;
    return true;
}

/* A group may wait for a node of its kind where it could ever find one, or where nobody knows yet what there will be. */
static bool may_wait(const struct plan_refusal *refusal)
{
    return refusal->could > 0 || refusal->there == 0;
}

static bool decide(struct scheduler *scheduler, const char *normal, enum os_type os,
                   const struct shape *shape, int64_t disk_node, struct promised_place *place,
                   struct plan_refusal *refusal)
{
    WITH_LOCK(&scheduler->lock);
    const struct location *location = location_find(scheduler, normal);
    const struct plan_pool *pool = plan_pool_find(scheduler->fleet.plan, normal, os);
    struct plan_pool unknown = {.os = os};
    text_copy(unknown.location, sizeof unknown.location, normal);
    struct plan_request request = {.pool = pool ? pool : &unknown,
                                   .shape = *shape,
                                   .last_slot = PLAN_NONE,
                                   .disk_node = disk_node,
                                   .disk_slot = disk_node ? fleet_slot(&scheduler->fleet, disk_node)
                                                          : PLAN_NONE};
    if (pool && promise(scheduler, &request, place))
        return true;
    *refusal = *refusal_of(scheduler, &request);
    return location && location->queue && may_wait(refusal);
}

bool scheduler_admit(struct scheduler *scheduler, const struct shape *shape, enum os_type os,
                     const char *location, int64_t node_key, struct promised_place *place,
                     char *why, size_t size)
{
    char normal[PLAN_LOCATION_SIZE];
    struct plan_refusal refusal;
    *place = (struct promised_place){0};
    if (!fleet_location(location, normal)) {
        text_copy(why, size, "There is no such location.");
        return false;
    }
    if (decide(scheduler, normal, os, shape, node_key, place, &refusal))
        return true;
    plan_refusal_advice(&refusal, why, size);
    return false;
}

/* What was given back is looked at when the thread next comes by; it is not worth waking for. */
void scheduler_admit_undo(struct scheduler *scheduler, int64_t promise)
{
    WITH_LOCK(&scheduler->lock);
    note_grown(scheduler, promises_end(&scheduler->promises, &scheduler->fleet, promise));
}

void promises_renew(struct scheduler *scheduler, int64_t now_ns)
{
    WITH_LOCK(&scheduler->lock);
    while (promises_next_ns(&scheduler->promises) <= now_ns)
        note_grown(scheduler, promises_lapse(&scheduler->promises, &scheduler->fleet, now_ns));
}

/* LOCK_SCHEDULER is held. NULL when out of memory. */
static struct location *location_add(struct scheduler *scheduler, const char *normal)
{
    struct location *locations =
        realloc(scheduler->locations, (scheduler->locations_count + 1) * sizeof *locations);
    if (!locations)
        return NULL;
    scheduler->locations = locations;
    struct location *added = &locations[scheduler->locations_count++];
    *added = (struct location){0};
    text_copy(added->name, sizeof added->name, normal);
    return added;
}

bool scheduler_set_queue(struct scheduler *scheduler, const char *location, bool queue)
{
    char normal[PLAN_LOCATION_SIZE];
    if (!fleet_location(location, normal))
        return false;
    WITH_LOCK(&scheduler->lock);
    struct location *found = location_find(scheduler, normal);
    if (!found)
        found = location_add(scheduler, normal);
    if (found)
        found->queue = queue;
    return found != NULL;
}

void scheduler_node_seen(struct scheduler *scheduler, int64_t node_key, int64_t epoch)
{
    int64_t now_ns = clock_boot_ns();
    WITH_LOCK(&scheduler->lock);
    fleet_seen(&scheduler->fleet, node_key, epoch, now_ns);
}

void scheduler_node_cordoned(struct scheduler *scheduler, int64_t node_key)
{
    WITH_LOCK(&scheduler->lock);
    fleet_cordon(&scheduler->fleet, node_key);
}

bool scheduler_node_room(struct scheduler *scheduler, int64_t node_key, struct node_room *room)
{
    int64_t now_ns = clock_boot_ns();
    WITH_LOCK(&scheduler->lock);
    int64_t slot = fleet_slot(&scheduler->fleet, node_key);
    if (slot == PLAN_NONE)
        return false;
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, (uint32_t)slot);
    struct shape free_shape = plan_free_shape(node);
    int64_t silent_ms = (now_ns - scheduler->fleet.leases[slot].seen_ns) / 1000000;
    *room = (struct node_room){free_shape.cpu_milli, free_shape.memory_mib, node->groups,
                               node->ready ? silent_ms : -1};
    return true;
}

bool scheduler_ready(struct scheduler *scheduler)
{
    return atomic_load(&scheduler->ready);
}
