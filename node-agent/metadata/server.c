/* HTTP in a group's namespace, run by the room's one thread. A connection carries one call:
 *
 *     READING its head -> ASKING, while a token is fetched -> WRITING the answer -> DRAINING until the client closes
 *
 * What a client sends beyond its first head is dropped. Whoever is slow is cut off; who waits for a token is not. */
#include "base/clock.h"
#include "base/text.h"
#include "node-agent/metadata/inside.h"
#include "node-agent/metadata/request.h"

#include <errno.h>
#include <fcntl.h>
#include <http_parser.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CONNECTIONS_MAX = 16, HEAD_MAX = 8192, IDLE_MS = 10000, EVENTS_MAX = 32 };

enum connection_state { READING, ASKING, WRITING, DRAINING, GONE };

struct connection {
    struct connection *next;
    int fd;
    enum connection_state state;
    int64_t until_ms; /* then it is cut off; not while it asks */
    struct call *call;
    struct text *out;
    size_t in_size, sent;
    char in[HEAD_MAX + 1];
};

static int64_t now_ms(void)
{
    return clock_boot_ns() / 1000000;
}

static bool watch(const struct place *place, int operation, int fd, uint32_t events, void *what)
{
    struct epoll_event event = {.events = events, .data.ptr = what};

    return epoll_ctl(place->epoll_fd, operation, fd, &event) == 0;
}

/* From one state into the next; what it waits for there. */
static void move(struct place *place, struct connection *connection, enum connection_state state)
{
    static const uint32_t events[] = {
        [READING] = EPOLLIN, [ASKING] = 0, [WRITING] = EPOLLOUT, [DRAINING] = EPOLLIN};

    connection->state = state;
    connection->until_ms = now_ms() + IDLE_MS;
    if (state != GONE && !watch(place, EPOLL_CTL_MOD, connection->fd, events[state], connection))
        connection->state = GONE;
}

/* ---- answers ---- */

static void answer(struct place *place, struct connection *connection, struct reply *reply)
{
    AUTO(text) *body = TAKE(reply->body);
    size_t size = text_ok(body) ? body->size : 0;

    connection->out = text_new(size + 512);
    text_addf(connection->out,
              "HTTP/1.1 %d %s\r\nContent-Type: application/json; charset=utf-8\r\n"
              "Cache-Control: no-store\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
              reply->status, http_status_str((enum http_status)reply->status), size);
    if (size > 0)
        text_add_n(connection->out, body->bytes, size);
    text_wipe(body); /* a token */
    move(place, connection, text_ok(connection->out) ? WRITING : GONE);
}

static void look_at_answer(struct place *place, struct connection *connection)
{
    struct reply reply;

    if (!call_take(connection->call, &reply))
        return;
    call_leave(TAKE(connection->call));
    answer(place, connection, &reply);
}

/* ---- steps ---- */

static void step_reading(struct place *place, struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in + connection->in_size,
                       HEAD_MAX - connection->in_size, MSG_DONTWAIT);
    struct reply reply = {.status = 431};

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        move(place, connection, GONE);
        return;
    }
    connection->in_size += (size_t)got;
    size_t head = request_head_size(connection->in, connection->in_size);
    if (head > 0) {
        connection->in[head] = '\0';
        call_begin(place, connection->in, &reply);
    } else if (connection->in_size < HEAD_MAX) {
        return;
    }
    connection->call = reply.call;
    if (reply.call)
        move(place, connection, ASKING);
    else
        answer(place, connection, &reply);
}

static void step_writing(struct place *place, struct connection *connection)
{
    struct text *out = connection->out;
    ssize_t sent = send(connection->fd, out->bytes + connection->sent, out->size - connection->sent,
                        MSG_DONTWAIT | MSG_NOSIGNAL);

    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    connection->sent += sent > 0 ? (size_t)sent : 0;
    if (sent <= 0)
        move(place, connection, GONE);
    else if (connection->sent == out->size)
        move(place, connection, shutdown(connection->fd, SHUT_WR) == 0 ? DRAINING : GONE);
}

/* Closed with something unread, the answer might be lost. */
static void step_draining(struct connection *connection)
{
    ssize_t got = recv(connection->fd, connection->in, HEAD_MAX, MSG_DONTWAIT);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection->state = GONE;
}

static void step(struct place *place, struct connection *connection, uint32_t events)
{
    switch (connection->state) {
    case READING:
        step_reading(place, connection);
        break;
    case ASKING:
        if (events & (EPOLLHUP | EPOLLERR))
            connection->state = GONE;
        break;
    case WRITING:
        step_writing(place, connection);
        break;
    case DRAINING:
        step_draining(connection);
        break;
    case GONE:
        break;
    }
}

/* ---- connections ---- */

static void connection_free(struct connection *connection)
{
    if (connection->call)
        call_leave(connection->call);
    text_wipe(connection->out);
    text_free(connection->out);
    close(connection->fd);
    free(connection);
}

/* As many as may; the others wait in the listener's queue. */
static void accept_next(struct place *place)
{
    while (place->connections_count < CONNECTIONS_MAX) {
        int fd = accept4(place->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct connection *connection = fd >= 0 ? calloc(1, sizeof *connection) : NULL;
        if (!connection) {
            auto_close_fd(&fd);
            return;
        }
        connection->fd = fd;
        connection->until_ms = now_ms() + IDLE_MS;
        if (!watch(place, EPOLL_CTL_ADD, fd, EPOLLIN, connection)) {
            connection_free(connection);
            return;
        }
        connection->next = place->connections;
        place->connections = connection;
        if (++place->connections_count == CONNECTIONS_MAX)
            (void)watch(place, EPOLL_CTL_MOD, place->listener, 0, NULL);
    }
}

static void drop_gone(struct place *place, bool all)
{
    bool full = place->connections_count == CONNECTIONS_MAX;

    for (struct connection **at = &place->connections; *at;) {
        struct connection *connection = *at;
        bool late = connection->state != ASKING && now_ms() >= connection->until_ms;
        if (!all && !late && connection->state != GONE) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        place->connections_count--;
        connection_free(connection);
    }
    if (full && place->connections_count < CONNECTIONS_MAX)
        (void)watch(place, EPOLL_CTL_MOD, place->listener, EPOLLIN, NULL);
}

void place_run(struct place *place)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(place->epoll_fd, events, EVENTS_MAX, 0);

    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr)
            step(place, events[i].data.ptr, events[i].events);
        else
            accept_next(place);
    }
    for (struct connection *at = place->connections; at; at = at->next)
        if (at->state == ASKING)
            look_at_answer(place, at);
    drop_gone(place, false);
}

/* ---- life ---- */

bool place_listen(struct place *place, int listening_fd)
{
    place->listener = listening_fd;
    place->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (place->epoll_fd >= 0 && fcntl(listening_fd, F_SETFL, O_NONBLOCK) == 0 &&
        watch(place, EPOLL_CTL_ADD, listening_fd, EPOLLIN, NULL))
        return true;
    auto_close_fd(&place->epoll_fd);
    return false;
}

void place_end(struct place *place)
{
    drop_gone(place, true);
    auto_close_fd(&place->listener);
    auto_close_fd(&place->epoll_fd);
}
