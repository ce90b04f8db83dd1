/* Deleting resource groups: everything in one is removed, a bounded number of groups in one commit, and it stands as
 * "being deleted" until nothing of it is left that could still run.
 *
 *   delete ──▶ deleting = 1, first batch ──▶ sweep: next batches ──▶ nodes forget ──▶ hidden (deleted = 1)
 *
 * Whoever dies in between changes nothing: the mark is on disk, and the sweep finds it. */
#include "base/limits.h"
#include "store/disks.h"
#include "store/group_life.h"
#include "store/statements.h"
#include "store/tags.h"

/* A full batch: there may be more. */
static bool groups_in(struct tx *tx, int64_t key, int64_t *groups, size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_groups);
    bind_int(q, P_resource_group_key, key);
    bind_int(q, P_after, 0);
    bind_int(q, P_rows, LIMIT_STORE_BATCH_MAX);
    for (*count = 0; statement_next(q, err);)
        groups[(*count)++] = column_int(q, C_key);
    return statement_ok(q, err);
}

static bool remove_batch(struct tx *tx, int64_t key, bool *full, struct err *err)
{
    int64_t *groups = arena_array(tx->scratch, (size_t)LIMIT_STORE_BATCH_MAX, sizeof *groups);
    size_t count;
    if (!groups)
        return arena_full(err);
    if (!groups_in(tx, key, groups, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!group_remove_by_key(tx, groups[i], err))
            return false;
    *full = count == (size_t)LIMIT_STORE_BATCH_MAX;
    return true;
}

bool resource_group_settle(struct tx *tx, int64_t key, struct err *err)
{
    bool hidden = false;
    {
        AUTO(statement) *q = tx_statement(tx, SQL_resource_group_hide);
        bind_int(q, P_key, key);
        bind_int(q, P_revision, tx_revision(tx));
        if (!statement_change(q, &hidden, err))
            return false;
    }
    if (!hidden)
        return true;
    (void)tx_next_revision(tx); /* the number it got */
    return tx_run_key(tx, SQL_tag_drop, key, err) && disks_drop_resource_group(tx, key, err);
}

/* ---- the order ---- */

static bool begin(struct tx *tx, int64_t key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_delete);
    bind_int(q, P_key, key);
    bind_int(q, P_revision, tx_next_revision(tx));
    return statement_run(q, err);
}

bool store_resource_group_delete(struct tx *tx, const char *subscription, const char *name,
                                 int64_t *key, struct err *err)
{
    struct err why = {0};
    bool full;
    struct resource_group_row *row =
        store_resource_group_find(tx, subscription, name, tx->scratch, &why);
    if (!row && why.code != ERR_OK) {
        *err = why;
        return false;
    }
    *key = row ? row->key : 0;
    if (!row || row->deleting)
        return true;
    return begin(tx, row->key, err) && remove_batch(tx, row->key, &full, err) &&
           resource_group_settle(tx, row->key, err);
}

/* ---- carrying on ---- */

static bool list_deleting(struct tx *tx, int64_t after, int64_t *keys, size_t *count,
                          struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_deleting);
    bind_int(q, P_after, after);
    bind_int(q, P_rows, LIMIT_STORE_DELETING_MAX);
    for (*count = 0; statement_next(q, err);)
        keys[(*count)++] = column_int(q, C_key);
    return statement_ok(q, err);
}

/* A full batch ends the round: that one is next again. */
bool store_resource_group_sweep(struct tx *tx, int64_t *after, bool *more, struct err *err)
{
    int64_t keys[LIMIT_STORE_DELETING_MAX], at = *after;
    size_t count;
    bool full = false;
    if (!list_deleting(tx, at, keys, &count, err))
        return false;
    for (size_t i = 0; i < count && !full; i++) {
        if (!remove_batch(tx, keys[i], &full, err) || !resource_group_settle(tx, keys[i], err))
            return false;
        at = full ? at : keys[i];
    }
    *more = full || count == (size_t)LIMIT_STORE_DELETING_MAX;
    *after = at;
    return true;
}

/* ---- asking ---- */

bool store_resource_group_deletion(struct tx *tx, const char *subscription, int64_t key,
                                   enum deletion *deletion, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_deletion);
    bind_int(q, P_key, key);
    bind_text(q, P_subscription, subscription);
    enum deletion found = DELETION_NONE;
    if (statement_next(q, err))
        found = column_int(q, C_deleted) != 0 ? DELETION_DONE : DELETION_GOES_ON;
    if (!statement_ok(q, err))
        return false;
    *deletion = found;
    return true;
}
