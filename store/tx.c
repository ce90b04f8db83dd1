/* Numbers and notes of changes inside a transaction. */
#include "store/tx.h"

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

bool arena_full(struct err *err)
{
    return err_set(err, ERR_BUSY, "an answer does not fit in its memory");
}

struct seal *tx_seal(struct tx *tx)
{
    return tx->store->seal;
}
