/* Operations: each order of a client is one, pending until the group got there or cannot. */
#include "base/limits.h"
#include "store/group_life.h"
#include "store/row_id.h"
#include "store/statements.h"

/* ---- rows ---- */

static void row_read(struct statement *q, struct arena *arena, struct operation_row *row)
{
    *row = (struct operation_row){
        .key = column_int(q, C_key),
        .id = column_text(q, C_id, arena),
        .group_key = column_int(q, C_group_key),
        .subscription = column_text(q, C_subscription, arena),
        .location = column_text(q, C_location, arena),
        .kind = (enum operation_kind)column_int(q, C_kind),
        .status = (enum operation_status)column_int(q, C_status),
        .started_ms = column_int(q, C_started_ms),
        .ended_ms = column_int(q, C_ended_ms),
        .error_code = column_text(q, C_error_code, arena),
        .error_text = column_text(q, C_error_text, arena),
    };
}

static struct operation_row *take_row(struct statement *q, struct arena *arena, struct err *err)
{
    struct operation_row *row = ARENA_NEW(arena, struct operation_row);
    if (!row) {
        arena_full(err);
        return NULL;
    }
    if (!statement_next(q, err))
        return NULL;
    row_read(q, arena, row);
    row->resource = resource_text(q, arena);
    if (!row->resource)
        arena_full(err);
    return statement_ok(q, err) && row->resource ? row : NULL;
}

struct operation_row *store_operation_find(struct tx *tx, const char *id, struct arena *arena,
                                           struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_operation_find);
    bind_int(q, P_key, row_id_key(id));
    bind_text(q, P_id, id);
    return take_row(q, arena, err);
}

struct operation_row *store_operation_get(struct tx *tx, int64_t key, struct arena *arena,
                                          struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_operation_get);
    bind_int(q, P_key, key);
    return take_row(q, arena, err);
}

/* ---- beginning and ending ---- */

static bool end(struct tx *tx, int64_t key, int64_t group_key, enum operation_status status,
                const char *code, const char *text, struct err *err)
{
    bool ended = false;
    AUTO(statement) *q = tx_statement(tx, SQL_operation_end);
    bind_int(q, P_key, key);
    bind_int(q, P_status, status);
    bind_int(q, P_now_ms, tx->now_ms);
    bind_text(q, P_error_code, code);
    bind_text(q, P_error_text, text);
    if (!statement_change(q, &ended, err))
        return false;
    if (ended)
        tx_note(tx, (struct change){
                        .kind = CHANGE_OPERATION, .group_key = group_key, .operation_key = key});
    return true;
}

bool operation_end(struct tx *tx, const struct group_row *row, enum operation_status status,
                   const char *code, const char *text, struct err *err)
{
    return row->operation_key == 0 ||
           end(tx, row->operation_key, row->key, status, code, text, err);
}

static bool insert(struct tx *tx, const struct group_row *row, enum operation_kind kind,
                   struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_operation_insert);
    bind_int(q, P_key, row->operation_key);
    bind_text(q, P_id, row->operation_id);
    bind_int(q, P_group_key, row->key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, row->name);
    bind_text(q, P_location, row->location);
    bind_int(q, P_kind, kind);
    bind_int(q, P_now_ms, tx->now_ms);
    return statement_run(q, err);
}

bool operation_begin(struct tx *tx, struct group_row *row, enum operation_kind kind,
                     struct err *err)
{
    if (!operation_end(tx, row, OPERATION_CANCELED, "OperationPreempted",
                       "Another operation on the container group began before this one ended.",
                       err))
        return false;
    row->operation_key = tx_note(tx, (struct change){.kind = CHANGE_OPERATION,
                                                     .group_key = row->key,
                                                     .operation_key = tx_revision(tx)});
    row_id(row->operation_key, row->ids[1]);
    row->operation_id = row->ids[1];
    return insert(tx, row, kind, err);
}

/* ---- sweeping ---- */

struct looked_at {
    int64_t key, group_key, started_ms;
    bool pending;
};

static bool swept(struct tx *tx, int64_t *key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_swept_get);
    *key = statement_next(q, err) ? column_int(q, C_value) : 0;
    return statement_ok(q, err);
}

static bool swept_set(struct tx *tx, int64_t key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_swept_set);
    bind_int(q, P_value, key);
    return statement_run(q, err);
}

static bool list_next(struct tx *tx, int64_t after, struct looked_at **found, size_t *count,
                      struct err *err)
{
    *found = arena_array(tx->scratch, (size_t)LIMIT_STORE_SWEEP_MAX, sizeof **found);
    AUTO(statement) *q = tx_statement(tx, SQL_operation_next);
    bind_int(q, P_after, after);
    bind_int(q, P_rows, LIMIT_STORE_SWEEP_MAX);
    if (!*found)
        return arena_full(err);
    for (*count = 0; statement_next(q, err); (*count)++)
        (*found)[*count] = (struct looked_at){
            .key = column_int(q, C_key),
            .group_key = column_int(q, C_group_key),
            .started_ms = column_int(q, C_started_ms),
            .pending = column_int(q, C_status) == OPERATION_PENDING,
        };
    return statement_ok(q, err);
}

/* The group goes on trying: only what is said of its last operation changes. */
static bool fail_overdue(struct tx *tx, const struct looked_at *overdue, struct err *err)
{
    char text[160];
    struct group_row *row;
    text_format(text, sizeof text,
                "It did not end within %lld seconds; the container group goes on trying.",
                (long long)LIMIT_PROVISIONING_TIMEOUT_S);
    if (!end(tx, overdue->key, overdue->group_key, OPERATION_FAILED, "OperationTimedOut", text,
             err))
        return false;
    if (!group_load(tx, overdue->group_key, &row, err))
        return false;
    if (!row || row->operation_key != overdue->key || row->wanted != WANTED_RUN ||
        row->provisioning == PROVISIONING_SUCCEEDED)
        return true;
    row->provisioning = PROVISIONING_FAILED;
    return group_save(tx, row, err);
}

/* Each operation is looked at once, when it is old enough; the mark stands before the first that is not. */
static bool sweep_overdue(struct tx *tx, int64_t started_before_ms, struct err *err)
{
    struct looked_at *next;
    size_t count = 0, i;
    int64_t mark = 0;
    if (!swept(tx, &mark, err) || !list_next(tx, mark, &next, &count, err))
        return false;
    for (i = 0; i < count && next[i].started_ms < started_before_ms; i++)
        if (next[i].pending && !fail_overdue(tx, &next[i], err))
            return false;
    return i == 0 || swept_set(tx, next[i - 1].key, err);
}

bool store_operation_sweep(struct tx *tx, int64_t started_before_ms, int64_t ended_before_ms,
                           struct err *err)
{
    if (!sweep_overdue(tx, started_before_ms, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_operation_drop_old);
    bind_int(q, P_before_ms, ended_before_ms);
    bind_int(q, P_rows, LIMIT_STORE_SWEEP_MAX);
    return statement_run(q, err);
}
