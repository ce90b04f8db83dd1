/* Work that waits for the writer: handing it in, waiting for its outcome, taking it. */
#include "base/metrics.h"
#include "store/store_room.h"

#include <semaphore.h>

bool queue_init(struct queue *queue, struct err *err)
{
    lock_init(&queue->lock, LOCK_STORE_QUEUE);
    queue->last = &queue->first;
    return bell_init(&queue->bell, err);
}

void queue_done(struct queue *queue)
{
    bell_done(&queue->bell);
    lock_done(&queue->lock);
}

/* ---- handing in ---- */

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

/* ---- taking ---- */

/* The queue's lock is held. */
static void move(struct queue *queue, struct batch *batch)
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

bool queue_take(struct queue *queue, struct batch *batch)
{
    size_t before = batch->count;
    WITH_LOCK(&queue->lock);
    move(queue, batch);
    queue->asleep = !queue->first && batch->count == before;
    return batch->count > before;
}

bool queue_over(struct queue *queue)
{
    WITH_LOCK(&queue->lock);
    return queue->closing && !queue->first;
}

void queue_close(struct queue *queue)
{
    lock_take(&queue->lock);
    queue->closing = true;
    lock_release(&queue->lock);
    bell_ring(&queue->bell);
}

/* ---- after damage ---- */

bool queue_works(struct queue *queue, struct err *err)
{
    WITH_LOCK(&queue->lock);
    if (queue->broken.code != ERR_OK)
        *err = queue->broken;
    return queue->broken.code == ERR_OK;
}

void queue_refuse(struct queue *queue, const struct err *err)
{
    WITH_LOCK(&queue->lock);
    if (queue->broken.code != ERR_OK)
        return;
    queue->broken = *err;
    queue->broken.code = ERR_STORAGE;
    err_add(&queue->broken, "the store stopped writing");
}
