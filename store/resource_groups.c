/* Resource groups: names with tags that groups live in. */
#include "base/limits.h"
#include "store/group_life.h"
#include "store/statements.h"
#include "store/tx.h"

static bool row_read(struct statement *q, struct arena *arena, struct resource_group_row *row)
{
    *row = (struct resource_group_row){
        .key = column_int(q, C_key),
        .subscription = column_text(q, C_subscription, arena),
        .name = column_text(q, C_name, arena),
        .location = column_text(q, C_location, arena),
        .tags = column_text(q, C_tags, arena),
        .revision = column_int(q, C_revision),
    };
    return row->subscription && row->name && row->location && row->tags;
}

struct resource_group_row *store_resource_group_find(struct tx *tx, const char *subscription,
                                                     const char *name, struct arena *arena,
                                                     struct err *err)
{
    struct resource_group_row *row = ARENA_NEW(arena, struct resource_group_row);
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_find);
    bind_text(q, P_subscription, subscription);
    bind_text(q, P_name, name);
    if (!row || !statement_next(q, err) || !row_read(q, arena, row)) {
        if (!row)
            arena_full(err);
        else if (!statement_ok(q, err))
            err_add(err, "while looking for resource group %s", name);
        return NULL;
    }
    return row;
}

bool store_resource_group_list(struct tx *tx, const char *subscription, int64_t after_key,
                               size_t rows_max, struct arena *arena,
                               struct resource_group_page *page, struct err *err)
{
    struct resource_group_page found = {arena_array(arena, rows_max + 1, sizeof *found.rows), 0, 0};
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_list);
    bind_text(q, P_subscription, subscription);
    bind_int(q, P_after, after_key);
    bind_int(q, P_rows, (int64_t)rows_max + 1);
    if (!found.rows)
        return arena_full(err);
    while (statement_next(q, err) && row_read(q, arena, &found.rows[found.count]))
        found.count++;
    if (!statement_ok(q, err))
        return false;
    if (found.count > rows_max) /* one more than asked for: there is a next page */
        found.next_key = found.rows[--found.count - 1].key;
    *page = found;
    return true;
}

static bool subscription_put(struct tx *tx, const char *name, int64_t *key, struct err *err)
{
    {
        AUTO(statement) *put = tx_statement(tx, SQL_subscription_put);
        bind_text(put, P_name, name);
        if (!statement_run(put, err))
            return false;
    }
    AUTO(statement) *q = tx_statement(tx, SQL_subscription_find);
    bind_text(q, P_subscription, name);
    if (statement_next(q, err))
        *key = column_int(q, C_key);
    return statement_ok(q, err);
}

static bool resource_group_insert(struct tx *tx, struct resource_group_row *row, struct err *err)
{
    int64_t subscription_key = 0;
    if (!subscription_put(tx, row->subscription, &subscription_key, err))
        return false;
    row->key = row->revision = tx_next_revision(tx);
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_insert);
    bind_int(q, P_key, row->key);
    bind_int(q, P_subscription_key, subscription_key);
    bind_text(q, P_name, row->name);
    bind_text(q, P_location, row->location);
    bind_text(q, P_tags, row->tags ? row->tags : "{}");
    return statement_run(q, err);
}

/* Its name, key and location stay; ARM refuses another location. */
static bool resource_group_update(struct tx *tx, const struct resource_group_row *old,
                                  struct resource_group_row *row, struct err *err)
{
    if (!text_equal_nocase(old->location, row->location))
        return err_set(err, ERR_RESOURCE_GROUP_LOCATION,
                       "The resource group '%s' already exists in location '%s'. A resource group "
                       "with the same "
                       "name cannot be created in location '%s'.",
                       old->name, old->location, row->location);
    row->key = old->key;
    row->revision = tx_next_revision(tx);
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_update);
    bind_int(q, P_key, row->key);
    bind_int(q, P_revision, row->revision);
    bind_text(q, P_tags, row->tags ? row->tags : "{}");
    return statement_run(q, err);
}

bool store_resource_group_put(struct tx *tx, struct resource_group_row *row, bool *created,
                              struct err *err)
{
    struct err why = {0};
    struct resource_group_row *old =
        store_resource_group_find(tx, row->subscription, row->name, tx->scratch, &why);
    if (!old && why.code != ERR_OK) {
        *err = why;
        return false;
    }
    *created = !old;
    return old ? resource_group_update(tx, old, row, err) : resource_group_insert(tx, row, err);
}

/* ---- deleting ---- */

static bool groups_in(struct tx *tx, int64_t resource_group_key, int64_t after, int64_t *keys,
                      size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_groups);
    bind_int(q, P_resource_group_key, resource_group_key);
    bind_int(q, P_after, after);
    bind_int(q, P_rows, LIMIT_STORE_BATCH_MAX);
    for (*count = 0; statement_next(q, err);)
        keys[(*count)++] = column_int(q, C_key);
    return statement_ok(q, err);
}

static bool remove_groups(struct tx *tx, int64_t resource_group_key, struct err *err)
{
    int64_t *keys = arena_array(tx->scratch, (size_t)LIMIT_STORE_BATCH_MAX, sizeof *keys);
    size_t count = 0;
    int64_t after = 0;
    if (!keys)
        return arena_full(err);
    do {
        if (!groups_in(tx, resource_group_key, after, keys, &count, err))
            return false;
        for (size_t i = 0; i < count; i++)
            if (!group_remove_by_key(tx, after = keys[i], err))
                return false;
    } while (count == (size_t)LIMIT_STORE_BATCH_MAX);
    return true;
}

static bool hide(struct tx *tx, int64_t key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_hide);
    bind_int(q, P_key, key);
    bind_int(q, P_revision, tx_next_revision(tx));
    return statement_run(q, err);
}

bool store_resource_group_delete(struct tx *tx, const char *subscription, const char *name,
                                 bool *existed, struct err *err)
{
    struct err why = {0};
    struct resource_group_row *row =
        store_resource_group_find(tx, subscription, name, tx->scratch, &why);
    *existed = row != NULL;
    if (!row) {
        *err = why.code != ERR_OK ? why : *err;
        return why.code == ERR_OK;
    }
    return remove_groups(tx, row->key, err) && hide(tx, row->key, err);
}

bool store_resource_group_present(struct tx *tx, int64_t key, bool *present, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_present);
    bind_int(q, P_key, key);
    bool found = statement_next(q, err);
    if (!statement_ok(q, err))
        return false;
    *present = found;
    return true;
}
