/* The thread that moves all streams: waits for sockets, and each second looks at what has waited too long. */
#include "api/stream/inside.h"

#include <errno.h>
#include <sys/epoll.h>

enum { EVENTS_MAX = 256, TICK_MS = 1000 };

static const int64_t MS = 1000000;

/* ---- time ---- */

static bool is_late(const struct session *session, int64_t now_ns, int64_t for_ms)
{
    return now_ns - session->since_ns > for_ms * MS;
}

/* A node that has taken the question and opens nothing may have died with it. */
static void look_at_begun(struct session *session, int64_t now_ns)
{
    if (session->state == SESSION_NEW && is_late(session, now_ns, LIMIT_STREAM_TAKE_UP_MS))
        session_end(session, 1008, "it was not opened in time");
    if (session->state == SESSION_CLAIMED && is_late(session, now_ns, LIMIT_STREAM_PASSWORD_MS))
        session_end(session, 1008, "no password came");
    if (session->state == SESSION_ASKED && is_late(session, now_ns, LIMIT_NODE_ANSWER_MS))
        session_end(session, 1011, "the node does not answer");
}

static bool is_silent(const struct side *side, int64_t now_ns)
{
    return side->socket && !websocket_is_held(side->socket) &&
           now_ns - websocket_heard_ns(side->socket) > 3 * LIMIT_STREAM_PING_MS * MS;
}

static void look_at_joined(struct session *session, int64_t now_ns)
{
    int64_t idle_ms = session->streams->options.idle_ms;

    if (idle_ms > 0 && now_ns - session->moved_ns > idle_ms * MS && !session->tap)
        session_end(session, 1000, "nothing was said for too long");
    else if (session->tap && tap_is_full(session->tap) &&
             now_ns - session->tap->taken_ns > LIMIT_STREAM_STUCK_MS * MS)
        session_end(session, 1000, "dropped: the reader takes nothing");
    else if (is_silent(&session->client, now_ns))
        session_end(session, 1001, "the client is silent");
    else if (is_silent(&session->node, now_ns))
        session_end(session, 1011, "the node is silent");
}

/* Proxies and address translators forget connections on which nothing moves. */
static void ping(struct session *session, int64_t now_ns)
{
    if (now_ns - session->pinged_ns < LIMIT_STREAM_PING_MS * MS || session->state == SESSION_ENDING)
        return;
    session->pinged_ns = now_ns;
    if (session->client.socket)
        websocket_ping(session->client.socket);
    if (session->node.socket)
        websocket_ping(session->node.socket);
    if (session->tap && !tap_is_full(session->tap))
        tap_add(session->tap, ":\n\n", 3);
}

static void look_at(struct session *session, int64_t now_ns)
{
    look_at_begun(session, now_ns);
    if (session->state == SESSION_JOINED)
        look_at_joined(session, now_ns);
    ping(session, now_ns);
    if (session->state == SESSION_ENDING && is_late(session, now_ns, LIMIT_STREAM_END_MS))
        session_remove(session);
    else
        session_settle(session);
}

static void look_at_all(struct streams *streams)
{
    int64_t now_ns = clock_boot_ns();

    for (struct session *at = streams->first, *next; at; at = next) {
        next = at->next;
        look_at(at, now_ns);
    }
}

/* ---- the thread ---- */

static void drop_gone(struct streams *streams)
{
    while (streams->gone) {
        struct session *session = streams->gone;
        streams->gone = session->next;
        session_free(session);
    }
}

static bool round_run(struct streams *streams, const struct epoll_event *events, int count,
                      int64_t *looked_ns)
{
    WITH_LOCK(&streams->lock);
    bool rang = false;

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            side_happened(events[i].data.ptr, events[i].events);
        else
            rang = true;
    }
    if (rang)
        (void)bell_wait(&streams->bell, 0);
    if (rang || clock_boot_ns() - *looked_ns >= TICK_MS * MS) {
        *looked_ns = clock_boot_ns();
        look_at_all(streams);
    }
    drop_gone(streams);
    return !streams->stopping || streams->first;
}

static void *streams_run(void *context)
{
    struct streams *streams = context;
    struct epoll_event events[EVENTS_MAX];
    int64_t looked_ns = 0;

    for (bool going = true; going;) {
        int count = epoll_wait(streams->epoll_fd, events, EVENTS_MAX, TICK_MS);
        going = round_run(streams, events, count > 0 ? count : 0, &looked_ns);
    }
    return NULL;
}

/* ---- life ---- */

struct streams *streams_new(const struct streams_options *options, struct err *err)
{
    AUTO(streams) *streams = calloc(1, sizeof *streams);
    struct epoll_event wanted = {.events = EPOLLIN};

    if (!streams) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    streams->options = *options;
    streams->bell.fd = -1;
    lock_init(&streams->lock, LOCK_API_STREAMS);
    streams->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!bell_init(&streams->bell, err))
        return NULL;
    if (streams->epoll_fd < 0 ||
        epoll_ctl(streams->epoll_fd, EPOLL_CTL_ADD, streams->bell.fd, &wanted) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot make an epoll set");
        return NULL;
    }
    streams->runs = thread_start(&streams->thread, "streams", streams_run, streams, err);
    return streams->runs ? TAKE(streams) : NULL;
}

void streams_stop(struct streams *streams)
{
    if (!streams || !streams->runs)
        return;
    lock_take(&streams->lock);
    streams->stopping = true;
    for (struct session *at = streams->first; at; at = at->next)
        session_end(at, 1001, "the server is stopping");
    lock_release(&streams->lock);
    bell_ring(&streams->bell);
    (void)pthread_join(streams->thread, NULL);
    streams->runs = false;
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    streams_stop(streams);
    drop_gone(streams);
    bell_done(&streams->bell);
    auto_close_fd(&streams->epoll_fd);
    lock_done(&streams->lock);
    free(streams);
}
