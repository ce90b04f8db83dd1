#include "base/thread.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

enum { CORES_FEW = 3 };

/* ---- locks ---- */

#ifndef NDEBUG
/* Bit r is set while this thread holds the lock of rank r. */
static _Thread_local uint64_t held;
_Static_assert(LOCK_COUNT <= 64, "one bit for each lock");

static void note_taken(enum lock_rank rank)
{
    bool lock_order_is_kept =
        held >> rank == 0; /* locks.def: none of this rank or a later one is held */
    CHECK(lock_order_is_kept);
    held |= UINT64_C(1) << rank;
}

static void note_released(enum lock_rank rank)
{
    CHECK((held >> rank & 1) != 0);
    held &= ~(UINT64_C(1) << rank);
}
#else
static void note_taken(enum lock_rank rank UNUSED)
{
}

static void note_released(enum lock_rank rank UNUSED)
{
}
#endif

void lock_init(struct lock *lock, enum lock_rank rank)
{
    CHECK(rank < LOCK_COUNT);
    lock->rank = rank;
    CHECK(pthread_mutex_init(&lock->mutex, NULL) == 0);
}

void lock_done(struct lock *lock)
{
    CHECK(pthread_mutex_destroy(&lock->mutex) == 0);
}

void lock_take(struct lock *lock)
{
    note_taken(lock->rank);
    CHECK(pthread_mutex_lock(&lock->mutex) == 0);
}

void lock_release(struct lock *lock)
{
    note_released(lock->rank);
    CHECK(pthread_mutex_unlock(&lock->mutex) == 0);
}

/* ---- bells ---- */

bool bell_init(struct bell *bell, struct err *err)
{
    bell->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return bell->fd >= 0 ? true : err_set_os(err, ERR_IO, errno, "cannot make a bell");
}

void bell_done(struct bell *bell)
{
    auto_close_fd(&bell->fd);
}

/* Fails only when 2^64 - 2 rings wait: it rings anyhow. */
void bell_ring(struct bell *bell)
{
    int kept = errno;
    uint64_t one = 1;
    ssize_t written UNUSED = write(bell->fd, &one, sizeof one);
    errno = kept;
}

static int64_t steady_ms(void) /* not clock_boot_ns(): a test's clock must not stop real waits */
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool bell_wait(struct bell *bell, int64_t timeout_ms)
{
    int64_t until = timeout_ms < 0 ? -1 : steady_ms() + timeout_ms, left = timeout_ms;
    struct pollfd ready = {.fd = bell->fd, .events = POLLIN};
    uint64_t rings;
    for (;;) {
        if (read(bell->fd, &rings, sizeof rings) == sizeof rings)
            return true;
        if (until >= 0 && left <= 0)
            return false;
        int wait = until < 0 ? -1 : left < 60000 ? (int)left : 60000;
        if (poll(&ready, 1, wait) < 0 && errno != EINTR)
            return false;
        if (until >= 0)
            left = until - steady_ms();
    }
}

/* ---- threads ---- */

int bell_or(const struct bell *bell, int other_fd, struct err *err)
{
    AUTO_CLOSE int both = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event readable = {.events = EPOLLIN};

    if (both >= 0 && epoll_ctl(both, EPOLL_CTL_ADD, bell->fd, &readable) == 0 &&
        (other_fd < 0 || epoll_ctl(both, EPOLL_CTL_ADD, other_fd, &readable) == 0))
        return TAKE_FD(both);
    err_set_os(err, ERR_BUSY, errno, "cannot wait for two things at once");
    return -1;
}

void thread_keep_to_core(int nth)
{
    cpu_set_t may, one;
    if (sched_getaffinity(0, sizeof may, &may) != 0)
        return;
    int count = CPU_COUNT(&may), left = nth;
    if (count < 2 || count > CORES_FEW)
        return;
    CPU_ZERO(&one);
    for (size_t core = 0; CPU_COUNT(&one) == 0; core = (core + 1) % CPU_SETSIZE)
        if (CPU_ISSET(core, &may) && left-- == 0)
            CPU_SET(core, &one);
    (void)sched_setaffinity(0, sizeof one, &one); /* for speed only: no failure matters */
}

bool thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *context,
                  struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* inherited: signals go to the main thread */
    int failed = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set_os(err, ERR_BUSY, failed, "cannot start thread %s", name);
    char short_name[16];
    text_copy(short_name, sizeof short_name, name);
    pthread_setname_np(*thread, short_name); /* for people only: no failure matters */
    return true;
}
