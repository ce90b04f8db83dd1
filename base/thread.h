/* Locks in one order, and the bell that wakes a loop.
 * Every lock is listed in locks.def in the only order they may be taken; debug builds stop on a
 * wrong one. */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include "base/err.h"

#include <pthread.h>
#include <stdint.h>

enum lock_rank {
#define X(name, guards) LOCK_##name,
#include "base/locks.def"
#undef X
    LOCK_COUNT,
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};
void lock_init(struct lock *lock, enum lock_rank rank);
void lock_done(struct lock *lock);
void lock_take(struct lock *lock);
void lock_release(struct lock *lock);

struct lock_held {
    struct lock *lock;
};
static inline void auto_lock_release(struct lock_held *held)
{
    lock_release(held->lock);
}
static inline struct lock_held lock_hold(struct lock *lock)
{
    lock_take(lock);
    return (struct lock_held){lock};
}
/* Until the end of the scope. */
#define WITH_LOCK_NAME2_(line) with_lock_##line
#define WITH_LOCK_NAME_(line) WITH_LOCK_NAME2_(line)
#define WITH_LOCK(lock)                                                                  \
    __attribute__((cleanup(auto_lock_release))) UNUSED struct lock_held WITH_LOCK_NAME_( \
        __LINE__) = lock_hold(lock)

/* A bell: any thread rings, one loop waits. Rings while nobody waits are kept as one. `fd` is
 * pollable. */
struct bell {
    int fd;
};
bool bell_init(struct bell *bell, struct err *err) MUST_CHECK;
void bell_done(struct bell *bell);
void bell_ring(struct bell *bell);
/* Waits up to timeout_ms (-1: for ever); true when it rang. */
bool bell_wait(struct bell *bell, int64_t timeout_ms);
/* A descriptor that is readable when the bell rang or `other_fd` (-1: none) is readable; the caller's. */
int bell_or(const struct bell *bell, int other_fd, struct err *err) MUST_CHECK;

/* Keeps the calling thread on one of the cores that this process may use, the nth of them counted round, where there are
 * two or three. The kernel looks for an idle core while few are in use, and of so few too many soon are: threads that
 * wake each other then share one while another is idle. Elsewhere it does nothing. */
void thread_keep_to_core(int nth);

/* Starts a named thread (15 bytes of the name are kept) with all signals blocked. */
bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context,
                  struct err *err) MUST_CHECK;

#endif
