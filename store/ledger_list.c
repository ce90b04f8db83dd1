/* Questions to the ledger, page by page. Nothing in it is ever deleted, so a row is where the next page begins. */
#include "store/statements.h"
#include "store/tx.h"

struct place {
    int64_t group_key, incarnation, from_s, node_key, start_s, ended;
};

/* Before everything when `after_key` is 0. */
static bool find_place(struct tx *tx, int64_t after_key, struct place *place, struct err *err)
{
    *place = (struct place){.start_s = INT64_MIN};
    if (after_key == 0)
        return true;
    AUTO(statement) *q = tx_statement(tx, SQL_interval_place);
    bind_int(q, P_key, after_key);
    if (!statement_next(q, err))
        return statement_ok(q, err) ? err_set(err, ERR_BAD_QUERY, "there is no such page") : false;
    *place = (struct place){
        .group_key = column_int(q, C_group_key),
        .incarnation = column_int(q, C_incarnation),
        .from_s = column_int(q, C_from_s),
        .node_key = column_int(q, C_node_key),
        .start_s = column_int(q, C_start_s),
        .ended = column_int(q, C_ended),
    };
    return true;
}

struct asked {
    int64_t from_s, to_s, after_key;
    size_t rows_max;
    struct arena *arena;
};

static bool row_read(struct statement *q, const struct asked *asked, struct usage_row *row)
{
    int64_t start_s = column_int(q, C_start_s), to_s = column_int(q, C_to_s);
    *row = (struct usage_row){
        .key = column_int(q, C_key),
        .uid = column_text(q, C_uid, asked->arena),
        .resource = resource_text(q, asked->arena),
        .incarnation = column_int(q, C_incarnation),
        .node = column_text(q, C_node, asked->arena),
        .from_s = start_s > asked->from_s ? start_s : asked->from_s,
        .to_s = to_s < asked->to_s ? to_s : asked->to_s,
        .open = column_int(q, C_open) != 0,
        .cpu_milli = column_int(q, C_cpu_milli),
        .memory_mib = column_int(q, C_memory_mib),
        .gpus = column_int(q, C_gpus),
        .price_class = column_is_null(q, C_price_class) ? -1 : (int)column_int(q, C_price_class),
        .os = column_text(q, C_os, asked->arena),
    };
    return row->uid && row->resource && row->node && row->os;
}

static bool read_page(struct statement *q, const struct asked *asked, struct usage_page *page,
                      struct err *err)
{
    struct usage_page found = {
        .rows = arena_array(asked->arena, asked->rows_max + 1, sizeof *found.rows)};
    bool more = false;
    if (!found.rows)
        return arena_full(err);
    bind_int(q, P_rows, (int64_t)asked->rows_max + 1);
    while (!more && statement_next(q, err)) {
        if (!row_read(q, asked, &found.rows[found.count]))
            return arena_full(err);
        more = found.count == asked->rows_max; /* one more than asked for: there is a next page */
        found.count += !more;
    }
    if (!more && !statement_ok(q, err))
        return false;
    found.last_key = found.count > 0 ? found.rows[found.count - 1].key : asked->after_key;
    found.next_key = more ? found.last_key : 0;
    *page = found;
    return true;
}

static void bind_time(struct statement *q, const struct asked *asked)
{
    bind_int(q, P_from_s, asked->from_s);
    bind_int(q, P_to_s, asked->to_s);
}

/* Of a group, or of all groups of a resource group. */
static bool list_by_group(struct tx *tx, const struct resource_id *id, const struct asked *asked,
                          struct usage_page *page, struct err *err)
{
    struct place place;
    if (!find_place(tx, asked->after_key, &place, err))
        return false;
    AUTO(statement) *q =
        tx_statement(tx, id->group ? SQL_usage_of_group : SQL_usage_of_resource_group);
    bind_text(q, P_subscription, id->subscription);
    bind_text(q, P_resource_group, id->resource_group);
    if (id->group)
        bind_text(q, P_name, id->group);
    bind_int(q, P_group_key, place.group_key);
    bind_int(q, P_incarnation, place.incarnation);
    bind_int(q, P_begun_s, place.from_s);
    bind_int(q, P_node_key, place.node_key);
    bind_time(q, asked);
    return read_page(q, asked, page, err);
}

/* Of a whole subscription, or of a resource group of it. */
static bool list_by_time(struct tx *tx, const struct resource_id *id, const struct asked *asked,
                         struct usage_page *page, struct err *err)
{
    struct place place;
    if (!find_place(tx, asked->after_key, &place, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_usage_by_time);
    bind_text(q, P_subscription, id->subscription);
    if (id->resource_group)
        bind_text(q, P_resource_group, id->resource_group);
    else
        bind_null(q, P_resource_group);
    bind_int(q, P_start_s, place.start_s);
    bind_int(q, P_after, asked->after_key);
    bind_time(q, asked);
    return read_page(q, asked, page, err);
}

/* All of a resource group's history is found by its groups, and a part of it by time: neither walks the other's. */
bool store_usage_list(struct tx *tx, const struct resource_id *id, int64_t from_s, int64_t to_s,
                      int64_t after_key, size_t rows_max, struct arena *arena,
                      struct usage_page *page, struct err *err)
{
    struct asked asked = {from_s, to_s, after_key, rows_max, arena};
    bool by_group = id->group || (id->resource_group && from_s <= 0);
    return by_group ? list_by_group(tx, id, &asked, page, err)
                    : list_by_time(tx, id, &asked, page, err);
}

bool store_usage_ended(struct tx *tx, const char *subscription, int64_t after_key, size_t rows_max,
                       struct arena *arena, struct usage_page *page, struct err *err)
{
    struct asked asked = {0, INT64_MAX, after_key, rows_max, arena};
    struct place place;
    if (!find_place(tx, after_key, &place, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_usage_ended);
    bind_text(q, P_subscription, subscription);
    bind_int(q, P_ended, place.ended);
    bind_int(q, P_after, after_key);
    return read_page(q, &asked, page, err);
}

bool store_usage_reported(struct tx *tx, struct opt_int *second, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_usage_reported);
    if (!statement_next(q, err))
        return statement_ok(q, err);
    bool any = !column_is_null(q, C_reported_s);
    *second = (struct opt_int){any ? GIVEN_VALUE : GIVEN_ABSENT, column_int(q, C_reported_s)};
    return true;
}
