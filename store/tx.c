/* Numbers and notes of changes inside a transaction. */
#include "store/tx.h"

#include "base/limits.h"
#include "model/resource_id.h"
#include "store/statements.h"
#include "store/store_room.h"

struct statement *tx_statement(struct tx *tx, int sql)
{
    return backend_statement(tx->backend, sql);
}

int64_t tx_revision(struct tx *tx)
{
    return tx->writes ? tx->revision + 1 : tx->revision;
}

int64_t tx_next_revision(struct tx *tx)
{
    CHECK(tx->writes);
    return ++tx->revision;
}

static bool has_room(struct tx *tx)
{
    if (tx->changes_count < tx->changes_capacity)
        return true;
    size_t capacity = tx->changes_capacity ? tx->changes_capacity * 2 : 256;
    struct change *changes = realloc(tx->changes, capacity * sizeof *changes);
    if (!changes)
        return false;
    tx->changes = changes;
    tx->changes_capacity = capacity;
    return true;
}

int64_t tx_note(struct tx *tx, struct change change)
{
    change.revision = tx_next_revision(tx);
    if (has_room(tx))
        tx->changes[tx->changes_count++] = change;
    else
        tx->short_of_memory = true;
    return change.revision;
}

bool tx_run_key(struct tx *tx, int sql, int64_t key, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql);
    bind_int(q, P_key, key);
    return statement_run(q, err);
}

const char *resource_text(struct statement *q, struct arena *arena)
{
    struct resource_id id = {
        .subscription = column_text(q, C_subscription, arena),
        .resource_group = column_text(q, C_resource_group, arena),
        .group = column_text(q, C_name, arena),
    };
    AUTO(text) *out = text_new((size_t)LIMIT_HTTP_URI_MAX);
    if (!id.subscription || !id.resource_group || !id.group || !out)
        return NULL;
    resource_id_print(&id, out);
    return text_ok(out) ? arena_text_n(arena, out->bytes, out->size) : NULL;
}

struct seal *tx_seal(struct tx *tx)
{
    return tx->store->seal;
}
