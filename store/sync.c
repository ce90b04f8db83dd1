/* Syncing the log, without the writer waiting for it. */
#include "store/store_room.h"

static void *syncer_main(void *context)
{
    struct store *store = context;
    struct syncer *syncer = &store->syncer;
    for (;;) {
        bell_wait(&syncer->bell, -1);
        if (atomic_load(&syncer->stopping))
            return NULL;
        if (!atomic_load(&syncer->running))
            continue;
        syncer->err.code = ERR_OK;
        if (!backend_sync(store->writer, &syncer->err))
            err_add(&syncer->err, "the newest changes may be lost");
        atomic_store(&syncer->running, false);
        bell_ring(&store->queue.bell);
    }
}

void syncer_begin(struct syncer *syncer)
{
    atomic_store(&syncer->running, true);
    bell_ring(&syncer->bell);
}

bool syncer_over(struct syncer *syncer, struct err *err)
{
    if (atomic_load(&syncer->running))
        return false;
    if (syncer->err.code != ERR_OK)
        *err = syncer->err;
    return true;
}

bool syncer_start(struct store *store, struct err *err)
{
    struct syncer *syncer = &store->syncer;
    syncer->started = bell_init(&syncer->bell, err) && backend_leave_sync(store->writer, err) &&
                      thread_start(&syncer->thread, "store-sync", syncer_main, store, err);
    return syncer->started;
}

void syncer_stop(struct store *store)
{
    struct syncer *syncer = &store->syncer;
    if (syncer->started) {
        atomic_store(&syncer->stopping, true);
        bell_ring(&syncer->bell);
        pthread_join(syncer->thread, NULL);
    }
    syncer->started = false;
    bell_done(&syncer->bell);
}
