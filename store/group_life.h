/* What the files of this room that move groups through their life share: groups.c (rows), operations.c,
 * assignments.c, life.c (orders of clients), nodes.c and report.c (what nodes do), ledger.c.
 * Not for: other rooms.   Threads: the writer's. */
#ifndef STORE_GROUP_LIFE_H
#define STORE_GROUP_LIFE_H

#include "store/tx.h"

/* ---- groups.c ---- */

/* What moves, of a group living or not: no names of its parents, spec, status, events, operation_id. In the scratch
 * arena. NULL in *row: there is none. */
bool group_load(struct tx *tx, int64_t key, struct group_row **row, struct err *err) MUST_CHECK;

/* Writes wanted, state, provisioning, incarnation, operation, node, address and waits, with a new revision. */
bool group_save(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;
/* The group goes from the database: with spec, secrets, status and samples; the ledger stays. */
bool group_purge(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* Its changed spec, with what follows from it; `secrets` NULL keeps those it has. */
bool group_respec(struct tx *tx, struct group_row *row, const char *secrets, struct err *err)
    MUST_CHECK;
bool group_hide(struct tx *tx, int64_t key, struct err *err)
    MUST_CHECK; /* its name is free, its secrets gone */
bool group_status_put(struct tx *tx, int64_t key, const char *status, struct err *err)
    MUST_CHECK; /* NULL: none */
/* ---- public_addresses.c ---- */

/* The group has an address of row->pool from now on: the one it had or a free one (ERR_ADDRESS_POOL_EMPTY); none without
 * a pool. The ports it takes of its node's own are kept; `moved`: they are others than before, so that its node may
 * not have them. */
bool public_address_settle(struct tx *tx, struct group_row *row, bool *moved, struct err *err)
    MUST_CHECK;
/* A group that is deleted, and that only nodes which were fenced still have to forget, has no address any more: it is on
 * no link. */
bool public_address_leave(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* NULL for 0. */
const char *public_address_text(int64_t address, struct arena *arena);

/* ---- operations.c ---- */

/* The group's newest operation from now on; a pending one before it is canceled. */
bool operation_begin(struct tx *tx, struct group_row *row, enum operation_kind kind,
                     struct err *err) MUST_CHECK;
/* Ends the group's newest operation if it is pending. */
bool operation_end(struct tx *tx, const struct group_row *row, enum operation_status status,
                   const char *code, const char *text, struct err *err) MUST_CHECK;

/* ---- assignments.c ---- */

/* NULL in *row: there is none. In the scratch arena. */
bool assignment_find(struct tx *tx, int64_t group_key, int64_t node_key,
                     struct assignment_row **row, struct err *err) MUST_CHECK;
/* Makes it (revision 0) or changes its order: the node will be told. */
bool assignment_order(struct tx *tx, struct assignment_row *row, struct err *err) MUST_CHECK;
/* Holds its capacity, or does not any more; the node need not be told. */
bool assignment_hold(struct tx *tx, struct assignment_row *row, bool released, struct err *err)
    MUST_CHECK;
bool assignment_drop(struct tx *tx, const struct assignment_row *row, struct err *err) MUST_CHECK;
bool assignment_of_node(struct tx *tx, int64_t node_key, struct arena *arena,
                        struct assignment_row **rows, size_t *count, struct err *err) MUST_CHECK;

/* Those with a revision after `after`, oldest first. */
bool assignment_page(struct tx *tx, int64_t node_key, int64_t after, size_t rows_max,
                     struct arena *arena, struct assignment_row **rows, size_t *count,
                     struct err *err) MUST_CHECK;

/* ---- placement.c ---- */

/* A new group goes where it was admitted (row->promised) if that node is still as it was: then row->node_key says so and it
 * does not wait. */
bool placement_promised(struct tx *tx, struct group_row *row, struct err *err) MUST_CHECK;
/* The first order of a group that has a node and had none before. */
bool placement_begin(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;

/* ---- nodes.c ---- */

/* Its row changes; the revision. */
int64_t node_note(struct tx *tx, int64_t node_key);
/* ERR_NODE_UNKNOWN when there is none. */
bool node_get(struct tx *tx, int64_t key, struct arena *arena, struct node_row **row,
              struct err *err) MUST_CHECK;
bool node_capacity(struct tx *tx, const struct node_row *node, const struct node_capacity *capacity,
                   struct err *err) MUST_CHECK;

/* ---- life.c, life_nodes.c ---- */

static inline bool group_is_finished(const struct group_row *row)
{
    return row->state == GROUP_SUCCEEDED || row->state == GROUP_FAILED;
}

/* Its node is drained: it stops there and then waits for another, unless it may run once only (policy Never). */
bool group_moves_away(struct tx *tx, const struct assignment_row *assignment, const char *node,
                      struct err *err) MUST_CHECK;
/* Every node that has to do with the group, but one, is told to forget it. */
bool group_order_forgotten(struct tx *tx, int64_t group_key, int64_t but_node_key, struct err *err)
    MUST_CHECK;
bool group_remove_by_key(struct tx *tx, int64_t key, struct err *err) MUST_CHECK;
/* Its assignment gave back its capacity: a group that waits for that stops, or goes to the queue. */
bool group_released(struct tx *tx, struct group_row *row, const struct assignment_row *assignment,
                    struct err *err) MUST_CHECK;
/* An assignment is gone: with the last one a removed group goes too. */
bool group_forgotten(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* A node will not run it any more; `gone`: it will never come back. */
bool group_leaves_node(struct tx *tx, struct assignment_row *assignment, const char *node,
                       bool gone, struct err *err) MUST_CHECK;

/* ---- resource_groups.c, resource_groups_delete.c ---- */

/* Returns false: ERR_RESOURCE_GROUP_DELETING. */
bool resource_group_refuse_deleting(const char *name, struct err *err);
/* If it is being deleted and nothing of it is left that could still run, it is gone. */
bool resource_group_settle(struct tx *tx, int64_t key, struct err *err) MUST_CHECK;

/* ---- ledger.c ---- */

/* Who the group was, for ever. */
bool usage_group_put(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* The key of a group that was ever placed; 0: none. */
bool usage_group_find(struct tx *tx, const char *uid, int64_t *group_key, int64_t *subscription_key,
                      struct err *err) MUST_CHECK;
bool usage_interval_tell(struct tx *tx, int64_t node_key, const struct usage_interval *told,
                         struct err *err) MUST_CHECK;
/* Open intervals of a node that is gone end at its watermark. */
bool usage_close_node(struct tx *tx, int64_t node_key, struct err *err) MUST_CHECK;

#endif
