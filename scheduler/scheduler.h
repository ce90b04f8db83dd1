/* What should run where: places each waiting group, whole, on the one node that it fits best, and notices
 * nodes that fell silent.
 *
 * One thread with a picture of its own: nodes, their free capacity and the groups that wait. It is read from the
 * store at the start, kept by the store's changes, and read again after any doubt. Placements are committed
 * through the store with the node's epoch.
 *
 *     struct scheduler *scheduler = scheduler_start(&options, &err);     before any work of the store
 *     if (!scheduler_admit(scheduler, &shape, OS_LINUX, "westus", 0, &place, why, sizeof why)) ... 409, why ...
 *     scheduler_stop(scheduler); store_close(store); scheduler_free(scheduler);
 *
 * Order: oldest first. A younger group may overtake one that finds no room, until that one has waited
 * LIMIT_SCHEDULER_PATIENCE_MS; then the oldest of each location gets a node kept free for it.
 *
 * Not for: what a request means (api), what is remembered (store).
 * Threads: admit, node_seen, node_room, set_queue and ready may be called by any thread, before and after the
 * stop too; they touch memory only and take microseconds.   Owner: scheduler_free(), once the store is closed. */
#ifndef SCHEDULER_SCHEDULER_H
#define SCHEDULER_SCHEDULER_H

#include "base/err.h"
#include "model/container_group.h"
#include "store/store.h"

struct scheduler;

struct scheduler_location {
    const char *name;
    bool queue; /* groups that find no room now are accepted and wait */
};

struct scheduler_options {
    struct store *store;
    const struct scheduler_location *locations;
    size_t locations_count;
    const char *default_location; /* of nodes that name none */
    int64_t beat_ms, fence_ms, lost_ms;
};

/* beat < fence < lost, or fence 0: agents never stop groups by themselves, so groups of a silent node are never
 * placed elsewhere. ERR_INVALID says which order is broken. */
bool scheduler_timings_check(int64_t beat_ms, int64_t fence_ms, int64_t lost_ms, struct err *err)
    MUST_CHECK;

/* Registers with store_listen(), reads the picture, starts the thread. Every node gets a full lost_ms from now. */
struct scheduler *scheduler_start(const struct scheduler_options *options, struct err *err)
    MUST_CHECK;
/* Ends the thread; what was planned and not committed is planned again at the next start. */
void scheduler_stop(struct scheduler *scheduler);
/* After store_close(): the store tells its changes until then. */
void scheduler_free(struct scheduler *scheduler);
AUTO_TYPE(scheduler);

/* Whether a group of that shape is to be accepted now; where its local disks are on one node alone, `node_key` is that node,
 * and 0 any will do. True keeps the room for it, if there is some now: `place` goes into the group's row, for a new group
 * that finds the node as it is now goes there with the transaction that makes it. The promise ends when the store
 * shows the group, with scheduler_admit_undo(), or after LIMIT_SCHEDULER_PROMISE_MS. False: `why` is one or two sentences
 * for the client: how many nodes were refused for which reason and the largest group that fits now, or that no node
 * there is large enough to ever hold it. A location that queues refuses only what none of its nodes could ever hold;
 * as long as it has no nodes it accepts everything. */
bool scheduler_admit(struct scheduler *scheduler, const struct shape *shape, enum os_type os,
                     const char *location, int64_t node_key, struct promised_place *place,
                     char *why, size_t size) MUST_CHECK;
/* What was admitted was not stored after all: its room is free again. 0, and one that ended, are fine. */
void scheduler_admit_undo(struct scheduler *scheduler, int64_t promise);

/* A report of that epoch arrived: the node's lease starts anew. */
void scheduler_node_seen(struct scheduler *scheduler, int64_t node_key, int64_t epoch);

/* A cordon was committed: nothing is admitted there from now on, whenever the picture is read again. Its end
 * needs no word: who comes a moment too early waits or is refused. */
void scheduler_node_cordoned(struct scheduler *scheduler, int64_t node_key);

struct node_room {
    int64_t cpu_milli, memory_mib; /* neither held nor promised; below 0 when the node shrank */
    int64_t groups;                /* that hold room there */
    int64_t silent_ms;             /* since the last report; -1: it has no lease */
};
/* False when the picture does not have that node. */
bool scheduler_node_room(struct scheduler *scheduler, int64_t node_key, struct node_room *room);

/* Turns queueing on or off for one location, which may be new (a reload of the configuration). False: out of memory. */
bool scheduler_set_queue(struct scheduler *scheduler, const char *location, bool queue) MUST_CHECK;

/* The picture has been read and the thread works. */
bool scheduler_ready(struct scheduler *scheduler);

#endif
