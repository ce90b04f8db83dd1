/* The thread that moves all streams of this node. */
#include "node-agent/stream/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>

enum { EVENTS_MAX = 256, TICK_MS = 1000 };

static const int64_t MS = 1000000;

/* ---- descriptors ---- */

void watched_wait(struct stream *stream, struct watched *watched, uint32_t events)
{
    struct epoll_event wanted = {.events = events, .data.ptr = watched};

    if (watched->fd < 0 || watched->events == events)
        return;
    (void)epoll_ctl(stream->streams->epoll_fd,
                    watched->events == 0 ? EPOLL_CTL_ADD
                    : events == 0        ? EPOLL_CTL_DEL
                                         : EPOLL_CTL_MOD,
                    watched->fd, &wanted);
    watched->events = events;
}

void watched_drop(struct stream *stream, struct watched *watched)
{
    if (watched->fd < 0)
        return;
    watched_wait(stream, watched, 0);
    auto_close_fd(&watched->fd);
}

/* ---- one stream ---- */

static void on_received(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                        bool whole)
{
    struct stream *stream = context;

    if (!stream->ending && stream->source)
        stream->source->take(stream, kind, bytes, size, whole);
}

struct stream *stream_new(const struct source *source, const struct websocket_io *io,
                          struct err *err)
{
    struct stream *stream = calloc(1, sizeof *stream);
    struct websocket_events events = {on_received, stream};

    if (!stream) {
        io->close(io->context);
        err_set(err, ERR_BUSY, "no memory for a stream");
        return NULL;
    }
    stream->socket = websocket_new(WEBSOCKET_CLIENT, io, &events, err);
    if (!stream->socket) {
        free(stream);
        return NULL;
    }
    stream->source = source;
    stream->watch = -1;
    stream->watched_socket.fd = io->fd;
    stream->terminal.fd = stream->said.fd = stream->child.fd = stream->end.fd = -1;
    return stream;
}

void stream_give(struct streams *streams, struct stream *stream)
{
    lock_take(&streams->lock);
    stream->streams = streams;
    stream->next = streams->arrivals;
    streams->arrivals = stream;
    lock_release(&streams->lock);
    bell_ring(&streams->bell);
}

void stream_end(struct stream *stream, const char *reason)
{
    if (stream->ending)
        return;
    stream->ending = true;
    stream->ending_ns = clock_boot_ns();
    websocket_hold(stream->socket, false);
    websocket_end(stream->socket, 1000, reason);
}

static void source_drop(struct stream *stream)
{
    const struct source *source = stream->source;

    stream->source = NULL;
    if (source && source->drop)
        source->drop(stream);
}

static void stream_remove(struct stream *stream)
{
    struct streams *streams = stream->streams;

    source_drop(stream);
    watched_wait(stream, &stream->watched_socket, 0);
    websocket_free(TAKE(stream->socket));
    *stream->held_by = stream->next;
    if (stream->next)
        stream->next->held_by = stream->held_by;
    stream->next = streams->gone;
    streams->gone = stream;
}

/* A read may have been stopped by hold, and the connection's own library may have bytes that no event tells of: it is
 * tried each time. */
void stream_settle(struct stream *stream)
{
    if (!websocket_read(stream->socket))
        stream->socket_over = true;
    /* Again when what it filled has gone at once: nothing else would tell that there is room. */
    for (bool full = true; full && !stream->socket_over;) {
        if (!stream->ending && stream->source)
            stream->source->settle(stream);
        full = stream_is_full(stream);
        if (!websocket_write(stream->socket))
            stream->socket_over = true;
        full = full && !stream_is_full(stream);
    }
    if (stream->socket_over) {
        stream_remove(stream);
        return;
    }
    if (stream->ending)
        source_drop(stream);
    watched_wait(stream, &stream->watched_socket,
                 (websocket_is_held(stream->socket) ? 0u : (uint32_t)EPOLLIN) |
                     (websocket_has_to_write(stream->socket) ? (uint32_t)EPOLLOUT : 0u));
}

/* ---- the room ---- */

static void look_at_all(struct streams *streams);

static void arrivals_take(struct streams *streams)
{
    lock_take(&streams->lock);
    struct stream *at = TAKE(streams->arrivals);
    struct over *overs = TAKE(streams->overs);
    bool stopping = streams->stopping;
    lock_release(&streams->lock);

    while (at) {
        struct stream *stream = at;
        at = at->next;
        stream->next = streams->first;
        stream->held_by = &streams->first;
        if (stream->next)
            stream->next->held_by = &stream->next;
        streams->first = stream;
        stream->watched_socket.stream = stream;
        if (stream->watch == -1 && stream->tails_count > 0)
            logs_begin(stream);
        stream_settle(stream);
    }
    while (overs) {
        struct over *over = overs;
        overs = overs->next;
        for (struct stream *each = streams->first; each; each = each->next) {
            if (strcmp(each->uid, over->uid) == 0)
                each->over = true;
        }
        free(over);
        logs_changed(streams);
    }
    for (struct stream *each = streams->first; stopping && each; each = each->next)
        stream_end(each, "the node's agent is stopping");
    if (stopping)
        look_at_all(streams);
}

static void look_at(struct stream *stream, int64_t now_ns)
{
    bool silent = !websocket_is_held(stream->socket) &&
                  now_ns - websocket_heard_ns(stream->socket) > 4 * LIMIT_STREAM_PING_MS * MS;

    if (silent || (stream->ending && now_ns - stream->ending_ns > LIMIT_STREAM_END_MS * MS))
        stream->socket_over = true;
    stream_settle(stream);
}

/* Killed, but not dead at once. */
void streams_orphan(struct streams *streams, pid_t pid)
{
    struct orphan *orphan = calloc(1, sizeof *orphan);

    if (!orphan)
        return;
    *orphan = (struct orphan){streams->orphans, pid};
    streams->orphans = orphan;
}

static void orphans_reap(struct streams *streams)
{
    for (struct orphan **at = &streams->orphans; *at;) {
        struct orphan *orphan = *at;
        if (waitpid(orphan->pid, NULL, WNOHANG) == 0) {
            at = &orphan->next;
            continue;
        }
        *at = orphan->next;
        free(orphan);
    }
}

static void look_at_all(struct streams *streams)
{
    int64_t now_ns = clock_boot_ns();

    orphans_reap(streams);

    for (struct stream *at = streams->first, *next; at; at = next) {
        next = at->next;
        look_at(at, now_ns);
    }
}

static void drop_gone(struct streams *streams)
{
    while (streams->gone) {
        struct stream *stream = streams->gone;
        streams->gone = stream->next;
        free(stream);
    }
}

static void event_take(struct streams *streams, struct watched *watched)
{
    if (watched == &streams->bell_watched) {
        (void)bell_wait(&streams->bell, 0);
        arrivals_take(streams);
    } else if (watched == &streams->inotify_watched) {
        logs_changed(streams);
    } else if (watched->stream->socket) {
        if (watched->happened && watched->fd >= 0)
            watched->happened(watched->stream);
        stream_settle(watched->stream);
    }
}

static bool is_over(struct streams *streams)
{
    WITH_LOCK(&streams->lock);
    return streams->stopping && !streams->first && !streams->arrivals;
}

static void *streams_run(void *context)
{
    struct streams *streams = context;
    struct epoll_event events[EVENTS_MAX];
    int64_t looked_ns = 0;

    while (!is_over(streams)) {
        int count = epoll_wait(streams->epoll_fd, events, EVENTS_MAX,
                               streams->first || streams->orphans ? TICK_MS : -1);
        for (int i = 0; i < count; i++)
            event_take(streams, events[i].data.ptr);
        if (clock_boot_ns() - looked_ns >= TICK_MS * MS) {
            looked_ns = clock_boot_ns();
            look_at_all(streams);
        }
        drop_gone(streams);
    }
    return NULL;
}

/* ---- ends without a source ---- */

bool streams_add_words(struct streams *streams, const struct websocket_io *io, const char *words,
                       const char *reason, struct err *err)
{
    struct stream *stream = stream_new(NULL, io, err);
    char line[1024];

    if (!stream)
        return false;
    (void)text_format(line, sizeof line, "%s\r\n", words);
    if (words[0])
        (void)!websocket_send(stream->socket, WEBSOCKET_BINARY, line, strlen(line));
    stream_end(stream, reason);
    stream_give(streams, stream);
    return true;
}

void streams_group_over(struct streams *streams, const char *uid)
{
    struct over *over = calloc(1, sizeof *over);

    if (!over)
        return;
    text_copy(over->uid, sizeof over->uid, uid);
    lock_take(&streams->lock);
    over->next = streams->overs;
    streams->overs = over;
    lock_release(&streams->lock);
    bell_ring(&streams->bell);
}

/* ---- life ---- */

static bool room_watch(struct streams *streams, struct watched *watched, int fd)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = watched};

    watched->fd = fd;
    return fd >= 0 && epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, fd, &wanted) == 0;
}

struct streams *streams_new(struct err *err)
{
    AUTO(streams) *streams = calloc(1, sizeof *streams);

    if (!streams) {
        err_set(err, ERR_BUSY, "no memory for streams");
        return NULL;
    }
    streams->bell.fd = -1;
    lock_init(&streams->lock, LOCK_AGENT_STREAMS);
    streams->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    streams->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (!bell_init(&streams->bell, err))
        return NULL;
    if (!room_watch(streams, &streams->bell_watched, streams->bell.fd) ||
        !room_watch(streams, &streams->inotify_watched, streams->inotify_fd)) {
        err_set_os(err, ERR_IO, errno, "cannot watch for streams");
        return NULL;
    }
    streams->runs = thread_start(&streams->thread, "streams", streams_run, streams, err);
    return streams->runs ? TAKE(streams) : NULL;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    lock_take(&streams->lock);
    streams->stopping = true;
    lock_release(&streams->lock);
    bell_ring(&streams->bell);
    if (streams->runs)
        (void)pthread_join(streams->thread, NULL);
    drop_gone(streams);
    while (streams->orphans) {
        struct orphan *orphan = streams->orphans;
        streams->orphans = orphan->next;
        (void)waitpid(orphan->pid, NULL, 0);
        free(orphan);
    }
    while (streams->overs) {
        struct over *over = streams->overs;
        streams->overs = over->next;
        free(over);
    }
    bell_done(&streams->bell);
    auto_close_fd(&streams->epoll_fd);
    auto_close_fd(&streams->inotify_fd);
    lock_done(&streams->lock);
    free(streams);
}
