/* Names below the DNS zone. A name belongs to one group, and changes hands in the transaction of the order that gives
 * or takes it. What an outside server was told stands beside what is true: it is marked as unknown before anything is
 * sent, so that whoever dies in between leaves a name that is sent again, and a name that nobody has any more
 * stays until the server has confirmed that it is gone. */
#include "store/dns.h"

#include "base/limits.h"
#include "store/statements.h"

#include <string.h>

/* ---- groups come by them and lose them ---- */

static void note(struct tx *tx, int64_t group_key)
{
    tx_note(tx, (struct change){.kind = CHANGE_NAME, .group_key = group_key});
}

static bool take(struct tx *tx, const struct group_row *row, struct err *err)
{
    bool changed = false;
    const char *parent = strchr(row->dns_name, '.'), *location = strrchr(row->dns_name, '.');
    CHECK(parent && location);
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_take);
    bind_text(q, P_name, row->dns_name);
    bind_text(q, P_parent, parent + 1);
    bind_text(q, P_location, location + 1);
    bind_int(q, P_group_key, row->key);
    bind_int(q, P_revision, tx_revision(tx));
    if (!statement_change(q, &changed, err))
        return false;
    if (!changed)
        return dns_name_taken(row->dns_name, row->name, err);
    note(tx, row->key);
    return true;
}

static bool change(struct tx *tx, int sql, int64_t group_key, bool *changed, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql);
    bind_int(q, P_group_key, group_key);
    if (sql == SQL_dns_name_free)
        bind_int(q, P_revision, tx_revision(tx));
    return statement_change(q, changed, err);
}

bool dns_name_free(struct tx *tx, int64_t group_key, struct err *err)
{
    bool dropped = false, freed = false;
    if (!change(tx, SQL_dns_name_drop, group_key, &dropped, err) ||
        (!dropped && !change(tx, SQL_dns_name_free, group_key, &freed, err)))
        return false;
    if (freed)
        note(tx, group_key);
    return true;
}

bool dns_name_of(struct tx *tx, int64_t group_key, struct arena *arena, const char **name,
                 struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_of_group);
    bind_int(q, P_group_key, group_key);
    const char *found = statement_next(q, err) ? column_text(q, C_name, arena) : NULL;
    if (!statement_ok(q, err))
        return false;
    *name = found;
    return true;
}

bool dns_name_put(struct tx *tx, const struct group_row *row, bool is_new, struct err *err)
{
    const char *had = NULL;
    if (!is_new && !dns_name_of(tx, row->key, tx->scratch, &had, err))
        return false;
    if (had && row->dns_name && text_equal_nocase(had, row->dns_name))
        return true;
    if (had && !dns_name_free(tx, row->key, err))
        return false;
    return !row->dns_name || take(tx, row, err);
}

bool dns_name_move(struct tx *tx, const struct group_row *row, struct err *err)
{
    bool changed = false;
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_move);
    bind_int(q, P_group_key, row->key);
    bind_text(q, P_address, row->address);
    bind_int(q, P_revision, tx_revision(tx));
    if (!statement_change(q, &changed, err))
        return false;
    if (changed)
        note(tx, row->key);
    return true;
}

/* ---- who asks for one ---- */

bool store_dns_find(struct tx *tx, const char *name, struct arena *arena, struct dns_found *found,
                    struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_find);
    bind_text(q, P_name, name);
    *found = (struct dns_found){0};
    if (statement_next(q, err)) {
        found->exists = true;
        found->group_key = column_int(q, C_group_key);
        found->address = column_text(q, C_address, arena);
    }
    if (!statement_ok(q, err))
        return false;
    if (found->exists)
        return true;
    AUTO(statement) *below = tx_statement(tx, SQL_dns_name_below);
    bind_text(below, P_name, name);
    if (statement_next(below, err))
        found->exists = column_int(below, C_found) != 0;
    return statement_ok(below, err);
}

/* ---- what the outside server is told ---- */

static bool read_names(struct statement *q, size_t rows_max, bool with_address, struct arena *arena,
                       struct dns_name_row **rows, size_t *count, struct err *err)
{
    struct dns_name_row *found = arena_array(arena, rows_max, sizeof *found);
    size_t n = 0;
    if (!found)
        return arena_full(err);
    bind_int(q, P_rows, (int64_t)rows_max);
    while (n < rows_max && statement_next(q, err)) {
        found[n].name = column_text(q, C_name, arena);
        found[n].address = with_address ? column_text(q, C_address, arena) : NULL;
        n++;
    }
    if (!statement_ok(q, err))
        return false;
    *rows = found;
    *count = n;
    return true;
}

bool store_dns_unsent(struct tx *tx, size_t rows_max, struct arena *arena,
                      struct dns_name_row **rows, size_t *count, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_unsent);
    return read_names(q, rows_max, true, arena, rows, count, err);
}

static bool mark_unknown(struct tx *tx, const char *name, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_sending);
    bind_text(q, P_name, name);
    return statement_run(q, err);
}

bool store_dns_sending(struct tx *tx, const struct dns_name_row *rows, size_t count,
                       struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!mark_unknown(tx, rows[i].name, err))
            return false;
    return true;
}

static bool confirm(struct tx *tx, const struct dns_name_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_sent);
    bind_text(q, P_name, row->name);
    bind_text(q, P_address, row->address);
    if (!statement_run(q, err))
        return false;
    AUTO(statement) *forget = tx_statement(tx, SQL_dns_name_forget);
    bind_text(forget, P_name, row->name);
    return statement_run(forget, err);
}

bool store_dns_sent(struct tx *tx, const struct dns_name_row *rows, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!confirm(tx, &rows[i], err))
            return false;
    return true;
}

bool store_dns_doubt(struct tx *tx, const char *after, char next[DNS_NAME_SIZE], bool *more,
                     struct err *err)
{
    struct dns_name_row *rows;
    size_t count, rows_max = (size_t)LIMIT_DNS_DOUBT_MAX;
    AUTO(statement) *q = tx_statement(tx, SQL_dns_name_after);
    bind_text(q, P_after, after);
    if (!read_names(q, rows_max, false, tx->scratch, &rows, &count, err) ||
        !store_dns_sending(tx, rows, count, err))
        return false;
    *more = count == rows_max;
    return !*more || text_copy(next, DNS_NAME_SIZE, rows[count - 1].name) ||
           err_set(err, ERR_INTERNAL, "a DNS name is too long");
}
