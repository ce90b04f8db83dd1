/* What one scheduler is made of, and the phases of a round.
 *
 *   changes ─▶ picture ─▶ leases ─▶ promises ─▶ kept nodes ─▶ placements ─▶ events
 *
 * Not for: other rooms.
 * Threads: `changes` is under LOCK_SCHEDULER_CHANGES; fleet, holds, promises, locations, refused and grown under
 * LOCK_SCHEDULER; the rest belongs to the thread that runs rounds. Neither lock is held while the store works. */
#ifndef SCHEDULER_ROOM_H
#define SCHEDULER_ROOM_H

#include "base/limits.h"
#include "base/thread.h"
#include "scheduler/holds.h"
#include "scheduler/promises.h"
#include "scheduler/scheduler.h"
#include "scheduler/waiting.h"

#include <stdatomic.h>

struct location {
    char name[PLAN_LOCATION_SIZE];
    bool queue;
};

/* What the store told and nobody looked at yet. */
struct changes {
    struct change *items;
    size_t count, max;
    bool lost; /* some were not kept: the picture is in doubt */
};

/* The newest answer of admission, so that many equal questions cost one count. */
struct refusal_kept {
    struct plan_request request;
    struct plan_refusal refusal;
    int64_t until_ns;
};

/* One group on its way to a node. */
struct placement {
    struct waiter waiter;
    uint32_t slot;
    int64_t node_key, epoch;
    enum err_code outcome;
    int64_t first_revision, end_revision; /* of the changes that placing it made */
};

/* A node that takes no one until that group fits. One for each pool. */
struct keep {
    int64_t group_key; /* 0: none */
    int64_t node_key;
    uint32_t slot;
};

struct slots {
    uint32_t *items;
    size_t count, max;
};

struct scheduler {
    struct store *store;
    int64_t fence_ms, lost_ms;
    char default_location[PLAN_LOCATION_SIZE];

    struct bell bell;
    pthread_t thread;
    bool started;
    atomic_bool stopping, ready;

    struct lock changes_lock;
    struct changes changes;

    struct lock lock;
    struct fleet fleet;
    struct holds holds;
    struct promises promises;
    struct location *locations;
    size_t locations_count;
    struct refusal_kept refused;
    struct slots grown; /* nodes that may take a group that waits */

    struct arena *arena; /* of a round */
    struct waiting waiting;
    struct slots again; /* waiters to plan anew, whether or not a node grew */
    struct keep *keeps; /* by plan_pool.number */
    uint32_t keeps_count;
    struct keep preempts[LIMIT_SCHEDULER_PREEMPTS_MAX]; /* nodes whose Spot groups make room */
    uint32_t preempt_cursor;                            /* for whom room is looked for next */
    int64_t picture_revision;                   /* of the store when all of it was read last */
    int64_t listed_revision;                    /* groups that began to wait up to here are known */
    bool list_more;                             /* there may be others behind it */
    struct waiter fresh[LIMIT_SCHEDULER_BATCH]; /* listed, not planned yet */
    size_t fresh_count;
    struct placement placing[LIMIT_SCHEDULER_BATCH];
    size_t placing_count;
    struct placement
        placed[LIMIT_SCHEDULER_BATCH]; /* of the last commit: their changes are our own */
    size_t placed_count;
    uint32_t untold[LIMIT_SCHEDULER_BATCH]; /* waiters whose reason nobody told yet */
    size_t untold_count;
    uint32_t told_cursor; /* whose reason is looked at next */
    int64_t round_ns;     /* when the last round was */
    int64_t tick_ns;      /* when slow things are next due */
    int64_t lease_ns;     /* when a lease may have ended */
    int64_t hold_off_ns;  /* the store failed: nothing is written until then */
    int64_t rest_ns;      /* until then those that come are gathered */
};

/* scheduler.c. scheduler_new() is scheduler_start() without the thread: tests run the rounds by hand. */
struct scheduler *scheduler_new(const struct scheduler_options *options, struct err *err)
    MUST_CHECK;
/* False when none of them concerns the scheduler. */
bool changes_add(struct scheduler *scheduler, const struct change *told, size_t count);
bool slots_add(struct slots *slots, uint32_t slot); /* at most once each */
/* One round; how long to sleep afterwards unless the bell rings (0: there is more to do at once). */
int64_t scheduler_round(struct scheduler *scheduler);

/* picture.c: what the store says. A failure leaves the picture in doubt; the next round reads it anew. */
bool picture_read(struct scheduler *scheduler, struct err *err) MUST_CHECK;
bool picture_renew(struct scheduler *scheduler, const struct change *changes, size_t count,
                   struct err *err) MUST_CHECK;
void picture_doubt(struct scheduler *scheduler);
/* The store shows groups that were promised room: how many. Those that have their node hold it from now on, and their
 * changes need no further look: they lose their group_key. */
size_t picture_bind(struct scheduler *scheduler, struct change *changes, size_t count);
/* LOCK_SCHEDULER is held. That node may take groups that wait; PLAN_NONE: none. */
void note_grown(struct scheduler *scheduler, int64_t slot);
/* LOCK_SCHEDULER is held. The store says otherwise about that node: it takes no group until it was read again. */
void picture_reread_node(struct scheduler *scheduler, uint32_t slot);

/* pending.c: groups that began to wait, and those that ceased to. */
bool pending_list(struct scheduler *scheduler, struct tx *tx, struct err *err) MUST_CHECK;
bool pending_renew(struct scheduler *scheduler, struct tx *tx, int64_t group_key, struct err *err)
    MUST_CHECK;
void waiter_end(struct scheduler *scheduler, uint32_t at);

/* place.c */
void place_plan(struct scheduler *scheduler);
bool place_commit(struct scheduler *scheduler, struct err *err) MUST_CHECK;
struct plan_request waiter_request(const struct scheduler *scheduler, const struct waiter *waiter);

/* reasons.c: events that say why a group waits. */
bool reasons_tell(struct scheduler *scheduler, bool slow, struct err *err) MUST_CHECK;

/* keep.c */
void keep_renew(struct scheduler *scheduler, int64_t now_ns);
void keep_end(struct scheduler *scheduler, const struct plan_pool *pool, int64_t group_key);

/* LOCK_SCHEDULER is held. Its node is for everyone again. */
void keep_let_go(struct scheduler *scheduler, struct keep *keep);

/* preempt.c: groups of the priority Spot make room for others. */
bool preempt(struct scheduler *scheduler, bool slow, struct err *err) MUST_CHECK;
void preempt_renew(struct scheduler *scheduler);
/* LOCK_SCHEDULER is held. The slot kept for that group, PLAN_NONE: none; and it needs none any more. */
int64_t preempt_slot(const struct scheduler *scheduler, int64_t group_key);
void preempt_end(struct scheduler *scheduler, int64_t group_key);

/* leases.c: nodes that fell silent. Returns when the next lease may end. */
int64_t leases_renew(struct scheduler *scheduler, int64_t now_ns);

/* admit.c */
void promises_renew(struct scheduler *scheduler, int64_t now_ns);

#endif
