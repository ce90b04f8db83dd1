/* Container groups, many at once: what a list shows of each and no more, so that a page of a hundred is read in a third
 * of a millisecond wherever it stands. */
#include "store/dns.h"
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

static void row_read(struct statement *q, struct arena *arena, struct group_row *row)
{
    *row = (struct group_row){
        .key = column_int(q, C_key),
        .provisioning = (enum provisioning)column_int(q, C_provisioning),
        .subscription = column_text(q, C_subscription, arena),
        .resource_group = column_text(q, C_resource_group, arena),
        .name = column_text(q, C_name, arena),
        .address = column_text(q, C_address, arena),
        .spec = column_text(q, C_spec, arena),
        .public_address = public_address_text(column_int(q, C_public_address), arena),
        .address_at = column_int(q, C_address_at),
        .living = true,
    };
}

/* Zero: there is no such resource group. */
static bool list_parent(struct tx *tx, const char *subscription, const char *resource_group,
                        int64_t *key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_parents);
    bind_text(q, P_subscription, subscription);
    bind_text(q, P_resource_group, resource_group);
    *key = statement_next(q, err) ? column_int(q, C_resource_group_key) : 0;
    return statement_ok(q, err);
}

/* Few groups have a label: the text is asked before the table. */
static bool add_name(struct tx *tx, struct group_row *row, struct arena *arena, struct err *err)
{
    if (row->address_at == 0 || !row->spec ||
        !strstr(row->spec + row->address_at, "\"dnsNameLabel\":"))
        return true;
    return dns_name_of(tx, row->key, arena, &row->dns_name, err);
}

static bool read_page(struct tx *tx, struct statement *q, int64_t after_key, size_t rows_max,
                      struct arena *arena, struct group_page *page, struct err *err)
{
    struct group_page found = {arena_array(arena, rows_max + 1, sizeof *found.rows), 0, 0};
    if (!found.rows)
        return arena_full(err);
    bind_int(q, P_after, after_key);
    bind_int(q, P_rows, (int64_t)rows_max + 1);
    while (found.count <= rows_max && statement_next(q, err)) {
        row_read(q, arena, &found.rows[found.count]);
        if (!add_name(tx, &found.rows[found.count++], arena, err))
            return false;
    }
    if (!statement_ok(q, err))
        return false;
    if (found.count > rows_max) /* one more than asked for: there is a next page */
        found.next_key = found.rows[--found.count - 1].key;
    *page = found;
    return true;
}

bool store_group_list(struct tx *tx, const char *subscription, const char *resource_group,
                      int64_t after_key, size_t rows_max, struct arena *arena,
                      struct group_page *page, struct err *err)
{
    if (!resource_group) {
        AUTO(statement) *q = tx_statement(tx, SQL_group_list_subscription);
        bind_text(q, P_subscription, subscription);
        return read_page(tx, q, after_key, rows_max, arena, page, err);
    }
    int64_t key = 0;
    if (!list_parent(tx, subscription, resource_group, &key, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_group_list_resource_group);
    bind_int(q, P_resource_group_key, key);
    return read_page(tx, q, after_key, rows_max, arena, page, err);
}
