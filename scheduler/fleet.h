/* The nodes of the store as slots of the plan, each with its lease.
 * Threads: one at a time (LOCK_SCHEDULER).   Owner: fleet_done(). */
#ifndef SCHEDULER_FLEET_H
#define SCHEDULER_FLEET_H

#include "base/id.h"
#include "scheduler/key_map.h"
#include "scheduler/plan.h"
#include "store/store.h"

struct fleet {
    struct plan *plan;
    struct key_map slots; /* of the nodes' keys */
    struct lease {
        char id[ID_SIZE];
        int64_t seen_ns; /* boot time of the last report, or since when it may be silent */
        bool marked;     /* used while the picture is read anew */
    } * leases;          /* by slot */
    size_t leases_max;
};

bool fleet_init(struct fleet *fleet, struct err *err) MUST_CHECK;
void fleet_done(struct fleet *fleet);

/* What the store says of a node now; one that left goes. A node that became ready, or joined again, has its lease
 * from `now_ns`. `slot` gets its place, PLAN_NONE when it left. */
bool fleet_put(struct fleet *fleet, const struct node_row *row, const char *default_location,
               int64_t now_ns, int64_t *slot, struct err *err) MUST_CHECK;
void fleet_remove(struct fleet *fleet, uint32_t slot);
int64_t fleet_slot(const struct fleet *fleet, int64_t node_key); /* PLAN_NONE when unknown */
/* The slot if it is still that node's. */
bool fleet_holds(const struct fleet *fleet, uint32_t slot, int64_t node_key);

/* Takes no new groups from now on. */
void fleet_cordon(struct fleet *fleet, int64_t node_key);
void fleet_seen(struct fleet *fleet, int64_t node_key, int64_t epoch, int64_t now_ns);
/* Every ready node has a whole lease from now. */
void fleet_grace(struct fleet *fleet, int64_t now_ns);
/* Slots of ready nodes not seen after `since_ns`, at most `max`; `oldest_ns` gets when the one that was silent
 * longest among the others was seen (INT64_MAX: there are none). */
size_t fleet_silent(const struct fleet *fleet, int64_t since_ns, uint32_t *slots, size_t max,
                    int64_t *oldest_ns);
/* Takes no groups until the store says that it joined again. */
void fleet_unready(struct fleet *fleet, uint32_t slot);

/* Nodes with a lease. */
size_t fleet_ready_count(const struct fleet *fleet);

/* "West US" and "westus" are one location. */
bool fleet_location(const char *location, char out[PLAN_LOCATION_SIZE]);

#endif
