/* How local disks go: wanted first, then told to the node once no group has to do with them any more, dropped when it
 * says that nothing is left. Whoever dies in between changes nothing: each step is on disk, and the node is told again. */
#include "base/limits.h"
#include "store/disks.h"
#include "store/group_life.h"
#include "store/row_id.h"
#include "store/statements.h"

enum leaving { STAYS, GOES, TOLD }; /* the column removing */

static bool is_used(struct tx *tx, int64_t key, bool *used, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_any_use);
    bind_int(q, P_key, key);
    *used = statement_next(q, err);
    return statement_ok(q, err);
}

static bool mark(struct tx *tx, int64_t key, enum leaving leaving, int64_t node_key,
                 struct err *err)
{
    /* The node's poll wakes as for an assignment. */
    int64_t revision =
        leaving == TOLD
            ? tx_note(tx, (struct change){.kind = CHANGE_ASSIGNMENT, .node_key = node_key})
            : tx_next_revision(tx);
    AUTO(statement) *q = tx_statement(tx, SQL_disk_leave);
    bind_int(q, P_key, key);
    bind_int(q, P_removing, leaving);
    bind_int(q, P_revision, revision);
    return statement_run(q, err);
}

/* One that is to go goes one step further, if it can. */
static bool go_on(struct tx *tx, int64_t key, struct err *err)
{
    bool used;
    int64_t node_key, leaving, state;
    {
        AUTO(statement) *q = tx_statement(tx, SQL_disk_get);
        bind_int(q, P_key, key);
        if (!statement_next(q, err))
            return statement_ok(q, err);
        node_key = column_int(q, C_node_key);
        leaving = column_int(q, C_removing);
        state = column_int(q, C_state);
    }
    if (leaving != GOES || !is_used(tx, key, &used, err))
        return leaving != GOES;
    if (used)
        return true;
    return state == NODE_LEFT ? tx_run_key(tx, SQL_disk_drop, key, err)
                              : mark(tx, key, TOLD, node_key, err);
}

static bool begin(struct tx *tx, int64_t key, struct err *err)
{
    return mark(tx, key, GOES, 0, err) && go_on(tx, key, err);
}

static bool refuse_used(struct tx *tx, int64_t key, const char *name, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_user);
    bind_int(q, P_key, key);
    if (!statement_next(q, err))
        return statement_ok(q, err);
    const char *group = column_text(q, C_name, tx->scratch);
    return err_set(err, ERR_DISK, "The local disk '%s' is named by the container group '%s'.", name,
                   group ? group : "");
}

bool store_disk_remove(struct tx *tx, const char *id, struct err *err)
{
    int64_t key = row_id_key(id), leaving = STAYS;
    const char *name = NULL;
    {
        AUTO(statement) *q = tx_statement(tx, SQL_disk_find);
        bind_int(q, P_key, key);
        bind_text(q, P_id, id);
        if (statement_next(q, err)) {
            name = column_text(q, C_name, tx->scratch);
            leaving = column_int(q, C_removing);
        }
        if (!statement_ok(q, err))
            return false;
    }
    if (!name)
        return err_set(err, ERR_DISK_UNKNOWN, "There is no local disk '%.36s'.", id);
    return leaving != STAYS || (refuse_used(tx, key, name, err) && begin(tx, key, err));
}

static bool list_keys(struct tx *tx, int sql, int64_t key, int64_t rows_max, int64_t *keys,
                      size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql);
    bind_int(q, P_key, key);
    if (sql == SQL_disks_of_resource_group)
        bind_int(q, P_rows, rows_max);
    for (*count = 0; *count < (size_t)rows_max && statement_next(q, err);)
        if ((keys[*count] = column_int(q, sql == SQL_disks_of_resource_group ? C_key : C_disk_key)))
            (*count)++;
    return *count == (size_t)rows_max || statement_ok(q, err);
}

bool disks_forget(struct tx *tx, int64_t group_key, struct err *err)
{
    int64_t keys[LIMIT_VOLUMES_MAX];
    size_t count;
    if (!list_keys(tx, SQL_disk_uses_of_group, group_key, COUNT_OF(keys), keys, &count, err) ||
        !tx_run_key(tx, SQL_disk_uses_drop, group_key, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!go_on(tx, keys[i], err))
            return false;
    return true;
}

/* All at once: a subscription has no more. */
bool disks_drop_resource_group(struct tx *tx, int64_t key, struct err *err)
{
    int64_t *keys = arena_array(tx->scratch, (size_t)LIMIT_DISKS_MAX, sizeof *keys);
    size_t count;
    if (!keys)
        return arena_full(err);
    if (!list_keys(tx, SQL_disks_of_resource_group, key, LIMIT_DISKS_MAX, keys, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!begin(tx, keys[i], err))
            return false;
    return true;
}

/* ---- what nodes are told, and tell ---- */

bool disks_leaving(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                   struct text_list *ids, int64_t *last, bool *full, struct err *err)
{
    *ids = (struct text_list){0};
    AUTO(statement) *q = tx_statement(tx, SQL_disks_leaving);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_after, after);
    bind_int(q, P_rows, LIMIT_DISKS_PAGE);
    while (statement_next(q, err)) {
        if (!ids->items && !(ids->items = arena_array(arena, LIMIT_DISKS_PAGE, sizeof *ids->items)))
            return arena_full(err);
        ids->given = true;
        *last = column_int(q, C_revision);
        if (!(ids->items[ids->count++] = column_text(q, C_id, arena)))
            return arena_full(err);
    }
    *full = ids->count == (size_t)LIMIT_DISKS_PAGE;
    return statement_ok(q, err);
}

bool disks_leaving_any(struct tx *tx, int64_t node_key, int64_t after, bool *any, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disks_leaving_any);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_after, after);
    *any = statement_next(q, err);
    return statement_ok(q, err);
}

bool disks_removed(struct tx *tx, int64_t node_key, const struct text_list *ids, struct err *err)
{
    for (size_t i = 0; i < ids->count; i++) {
        AUTO(statement) *q = tx_statement(tx, SQL_disk_drop_told);
        bind_int(q, P_key, row_id_key(ids->items[i]));
        bind_text(q, P_id, ids->items[i]);
        bind_int(q, P_node_key, node_key);
        if (!statement_run(q, err))
            return false;
    }
    return true;
}
