/* Emptying the log, without the writer waiting for it.
 *
 * SQLite's log can begin anew only when every page in it was moved to the database file, and under load new ones come
 * faster than a pass ends. So there are two steps: this thread moves what there is when the log is long (the slow
 * part, with its sync), again what came meanwhile, until that is little; then the writer, between two commits, moves the
 * few pages that are left, and everybody waits for its sync; its next commit writes at the log's beginning. Unless a
 * reader looks just then: that puts it off, and it is tried again soon, with little to move. */
#include "base/log.h"
#include "store/store_room.h"

enum {
    LOG_PAGES = 4000, /* a pass begins past this; 32 MiB at 8 KiB a page */
    SOON_PAGES = 500, /* and again past so many more, while the log could not begin anew */
    FEW_PAGES = 200,  /* so many may be left to the writer */
    ROUNDS_MAX = 4,   /* where the disk is too slow to catch up */
};

static void pass(struct checkpointer *checkpointer)
{
    struct err err = {0};
    int64_t left, before;
    bool ok;
    int rounds = 0;
    do {
        before = atomic_load(&checkpointer->log_pages);
        ok = backend_checkpoint(checkpointer->backend, &left, &err);
    } while (ok && ++rounds < ROUNDS_MAX &&
             atomic_load(&checkpointer->log_pages) - before > FEW_PAGES);
    /* A failure here is met again by the writer, who tells it. */
    atomic_store(&checkpointer->passed, ok);
    atomic_store(&checkpointer->running, false);
}

static void *checkpointer_main(void *context)
{
    struct checkpointer *checkpointer = context;
    for (;;) {
        bell_wait(&checkpointer->bell, -1);
        if (atomic_load(&checkpointer->stopping))
            return NULL;
        if (atomic_load(&checkpointer->running))
            pass(checkpointer);
    }
}

/* The writer's step. */
static void finish_pass(struct store *store)
{
    struct checkpointer *checkpointer = &store->checkpointer;
    struct err err = {0};
    int64_t left;
    atomic_store(&checkpointer->passed, false);
    if (!backend_checkpoint(store->writer, &left, &err))
        log_failure("checkpoint_failed", &err);
    checkpointer->next_pages = backend_log_pages(store->writer) + SOON_PAGES;
}

void checkpointer_after_commit(struct store *store)
{
    struct checkpointer *checkpointer = &store->checkpointer;
    int64_t pages = backend_log_pages(store->writer);
    bool begun_anew = pages < atomic_exchange(&checkpointer->log_pages, pages);
    if (begun_anew)
        checkpointer->next_pages = LOG_PAGES;
    if (atomic_load(&checkpointer->running))
        return;
    if (atomic_load(&checkpointer->passed)) {
        finish_pass(store);
    } else if (pages >= checkpointer->next_pages) {
        checkpointer->next_pages = pages + SOON_PAGES; /* should it fail */
        atomic_store(&checkpointer->running, true);
        bell_ring(&checkpointer->bell);
    }
}

bool checkpointer_start(struct store *store, struct err *err)
{
    struct checkpointer *checkpointer = &store->checkpointer;
    checkpointer->next_pages = LOG_PAGES;
    checkpointer->backend = backend_open(store->path, BACKEND_WRITER, err);
    if (!checkpointer->backend || !bell_init(&checkpointer->bell, err))
        return false;
    checkpointer->started =
        thread_start(&checkpointer->thread, "store-log", checkpointer_main, checkpointer, err);
    return checkpointer->started;
}

void checkpointer_stop(struct store *store)
{
    struct checkpointer *checkpointer = &store->checkpointer;
    if (checkpointer->started) {
        atomic_store(&checkpointer->stopping, true);
        bell_ring(&checkpointer->bell);
        pthread_join(checkpointer->thread, NULL);
    }
    checkpointer->started = false;
    bell_done(&checkpointer->bell);
    backend_free(TAKE(checkpointer->backend));
}
