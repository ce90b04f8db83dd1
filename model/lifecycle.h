/* The life of groups, containers, operations and nodes: tables of allowed moves, and the words that clients
 * see. The move functions are the only way from one state to another.
 *
 *   group:  Pending -> Running -> Succeeded | Failed          (by restart policy)
 *           any of them -> Stopped -> Pending                 (stop, start)
 *           Running | Pending -> Repairing -> Pending         (its node was lost)
 *
 * Source: aci/features.md §6, §10, §2.   Threads: any; pure. */
#ifndef MODEL_LIFECYCLE_H
#define MODEL_LIFECYCLE_H

#include "base/err.h"
#include "model/container_group.h"

enum group_state {
    GROUP_PENDING,
    GROUP_RUNNING,
    GROUP_STOPPED,
    GROUP_SUCCEEDED,
    GROUP_FAILED,
    GROUP_REPAIRING
};
extern const char *const group_state_words[];

enum provisioning {
    PROVISIONING_PENDING,
    PROVISIONING_CREATING,
    PROVISIONING_UPDATING,
    PROVISIONING_REPAIRING,
    PROVISIONING_SUCCEEDED,
    PROVISIONING_FAILED,
    PROVISIONING_DELETING,
};
extern const char *const provisioning_words[];

enum container_phase { CONTAINER_WAITING, CONTAINER_RUNNING, CONTAINER_TERMINATED };
extern const char *const container_state_words[];

enum operation_kind {
    OPERATION_CREATE,
    OPERATION_UPDATE,
    OPERATION_START,
    OPERATION_STOP,
    OPERATION_RESTART,
    OPERATION_DELETE
};
enum operation_status {
    OPERATION_PENDING,
    OPERATION_SUCCEEDED,
    OPERATION_FAILED,
    OPERATION_CANCELED
};
extern const char *const operation_kind_words[], *const operation_status_words[];

enum node_state { NODE_READY, NODE_LOST, NODE_LEFT };
extern const char *const node_state_words[];

/* Moves *state or leaves it and says why not (ERR_CONFLICT). Staying is always allowed. */
bool group_move(enum group_state *state, enum group_state next, struct err *err) MUST_CHECK;

/* The state of a whole group from its containers' (§6.1, §10.4), init containers apart. `started` counts containers
 * that ran, or never will; `ended` those that ended and will not be started again; `failed` those of them with a code
 * other than 0. */
struct group_tally {
    size_t containers, started, running, ended, failed;
    bool
        init_failed; /* an init container ended badly for good: what stands behind it never starts (§9.2) */
};
/* Nothing of it will start any more. */
bool group_tally_is_over(const struct group_tally *tally);
enum group_state group_state_of(enum restart_policy policy, const struct group_tally *tally);

/* The group's policy as its init containers see it (§9.5): a good end is an end. */
enum restart_policy restart_policy_of_init(enum restart_policy policy);
/* Whether a container that ended is started again (§10.2). */
bool restart_wanted(enum restart_policy policy, int64_t exit_code);

/* How long to wait before the next of several starts in a row: not at all, then first_ms, doubling to max_ms. Running
 * for reset_ms forgets them. */
struct restart_pace {
    int64_t first_ms, max_ms, reset_ms;
};
extern const struct restart_pace restart_pace_usual; /* 10 s to 5 min, 10 min (limits.def) */
int64_t restart_backoff_ms(const struct restart_pace *pace, int64_t restarts_in_a_row);

#endif
