/* The store's syncs held at a gate, or made to fail: for programs linked with -Wl,--wrap=fdatasync, in one file of each.
 *
 *     sync_hold();
 *     … something commits …
 *     sync_reached();
 *     … nobody is told …
 *     sync_let_go(false);
 */
#ifndef TESTS_UNIT_HELD_SYNC_H
#define TESTS_UNIT_HELD_SYNC_H

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

static struct {
    _Atomic bool held, fails;
    _Atomic int count;
    sem_t reached, open;
} held_sync;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
    held_sync.count++;
    if (held_sync.held) {
        sem_post(&held_sync.reached);
        while (sem_wait(&held_sync.open) != 0)
            ;
    }
    errno = EIO;
    return held_sync.fails ? -1 : __real_fdatasync(fd);
}

/* The next sync waits at the gate. */
static void sync_hold(void)
{
    sem_init(&held_sync.reached, 0, 0);
    sem_init(&held_sync.open, 0, 0);
    held_sync.count = 0;
    held_sync.fails = false;
    held_sync.held = true;
}

/* Waits until one is there. */
static void sync_reached(void)
{
    while (sem_wait(&held_sync.reached) != 0)
        ;
}

static void sync_let_go(bool fails)
{
    held_sync.held = false;
    held_sync.fails = fails;
    sem_post(&held_sync.open);
}

#endif
