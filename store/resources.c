/* Container groups listed as resources: names, places, tags and times, without their documents. */
#include "base/limits.h"
#include "store/statements.h"
#include "store/tags.h"

static bool row_read(struct statement *q, struct arena *arena, struct resource_row *row)
{
    *row = (struct resource_row){
        .place = column_int(q, C_place),
        .key = column_int(q, C_key),
        .resource_group = column_text(q, C_resource_group, arena),
        .name = column_text(q, C_name, arena),
        .location = column_text(q, C_location, arena),
        .provisioning = (enum provisioning)column_int(q, C_provisioning),
        .created_ms = column_int(q, C_created_ms),
        .changed_ms = column_int(q, C_changed_ms),
    };
    return row->resource_group && (row->key == 0 || (row->name && row->location));
}

/* The statement that looks at the fewest rows: a tag's value is rarer than a tag, a name rarer than a resource
 * group. What it leaves open is the caller's to look at. */
static int narrowest(const struct resource_question *question)
{
    if (question->tag)
        return question->value ? SQL_resource_list_valued : SQL_resource_list_tagged;
    if (question->name)
        return SQL_resource_list_named;
    return question->resource_group ? SQL_resource_list_in : SQL_resource_list;
}

/* Zero: there is no such resource group. */
static bool parent_key(struct tx *tx, const struct resource_question *question, struct arena *arena,
                       int64_t *key, struct err *err)
{
    struct err why = {0};
    struct resource_group_row *row = store_resource_group_find(
        tx, question->subscription, question->resource_group, arena, &why);
    *key = row ? row->key : 0;
    if (row || why.code == ERR_OK)
        return true;
    *err = why;
    return false;
}

static bool bind_question(struct tx *tx, struct statement *q, int sql,
                          const struct resource_question *question, struct arena *arena,
                          struct err *err)
{
    int64_t resource_group_key;
    if (sql == SQL_resource_list_in) {
        if (!parent_key(tx, question, arena, &resource_group_key, err))
            return false;
        bind_int(q, P_resource_group_key, resource_group_key);
        return true;
    }
    bind_text(q, P_subscription, question->subscription);
    if (sql == SQL_resource_list_named)
        bind_text(q, P_name, question->name);
    if (sql == SQL_resource_list_tagged || sql == SQL_resource_list_valued)
        bind_text(q, P_tag, question->tag);
    if (sql == SQL_resource_list_valued)
        bind_text(q, P_value, question->value);
    return true;
}

static bool read_rows(struct tx *tx, const struct resource_question *question, int64_t after,
                      size_t rows_max, struct arena *arena, struct resource_page *page,
                      struct err *err)
{
    int sql = narrowest(question);
    AUTO(statement) *q = tx_statement(tx, sql);
    if (!bind_question(tx, q, sql, question, arena, err))
        return false;
    bind_int(q, P_after, after);
    bind_int(q, P_rows, (int64_t)rows_max + 1);
    while (page->count <= rows_max && statement_next(q, err) &&
           row_read(q, arena, &page->rows[page->count]))
        page->count++;
    return statement_ok(q, err);
}

bool store_resource_list(struct tx *tx, const struct resource_question *question, int64_t after,
                         size_t rows_max, struct arena *arena, struct resource_page *page,
                         struct err *err)
{
    struct resource_page found = {arena_array(arena, rows_max + 1, sizeof *found.rows), 0, 0};
    if (!found.rows)
        return arena_full(err);
    if (!read_rows(tx, question, after, rows_max, arena, &found, err))
        return false;
    if (found.count > rows_max) /* one more than asked for: there is a next page */
        found.next_key = found.rows[--found.count - 1].place;
    for (size_t i = 0; i < found.count; i++)
        if (found.rows[i].key != 0 &&
            !tags_list(tx, found.rows[i].key, arena, &found.rows[i].tags, err))
            return false;
    *page = found;
    return true;
}
