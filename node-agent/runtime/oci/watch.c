/* Process descriptors in one epoll set. What epoll returns is a key, never a pointer: the entry
 * may be gone. */
#include "node-agent/runtime/oci/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

struct watched {
    uint64_t key;
    int fd;
    char uid[ID_SIZE];
    char name[RUNTIME_NAME_SIZE];
};

bool watch_init(struct watch *watch, struct err *err)
{
    *watch = (struct watch){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    lock_init(&watch->lock, LOCK_RUNTIME);
    return watch->epoll_fd >= 0 || err_set_os(err, ERR_IO, errno, "cannot watch containers");
}

void watch_done(struct watch *watch)
{
    for (size_t i = 0; i < watch->count; i++)
        close(watch->items[i].fd);
    free(watch->items);
    auto_close_fd(&watch->epoll_fd);
    lock_done(&watch->lock);
}

/* Out of the set first: closing would do only once no child that is about to exec holds a copy.
 * The last entry fills the gap. */
static void drop(struct watch *watch, size_t index)
{
    epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, watch->items[index].fd, NULL);
    close(watch->items[index].fd);
    watch->items[index] = watch->items[--watch->count];
}

static void drop_name(struct watch *watch, const char *uid, const char *name)
{
    for (size_t i = 0; i < watch->count; i++)
        if (strcmp(watch->items[i].uid, uid) == 0 && strcmp(watch->items[i].name, name) == 0) {
            drop(watch, i);
            return;
        }
}

static bool make_room(struct watch *watch)
{
    if (watch->count < watch->capacity)
        return true;
    size_t capacity = watch->capacity ? watch->capacity * 2 : 64;
    struct watched *items = realloc(watch->items, capacity * sizeof *items);
    if (!items)
        return false;
    watch->items = items;
    watch->capacity = capacity;
    return true;
}

bool watch_add(struct watch *watch, const char *uid, const char *name, int process_fd,
               struct err *err)
{
    AUTO_CLOSE int fd = process_fd >= 0 ? process_fd : eventfd(1, EFD_CLOEXEC);
    WITH_LOCK(&watch->lock);
    struct watched watched = {.key = ++watch->last_key};
    text_copy(watched.uid, sizeof watched.uid, uid);
    text_copy(watched.name, sizeof watched.name, name);
    drop_name(watch, uid, name);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = watched.key};
    if (fd < 0 || !make_room(watch) || epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return err_set_os(err, ERR_BUSY, errno, "cannot watch container %s", name);
    watched.fd = TAKE_FD(fd);
    watch->items[watch->count++] = watched;
    return true;
}

void watch_remove(struct watch *watch, const char *uid, const char *name)
{
    WITH_LOCK(&watch->lock);
    drop_name(watch, uid, name);
}

bool watch_next(struct watch *watch, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE])
{
    struct epoll_event event;
    WITH_LOCK(&watch->lock);
    while (epoll_wait(watch->epoll_fd, &event, 1, 0) == 1)
        for (size_t i = 0; i < watch->count; i++)
            if (watch->items[i].key == event.data.u64) {
                text_copy(uid, ID_SIZE, watch->items[i].uid);
                text_copy(name, RUNTIME_NAME_SIZE, watch->items[i].name);
                drop(watch, i);
                return true;
            }
    return false;
}
