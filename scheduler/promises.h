/* Room kept for groups that were admitted and that the store does not show yet. A promise ends when a waiting group of
 * that pool and shape turns up, when it is undone, or after a while.
 * Threads: one at a time (LOCK_SCHEDULER).   Owner: promises_done(); a zeroed one is empty. */
#ifndef SCHEDULER_PROMISES_H
#define SCHEDULER_PROMISES_H

#include "scheduler/fleet.h"

enum { PROMISE_BUCKETS = 4096 };

struct promise {
    const struct plan_pool *pool;
    struct shape shape;
    int64_t node_key, until_ns;
    uint32_t slot;
    uint32_t older, younger;               /* all promises by age */
    uint32_t bucket_older, bucket_younger; /* those of its bucket by age */
};

struct promises {
    struct promise *items; /* [0] is not used: 0 says none */
    uint32_t count, used, max, free;
    uint32_t oldest, youngest;
    struct {
        uint32_t oldest, youngest;
    } buckets[PROMISE_BUCKETS]; /* by pool and shape */
};

void promises_done(struct promises *promises);

/* Takes the room. False when there are too many or no memory is left; nothing is taken then. */
bool promises_add(struct promises *promises, struct fleet *fleet, const struct plan_pool *pool,
                  const struct shape *shape, uint32_t slot, int64_t until_ns);
/* Gives back the oldest of that pool and shape; its slot, or PLAN_NONE when there is none. */
int64_t promises_end(struct promises *promises, struct fleet *fleet, const struct plan_pool *pool,
                     const struct shape *shape);
/* Gives back one that lapsed; its slot, PLAN_NONE when none has. */
int64_t promises_lapse(struct promises *promises, struct fleet *fleet, int64_t now_ns);
/* When the next one lapses; INT64_MAX: never. */
int64_t promises_next_ns(const struct promises *promises);

#endif
