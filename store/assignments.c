/* Assignments: orders to nodes. A row lives from the placement until the node has forgotten the group. */
#include "store/group_life.h"
#include "store/statements.h"

/* ---- rows ---- */

static void row_read(struct statement *q, struct arena *arena, struct assignment_row *row)
{
    *row = (struct assignment_row){
        .group_key = column_int(q, C_group_key),
        .node_key = column_int(q, C_node_key),
        .uid = column_text(q, C_uid, arena),
        .incarnation = column_int(q, C_incarnation),
        .wanted = (enum wanted)column_int(q, C_wanted),
        .released = column_int(q, C_released) != 0,
        .shape = {.cpu_milli = column_int(q, C_cpu_milli),
                  .memory_mib = column_int(q, C_memory_mib),
                  .gpus = column_int(q, C_gpus)},
        .revision = column_int(q, C_revision),
    };
    const char *ports = column_text(q, C_node_ports, arena);
    if (ports)
        port_set_read(ports, &row->shape.ports);
    quota_class_shape((enum quota_class)column_int(q, C_quota_class), &row->shape);
}

/* Twice the room, with what is there. */
static struct assignment_row *grown(const struct assignment_row *rows, size_t count,
                                    struct arena *arena)
{
    size_t room = count ? count * 2 : 16;
    struct assignment_row *more = arena_array(arena, room, sizeof *more);
    for (size_t i = 0; more && i < count; i++)
        more[i] = rows[i];
    return more;
}

static bool has_no_room(size_t count)
{
    return count == 0 || (count >= 16 && (count & (count - 1)) == 0);
}

static bool list_rows(struct statement *q, struct arena *arena, struct assignment_row **rows,
                      size_t *count, struct err *err)
{
    struct assignment_row *found = NULL;
    size_t found_count = 0;
    while (statement_next(q, err)) {
        if (has_no_room(found_count) && !(found = grown(found, found_count, arena)))
            return arena_full(err);
        row_read(q, arena, &found[found_count++]);
    }
    if (!statement_ok(q, err))
        return false;
    *rows = found;
    *count = found_count;
    return true;
}

bool store_assignment_list(struct tx *tx, struct arena *arena, struct assignment_row **rows,
                           size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_list);
    return list_rows(q, arena, rows, count, err);
}

bool store_assignment_of_group(struct tx *tx, int64_t group_key, struct arena *arena,
                               struct assignment_row **rows, size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_of_group);
    bind_int(q, P_group_key, group_key);
    return list_rows(q, arena, rows, count, err);
}

bool assignment_of_node(struct tx *tx, int64_t node_key, struct arena *arena,
                        struct assignment_row **rows, size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_of_node);
    bind_int(q, P_node_key, node_key);
    return list_rows(q, arena, rows, count, err);
}

bool assignment_page(struct tx *tx, int64_t node_key, int64_t after, size_t rows_max,
                     struct arena *arena, struct assignment_row **rows, size_t *count,
                     struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_page);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_after, after);
    bind_int(q, P_rows, (int64_t)rows_max);
    return list_rows(q, arena, rows, count, err);
}

bool assignment_find(struct tx *tx, int64_t group_key, int64_t node_key,
                     struct assignment_row **row, struct err *err)
{
    struct assignment_row *found = ARENA_NEW(tx->scratch, struct assignment_row);
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_at);
    bind_int(q, P_group_key, group_key);
    bind_int(q, P_node_key, node_key);
    if (!found)
        return arena_full(err);
    bool any = statement_next(q, err);
    if (any)
        row_read(q, tx->scratch, found);
    *row = any ? found : NULL;
    return statement_ok(q, err);
}

/* ---- orders ---- */

static int64_t note(struct tx *tx, const struct assignment_row *row)
{
    return tx_note(tx, (struct change){.kind = CHANGE_ASSIGNMENT,
                                       .group_key = row->group_key,
                                       .node_key = row->node_key,
                                       .promise = row->promise});
}

static void bind_place(struct statement *q, const struct assignment_row *row)
{
    bind_int(q, P_group_key, row->group_key);
    bind_int(q, P_node_key, row->node_key);
}

/* Both statements that write an order have all of these. */
static bool write_order(struct tx *tx, int sql, const struct assignment_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql);
    bind_place(q, row);
    bind_int(q, P_incarnation, row->incarnation);
    bind_int(q, P_wanted, row->wanted);
    bind_int(q, P_released, row->released);
    bind_int(q, P_cpu_milli, row->shape.cpu_milli);
    bind_int(q, P_memory_mib, row->shape.memory_mib);
    bind_int(q, P_gpus, row->shape.gpus);
    bind_int(q, P_revision, row->revision);
    return statement_run(q, err);
}

bool assignment_order(struct tx *tx, struct assignment_row *row, struct err *err)
{
    int sql = row->revision == 0 ? SQL_assignment_insert : SQL_assignment_order;
    row->revision = note(tx, row);
    return write_order(tx, sql, row, err);
}

bool assignment_hold(struct tx *tx, struct assignment_row *row, bool released, struct err *err)
{
    if (row->released == released)
        return true;
    row->released = released;
    note(tx, row);
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_hold);
    bind_place(q, row);
    bind_int(q, P_released, released);
    return statement_run(q, err);
}

bool assignment_drop(struct tx *tx, const struct assignment_row *row, struct err *err)
{
    note(tx, row);
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_drop);
    bind_place(q, row);
    return statement_run(q, err);
}
