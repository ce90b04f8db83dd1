/* What goes through a stream, and how it ends. */
#include "api/stream/inside.h"

#include <string.h>
#include <sys/epoll.h>

/* Codes of RFC 6455. */
enum {
    END_NORMAL = 1000,
    END_AWAY = 1001,
    END_BAD_DATA = 1007,
    END_REFUSED = 1008,
    END_FAULT = 1011
};

static bool is_full(const struct side *side)
{
    return side->socket && websocket_waiting(side->socket) > LIMIT_STREAM_BUFFER_BYTES;
}

static bool client_waits(const struct session *session)
{
    return session->state == SESSION_ASKED || is_full(&session->node);
}

static bool node_waits(const struct session *session)
{
    return is_full(&session->client) || (session->tap && tap_is_full(session->tap));
}

/* ---- from the client ---- */

static void take_password(struct session *session)
{
    char hash[65];

    id_hash(session->words->bytes ? session->words->bytes : "", hash);
    bool right = text_ok(session->words) && text_equal_secret(hash, session->password_hash);
    text_wipe(session->words);
    text_clear(session->words);
    if (right)
        session_ask(session);
    else
        session_end(session, END_REFUSED, "the password is wrong");
}

static bool is_side(int64_t characters)
{
    return characters >= 1 && characters <= LIMIT_TERMINAL_SIDE_MAX;
}

static void take_order(struct session *session)
{
    AUTO(arena) *arena = arena_new(16 * 1024);
    AUTO(text) *out = text_new(256);
    struct stream_size size = {0};
    struct err err = {0};
    bool understood =
        text_ok(session->words) && arena &&
        fields_read(&stream_size_schema, session->words->bytes ? session->words->bytes : "",
                    session->words->size, arena, &size, &err) &&
        is_side(size.rows) && is_side(size.columns);

    text_clear(session->words);
    if (!understood) {
        session_end(session, END_BAD_DATA, "a text message is {\"rows\":24,\"cols\":80}");
        return;
    }
    fields_print(&stream_size_schema, &size, FIELDS_ALL, out, NULL);
    if (session->node.socket && text_ok(out))
        (void)!websocket_send(session->node.socket, WEBSOCKET_TEXT, out->bytes, out->size);
}

static void take_input(struct session *session, const void *bytes, size_t size)
{
    session->moved_ns = clock_boot_ns();
    if (session->node.socket &&
        !websocket_send(session->node.socket, WEBSOCKET_BINARY, bytes, size))
        session->node.over = true;
    else if (is_full(&session->node))
        websocket_hold(session->client.socket, true);
    else if (!session->node.socket)
        text_add_n(session->early, bytes, size);
}

static void on_client(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                      bool whole)
{
    struct session *session = context;
    bool words = session->state == SESSION_CLAIMED || (session->control && kind == WEBSOCKET_TEXT);

    if (session->state == SESSION_ENDING)
        return;
    if (!words) {
        if (size > 0)
            take_input(session, bytes, size);
        return;
    }
    text_add_n(session->words, bytes, size);
    if (!whole)
        return;
    if (session->state == SESSION_CLAIMED)
        take_password(session);
    else
        take_order(session);
}

/* ---- from the node ---- */

static void on_node(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                    bool whole UNUSED)
{
    struct session *session = context;

    if (session->state != SESSION_JOINED || kind != WEBSOCKET_BINARY || size == 0)
        return;
    session->moved_ns = clock_boot_ns();
    if (session->tap)
        tap_add(session->tap, bytes, size);
    else if (session->client.socket &&
             !websocket_send(session->client.socket, WEBSOCKET_BINARY, bytes, size))
        session->client.over = true;
    if (node_waits(session))
        websocket_hold(session->node.socket, true);
}

/* ---- sides ---- */

static void side_wait(struct side *side)
{
    uint32_t events = 0;
    struct epoll_event wanted = {.data.ptr = side};

    if (!side->socket)
        return;
    if (!websocket_is_held(side->socket) && !side->over)
        events |= EPOLLIN;
    if (websocket_has_to_write(side->socket))
        events |= EPOLLOUT;
    if (events == side->waits_for)
        return;
    wanted.events = side->waits_for = events;
    (void)epoll_ctl(side->session->streams->epoll_fd, EPOLL_CTL_MOD, websocket_fd(side->socket),
                    &wanted);
}

static bool side_put_back(struct side *side, const void *left, size_t size)
{
    struct session *session = side->session;
    bool fits = websocket_put_back(side->socket, left, size);

    if (side == &session->node && session->early->size > 0)
        fits &=
            text_ok(session->early) && websocket_send(side->socket, WEBSOCKET_BINARY,
                                                      session->early->bytes, session->early->size);
    return fits;
}

bool side_begin(struct session *session, struct side *side, const struct websocket_io *io,
                const void *left, size_t left_size)
{
    bool is_client = side == &session->client;
    struct websocket_events events = {is_client ? on_client : on_node, session};
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = side};
    struct err err = {0};

    side->socket = websocket_new(WEBSOCKET_SERVER, io, &events, &err);
    side->waits_for = EPOLLIN;
    return side->socket && side_put_back(side, left, left_size) &&
           epoll_ctl(session->streams->epoll_fd, EPOLL_CTL_ADD, io->fd, &wanted) == 0;
}

static void side_run(struct side *side)
{
    if (!side->socket)
        return;
    if (!side->over && !websocket_read(side->socket))
        side->over = true;
}

static void side_flush(struct side *side)
{
    if (side->socket && !websocket_write(side->socket))
        side->over = true;
}

void side_happened(struct side *side, uint32_t events)
{
    if (!side->socket)
        return;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        side_run(side);
    session_settle(side->session);
}

void side_drop(struct side *side)
{
    if (!side->socket)
        return;
    /* The descriptor may live on for a while in other hands. */
    (void)epoll_ctl(side->session->streams->epoll_fd, EPOLL_CTL_DEL, websocket_fd(side->socket),
                    NULL);
    websocket_free(TAKE(side->socket));
}

/* ---- the whole ---- */

static void side_end(struct side *side, int code, const char *reason)
{
    if (!side->socket)
        return;
    websocket_hold(side->socket, false);
    websocket_end(side->socket, code, reason);
}

void session_end(struct session *session, int code, const char *reason)
{
    if (session->state == SESSION_ENDING)
        return;
    session_move(session, SESSION_ENDING);
    side_end(&session->client, code, reason);
    side_end(&session->node, END_NORMAL, reason);
    if (session->tap) {
        session->tap->session = NULL;
        tap_end(TAKE(session->tap), reason);
    }
}

/* The node's last words are the client's. */
static void end_as_node(struct session *session)
{
    char reason[WEBSOCKET_REASON_SIZE];
    int code = websocket_end_code(session->node.socket);

    websocket_end_reason(session->node.socket, reason);
    if (code == END_NORMAL)
        session_end(session, code, reason);
    else
        session_end(session, END_FAULT, "the connection to the node broke");
}

/* One side's source is not read while the other side has enough to take. */
static void side_hold(struct side *side, bool hold)
{
    if (!side->socket || hold == websocket_is_held(side->socket))
        return;
    websocket_hold(side->socket, hold);
    if (!hold)
        side_run(side); /* what was read and not handed over makes nothing readable */
}

static bool is_done(const struct side *side)
{
    return !side->socket || side->over;
}

void session_settle(struct session *session)
{
    side_flush(&session->client);
    side_flush(&session->node);
    if (session->state != SESSION_ENDING) {
        /* What is let go here may fill the other side, which is then emptied, … */
        side_hold(&session->client, client_waits(session));
        side_flush(&session->node);
        side_hold(&session->node, node_waits(session));
        side_flush(&session->client);
        /* … and there may be room now that nothing else tells of. */
        side_hold(&session->node, node_waits(session));
        side_hold(&session->client, client_waits(session));
    }
    side_flush(&session->client);
    side_flush(&session->node);
    if (session->state != SESSION_ENDING && session->node.socket && session->node.over)
        end_as_node(session);
    else if (session->state != SESSION_ENDING && session->client.socket && session->client.over)
        session_end(session, END_NORMAL, "the client has gone");
    if (session->state == SESSION_ENDING) {
        side_flush(&session->client);
        side_flush(&session->node);
        if (is_done(&session->client) && is_done(&session->node)) {
            session_remove(session);
            return;
        }
    }
    side_wait(&session->client);
    side_wait(&session->node);
}
