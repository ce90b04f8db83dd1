/* Nodes that fell silent: past lost_ms their epoch ends in the store, and with fencing their groups are planned
 * elsewhere. Agents end their groups at fence_ms, before that. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "scheduler/room.h"

enum { LOST_AT_ONCE = 64 };

struct lost_node {
    int64_t key, epoch;
    uint32_t slot;
    bool replace;
};

static bool lost_work(struct tx *tx, void *data, struct err *err)
{
    const struct lost_node *lost = data;
    return store_node_lost(tx, lost->key, lost->epoch, lost->replace, err);
}

/* True when the store knows now; false when it joined again meanwhile or the store failed. */
static bool declare_lost(struct scheduler *scheduler, struct lost_node *lost)
{
    struct err err = {0};
    if (store_write(scheduler->store, lost_work, lost, &err)) {
        log_warn("node_lost", "node=%lld epoch=%lld replace=%d", (long long)lost->key,
                 (long long)lost->epoch, lost->replace);
        metric_add(METRIC_nodes_lost_total, 1);
        return true;
    }
    if (err.code == ERR_NODE_EPOCH || err.code == ERR_NODE_UNKNOWN || err.code == ERR_NOT_FOUND)
        return true; /* the picture was late: the change is on its way */
    log_failure("node_lost_failed", &err);
    return false;
}

static size_t collect(struct scheduler *scheduler, int64_t now_ns, struct lost_node *lost,
                      int64_t *oldest_ns)
{
    uint32_t slots[LOST_AT_ONCE];
    WITH_LOCK(&scheduler->lock);
    int64_t since_ns = now_ns - scheduler->lost_ms * 1000000;
    size_t count = fleet_silent(&scheduler->fleet, since_ns, slots, LOST_AT_ONCE, oldest_ns);
    for (size_t i = 0; i < count; i++) {
        const struct plan_node *node = plan_node_get(scheduler->fleet.plan, slots[i]);
        lost[i] = (struct lost_node){node->key, node->epoch, slots[i], scheduler->fence_ms > 0};
    }
    return count;
}

int64_t leases_renew(struct scheduler *scheduler, int64_t now_ns)
{
    struct lost_node lost[LOST_AT_ONCE];
    int64_t oldest_ns;
    size_t count = collect(scheduler, now_ns, lost, &oldest_ns);
    for (size_t i = 0; i < count; i++) {
        if (!declare_lost(scheduler, &lost[i]))
            return now_ns + 200000000;
        WITH_LOCK(&scheduler->lock);
        if (fleet_holds(&scheduler->fleet, lost[i].slot, lost[i].key))
            picture_reread_node(scheduler, lost[i].slot);
    }
    if (count == LOST_AT_ONCE)
        return now_ns;
    /* Without nodes too: one that joins meanwhile has its full lease from then. */
    return (oldest_ns == INT64_MAX ? now_ns : oldest_ns) + scheduler->lost_ms * 1000000;
}
