/* Reading: connections that nobody writes with, kept for the next reader. */
#include "store/statements.h"
#include "store/store_room.h"

enum {
    READERS_AT_START = 2
}; /* preparing all statements takes some milliseconds: not while a client waits */

static struct backend *reader_take(struct store *store)
{
    WITH_LOCK(&store->readers_lock);
    return store->readers_count > 0 ? store->readers[--store->readers_count] : NULL;
}

static bool reader_keep(struct store *store, struct backend *backend)
{
    WITH_LOCK(&store->readers_lock);
    if (store->readers_count == (size_t)LIMIT_STORE_READERS_MAX)
        return false;
    store->readers[store->readers_count++] = backend;
    return true;
}

static struct backend *reader_open(struct store *store, struct err *err)
{
    AUTO(backend) *backend = backend_open(store->path, BACKEND_READER, err);
    return backend && backend_prepare(backend, err) ? TAKE(backend) : NULL;
}

bool readers_open(struct store *store, struct err *err)
{
    for (int i = 0; i < READERS_AT_START; i++) {
        struct backend *backend = reader_open(store, err);
        if (!backend)
            return false;
        CHECK(reader_keep(store, backend));
    }
    return true;
}

void readers_free(struct store *store)
{
    while (store->readers_count > 0)
        backend_free(store->readers[--store->readers_count]);
    free(store->readers);
    store->readers = NULL;
}

static bool read_revision(struct tx *tx, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_revision_get);
    if (statement_next(q, err))
        tx->revision = column_int(q, C_value);
    return statement_ok(q, err);
}

struct tx *store_read(struct store *store, struct err *err)
{
    AUTO(backend) *backend = reader_take(store);
    if (!backend && !(backend = reader_open(store, err)))
        return NULL;
    AUTO(tx) *tx = calloc(1, sizeof *tx);
    if (!tx) {
        err_set(err, ERR_BUSY, "no memory for a transaction");
        return NULL;
    }
    tx->store = store;
    tx->backend = TAKE(backend);
    /* The first question fixes what all others see. */
    if (!backend_begin(tx->backend, err) || !read_revision(tx, err))
        return NULL;
    return TAKE(tx);
}

void tx_free(struct tx *tx)
{
    if (!tx)
        return;
    backend_rollback(tx->backend);
    if (backend_broken(tx->backend) || !reader_keep(tx->store, tx->backend))
        backend_free(tx->backend);
    arena_free(tx->scratch);
    free(tx);
}
