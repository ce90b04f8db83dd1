/* The life of a group as clients order it. What is wanted is written first, in the transaction of the order; nodes
 * converge and report.c writes how far they got. Each function here leaves these true:
 *
 * - A group that waits (is in the queue) wants to run, and no node holds anything for an earlier run of it: it goes
 *   to the queue when its node has let go (group_released), or was fenced (group_leaves_node).
 * - The assignment at row->node_key is the newest. It is the group's own while its incarnation is the group's.
 * - An operation is pending only while the state it asks for is not reached. */
#include "store/disks.h"
#include "store/dns.h"
#include "store/group_life.h"
#include "store/pins.h"
#include "store/statements.h"

/* ---- pieces ---- */

/* The newest assignment; NULL when there is none, or its node was told to forget the group. */
static bool holder(struct tx *tx, const struct group_row *row, struct assignment_row **found,
                   struct err *err)
{
    *found = NULL;
    if (row->node_key != 0 && !assignment_find(tx, row->key, row->node_key, found, err))
        return false;
    if (*found && (*found)->wanted == WANTED_REMOVE)
        *found = NULL;
    return true;
}

static bool move_to(struct group_row *row, enum group_state state, enum provisioning provisioning,
                    struct err *err)
{
    row->provisioning = provisioning;
    return group_move(&row->state, state, err);
}

static bool order_stop(struct tx *tx, struct assignment_row *assignment, struct err *err)
{
    if (assignment->wanted == WANTED_STOP)
        return true;
    assignment->wanted = WANTED_STOP;
    return assignment_order(tx, assignment, err);
}

static bool stopped(struct tx *tx, struct group_row *row, struct err *err)
{
    row->address = NULL;
    row->waits = false;
    return move_to(row, GROUP_STOPPED, PROVISIONING_SUCCEEDED, err) &&
           operation_end(tx, row, OPERATION_SUCCEEDED, NULL, NULL, err);
}

/* A new run, placed anew: once its node has let go of the run before. */
static bool run_anew(struct tx *tx, struct group_row *row, struct err *err)
{
    struct assignment_row *assignment;
    if (!holder(tx, row, &assignment, err))
        return false;
    row->incarnation++;
    row->wanted = WANTED_RUN;
    row->address = NULL;
    row->waits = !assignment || assignment->released;
    if (!row->waits && !order_stop(tx, assignment, err))
        return false;
    return move_to(row, GROUP_PENDING, PROVISIONING_PENDING, err) &&
           group_status_put(tx, row->key, NULL, err);
}

/* A new run on the same node, which holds its room for it. */
static bool run_in_place(struct tx *tx, struct group_row *row, struct assignment_row *assignment,
                         struct err *err)
{
    row->incarnation++;
    assignment->incarnation = row->incarnation;
    assignment->wanted = WANTED_RUN;
    assignment->released = false;
    return move_to(row, GROUP_PENDING, PROVISIONING_UPDATING, err) &&
           disks_place(tx, row, row->node_key, err) && assignment_order(tx, assignment, err);
}

static bool same_shape(struct shape left, struct shape right)
{
    return left.cpu_milli == right.cpu_milli && left.memory_mib == right.memory_mib &&
           left.gpus == right.gpus; /* ports: `moved` */
}

/* Again with the spec as it is now: in place when it runs and still fits its place. */
static bool run_again(struct tx *tx, struct group_row *row, bool moved, struct err *err)
{
    struct assignment_row *assignment;
    char words[DISK_WORDS_SIZE];
    bool disks_here = true;
    if (!holder(tx, row, &assignment, err) ||
        !disks_allow(tx, row->key, row->node_key, &disks_here, words, err))
        return false;
    bool runs = row->state == GROUP_RUNNING || row->state == GROUP_PENDING;
    if (!moved && assignment && runs && disks_here && assignment->wanted == WANTED_RUN &&
        assignment->incarnation == row->incarnation && same_shape(assignment->shape, row->shape))
        return run_in_place(tx, row, assignment, err);
    return run_anew(tx, row, err);
}

static bool transitioning(const struct group_row *row, struct err *err)
{
    return err_set(err, ERR_TRANSITIONING,
                   "The container group '%s' is still transitioning, please retry later.",
                   row->name);
}

static bool is_stopping(const struct group_row *row)
{
    return row->wanted == WANTED_STOP && row->state != GROUP_STOPPED;
}

/* ---- orders ---- */

bool store_group_stop(struct tx *tx, struct group_row *row, struct err *err)
{
    struct assignment_row *assignment;
    if (row->wanted == WANTED_STOP)
        return true;
    if (!holder(tx, row, &assignment, err))
        return false;
    bool holds = assignment && !assignment->released;
    if (group_is_finished(row) && !holds)
        return true; /* §5.4: no effect */
    if (!operation_begin(tx, row, OPERATION_STOP, err) ||
        (assignment && !order_stop(tx, assignment, err)))
        return false;
    row->wanted = WANTED_STOP;
    row->waits = false;
    if (!holds && !stopped(tx, row, err))
        return false;
    return group_save(tx, row, err);
}

bool store_group_start(struct tx *tx, struct group_row *row, struct err *err)
{
    if (is_stopping(row))
        return transitioning(row, err);
    if (row->state == GROUP_PENDING || row->state == GROUP_RUNNING || row->state == GROUP_REPAIRING)
        return err_set(err, ERR_CONFLICT, "The container group '%s' is %s and cannot be started.",
                       row->name, group_state_words[row->state]);
    return quota_allows(tx, row, err) && operation_begin(tx, row, OPERATION_START, err) &&
           run_anew(tx, row, err) && group_save(tx, row, err);
}

bool store_group_restart(struct tx *tx, struct group_row *row, struct err *err)
{
    if (row->state == GROUP_STOPPED)
        return err_set(err, ERR_GROUP_STOPPED,
                       "The container group '%s' is stopped and cannot be restarted.", row->name);
    if (is_stopping(row) || row->state == GROUP_PENDING || row->state == GROUP_REPAIRING)
        return transitioning(row, err);
    if (row->state != GROUP_RUNNING)
        return err_set(err, ERR_CONFLICT, "The container group '%s' is %s and cannot be restarted.",
                       row->name, group_state_words[row->state]);
    return operation_begin(tx, row, OPERATION_RESTART, err) && run_again(tx, row, false, err) &&
           group_save(tx, row, err);
}

bool store_group_update(struct tx *tx, struct group_row *row, const char *secrets, bool rerun,
                        struct err *err)
{
    bool moved = false;
    if (rerun && is_stopping(row))
        return transitioning(row, err);
    if ((rerun && !quota_allows(tx, row, err)) || !dns_name_put(tx, row, false, err) ||
        !group_respec(tx, row, secrets, err))
        return false;
    if (rerun &&
        (!disks_name(tx, row, false, err) || !pins_begin(tx, row, err) ||
         !public_address_settle(tx, row, &moved, err) ||
         !operation_begin(tx, row, OPERATION_UPDATE, err) || !run_again(tx, row, moved, err)))
        return false;
    return group_save(tx, row, err);
}

/* Who waits for a node, or is being stopped, is told with its next order. */
bool store_group_tell(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct assignment_row *assignment;
    if (!holder(tx, row, &assignment, err))
        return false;
    return !assignment || assignment->wanted != WANTED_RUN ||
           assignment->incarnation != row->incarnation || assignment_order(tx, assignment, err);
}

/* ---- making room ---- */

static const char evicted_text[] = "A container group of priority Regular needs the room";

/* Its pending operation comes to nothing: it is stopped instead. */
static bool stay_stopped(struct tx *tx, struct group_row *row, struct assignment_row *assignment,
                         struct err *err)
{
    row->wanted = WANTED_STOP;
    return operation_end(tx, row, OPERATION_FAILED, "SpotEvicted", evicted_text, err) &&
           order_stop(tx, assignment, err);
}

/* It runs there, or is about to: nobody has ordered anything else. */
static bool runs_there(const struct group_row *row, const struct assignment_row *assignment)
{
    return assignment && row->node_key == assignment->node_key && row->wanted == WANTED_RUN &&
           !group_is_finished(row) && assignment->wanted == WANTED_RUN &&
           assignment->incarnation == row->incarnation;
}

bool store_group_evict(struct tx *tx, int64_t group_key, int64_t node_key, struct err *err)
{
    struct group_row *row;
    struct assignment_row *assignment;
    char text[160];
    if (!group_load(tx, group_key, &row, err) || (row && !holder(tx, row, &assignment, err)))
        return false;
    if (!row || !row->shape.spot || row->node_key != node_key || !runs_there(row, assignment))
        return err_set(err, ERR_CONFLICT, "the container group does not run there any more");
    bool again = row->restart_policy != RESTART_NEVER;
    text_format(text, sizeof text, "%s; %s", evicted_text,
                again ? "this one of priority Spot runs again when there is room"
                      : "this one of priority Spot stays stopped, for restart policy Never allows "
                        "one run");
    return store_group_event(tx, row->key, "Warning", "SpotEvicted", text, err) &&
           (again ? run_anew(tx, row, err) : stay_stopped(tx, row, assignment, err)) &&
           group_save(tx, row, err);
}

bool group_moves_away(struct tx *tx, const struct assignment_row *assignment, const char *node,
                      struct err *err)
{
    char words[DISK_WORDS_SIZE], text[256 + DISK_WORDS_SIZE];
    struct group_row *row;
    if (!group_load(tx, assignment->group_key, &row, err))
        return false;
    CHECK(row); /* it is purged with its last assignment */
    if (!runs_there(row, assignment) || row->restart_policy == RESTART_NEVER)
        return true;
    if (!store_disk_words(tx, row->key, words, err))
        return false;
    if (words[0])
        text_format(text, sizeof text, "Node %s is drained. %s The container group waits.", node,
                    words);
    else
        text_format(text, sizeof text, "Node %s is drained; the container group runs elsewhere",
                    node);
    return store_group_event(tx, row->key, "Normal", "NodeDrained", text, err) &&
           run_anew(tx, row, err) && group_save(tx, row, err);
}

/* ---- removing ---- */

static bool has_assignments(struct tx *tx, int64_t group_key, bool *any, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_any);
    bind_int(q, P_group_key, group_key);
    *any = statement_next(q, err);
    return statement_ok(q, err);
}

/* Every node that has to do with the group, but one, is told to forget it. */
bool group_order_forgotten(struct tx *tx, int64_t group_key, int64_t but_node_key, struct err *err)
{
    struct assignment_row *rows;
    size_t count;
    if (!store_assignment_of_group(tx, group_key, tx->scratch, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].node_key == but_node_key || rows[i].wanted == WANTED_REMOVE)
            continue;
        rows[i].wanted = WANTED_REMOVE;
        if (!assignment_order(tx, &rows[i], err))
            return false;
    }
    return true;
}

bool group_forgotten(struct tx *tx, const struct group_row *row, struct err *err)
{
    bool any = false;
    if (row->living)
        return true;
    if (!has_assignments(tx, row->key, &any, err))
        return false;
    if (any)
        return public_address_leave(tx, row, err);
    tx_note(tx, (struct change){.kind = CHANGE_GROUP, .group_key = row->key});
    return operation_end(tx, row, OPERATION_SUCCEEDED, NULL, NULL, err) &&
           group_purge(tx, row, err) && resource_group_settle(tx, row->resource_group_key, err);
}

bool store_group_remove(struct tx *tx, struct group_row *row, struct err *err)
{
    if (!operation_begin(tx, row, OPERATION_DELETE, err))
        return false;
    row->wanted = WANTED_REMOVE;
    row->provisioning = PROVISIONING_DELETING;
    row->waits = row->living = false;
    return group_save(tx, row, err) && group_hide(tx, row->key, err) &&
           group_order_forgotten(tx, row->key, 0, err) && group_forgotten(tx, row, err);
}

bool group_remove_by_key(struct tx *tx, int64_t key, struct err *err)
{
    struct group_row *row;
    return group_load(tx, key, &row, err) &&
           (!row || !row->living || store_group_remove(tx, row, err));
}

/* ---- what nodes let go ---- */

bool group_released(struct tx *tx, struct group_row *row, const struct assignment_row *assignment,
                    struct err *err)
{
    if (assignment->node_key != row->node_key)
        return true;
    if (is_stopping(row))
        return stopped(tx, row, err) && group_save(tx, row, err);
    if (row->wanted != WANTED_RUN || row->waits || row->incarnation == assignment->incarnation)
        return true;
    row->waits = true; /* started while its last run was not gone yet */
    return group_save(tx, row, err);
}
