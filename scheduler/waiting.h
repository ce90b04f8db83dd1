/* The groups that found no room, by age. Asked not which node a group could take, but which group a node that got
 * room could take: so nothing is looked at until something changed, however many wait.
 * Threads: the scheduler's own.   Owner: waiting_done(); a zeroed one is empty. */
#ifndef SCHEDULER_WAITING_H
#define SCHEDULER_WAITING_H

#include "scheduler/key_map.h"
#include "scheduler/plan.h"
#include "scheduler/space.h"

struct waiter {
    int64_t group_key, incarnation;
    int64_t revision; /* since when it waits: the order of the queue */
    struct shape shape;
    const struct plan_pool *pool;
    int64_t last_node_key; /* where it ran before; 0: nowhere */
    int64_t disk_node_key; /* the only node that has its local disks; 0: any will do */
    int64_t since_ns;      /* boot time */
    uint32_t told_kinds;   /* of refusal, in its newest event; 0: none told */
    bool used;
};

struct waiting {
    struct waiter *items;
    uint32_t count, used, max, free; /* free: 0 ends the chain, indexes in it count from 1 */
    struct key_map groups;
    struct space **pools; /* by plan_pool.number: those that any node will do for */
    uint32_t pools_count;
    uint32_t bound_count; /* the others */
};

void waiting_done(struct waiting *waiting);

/* Index of the new one, whose group must not wait yet; -1 when out of memory. */
int64_t waiting_add(struct waiting *waiting, const struct waiter *waiter) MUST_CHECK;
void waiting_remove(struct waiting *waiting, uint32_t at);
int64_t waiting_find(const struct waiting *waiting, int64_t group_key); /* -1: does not wait */
/* The one that waits longest of those that need at most that much CPU and memory, may go to that node, and that
 * `allows` (NULL: all) lets pass; -1: none. O(waiters) while some are bound to a node by their local disks. */
typedef bool (*waiting_filter)(const struct waiter *waiter, void *context);
int64_t waiting_oldest(const struct waiting *waiting, const struct plan_pool *pool,
                       int64_t node_key, const struct shape *room, waiting_filter allows,
                       void *context);

#endif
