/* What one store is made of: the writer's queue and thread, the readers' connections, the checkpointer.
 * Not for: other rooms.
 * Threads: the queue under LOCK_STORE_QUEUE, the idle readers under LOCK_STORE_READERS; `writer` and what only it
 * uses belong to the writer's thread while it runs. */
#ifndef STORE_STORE_ROOM_H
#define STORE_STORE_ROOM_H

#include "base/limits.h"
#include "base/thread.h"
#include "store/backend.h"
#include "store/seal.h"
#include "store/tx.h"

#include <stdatomic.h>

enum { LISTENERS_MAX = 8 };

struct job {
    struct job *next;
    store_work work;
    store_done done;
    void *data;
    bool failed;
    struct err err;
};

struct queue {
    struct lock lock;
    struct bell bell; /* rung when the writer sleeps */
    struct job *first, **last;
    size_t count;
    bool asleep, closing;
    struct err broken; /* code ERR_OK: it works */
};

struct listener {
    store_listener told;
    void *context;
};

struct checkpointer {
    pthread_t thread;
    bool started;
    struct backend *backend;
    struct bell bell;
    int64_t next_pages;        /* the writer's: how long the log may grow before the next pass */
    _Atomic int64_t log_pages; /* after the newest commit */
    atomic_bool stopping, running, passed; /* passed: ran since the log was last emptied */
};

struct store {
    char *path;
    int lock_fd;
    struct seal *seal;

    struct queue queue;
    pthread_t writer_thread;
    bool writer_started;
    struct backend *writer;
    struct tx tx;     /* the writer's */
    int64_t revision; /* committed; the writer's */
    struct listener listeners[LISTENERS_MAX];
    size_t listeners_count;

    struct lock readers_lock;
    struct backend **readers; /* room for LIMIT_STORE_READERS_MAX */
    size_t readers_count;

    struct checkpointer checkpointer;
};

/* writer.c */
bool writer_start(struct store *store, struct err *err) MUST_CHECK;
void writer_stop(struct store *store); /* after everything that was submitted */

/* checkpoint.c */
bool checkpointer_start(struct store *store, struct err *err) MUST_CHECK;
void checkpointer_stop(struct store *store);
/* Told by the writer after each commit. */
void checkpointer_after_commit(struct store *store);

/* migrate.c: makes or renews the tables. `newest` is the last migration to run: for tests, else MIGRATIONS_ALL. */
enum { MIGRATIONS_ALL = 1 << 20 };
bool store_migrate(struct backend *backend, int newest, struct err *err) MUST_CHECK;

/* readers.c */
bool readers_open(struct store *store, struct err *err) MUST_CHECK;
void readers_free(struct store *store);

#endif
