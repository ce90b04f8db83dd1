/* What one store is made of: the queue, the threads that write, sync and empty the log, the readers' connections.
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

/* Work of one transaction, in the order it came. `begun_ns`: when the first of it was taken. */
struct batch {
    struct job *first, *newest;
    size_t count;
    int64_t begun_ns;
};

/* A batch that was committed and is on its way to the disk. */
struct flight {
    bool under_way;
    struct batch batch;
    struct change *changes;
    size_t changes_count, changes_capacity;
};

struct syncer {
    pthread_t thread;
    bool started;
    struct bell bell;
    atomic_bool stopping, running;
    struct err err; /* of the last one; the thread's while it runs */
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
    struct tx tx;          /* the writer's */
    int64_t revision;      /* committed; the writer's */
    struct flight flight;  /* the writer's */
    atomic_bool unsettled; /* readers may see what is not on the disk */
    struct syncer syncer;
    struct listener listeners[LISTENERS_MAX];
    size_t listeners_count;

    struct lock readers_lock;
    struct backend **readers; /* room for LIMIT_STORE_READERS_MAX */
    size_t readers_count;

    struct checkpointer checkpointer;
};

/* queue.c; what is not handed in is the writer's. */
bool queue_init(struct queue *queue, struct err *err) MUST_CHECK;
void queue_done(struct queue *queue);
/* Appends what waits, as far as it may. False: nothing came, and the bell rings when something does. */
bool queue_take(struct queue *queue, struct batch *batch);
void queue_close(struct queue *queue); /* any thread: nothing more is taken in */
bool queue_over(struct queue *queue);  /* it was closed and is empty */
void queue_refuse(struct queue *queue,
                  const struct err *err); /* from now on everything, after damage */
bool queue_works(struct queue *queue, struct err *err)
    MUST_CHECK; /* false: queue_refuse() was called */

/* batch.c: runs it and what joins it in one transaction; false: nothing of it was kept. */
bool batch_commit(struct store *store, struct batch *batch, struct err *err) MUST_CHECK;

/* writer.c */
bool writer_start(struct store *store, struct err *err) MUST_CHECK;
void writer_stop(struct store *store); /* after everything that was submitted */
/* While a batch runs. More work for it, perhaps after waiting for it; false: it is to be committed. */
bool writer_joins(struct store *store, struct batch *batch);
/* Tells those of the commit before, if it is on the disk now. */
void writer_lands(struct store *store);

/* sync.c: brings to the disk what was committed, while the writer goes on. */
bool syncer_start(struct store *store, struct err *err) MUST_CHECK;
void syncer_stop(struct store *store);
/* The writer's. Not while one runs; the queue's bell rings at its end. */
void syncer_begin(struct syncer *syncer);
/* False: it runs yet. A failure is in `err`. */
bool syncer_over(struct syncer *syncer, struct err *err);

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
