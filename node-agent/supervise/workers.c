#include "node-agent/supervise/workers.h"

#include "base/thread.h"

struct workers {
    struct lock lock;
    pthread_cond_t wake;
    struct work *first, **last;
    pthread_t *threads;
    int threads_count, threads_max, idle;
    bool stopping;
};

/* The next piece of work, waiting for one; NULL when the workers end. */
static struct work *work_next(struct workers *workers)
{
    WITH_LOCK(&workers->lock);

    workers->idle++;
    while (!workers->first && !workers->stopping)
        pthread_cond_wait(&workers->wake, &workers->lock.mutex);
    workers->idle--;
    if (workers->stopping)
        return NULL;
    struct work *work = workers->first;
    workers->first = work->next;
    if (!workers->first)
        workers->last = &workers->first;
    return work;
}

static void *worker_run(void *context)
{
    struct workers *workers = context;

    for (;;) {
        struct work *work = work_next(workers);
        if (!work)
            return NULL;
        work->run(work);
    }
}

struct workers *workers_new(int threads_max, struct err *err)
{
    AUTO(workers) *workers = calloc(1, sizeof *workers);

    if (workers)
        workers->threads = calloc((size_t)threads_max, sizeof *workers->threads);
    if (!workers || !workers->threads) {
        err_set(err, ERR_BUSY, "no memory for workers");
        return NULL;
    }
    workers->threads_max = threads_max;
    workers->last = &workers->first;
    lock_init(&workers->lock, LOCK_AGENT_QUEUE);
    pthread_cond_init(&workers->wake, NULL);
    return TAKE(workers);
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    if (workers->threads) {
        lock_take(&workers->lock);
        workers->stopping = true;
        pthread_cond_broadcast(&workers->wake);
        lock_release(&workers->lock);
        for (int i = 0; i < workers->threads_count; i++)
            pthread_join(workers->threads[i], NULL);
        for (struct work *work = workers->first; work;) {
            struct work *next = work->next;
            work->drop(work);
            work = next;
        }
        pthread_cond_destroy(&workers->wake);
        lock_done(&workers->lock);
    }
    free(workers->threads);
    free(workers);
}

void workers_submit(struct workers *workers, struct work *work)
{
    struct err err = {0};

    WITH_LOCK(&workers->lock);
    work->next = NULL;
    *workers->last = work;
    workers->last = &work->next;
    /* More waits than threads stand idle: one more thread. Without it the work only waits longer. */
    int waiting = 0;
    for (const struct work *at = workers->first; at && waiting <= workers->idle; at = at->next)
        waiting++;
    if (waiting > workers->idle && workers->threads_count < workers->threads_max &&
        thread_start(&workers->threads[workers->threads_count], "worker", worker_run, workers,
                     &err))
        workers->threads_count++;
    pthread_cond_signal(&workers->wake);
}
