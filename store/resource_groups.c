/* Resource groups: names with tags that groups live in. */
#include "base/limits.h"
#include "store/group_life.h"
#include "store/statements.h"
#include "store/tags.h"

static bool row_read(struct statement *q, struct arena *arena, struct resource_group_row *row)
{
    *row = (struct resource_group_row){
        .key = column_int(q, C_key),
        .subscription = column_text(q, C_subscription, arena),
        .name = column_text(q, C_name, arena),
        .location = column_text(q, C_location, arena),
        .tags = column_text(q, C_tags, arena),
        .managed_by = column_text(q, C_managed_by, arena),
        .deleting = column_int(q, C_deleting) != 0,
        .subscription_key = column_int(q, C_subscription_key),
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

static struct statement *list_statement(struct tx *tx,
                                        const struct resource_group_question *question)
{
    struct statement *q = tx_statement(tx, !question->tag    ? SQL_resource_group_list
                                           : question->value ? SQL_resource_group_list_valued
                                                             : SQL_resource_group_list_tagged);
    bind_text(q, P_subscription, question->subscription);
    if (question->tag)
        bind_text(q, P_tag, question->tag);
    if (question->tag && question->value)
        bind_text(q, P_value, question->value);
    return q;
}

bool store_resource_group_list(struct tx *tx, const struct resource_group_question *question,
                               int64_t after_key, size_t rows_max, struct arena *arena,
                               struct resource_group_page *page, struct err *err)
{
    struct resource_group_page found = {arena_array(arena, rows_max + 1, sizeof *found.rows), 0, 0};
    AUTO(statement) *q = list_statement(tx, question);
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

/* ---- putting ---- */

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

static bool put_tags(struct tx *tx, const struct resource_group_row *row, bool is_new,
                     struct err *err)
{
    struct tags_owner owner = {row->key, row->subscription_key, TAGS_OF_RESOURCE_GROUP, is_new};
    const char *members = arena_format(tx->scratch, "\"tags\":%s", row->tags ? row->tags : "{}");
    return members ? tags_put(tx, &owner, members, err) : arena_full(err);
}

static bool insert_row(struct tx *tx, const struct resource_group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_insert);
    bind_int(q, P_key, row->key);
    bind_int(q, P_subscription_key, row->subscription_key);
    bind_text(q, P_name, row->name);
    bind_text(q, P_location, row->location);
    bind_text(q, P_tags, row->tags ? row->tags : "{}");
    bind_text(q, P_managed_by, row->managed_by);
    return statement_run(q, err);
}

static bool resource_group_insert(struct tx *tx, struct resource_group_row *row, struct err *err)
{
    if (!subscription_put(tx, row->subscription, &row->subscription_key, err))
        return false;
    row->key = row->revision = tx_next_revision(tx);
    return insert_row(tx, row, err) && put_tags(tx, row, true, err);
}

static bool update_row(struct tx *tx, const struct resource_group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_resource_group_update);
    bind_int(q, P_key, row->key);
    bind_int(q, P_revision, row->revision);
    bind_text(q, P_tags, row->tags ? row->tags : "{}");
    bind_text(q, P_managed_by, row->managed_by);
    return statement_run(q, err);
}

bool resource_group_refuse_deleting(const char *name, struct err *err)
{
    return err_set(
        err, ERR_RESOURCE_GROUP_DELETING,
        "The resource group '%s' is in deprovisioning state and cannot perform this operation.",
        name);
}

/* Its name, key and location stay; ARM refuses another location. */
static bool resource_group_update(struct tx *tx, const struct resource_group_row *old,
                                  struct resource_group_row *row, struct err *err)
{
    if (old->deleting)
        return resource_group_refuse_deleting(old->name, err);
    if (!text_equal_nocase(old->location, row->location))
        return err_set(err, ERR_RESOURCE_GROUP_LOCATION,
                       "Invalid resource group location '%s'. The Resource group already exists in "
                       "location '%s'.",
                       row->location, old->location);
    row->key = old->key;
    row->subscription_key = old->subscription_key;
    row->revision = tx_next_revision(tx);
    return update_row(tx, row, err) && put_tags(tx, row, false, err);
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
