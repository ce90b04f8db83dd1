/* The writer: one thread that commits everything that waits in one transaction, with one sync.
 *
 *   submit ─▶ queue ─▶ [ begin · work · work · work · commit ] ─▶ sync ─▶ done callbacks ─▶ listeners
 *                             the next one, meanwhile: [ begin · work · work                · commit ] ─▶ sync …
 *
 * The sync is a thread's of its own (sync.c). While it runs, the next transaction takes and runs what comes; when it
 * is over, those who waited for it are told, and the next one is committed with what came until then. So it is the
 * disk that says how many share a commit, and nobody waits for company. */
#include "base/clock.h"
#include "base/metrics.h"
#include "store/statements.h"
#include "store/store_room.h"

/* ---- telling ---- */

static void fail_all(struct job *jobs, const struct err *err)
{
    for (struct job *job = jobs; job; job = job->next) {
        job->failed = true;
        job->err = *err;
        job->err.code = ERR_STORAGE;
    }
}

static size_t tell_all(struct job *jobs)
{
    size_t count = 0;
    for (struct job *job = jobs, *next; job; job = next, count++) {
        next = job->next;
        if (job->done)
            job->done(job->data, job->failed ? &job->err : NULL);
        free(job);
    }
    return count;
}

static void tell_listeners(struct store *store, const struct change *changes, size_t count)
{
    for (size_t i = 0; count > 0 && i < store->listeners_count; i++)
        store->listeners[i].told(store->listeners[i].context, changes, count);
}

static void finish(struct store *store, struct batch *batch, const struct change *changes,
                   size_t count)
{
    metric_observe_ns(METRIC_store_commit_seconds, clock_boot_ns() - batch->begun_ns);
    metric_add(METRIC_store_commits_total, 1);
    metric_add(METRIC_store_commands_total, (int64_t)tell_all(batch->first));
    tell_listeners(store, changes, count);
}

/* ---- the sync ---- */

/* What was committed and is not known to be on the disk: told when it is. */
static void depart(struct store *store, const struct batch *batch)
{
    struct flight *flight = &store->flight;
    struct tx *tx = &store->tx;
    struct change *room = flight->changes;
    size_t capacity = flight->changes_capacity;
    *flight = (struct flight){.under_way = true,
                              .batch = *batch,
                              .changes = tx->changes,
                              .changes_count = tx->changes_count,
                              .changes_capacity = tx->changes_capacity};
    tx->changes = room;
    tx->changes_count = 0;
    tx->changes_capacity = capacity;
    syncer_begin(&store->syncer);
}

void writer_lands(struct store *store)
{
    struct flight *flight = &store->flight;
    struct err err = {0};
    if (!flight->under_way || !syncer_over(&store->syncer, &err))
        return;
    flight->under_way = false;
    if (err.code == ERR_OK) {
        atomic_store(&store->unsettled, false);
    } else {
        /* What memory holds may not be what the disk holds: nothing is written any more. */
        queue_refuse(&store->queue, &err);
        fail_all(flight->batch.first, &err);
        flight->changes_count = 0;
    }
    finish(store, &flight->batch, flight->changes, flight->changes_count);
}

bool writer_joins(struct store *store, struct batch *batch)
{
    while (store->flight.under_way) {
        if (queue_take(&store->queue, batch))
            return true;
        bell_wait(&store->queue.bell, -1); /* work came, or the sync is over */
        writer_lands(store);
    }
    return false;
}

/* ---- the thread ---- */

/* Nothing of it has to be brought to the disk. */
static void end(struct store *store, struct batch *batch)
{
    struct err ignored;
    bool works = queue_works(&store->queue, &ignored);
    atomic_store(&store->unsettled, store->flight.under_way || !works);
    finish(store, batch, store->tx.changes, store->tx.changes_count);
}

static void give_up(struct store *store, struct batch *batch, const struct err *err)
{
    fail_all(batch->first, err);
    store->tx.changes_count = 0;
    if (backend_broken(store->writer))
        queue_refuse(&store->queue, err);
    end(store, batch);
}

static void run_batch(struct store *store, struct batch *batch)
{
    struct err err = {0};
    int64_t rows = backend_changes(store->writer);
    bool ok = queue_works(&store->queue, &err) && batch_commit(store, batch, &err);
    if (!ok)
        give_up(store, batch, &err);
    else if (backend_changes(store->writer) != rows)
        depart(store, batch);
    else
        end(store, batch);
    checkpointer_after_commit(store);
}

/* False: closing, and everything was done. */
static bool go_on(struct store *store)
{
    struct batch batch = {.begun_ns = clock_boot_ns()};
    if (queue_take(&store->queue, &batch))
        run_batch(store, &batch);
    else if (store->flight.under_way || !queue_over(&store->queue))
        bell_wait(&store->queue.bell, -1);
    else
        return false;
    writer_lands(store);
    return true;
}

static void *writer_main(void *context)
{
    thread_keep_to_core(1);
    while (go_on(context))
        ;
    return NULL;
}

bool store_settled(struct store *store)
{
    return !atomic_load(&store->unsettled);
}

/* ---- start and stop ---- */

static bool load_revision(struct store *store, struct err *err)
{
    AUTO(statement) *q = backend_statement(store->writer, SQL_revision_get);
    if (statement_next(q, err))
        store->revision = column_int(q, C_value);
    return statement_ok(q, err);
}

bool writer_start(struct store *store, struct err *err)
{
    store->tx = (struct tx){.store = store, .backend = store->writer, .writes = true};
    store->tx.scratch = arena_new((size_t)LIMIT_STORE_SCRATCH_MAX);
    if (!store->tx.scratch)
        return arena_full(err);
    if (!load_revision(store, err) || !syncer_start(store, err) ||
        !thread_start(&store->writer_thread, "store", writer_main, store, err))
        return false;
    store->writer_started = true;
    return true;
}

void writer_stop(struct store *store)
{
    if (store->writer_started) {
        queue_close(&store->queue);
        pthread_join(store->writer_thread, NULL);
    }
    store->writer_started = false;
    syncer_stop(store);
    arena_free(store->tx.scratch);
    free(store->tx.changes);
    free(TAKE(store->flight.changes));
    quotas_done(&store->tx.quotas);
    store->tx = (struct tx){0};
}
