/* The writer: one thread that commits everything that waits in one transaction, with one sync.
 *
 *   submit ─▶ queue ─▶ [ begin · work · work · work · commit ] ─▶ done callbacks ─▶ listeners
 *
 * Work that fails is undone alone. A mark before each work would copy every page it touches, for a case that
 * hardly happens; so the first pass sets no marks. When a work fails after it changed rows, the whole transaction is
 * rolled back and run again with marks. Work may therefore run twice, and only its last run counts. */
#include "base/clock.h"
#include "base/metrics.h"
#include "store/statements.h"
#include "store/store_room.h"

#include <semaphore.h>
#include <time.h>

enum { COMPANY = 4, MOMENT_NS = 100000 };
enum outcome { WORK_KEPT, WORK_SPOILT, TRANSACTION_LOST };

/* ---- one batch ---- */

/* Work of one transaction. `begun_ns`: when the first of it was taken. */
struct batch {
    struct job *first, *newest;
    size_t count;
    int64_t begun_ns;
};

/* Appends what waits, as far as it may. The queue's lock is held. */
static void batch_fill(struct batch *batch, struct queue *queue)
{
    struct job *first = queue->first;
    size_t before = batch->count;
    if (!first || batch->count >= (size_t)LIMIT_STORE_BATCH_MAX)
        return;
    *(batch->newest ? &batch->newest->next : &batch->first) = first;
    for (batch->newest = first, batch->count++;
         batch->newest->next && batch->count < (size_t)LIMIT_STORE_BATCH_MAX; batch->count++)
        batch->newest = batch->newest->next;
    queue->first = TAKE(batch->newest->next);
    if (!queue->first)
        queue->last = &queue->first;
    queue->count -= batch->count - before;
    metric_set(METRIC_store_queue, (int64_t)queue->count);
}

static bool join(struct store *store, struct batch *batch)
{
    size_t before = batch->count;
    WITH_LOCK(&store->queue.lock);
    batch_fill(batch, &store->queue);
    return batch->count > before;
}

/* What came while the batch ran rides along: each commit costs its sync and a page of every table it touches, whoever
 * shares it. Where several came together more are on their way, and get a moment more, as long as each moment brings
 * some. The first of all does not wait for ever. */
static bool late(struct store *store, struct batch *batch)
{
    const struct timespec moment = {.tv_nsec = MOMENT_NS};
    if (clock_boot_ns() - batch->begun_ns > LIMIT_STORE_JOIN_MS * INT64_C(1000000))
        return false;
    if (join(store, batch))
        return true;
    if (batch->count < COMPANY)
        return false;
    (void)nanosleep(&moment, NULL);
    return join(store, batch);
}

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
    for (struct job *job; (job = *at) || (late(store, batch) && (job = *at)); at = &job->next) {
        enum outcome outcome = marked ? run_marked(store, job) : run_plain(store, job);
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

static bool try_batch(struct store *store, struct batch *batch, bool marked, bool *spoilt,
                      struct err *err)
{
    begin_anew(store);
    if (backend_begin(store->writer, err) && run_all(store, batch, marked, spoilt, err) &&
        quotas_save(&store->tx, err) && save_revision(store, err) &&
        backend_commit(store->writer, err))
        return true;
    backend_rollback(store->writer);
    return false;
}

static bool commit_batch(struct store *store, struct batch *batch, struct err *err)
{
    bool spoilt = false;
    if (!try_batch(store, batch, false, &spoilt, err) &&
        !(spoilt && try_batch(store, batch, true, &spoilt, err)))
        return false;
    store->revision = store->tx.revision;
    return true;
}

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

static void tell_listeners(struct store *store)
{
    const struct tx *tx = &store->tx;
    for (size_t i = 0; tx->changes_count > 0 && i < store->listeners_count; i++)
        store->listeners[i].told(store->listeners[i].context, tx->changes, tx->changes_count);
}

/* After damage nothing is written any more: what memory holds may not be what the disk holds. */
static void note_broken(struct store *store, const struct err *err)
{
    WITH_LOCK(&store->queue.lock);
    if (store->queue.broken.code == ERR_OK) {
        store->queue.broken = *err;
        store->queue.broken.code = ERR_STORAGE;
        err_add(&store->queue.broken, "the store stopped writing");
    }
}

static void run_batch(struct store *store, struct batch *batch)
{
    struct err err = {0};
    bool ok = commit_batch(store, batch, &err);
    metric_observe_ns(METRIC_store_commit_seconds, clock_boot_ns() - batch->begun_ns);
    metric_add(METRIC_store_commits_total, 1);
    if (!ok) {
        fail_all(batch->first, &err);
        store->tx.changes_count = 0;
        if (backend_broken(store->writer))
            note_broken(store, &err);
    }
    metric_add(METRIC_store_commands_total, (int64_t)tell_all(batch->first));
    tell_listeners(store);
    checkpointer_after_commit(store);
}

/* ---- the queue ---- */

/* Nothing with `over`: closing, and everything was done. Nothing without: sleep until the bell rings. */
static struct batch take_waiting(struct queue *queue, bool *over, struct err *broken)
{
    struct batch batch = {.begun_ns = clock_boot_ns()};
    WITH_LOCK(&queue->lock);
    *broken = queue->broken;
    queue->asleep = !queue->first && !queue->closing;
    *over = !queue->first && queue->closing;
    batch_fill(&batch, queue);
    return batch;
}

static void *writer_main(void *context)
{
    struct store *store = context;
    struct err broken;
    for (bool over = false; !over;) {
        struct batch batch = take_waiting(&store->queue, &over, &broken);
        if (!batch.first && !over) {
            bell_wait(&store->queue.bell, -1);
        } else if (batch.first && broken.code != ERR_OK) {
            fail_all(batch.first, &broken);
            tell_all(batch.first);
        } else if (batch.first) {
            run_batch(store, &batch);
        }
    }
    return NULL;
}

static bool put(struct queue *queue, struct job *job, struct err *err)
{
    WITH_LOCK(&queue->lock);
    if (queue->closing)
        return err_set(err, ERR_CLOSED, "the store is closing");
    if (queue->broken.code != ERR_OK) {
        *err = queue->broken;
        return false;
    }
    if (queue->count >= (size_t)LIMIT_STORE_QUEUE_MAX)
        return err_set(err, ERR_BUSY, "%zu changes wait to be written: try again", queue->count);
    *queue->last = job;
    queue->last = &job->next;
    queue->count++;
    if (queue->asleep)
        bell_ring(&queue->bell);
    queue->asleep = false;
    return true;
}

bool store_submit(struct store *store, store_work work, store_done done, void *data,
                  struct err *err)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return err_set(err, ERR_BUSY, "no memory for a change");
    job->next = NULL;
    job->work = work;
    job->done = done;
    job->data = data;
    job->failed = false;
    if (put(&store->queue, job, err))
        return true;
    free(job);
    return false;
}

/* ---- waiting for the outcome ---- */

struct waiter {
    store_work work;
    void *data;
    sem_t told;
    bool failed;
    struct err err;
};

static bool waiter_work(struct tx *tx, void *data, struct err *err)
{
    struct waiter *waiter = data;
    return waiter->work(tx, waiter->data, err);
}

static void waiter_done(void *data, const struct err *err)
{
    struct waiter *waiter = data;
    waiter->failed = err != NULL;
    if (err)
        waiter->err = *err;
    sem_post(&waiter->told);
}

bool store_write(struct store *store, store_work work, void *data, struct err *err)
{
    CHECK(!store->writer_started || !pthread_equal(pthread_self(), store->writer_thread));
    struct waiter waiter = {.work = work, .data = data};
    CHECK(sem_init(&waiter.told, 0, 0) == 0);
    bool taken = store_submit(store, waiter_work, waiter_done, &waiter, err);
    while (taken && sem_wait(&waiter.told) != 0)
        ; /* a signal */
    sem_destroy(&waiter.told);
    if (taken && waiter.failed)
        *err = waiter.err;
    return taken && !waiter.failed;
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
    if (!load_revision(store, err) ||
        !thread_start(&store->writer_thread, "store", writer_main, store, err))
        return false;
    store->writer_started = true;
    return true;
}

void writer_stop(struct store *store)
{
    if (store->writer_started) {
        lock_take(&store->queue.lock);
        store->queue.closing = true;
        lock_release(&store->queue.lock);
        bell_ring(&store->queue.bell);
        pthread_join(store->writer_thread, NULL);
    }
    store->writer_started = false;
    arena_free(store->tx.scratch);
    free(store->tx.changes);
    quotas_done(&store->tx.quotas);
    store->tx = (struct tx){0};
}
