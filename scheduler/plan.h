/* Which node a group fits best: plain nodes in memory, no store, no clock, no threads.
 *
 * Best fit is exact, over every node that all rules of fit/ allow: the one that has the least left over once the
 * group is there,
 *
 *     score = 4 x free milli-CPU + free MiB, after the group
 *
 * (a vCPU weighs as much as 4,000 MiB, the proportion of ACI's largest group). Of equal scores the group's last node
 * comes first, then the lowest slot, which is the node known longest: the same nodes and groups always give the same
 * plan. Since a group takes the same from every node, the order of nodes by score is the order by what is free now.
 *
 * Nodes that differ in location or operating system are in different pools; each pool has an index (space.h) of those
 * that take groups.
 *
 * Threads: one at a time.   Owner: plan_free(). */
#ifndef SCHEDULER_PLAN_H
#define SCHEDULER_PLAN_H

#include "base/err.h"
#include "model/container_group.h"
#include "model/runtime_class.h"
#include "scheduler/ports.h"

struct plan;

enum { PLAN_NONE = -1, PLAN_CPU_WEIGHT = 4, PLAN_LOCATION_SIZE = 91 };

struct plan_pool {
    char location[PLAN_LOCATION_SIZE]; /* location_normal() */
    enum os_type os;
    uint32_t number; /* counts from 0 */
    size_t nodes;
};

struct plan_node {
    int64_t key, epoch; /* the store's */
    const struct plan_pool *pool;
    char zone[ZONE_SIZE];
    bool ready, cordoned;
    bool shares_nothing; /* it has no address to share: each of its groups shows its own */
    int64_t kept_for;    /* group that waits for this node to empty; no other may come. 0: none */
    char classes[RUNTIME_CLASSES_SIZE]; /* of runtimes */
    struct shape capacity;
    struct shape used; /* held and promised */
    int64_t groups;    /* that hold it */
    int64_t alone;     /* of those, groups that have it to themselves */
    struct shape spot; /* of `used`: held by groups that give way */
    int64_t spot_groups;
    struct taken_ports ports; /* the same, of its own address; the plan's */
};

struct plan_request {
    const struct plan_pool *pool;
    struct shape shape;
    int64_t group_key; /* 0: not stored yet */
    int64_t last_slot; /* where it ran before; PLAN_NONE: nowhere */
    int64_t disk_node; /* key of the only node that has its local disks; 0: any will do */
    int64_t disk_slot; /* of that node; PLAN_NONE: it is not there */
};

struct plan *plan_new(void); /* NULL when out of memory */
void plan_free(struct plan *plan);
AUTO_TYPE(plan);

/* The pool of that location and system, made at the first question and kept. NULL when out of memory. */
const struct plan_pool *plan_pool(struct plan *plan, const char *location, enum os_type os)
    MUST_CHECK;
/* NULL when nobody asked for it before. */
const struct plan_pool *plan_pool_find(const struct plan *plan, const char *location,
                                       enum os_type os);

/* A node that is new (`slot` PLAN_NONE) or looks otherwise now; what it holds (`used`, `groups`) stays as it is.
 * Returns its slot, PLAN_NONE when out of memory. Slots are reused after plan_node_remove(). */
int64_t plan_node_put(struct plan *plan, int64_t slot, const struct plan_node *node) MUST_CHECK;
void plan_node_remove(struct plan *plan, uint32_t slot);
void plan_node_keep(struct plan *plan, uint32_t slot, int64_t group_key);
/* NULL: no node has that slot. Slots are below plan_slots(). */
const struct plan_node *plan_node_get(const struct plan *plan, uint32_t slot);
uint32_t plan_slots(const struct plan *plan);

/* Capacity held or given back on a node. */
void plan_take(struct plan *plan, uint32_t slot, const struct shape *shape);
void plan_give(struct plan *plan, uint32_t slot, const struct shape *shape);
/* The same for what is truly held, not only promised or planned: Spot groups that hold can be evicted. */
void plan_hold(struct plan *plan, uint32_t slot, const struct shape *shape);
void plan_release(struct plan *plan, uint32_t slot, const struct shape *shape);
/* What a node has free; both are below 0 when it shrank under what it holds. */
struct shape plan_free_shape(const struct plan_node *node);

/* Slot of the best fit, PLAN_NONE when no node is allowed. Takes nothing. */
int64_t plan_find(const struct plan *plan, const struct plan_request *request);
/* Whether that node would take it. */
bool plan_fits(const struct plan *plan, uint32_t slot, const struct plan_request *request);

/* Of the nodes that could hold the group if they were empty, the one that lacks the least now (weighed as above, then
 * the lowest slot); PLAN_NONE when no ready one could. */
int64_t plan_find_nearest(const struct plan *plan, const struct plan_request *request);

/* The node that would take it without its Spot groups, and lacks the least now; PLAN_NONE when none would. */
int64_t plan_find_without_spot(const struct plan *plan, const struct plan_request *request);
bool plan_fits_without_spot(const struct plan *plan, uint32_t slot,
                            const struct plan_request *request);

/* ---- why not ---- */

enum { PLAN_RULES_MAX = 24, PLAN_ELSEWHERE_MAX = 3, PLAN_ZONES_MAX = 5 };

struct plan_refusal {
    size_t nodes;                          /* all there are */
    size_t there;                          /* those in its location, of whatever kind */
    uint32_t systems;                      /* bit os_type: of those */
    enum os_type os;                       /* that it needs */
    char zone[ZONE_SIZE];                  /* the same */
    char zones[PLAN_ZONES_MAX][ZONE_SIZE]; /* of those, each once, as far as they go */
    size_t zones_count;
    size_t refused[PLAN_RULES_MAX]; /* nodes by the first rule of fit_rules that refused them */
    size_t allowed;                 /* nodes that would take it */
    size_t could;         /* nodes that could hold it if they were empty, ready and not cordoned */
    struct shape largest; /* the largest group that fits now in its location and system */
    struct shape largest_node; /* the capacity of the largest node there, whatever it holds */
    /* Other locations that would take it now. */
    const struct plan_pool *elsewhere[PLAN_ELSEWHERE_MAX];
    size_t elsewhere_count;
};

/* Looks at every node: O(nodes). */
void plan_explain(const struct plan *plan, const struct plan_request *request,
                  struct plan_refusal *refusal);
/* In words: "Of 12 nodes 3 are in another location, 2 have too little CPU free. The largest …". */
void plan_refusal_text(const struct plan_refusal *refusal, char *out, size_t size);
/* The same, and what would help whoever is refused now: other locations, less, or later. */
void plan_refusal_advice(const struct plan_refusal *refusal, char *out, size_t size);
/* Bit i: rule i refused at least one node of the pool. Changes when the kind of reason does. */
uint32_t plan_refusal_kinds(const struct plan_refusal *refusal);

/* Counts up with every change of any node. */
uint64_t plan_version(const struct plan *plan);

#endif
