/* What becomes of groups when their node goes: lost and fenced (nothing runs there any more, but it may come back and
 * must then forget them), or removed by the operator's word.
 *
 * A group runs again elsewhere, as a new incarnation, unless its policy is Never: a run that was ordered may have
 * happened, and Never means at most one. */
#include "store/disks.h"
#include "store/group_life.h"

static bool drop(struct tx *tx, const struct assignment_row *assignment,
                 const struct group_row *row, struct err *err)
{
    return assignment_drop(tx, assignment, err) && group_forgotten(tx, row, err);
}

/* It holds nothing there: it was fenced. */
static bool order_forget(struct tx *tx, struct assignment_row *assignment, struct err *err)
{
    assignment->wanted = WANTED_REMOVE;
    assignment->released = true;
    return assignment_order(tx, assignment, err);
}

static bool run_elsewhere(struct tx *tx, struct group_row *row, struct err *err)
{
    if (!group_move(&row->state, GROUP_REPAIRING, err))
        return false;
    row->provisioning = PROVISIONING_REPAIRING;
    row->incarnation++;
    row->waits = true;
    row->address = NULL;
    return group_status_put(tx, row->key, NULL, err) && group_save(tx, row, err);
}

static bool fail(struct tx *tx, struct group_row *row, const char *text, struct err *err)
{
    if (!group_move(&row->state, GROUP_FAILED, err))
        return false;
    if (row->provisioning != PROVISIONING_SUCCEEDED)
        row->provisioning = PROVISIONING_FAILED;
    row->address = NULL;
    return operation_end(tx, row, OPERATION_FAILED, err_code_name(ERR_NODE_AWAY), text, err) &&
           group_save(tx, row, err);
}

static bool lose_run(struct tx *tx, struct group_row *row, const char *node, struct err *err)
{
    char text[256 + DISK_WORDS_SIZE];
    bool again = row->restart_policy != RESTART_NEVER;
    char words[DISK_WORDS_SIZE];
    if (!store_disk_words(tx, row->key, words, err))
        return false;
    if (again && words[0])
        text_format(text, sizeof text, "Node %s does not respond. %s The container group waits.",
                    node, words);
    else
        text_format(text, sizeof text,
                    again ? "Node %s does not respond; the container group runs elsewhere"
                          : "Node %s does not respond, and restart policy Never allows one run",
                    node);
    if (!store_group_event(tx, row->key, "Warning", "NodeLost", text, err))
        return false;
    return again ? run_elsewhere(tx, row, err) : fail(tx, row, text, err);
}

/* It ran there, or was to: move, fail, or (finished) leave it as it is. */
static bool leave_run(struct tx *tx, struct assignment_row *assignment, struct group_row *row,
                      const char *node, bool gone, struct err *err)
{
    bool own = assignment->incarnation == row->incarnation && row->node_key == assignment->node_key;
    bool ended = own && group_is_finished(row);
    if (own && !ended && !lose_run(tx, row, node, err))
        return false;
    if (gone)
        return drop(tx, assignment, row, err);
    return ended ? assignment_hold(tx, assignment, true, err) : order_forget(tx, assignment, err);
}

static bool leave_stop(struct tx *tx, struct assignment_row *assignment, struct group_row *row,
                       bool gone, struct err *err)
{
    if (!assignment_hold(tx, assignment, true, err) || !group_released(tx, row, assignment, err))
        return false;
    return !gone || drop(tx, assignment, row, err);
}

bool group_leaves_node(struct tx *tx, struct assignment_row *assignment, const char *node,
                       bool gone, struct err *err)
{
    struct group_row *row;
    if (!group_load(tx, assignment->group_key, &row, err))
        return false;
    CHECK(row); /* it is purged with its last assignment */
    switch (assignment->wanted) {
    case WANTED_RUN:
        return leave_run(tx, assignment, row, node, gone, err);
    case WANTED_STOP:
        return leave_stop(tx, assignment, row, gone, err);
    case WANTED_REMOVE:
        return gone ? drop(tx, assignment, row, err)
                    : assignment_hold(tx, assignment, true, err) && group_forgotten(tx, row, err);
    }
    return true;
}
