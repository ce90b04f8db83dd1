/* Room kept for groups that were admitted and that the store does not show yet. A promise ends when it is kept (the group
 * holds the room), when the group that waits (promises_bind) is planned or does not want to run any more, or when it was
 * not stored. Time ends only those that nobody came back for.
 * Threads: one at a time (LOCK_SCHEDULER).   Owner: promises_done(); a zeroed one is empty. */
#ifndef SCHEDULER_PROMISES_H
#define SCHEDULER_PROMISES_H

#include "scheduler/fleet.h"

struct promise {
    int64_t number;    /* 0: free */
    int64_t group_key; /* 0: the store shows none for it */
    int64_t node_key, until_ns;
    struct shape shape;
    uint32_t slot;
    uint32_t older, younger; /* by age */
};

struct promises {
    struct promise *items; /* [0] is not used: 0 says none */
    uint32_t count, used, max, free;
    uint32_t oldest, youngest;
    int64_t given;         /* how many ever */
    struct key_map groups; /* that the store shows */
};

void promises_done(struct promises *promises);

/* Takes the room; the promise's number. 0 when there are too many or no memory is left; nothing is taken then. */
int64_t promises_add(struct promises *promises, struct fleet *fleet, const struct shape *shape,
                     uint32_t slot, int64_t until_ns);

/* It ends for a group that holds as much from now on: `shape`. False: it had ended. */
bool promises_keep(struct promises *promises, struct fleet *fleet, int64_t number,
                   struct shape *shape) MUST_CHECK;

/* Each of these gives room back, and returns the slot that has more of it: PLAN_NONE when there was no such promise. */
int64_t promises_end(struct promises *promises, struct fleet *fleet, int64_t number);
int64_t promises_end_of(struct promises *promises, struct fleet *fleet, int64_t group_key);
/* One that lapsed. */
int64_t promises_lapse(struct promises *promises, struct fleet *fleet, int64_t now_ns);
/* The store shows this group for that promise, if it still stands. One that the group had before ends. */
int64_t promises_bind(struct promises *promises, struct fleet *fleet, int64_t number,
                      int64_t group_key);

bool promises_has(const struct promises *promises, int64_t group_key);
/* When the next one lapses; INT64_MAX: never. */
int64_t promises_next_ns(const struct promises *promises);

#endif
