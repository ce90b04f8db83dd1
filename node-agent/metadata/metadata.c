/* Places come and go; one thread runs those that have something to do. */
#include "node-agent/metadata/inside.h"

#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

enum { EVENTS_MAX = 64, IDLE_MS = 1000 };

/* ---- the thread ---- */

/* Waiting until the thread has let go of it is metadata_close()'s. */
static void places_close(struct metadata *metadata, bool all)
{
    WITH_LOCK(&metadata->lock);
    for (struct place *place = metadata->places; place; place = place->next) {
        if (place->closed || (!place->closing && !all))
            continue;
        lock_release(&metadata->lock); /* ending a connection may free its call, under the lock */
        place_end(place);
        lock_take(&metadata->lock);
        place->closed = true;
    }
    pthread_cond_broadcast(&metadata->closed);
}

/* Connections that wait for time alone, and calls that were answered. */
static void places_look(struct metadata *metadata)
{
    WITH_LOCK(&metadata->lock);
    for (struct place *place = metadata->places; place; place = place->next) {
        if (place->closing || place->closed)
            continue;
        lock_release(
            &metadata
                 ->lock); /* only this thread closes places, and only closed ones leave the list */
        place_run(place);
        lock_take(&metadata->lock);
    }
}

static void *thread_run(void *context)
{
    struct metadata *metadata = context;
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int count = epoll_wait(metadata->epoll_fd, events, EVENTS_MAX, IDLE_MS);
        bool rang = false;
        lock_take(&metadata->lock);
        bool stopping = metadata->stopping;
        lock_release(&metadata->lock);
        for (int i = 0; i < count; i++) {
            struct place *place = events[i].data.ptr;
            if (place && !place->closed)
                place_run(place);
            if (!place)
                rang = bell_wait(&metadata->bell, 0);
        }
        if (count == 0 || rang)
            places_look(metadata);
        places_close(metadata, stopping);
        if (stopping)
            return NULL;
    }
}

/* ---- life ---- */

static bool watch(const struct metadata *metadata, int fd, void *what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = what};

    return epoll_ctl(metadata->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

struct metadata *metadata_new(metadata_ask *ask, void *context, struct err *err)
{
    AUTO(metadata) *metadata = calloc(1, sizeof *metadata);

    if (!metadata) {
        err_set(err, ERR_BUSY, "no memory for metadata");
        return NULL;
    }
    metadata->ask = ask;
    metadata->context = context;
    metadata->bell.fd = -1;
    lock_init(&metadata->lock, LOCK_AGENT_METADATA);
    pthread_cond_init(&metadata->closed, NULL);
    metadata->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!bell_init(&metadata->bell, err))
        return NULL;
    if (metadata->epoll_fd < 0 || !watch(metadata, metadata->bell.fd, NULL)) {
        err_set_os(err, ERR_IO, errno, "cannot wait for groups that ask for tokens");
        return NULL;
    }
    metadata->runs = thread_start(&metadata->thread, "metadata", thread_run, metadata, err);
    return metadata->runs ? TAKE(metadata) : NULL;
}

void metadata_free(struct metadata *metadata)
{
    if (!metadata)
        return;
    lock_take(&metadata->lock);
    metadata->stopping = true;
    lock_release(&metadata->lock);
    if (metadata->runs) {
        bell_ring(&metadata->bell);
        pthread_join(metadata->thread, NULL);
    }
    for (struct place *place = metadata->places; place;) {
        struct place *next = place->next;
        free(place);
        place = next;
    }
    if (metadata->epoll_fd >= 0)
        close(metadata->epoll_fd);
    if (metadata->bell.fd >= 0)
        bell_done(&metadata->bell);
    pthread_cond_destroy(&metadata->closed);
    lock_done(&metadata->lock);
    free(metadata);
}

/* ---- places ---- */

static struct place *place_find(struct metadata *metadata, const char *uid)
{
    struct place *place = metadata->places;

    while (place && strcmp(place->uid, uid) != 0)
        place = place->next;
    return place;
}

bool metadata_open(struct metadata *metadata, const char *uid, int listening_fd, struct err *err)
{
    bool listens = false;

    lock_take(&metadata->lock);
    bool there = place_find(metadata, uid) != NULL;
    lock_release(&metadata->lock);
    struct place *place = there ? NULL : calloc(1, sizeof *place);
    if (place) {
        text_copy(place->uid, sizeof place->uid, uid);
        place->metadata = metadata;
        listens = place_listen(place, listening_fd);
    }
    if (!listens) {
        close(listening_fd);
        free(place);
        return there || err_set(err, ERR_BUSY, "the group's metadata address cannot be served");
    }
    lock_take(&metadata->lock);
    place->next = metadata->places;
    metadata->places = place;
    lock_release(&metadata->lock);
    if (watch(metadata, place->epoll_fd, place))
        return true;
    err_set_os(err, ERR_IO, errno, "the group's metadata address cannot be served");
    metadata_close(metadata, uid);
    return false;
}

void metadata_close(struct metadata *metadata, const char *uid)
{
    struct place **at;

    WITH_LOCK(&metadata->lock);
    struct place *place = place_find(metadata, uid);
    if (!place)
        return;
    place->closing = true;
    bell_ring(&metadata->bell);
    while (!place->closed)
        pthread_cond_wait(&metadata->closed, &metadata->lock.mutex);
    for (at = &metadata->places; *at != place;)
        at = &(*at)->next;
    *at = place->next;
    free(place);
}
