#include "scheduler/fleet.h"

#include "base/text.h"
#include "model/lifecycle.h"
#include "model/resource_id.h"

#include <arpa/inet.h>
#include <string.h>

bool fleet_init(struct fleet *fleet, struct err *err)
{
    *fleet = (struct fleet){.plan = plan_new()};
    return fleet->plan || err_set(err, ERR_BUSY, "no memory for the picture of the nodes");
}

void fleet_done(struct fleet *fleet)
{
    plan_free(fleet->plan);
    key_map_done(&fleet->slots);
    free(fleet->leases);
}

bool fleet_location(const char *location, char out[PLAN_LOCATION_SIZE])
{
    AUTO(arena) *arena = arena_new(4096);
    const char *normal = arena ? location_normal(location, arena) : NULL;
    return normal && text_copy(out, PLAN_LOCATION_SIZE, normal);
}

int64_t fleet_slot(const struct fleet *fleet, int64_t node_key)
{
    int64_t slot = key_map_find(&fleet->slots, node_key);
    return slot == KEY_MAP_NONE ? PLAN_NONE : slot;
}

bool fleet_holds(const struct fleet *fleet, uint32_t slot, int64_t node_key)
{
    const struct plan_node *node = plan_node_get(fleet->plan, slot);
    return node && node->key == node_key;
}

void fleet_remove(struct fleet *fleet, uint32_t slot)
{
    key_map_remove(&fleet->slots, plan_node_get(fleet->plan, slot)->key);
    plan_node_remove(fleet->plan, slot);
}

/* ---- what the store says ---- */

static bool leases_reserve(struct fleet *fleet, size_t count)
{
    if (count <= fleet->leases_max)
        return true;
    size_t wanted = fleet->leases_max ? fleet->leases_max * 2 : 64;
    struct lease *leases = realloc(fleet->leases, wanted * sizeof *leases);
    if (!leases)
        return false;
    fleet->leases = leases;
    fleet->leases_max = wanted;
    return true;
}

/* A node may tell a name instead, for people. */
static bool is_address(const char *text)
{
    struct in_addr address;
    return text && inet_pton(AF_INET, text, &address) == 1;
}

static bool node_from_row(struct fleet *fleet, const struct node_row *row,
                          const char *default_location, struct plan_node *node)
{
    char location[PLAN_LOCATION_SIZE];
    bool named = row->location && *row->location;
    int os = fields_word(os_type_words, row->os ? row->os : "");
    if (!fleet_location(named ? row->location : default_location, location))
        return false;
    *node = (struct plan_node){
        .key = row->key,
        .epoch = row->epoch,
        .pool = plan_pool(fleet->plan, location, os == OS_WINDOWS ? OS_WINDOWS : OS_LINUX),
        .ready = row->state == NODE_READY,
        .cordoned = row->cordoned,
        .shares_nothing = !is_address(row->address),
        .capacity = {row->cpu_milli, row->memory_mib, row->gpus},
    };
    text_copy(node->classes, sizeof node->classes, row->classes ? row->classes : "");
    text_copy(node->zone, sizeof node->zone, row->zone ? row->zone : "");
    return node->pool != NULL;
}

/* A new node, or a known one in its slot. */
static int64_t node_settle(struct fleet *fleet, int64_t slot, const struct plan_node *node)
{
    if (slot != PLAN_NONE)
        return plan_node_put(fleet->plan, slot, node);
    if (!leases_reserve(fleet, (size_t)plan_slots(fleet->plan) + 1))
        return PLAN_NONE;
    slot = plan_node_put(fleet->plan, PLAN_NONE, node);
    if (slot == PLAN_NONE || key_map_put(&fleet->slots, node->key, (uint32_t)slot))
        return slot;
    plan_node_remove(fleet->plan, (uint32_t)slot);
    return PLAN_NONE;
}

bool fleet_put(struct fleet *fleet, const struct node_row *row, const char *default_location,
               int64_t now_ns, int64_t *slot, struct err *err)
{
    int64_t known = fleet_slot(fleet, row->key);
    if (row->state == NODE_LEFT) {
        if (known != PLAN_NONE)
            fleet_remove(fleet, (uint32_t)known);
        *slot = PLAN_NONE;
        return true;
    }
    const struct plan_node *was =
        known == PLAN_NONE ? NULL : plan_node_get(fleet->plan, (uint32_t)known);
    bool anew = !was || !was->ready || was->epoch != row->epoch;
    struct plan_node node;
    int64_t at = PLAN_NONE;
    if (node_from_row(fleet, row, default_location, &node))
        at = node_settle(fleet, known, &node);
    if (at == PLAN_NONE)
        return err_set(err, ERR_BUSY, "no memory for node %s", row->name);
    struct lease *lease = &fleet->leases[at];
    if (anew) {
        lease->seen_ns = now_ns;
        text_copy(lease->id, sizeof lease->id, row->id);
    }
    lease->marked = true;
    *slot = at;
    return true;
}

void fleet_cordon(struct fleet *fleet, int64_t node_key)
{
    int64_t slot = fleet_slot(fleet, node_key);
    if (slot == PLAN_NONE)
        return;
    struct plan_node node = *plan_node_get(fleet->plan, (uint32_t)slot);
    node.cordoned = true;
    /* In the slot it has, so there is nothing to run out of; if there were, the change is read soon. */
    if (plan_node_put(fleet->plan, slot, &node) == PLAN_NONE)
        return;
}

/* ---- leases ---- */

void fleet_seen(struct fleet *fleet, int64_t node_key, int64_t epoch, int64_t now_ns)
{
    int64_t slot = fleet_slot(fleet, node_key);
    if (slot != PLAN_NONE && plan_node_get(fleet->plan, (uint32_t)slot)->epoch == epoch)
        fleet->leases[slot].seen_ns = now_ns;
}

void fleet_grace(struct fleet *fleet, int64_t now_ns)
{
    for (uint32_t i = 0; i < plan_slots(fleet->plan); i++)
        if (plan_node_get(fleet->plan, i))
            fleet->leases[i].seen_ns = now_ns;
}

size_t fleet_silent(const struct fleet *fleet, int64_t since_ns, uint32_t *slots, size_t max,
                    int64_t *oldest_ns)
{
    size_t count = 0;
    *oldest_ns = INT64_MAX;
    for (uint32_t i = 0; i < plan_slots(fleet->plan); i++) {
        const struct plan_node *node = plan_node_get(fleet->plan, i);
        if (!node || !node->ready)
            continue;
        int64_t seen_ns = fleet->leases[i].seen_ns;
        if (seen_ns <= since_ns && count < max)
            slots[count++] = i;
        else if (seen_ns < *oldest_ns)
            *oldest_ns = seen_ns;
    }
    return count;
}

void fleet_unready(struct fleet *fleet, uint32_t slot)
{
    struct plan_node node = *plan_node_get(fleet->plan, slot);
    node.ready = false;
    CHECK(plan_node_put(fleet->plan, slot, &node) == slot);
}

size_t fleet_ready_count(const struct fleet *fleet)
{
    size_t count = 0;
    for (uint32_t i = 0; i < plan_slots(fleet->plan); i++) {
        const struct plan_node *node = plan_node_get(fleet->plan, i);
        count += node && node->ready;
    }
    return count;
}
