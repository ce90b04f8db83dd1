#include "scheduler/plan.h"

#include "base/limits.h"
#include "base/text.h"
#include "scheduler/fit/fit.h"
#include "scheduler/space.h"

#include <string.h>

_Static_assert((int64_t)PLAN_CPU_WEIGHT *LIMIT_NODE_CPU_MILLI_MAX <= SPACE_COORDINATE_MAX,
               "CPU is a coordinate");
_Static_assert(LIMIT_NODE_MEMORY_MIB_MAX <= SPACE_COORDINATE_MAX, "memory is a coordinate");

struct pool {
    struct plan_pool open; /* first: a plan_pool given out is this */
    struct space *index;   /* its nodes that take groups */
    struct pool *next;
};

struct plan {
    struct pool *pools;
    uint32_t pools_count;
    struct slot {
        struct plan_node node;
        bool used;
    } * slots;
    uint32_t slots_count, slots_max, free_count;
    int64_t spot_groups;
    uint64_t version;
};

struct plan *plan_new(void)
{
    return calloc(1, sizeof(struct plan));
}

static void pools_free(struct pool *pools)
{
    while (pools) {
        struct pool *next = pools->next;
        space_free(pools->index);
        free(pools);
        pools = next;
    }
}

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    pools_free(plan->pools);
    for (uint32_t i = 0; i < plan->slots_count; i++)
        ports_done(&plan->slots[i].node.ports);
    free(plan->slots);
    free(plan);
}

uint64_t plan_version(const struct plan *plan)
{
    return plan->version;
}

/* ---- pools ---- */

const struct plan_pool *plan_pool_find(const struct plan *plan, const char *location,
                                       enum os_type os)
{
    for (const struct pool *pool = plan->pools; pool; pool = pool->next)
        if (pool->open.os == os && strcmp(pool->open.location, location) == 0)
            return &pool->open;
    return NULL;
}

const struct plan_pool *plan_pool(struct plan *plan, const char *location, enum os_type os)
{
    const struct plan_pool *known = plan_pool_find(plan, location, os);
    if (known)
        return known;
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool || !(pool->index = space_new())) {
        free(pool);
        return NULL;
    }
    pool->open.os = os;
    pool->open.number = plan->pools_count++;
    text_copy(pool->open.location, sizeof pool->open.location, location);
    pool->next = plan->pools;
    plan->pools = pool;
    return &pool->open;
}

static struct pool *pool_of(const struct plan_pool *open)
{
    return (struct pool *)(uintptr_t)open;
}

/* ---- nodes ---- */

struct shape plan_free_shape(const struct plan_node *node)
{
    return (struct shape){.cpu_milli = node->capacity.cpu_milli - node->used.cpu_milli,
                          .memory_mib = node->capacity.memory_mib - node->used.memory_mib};
}

/* The index holds what may take something: the other rules are asked when a search is about to choose. */
static bool index_wants(const struct plan_node *node)
{
    struct shape room = plan_free_shape(node);
    return node->ready && !node->cordoned && node->kept_for == 0 && node->alone == 0 &&
           room.cpu_milli >= 0 && room.memory_mib >= 0;
}

static void index_leave(struct plan *plan, uint32_t slot)
{
    struct space *index = pool_of(plan->slots[slot].node.pool)->index;
    if (space_has(index, slot))
        space_remove(index, slot);
}

/* plan_node_put() made room in the index, so that this cannot fail. */
static void index_enter(struct plan *plan, uint32_t slot)
{
    const struct plan_node *node = &plan->slots[slot].node;
    plan->version++;
    if (!index_wants(node))
        return;
    struct shape room = plan_free_shape(node);
    uint32_t x = (uint32_t)(room.cpu_milli * PLAN_CPU_WEIGHT), y = (uint32_t)room.memory_mib;
    CHECK(space_put(pool_of(node->pool)->index, slot, x, y, space_rank(x, y, slot)));
}

/* The lowest that is not used. */
static int64_t slot_find(struct plan *plan)
{
    for (uint32_t i = 0; plan->free_count > 0 && i < plan->slots_count; i++)
        if (!plan->slots[i].used)
            return i;
    if (plan->slots_count == plan->slots_max) {
        uint32_t wanted = plan->slots_max ? plan->slots_max * 2 : 64;
        struct slot *slots = realloc(plan->slots, wanted * sizeof *slots);
        if (!slots)
            return PLAN_NONE;
        plan->slots = slots;
        plan->slots_max = wanted;
    }
    plan->slots[plan->slots_count] = (struct slot){0};
    plan->free_count++;
    return plan->slots_count++;
}

static int64_t within(int64_t value, int64_t ceiling)
{
    return value < 0 ? 0 : value > ceiling ? ceiling : value;
}

/* What the node is now; what it holds stays. */
static void node_renew(struct plan_node *kept, const struct plan_node *node)
{
    kept->key = node->key;
    kept->epoch = node->epoch;
    kept->pool = node->pool;
    kept->ready = node->ready;
    kept->cordoned = node->cordoned;
    kept->shares_nothing = node->shares_nothing;
    memcpy(kept->zone, node->zone, sizeof kept->zone);
    kept->capacity.cpu_milli = within(node->capacity.cpu_milli, LIMIT_NODE_CPU_MILLI_MAX);
    kept->capacity.gpus = node->capacity.gpus;
    memcpy(kept->classes, node->classes, sizeof kept->classes);
    kept->capacity.memory_mib = within(node->capacity.memory_mib, LIMIT_NODE_MEMORY_MIB_MAX);
}

int64_t plan_node_put(struct plan *plan, int64_t at, const struct plan_node *node)
{
    struct pool *pool = pool_of(node->pool);
    bool added = at == PLAN_NONE;
    if (added)
        at = slot_find(plan);
    if (at == PLAN_NONE || !space_reserve(pool->index, plan->slots_count, pool->open.nodes + 1))
        return PLAN_NONE;
    uint32_t slot = (uint32_t)at;
    if (added) {
        plan->slots[slot] = (struct slot){.used = true};
        plan->free_count--;
    } else {
        index_leave(plan, slot);
        pool_of(plan->slots[slot].node.pool)->open.nodes--;
    }
    pool->open.nodes++;
    node_renew(&plan->slots[slot].node, node);
    index_enter(plan, slot);
    return at;
}

void plan_node_remove(struct plan *plan, uint32_t slot)
{
    CHECK(plan_node_get(plan, slot));
    index_leave(plan, slot);
    pool_of(plan->slots[slot].node.pool)->open.nodes--;
    plan->spot_groups -= plan->slots[slot].node.spot_groups;
    ports_done(&plan->slots[slot].node.ports);
    plan->slots[slot].used = false;
    plan->free_count++;
    plan->version++;
}

const struct plan_node *plan_node_get(const struct plan *plan, uint32_t slot)
{
    return slot < plan->slots_count && plan->slots[slot].used ? &plan->slots[slot].node : NULL;
}

uint32_t plan_slots(const struct plan *plan)
{
    return plan->slots_count;
}

void plan_node_keep(struct plan *plan, uint32_t slot, int64_t group_key)
{
    CHECK(plan_node_get(plan, slot));
    index_leave(plan, slot);
    plan->slots[slot].node.kept_for = group_key;
    index_enter(plan, slot);
}

static void use(struct plan *plan, uint32_t slot, const struct shape *shape, int64_t sign)
{
    CHECK(plan_node_get(plan, slot));
    struct plan_node *node = &plan->slots[slot].node;
    index_leave(plan, slot);
    node->used.cpu_milli += sign * shape->cpu_milli;
    node->used.memory_mib += sign * shape->memory_mib;
    node->used.gpus += sign * shape->gpus;
    node->groups += sign;
    node->alone += shape->alone ? sign : 0;
    CHECK(node->used.cpu_milli >= 0 && node->used.memory_mib >= 0);
    CHECK(node->groups >= 0 && node->alone >= 0);
    index_enter(plan, slot);
}

void plan_take(struct plan *plan, uint32_t slot, const struct shape *shape)
{
    use(plan, slot, shape, 1);
    ports_take(&plan->slots[slot].node.ports, &shape->ports);
}

void plan_give(struct plan *plan, uint32_t slot, const struct shape *shape)
{
    use(plan, slot, shape, -1);
    ports_give(&plan->slots[slot].node.ports, &shape->ports);
}

static void use_spot(struct plan *plan, uint32_t slot, const struct shape *shape, int64_t sign)
{
    struct plan_node *node = &plan->slots[slot].node;
    if (!shape->spot)
        return;
    node->spot.cpu_milli += sign * shape->cpu_milli;
    node->spot.memory_mib += sign * shape->memory_mib;
    node->spot_groups += sign;
    plan->spot_groups += sign;
}

void plan_hold(struct plan *plan, uint32_t slot, const struct shape *shape)
{
    plan_take(plan, slot, shape);
    use_spot(plan, slot, shape, 1);
}

void plan_release(struct plan *plan, uint32_t slot, const struct shape *shape)
{
    plan_give(plan, slot, shape);
    use_spot(plan, slot, shape, -1);
}

/* ---- finding ---- */

struct question {
    const struct plan *plan;
    const struct plan_request *request;
};

static bool rules_allow(uint32_t slot, void *context)
{
    const struct question *question = context;
    return fit_refuses(&question->plan->slots[slot].node, question->request) < 0;
}

static int64_t score_now(const struct plan_node *node)
{
    struct shape room = plan_free_shape(node);
    return room.cpu_milli * PLAN_CPU_WEIGHT + room.memory_mib;
}

bool plan_fits(const struct plan *plan, uint32_t slot, const struct plan_request *request)
{
    const struct plan_node *node = plan_node_get(plan, slot);
    return node && fit_refuses(node, request) < 0;
}

static int64_t find_at(const struct plan *plan, const struct plan_request *request)
{
    bool fits =
        request->disk_slot != PLAN_NONE && plan_fits(plan, (uint32_t)request->disk_slot, request);
    return fits ? request->disk_slot : PLAN_NONE;
}

int64_t plan_find(const struct plan *plan, const struct plan_request *request)
{
    if (request->disk_node != 0)
        return find_at(plan, request);
    const struct shape *shape = &request->shape;
    if (shape->cpu_milli > LIMIT_NODE_CPU_MILLI_MAX ||
        shape->memory_mib > LIMIT_NODE_MEMORY_MIB_MAX)
        return PLAN_NONE;
    struct question question = {plan, request};
    int64_t best = space_find_above(pool_of(request->pool)->index,
                                    (uint32_t)(shape->cpu_milli * PLAN_CPU_WEIGHT),
                                    (uint32_t)shape->memory_mib, rules_allow, &question);
    int64_t last = request->last_slot;
    if (best == PLAN_NONE || last == PLAN_NONE || !plan_fits(plan, (uint32_t)last, request))
        return best;
    return score_now(&plan->slots[last].node) == score_now(&plan->slots[best].node) ? last : best;
}

/* How much is missing on a node, weighed like the score; 0: it fits. Who wants it alone lacks all that is held. */
static int64_t lack_of(const struct plan_node *node, const struct shape *shape)
{
    if (shape->alone)
        return node->used.cpu_milli * PLAN_CPU_WEIGHT + node->used.memory_mib;
    struct shape room = plan_free_shape(node);
    int64_t cpu = shape->cpu_milli - room.cpu_milli, memory = shape->memory_mib - room.memory_mib;
    return (cpu > 0 ? cpu * PLAN_CPU_WEIGHT : 0) + (memory > 0 ? memory : 0);
}

int64_t plan_find_nearest(const struct plan *plan, const struct plan_request *request)
{
    int64_t best = PLAN_NONE, best_lack = INT64_MAX;
    for (uint32_t i = 0; i < plan->slots_count; i++) {
        const struct plan_node *node = plan_node_get(plan, i);
        if (!node || !node->ready || node->cordoned || node->kept_for != 0 ||
            !fit_could(node, request) || !fit_ports(node, request))
            continue; /* emptying a node for a port takes as long as the group that has it lives */
        int64_t lack = lack_of(node, &request->shape);
        if (lack < best_lack) {
            best_lack = lack;
            best = i;
        }
    }
    return best;
}

bool plan_fits_without_spot(const struct plan *plan, uint32_t slot,
                            const struct plan_request *request)
{
    const struct plan_node *found = plan_node_get(plan, slot);
    if (!found)
        return false;
    struct plan_node node = *found;
    node.used.cpu_milli -= node.spot.cpu_milli;
    node.used.memory_mib -= node.spot.memory_mib;
    node.groups -= node.spot_groups;
    return fit_refuses(&node, request) < 0;
}

int64_t plan_find_without_spot(const struct plan *plan, const struct plan_request *request)
{
    int64_t best = PLAN_NONE, best_lack = INT64_MAX;
    if (request->shape.spot || plan->spot_groups == 0)
        return PLAN_NONE;
    for (uint32_t i = 0; i < plan->slots_count; i++) {
        const struct plan_node *node = plan_node_get(plan, i);
        if (!node || node->spot_groups == 0 || !plan_fits_without_spot(plan, i, request))
            continue;
        int64_t lack = lack_of(node, &request->shape);
        if (lack < best_lack) {
            best_lack = lack;
            best = i;
        }
    }
    return best;
}
