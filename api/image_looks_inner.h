/* What the table of looks (image_looks.c) and its workers (image_look_work.c) share.
 * Threads: everything under the lock, but what does not change; an entry under way belongs to its
 * worker, its key and the table's links excepted. */
#ifndef API_IMAGE_LOOKS_INNER_H
#define API_IMAGE_LOOKS_INNER_H

#include "api/image_looks.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/thread.h"

enum { LOOK_BUCKETS = 1024, LOOK_WORKERS_MAX = 64 };

struct look {
    struct look *next;           /* in its bucket */
    struct look *before, *after; /* by last use, newest first */
    struct look *next_queued;
    struct image_look_key key;
    bool queued, under_way;
    int64_t number; /* of the newest look */
    /* What the worker needs; gone when it is done. */
    struct image_reference reference;
    char *server, *username, *password;
    /* What was found. */
    int64_t ended_ns, fresh_until_ns;
    struct err outcome;       /* ERR_OK: it is there … */
    char digest[DIGEST_SIZE]; /* … and means this */
};

struct image_looks {
    struct lock lock;
    pthread_cond_t wake;
    struct look *buckets[LOOK_BUCKETS];
    struct look *newest, *oldest;
    size_t count;
    struct look *queue, **queue_end;
    size_t queue_count;
    struct look *busy[LOOK_WORKERS_MAX]; /* under way */
    size_t busy_count;
    int64_t last_number;
    bool stopping;
    /* These do not change. */
    struct store *store;
    struct waits *waits;
    struct arena *arena; /* of the options' texts */
    const char *skopeo, *certs;
    struct text_list insecure;
    int64_t cache_ms;
    char key[ID_TOKEN_SIZE]; /* hashes of credentials mean nothing without it */
    struct bell cancel;
    pthread_t *threads;
    int threads_count, workers;
};

/* image_looks.c, under the lock */
struct look *look_take_queued(struct image_looks *looks); /* NULL: none may begin now */
void look_ended(struct image_looks *looks, struct look *look, const char *digest,
                const struct err *outcome);
void looks_drop_all(struct image_looks *looks);

#endif
