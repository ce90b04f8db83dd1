/* The queue of groups that wait for a node, and placing them. */
#include "base/clock.h"
#include "base/text.h"
#include "store/disks.h"
#include "store/group_life.h"
#include "store/statements.h"

static bool node_is_as_planned(struct tx *tx, int64_t node_key, int64_t epoch, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_plan);
    bind_int(q, P_key, node_key);
    if (!statement_next(q, err))
        return statement_ok(q, err) ? err_set(err, ERR_NODE_UNKNOWN, "there is no such node")
                                    : false;
    if (column_int(q, C_epoch) == epoch && column_int(q, C_state) == NODE_READY &&
        !column_int(q, C_cordoned))
        return true;
    const char *name = column_text(q, C_name, tx->scratch);
    return err_set(err, ERR_NODE_EPOCH, "node %s changed since it was planned", name ? name : "");
}

/* ---- the queue ---- */

static void row_read(struct statement *q, struct arena *arena, struct pending_row *row)
{
    *row = (struct pending_row){
        .group_key = column_int(q, C_key),
        .incarnation = column_int(q, C_incarnation),
        .revision = column_int(q, C_waits_since),
        .shape = {.cpu_milli = column_int(q, C_cpu_milli),
                  .memory_mib = column_int(q, C_memory_mib),
                  .gpus = column_int(q, C_gpus)},
        .os = (enum os_type)column_int(q, C_os),
        .location = column_text(q, C_location, arena),
        .last_node_key = column_int(q, C_node_key),
        .disk_node_key = column_int(q, C_disk_node_key),
    };
    const char *ports = column_text(q, C_node_ports, arena);
    if (ports)
        port_set_read(ports, &row->shape.ports);
    const char *class_name = column_text(q, C_runtime_class, arena);
    text_copy(row->shape.runtime_class, sizeof row->shape.runtime_class,
              class_name ? class_name : "");
    quota_class_shape((enum quota_class)column_int(q, C_quota_class), &row->shape);
    column_copy(q, C_zone, row->shape.zone, sizeof row->shape.zone);
}

bool store_pending_list(struct tx *tx, int64_t after_revision, size_t rows_max, struct arena *arena,
                        struct pending_row **rows, size_t *count, struct err *err)
{
    struct pending_row *found = arena_array(arena, rows_max, sizeof *found);
    size_t found_count = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_pending_list);
    bind_int(q, P_after, after_revision);
    bind_int(q, P_rows, (int64_t)rows_max);
    if (!found)
        return arena_full(err);
    while (statement_next(q, err))
        row_read(q, arena, &found[found_count++]);
    if (!statement_ok(q, err))
        return false;
    *rows = found;
    *count = found_count;
    return true;
}

struct pending_row *store_pending_find(struct tx *tx, int64_t group_key, struct arena *arena,
                                       struct err *err)
{
    struct pending_row *row = ARENA_NEW(arena, struct pending_row);
    AUTO(statement) *q = tx_statement(tx, SQL_pending_find);
    bind_int(q, P_key, group_key);
    if (!row) {
        arena_full(err);
        return NULL;
    }
    if (!statement_next(q, err))
        return NULL;
    row_read(q, arena, row);
    return statement_ok(q, err) ? row : NULL;
}

/* ---- placing ---- */

static bool settle_disks(struct tx *tx, const struct group_row *row, int64_t node_key,
                         struct err *err)
{
    char words[DISK_WORDS_SIZE];
    bool allowed;
    if (row->no_disks)
        return true;
    return disks_allow(tx, row->key, node_key, &allowed, words, err) &&
           (allowed || err_set(err, ERR_DISK, "%s", words)) && disks_place(tx, row, node_key, err);
}

/* `before`: the revision of its order to that node; 0: it had none. */
static bool order_run(struct tx *tx, const struct group_row *row, int64_t before, struct err *err)
{
    struct assignment_row order = {
        .revision = before,
        .group_key = row->key,
        .node_key = row->node_key,
        .incarnation = row->incarnation,
        .wanted = WANTED_RUN,
        .shape = row->shape,
        .promise = row->promised.promise,
    };
    return assignment_order(tx, &order, err);
}

/* It was placed before: there may be orders for it. */
static bool order_run_again(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct assignment_row *assignment;
    return group_order_forgotten(tx, row->key, row->node_key, err) &&
           assignment_find(tx, row->key, row->node_key, &assignment, err) &&
           order_run(tx, row, assignment ? assignment->revision : 0, err);
}

bool placement_begin(struct tx *tx, const struct group_row *row, struct err *err)
{
    return usage_group_put(tx, row, err) && order_run(tx, row, 0, err);
}

bool placement_promised(struct tx *tx, struct group_row *row, struct err *err)
{
    const struct promised_place *place = &row->promised;
    struct err changed = {0};
    if (place->node_key == 0 || row->disks_count > 0 || clock_boot_ns() >= place->until_ns)
        return true;
    row->waits = !node_is_as_planned(tx, place->node_key, place->epoch, &changed);
    row->node_key = row->waits ? 0 : place->node_key;
    if (changed.code == ERR_OK || changed.code == ERR_NODE_EPOCH ||
        changed.code == ERR_NODE_UNKNOWN)
        return true;
    *err = changed;
    return false;
}

bool store_assignment_place(struct tx *tx, int64_t group_key, int64_t incarnation, int64_t node_key,
                            int64_t epoch, struct err *err)
{
    struct group_row *row;
    if (!node_is_as_planned(tx, node_key, epoch, err) || !group_load(tx, group_key, &row, err))
        return false;
    if (!row || !row->waits || row->incarnation != incarnation)
        return err_set(err, ERR_CONFLICT, "the container group does not wait for a node any more");
    if (!settle_disks(tx, row, node_key, err))
        return false;
    bool before = row->node_key != 0;
    row->node_key = node_key;
    row->waits = false;
    return group_move(&row->state, GROUP_PENDING, err) &&
           (before ? order_run_again(tx, row, err) : placement_begin(tx, row, err)) &&
           group_save(tx, row, err);
}
