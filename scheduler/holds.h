/* Which group holds room on which nodes: what the store calls assignments that are not released. A group that moves
 * holds on both nodes until the old one reports that everything stopped.
 * Threads: one at a time (LOCK_SCHEDULER).   Owner: holds_done(); a zeroed one is empty. */
#ifndef SCHEDULER_HOLDS_H
#define SCHEDULER_HOLDS_H

#include "scheduler/fleet.h"

struct hold {
    int64_t group_key, node_key; /* group 0: free */
    uint32_t slot;
    struct shape shape;
    uint32_t next; /* of the group; or free */
};

struct holds {
    struct key_map groups; /* first hold of each */
    struct hold *items;
    uint32_t count, max, free;
};

void holds_done(struct holds *holds);

/* Takes room on a node for a group that just got it, or gives all of a group's room back. Nodes that are not known
 * hold nothing. False when out of memory; nothing is taken then. */
bool holds_add(struct holds *holds, struct fleet *fleet, int64_t group_key, int64_t node_key,
               const struct shape *shape) MUST_CHECK;
/* `gave` is told of each node that has more room now. */
typedef void (*holds_gave)(uint32_t slot, void *context);
void holds_remove(struct holds *holds, struct fleet *fleet, int64_t group_key, holds_gave gave,
                  void *context);
void holds_clear(struct holds *holds, struct fleet *fleet);

/* What that group holds on that node; false: nothing. */
bool holds_find(const struct holds *holds, int64_t group_key, int64_t node_key,
                struct shape *shape);
bool holds_any(const struct holds *holds, int64_t group_key);

#endif
