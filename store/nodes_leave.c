/* Nodes that go: lost, drained while they live, forgotten. What becomes of each of their groups: life_nodes.c, life.c. */
#include "store/group_life.h"
#include "store/statements.h"

static bool change_state(struct tx *tx, int sql, int64_t key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql);
    bind_int(q, P_key, key);
    bind_int(q, P_revision, node_note(tx, key));
    return statement_run(q, err);
}

/* Its groups learn that it will not run them. */
static bool release_groups(struct tx *tx, const struct node_row *node, bool gone, struct err *err)
{
    struct assignment_row *rows;
    size_t count;
    if (!assignment_of_node(tx, node->key, tx->scratch, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!group_leaves_node(tx, &rows[i], node->name, gone, err))
            return false;
    return true;
}

bool store_node_lost(struct tx *tx, int64_t node_key, int64_t epoch, bool replace, struct err *err)
{
    struct node_row *node;
    if (!node_get(tx, node_key, tx->scratch, &node, err))
        return false;
    if (node->epoch != epoch || node->state != NODE_READY)
        return err_set(err, ERR_NODE_EPOCH, "node %s joined again or was lost meanwhile",
                       node->name);
    return change_state(tx, SQL_node_lose, node_key, err) &&
           (!replace || release_groups(tx, node, false, err));
}

bool store_node_drain(struct tx *tx, int64_t node_key, struct err *err)
{
    struct node_row *node;
    struct assignment_row *rows;
    size_t count;
    if (!node_get(tx, node_key, tx->scratch, &node, err) ||
        !store_node_cordon(tx, node_key, true, err) ||
        !assignment_of_node(tx, node_key, tx->scratch, &rows, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!group_moves_away(tx, &rows[i], node->name, err))
            return false;
    return true;
}

static bool holds_nothing(struct tx *tx, const struct node_row *node, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_holds);
    bind_int(q, P_node_key, node->key);
    if (!statement_next(q, err))
        return statement_ok(q, err);
    int64_t held = column_int(q, C_held);
    return held == 0 ||
           err_set(err, ERR_NODE_HOLDS,
                   "Node %s is Ready and holds %lld container group%s, which GET /v1/nodes/%s "
                   "names: drain it, or end its agent and wait until it is Lost.",
                   node->name, (long long)held, held == 1 ? "" : "s", node->name);
}

bool store_node_remove(struct tx *tx, int64_t node_key, struct err *err)
{
    struct node_row *node;
    if (!node_get(tx, node_key, tx->scratch, &node, err) ||
        (node->state == NODE_READY && !holds_nothing(tx, node, err)))
        return false;
    return usage_close_node(tx, node_key, err) && change_state(tx, SQL_node_leave, node_key, err) &&
           tx_run_key(tx, SQL_node_images_forget, node_key, err) &&
           tx_run_key(tx, SQL_disks_left, node_key, err) && release_groups(tx, node, true, err);
}
