/* One batch in one transaction.
 *
 * Work that fails is undone alone. A mark before each work would copy every page it touches, for a case that
 * hardly happens; so the first pass sets no marks. When a work fails after it changed rows, the whole transaction is
 * rolled back and run again with marks. Work may therefore run twice, and only its last run counts. */
#include "base/clock.h"
#include "store/statements.h"
#include "store/store_room.h"

enum outcome { WORK_KEPT, WORK_SPOILT, TRANSACTION_LOST };

static void begin_anew(struct store *store)
{
    store->tx.revision = store->revision;
    store->tx.changes_count = 0;
    store->tx.short_of_memory = false;
    quotas_begin(&store->tx);
    store->tx.now_ms = clock_now_ms();
}

static bool run_work(struct tx *tx, struct job *job)
{
    arena_reset(tx->scratch);
    job->err.code = ERR_OK;
    if (!job->work(tx, job->data, &job->err))
        return false;
    return !tx->short_of_memory || err_set(&job->err, ERR_BUSY, "no memory to note a change");
}

static struct tx_mark mark_of(const struct tx *tx)
{
    return (struct tx_mark){tx->revision, tx->changes_count, tx->quotas.notes_count};
}

/* What it noted is forgotten; its numbers are given again. */
static void forget_notes(struct tx *tx, const struct tx_mark *mark)
{
    tx->revision = mark->revision;
    tx->changes_count = mark->changes_count;
    quotas_forget(tx, mark->quotas_count);
    tx->short_of_memory = false;
}

static enum outcome run_plain(struct store *store, struct job *job)
{
    struct tx *tx = &store->tx;
    int64_t rows = backend_changes(store->writer);
    struct tx_mark mark = mark_of(tx);

    job->failed = !run_work(tx, job);
    if (!job->failed)
        return WORK_KEPT;
    if (!backend_in_transaction(store->writer))
        return TRANSACTION_LOST;
    forget_notes(tx, &mark);
    return backend_changes(store->writer) == rows ? WORK_KEPT : WORK_SPOILT;
}

static enum outcome run_marked(struct store *store, struct job *job)
{
    struct tx *tx = &store->tx;
    struct tx_mark mark = mark_of(tx);
    struct err err = {0};

    if (!backend_mark(store->writer, &err))
        return TRANSACTION_LOST;
    job->failed = !run_work(tx, job);
    if (!backend_in_transaction(store->writer))
        return TRANSACTION_LOST;
    if (!job->failed)
        return backend_mark_keep(store->writer, &err) ? WORK_KEPT : TRANSACTION_LOST;
    forget_notes(tx, &mark);
    return backend_mark_undo(store->writer, &err) ? WORK_KEPT : TRANSACTION_LOST;
}

/* `spoilt`: a work must be undone that this pass cannot undo alone. */
static bool run_all(struct store *store, struct batch *batch, bool marked, bool *spoilt,
                    struct err *err)
{
    struct job **at = &batch->first;
    for (struct job *job; (job = *at) || (writer_joins(store, batch) && (job = *at));
         at = &job->next) {
        enum outcome outcome = marked ? run_marked(store, job) : run_plain(store, job);
        writer_lands(store);
        if (outcome == WORK_KEPT)
            continue;
        *spoilt = outcome == WORK_SPOILT;
        if (outcome == TRANSACTION_LOST && job->err.code != ERR_OK)
            *err = job->err;
        return *spoilt ? false : err_add(err, "the database gave up a transaction");
    }
    return true;
}

static bool save_revision(struct store *store, struct err *err)
{
    if (store->tx.revision == store->revision)
        return true;
    AUTO(statement) *q = backend_statement(store->writer, SQL_revision_set);
    bind_int(q, P_value, store->tx.revision);
    return statement_run(q, err);
}

static bool commit(struct store *store, struct err *err)
{
    if (!quotas_save(&store->tx, err) || !save_revision(store, err))
        return false;
    atomic_store(&store->unsettled, true);
    return backend_commit(store->writer, err);
}

static bool try_batch(struct store *store, struct batch *batch, bool marked, bool *spoilt,
                      struct err *err)
{
    begin_anew(store);
    if (backend_begin(store->writer, err) && run_all(store, batch, marked, spoilt, err) &&
        queue_works(&store->queue, err) && commit(store, err))
        return true;
    backend_rollback(store->writer);
    return false;
}

bool batch_commit(struct store *store, struct batch *batch, struct err *err)
{
    bool spoilt = false;
    if (!try_batch(store, batch, false, &spoilt, err) &&
        !(spoilt && try_batch(store, batch, true, &spoilt, err)))
        return false;
    store->revision = store->tx.revision;
    return true;
}
