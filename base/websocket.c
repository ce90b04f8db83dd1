/* wslay's event interface without its buffering: pieces of frames go to the caller as they are read. It checks
 * frames (masks, reserved bits, lengths of control frames, order of fragments, UTF-8 is left to the caller), and
 * answers pings and good-byes itself. */
#include "base/websocket.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

/* A client that pings and never takes the answers is no longer read. */
enum { QUEUED_MAX = 256, OUT_SIZE = 16384, REASON_MAX = WEBSOCKET_REASON_SIZE - 1 };

struct websocket {
    wslay_event_context_ptr wslay;
    struct websocket_io io;
    struct websocket_events events;
    unsigned char left[WEBSOCKET_LEFT_MAX];
    size_t left_size, left_at;
    /* wslay gives a frame's head and body apart: together they are one write, and one record of TLS. */
    unsigned char out[OUT_SIZE];
    size_t out_size, out_at;
    enum websocket_kind kind; /* of the message under way */
    uint8_t opcode;           /* of the frame under way */
    unsigned char
        farewell[REASON_MAX + 2]; /* the other side's: its code, in two bytes, and reason */
    size_t farewell_size;
    bool fin, held, over;
    int64_t heard_ns;
    /* wslay lets a good-bye overtake what waits, so it is kept back until nothing does. */
    int end_code; /* 0: not ending, -1: said */
    char end_reason[REASON_MAX + 1];
};

/* ---- bytes ---- */

static ssize_t take_left(struct websocket *socket, uint8_t *bytes, size_t size)
{
    size_t left = socket->left_size - socket->left_at;

    if (left > size)
        left = size;
    memcpy(bytes, socket->left + socket->left_at, left);
    socket->left_at += left;
    return (ssize_t)left;
}

static ssize_t on_read(wslay_event_context_ptr wslay, uint8_t *bytes, size_t size, int flags UNUSED,
                       void *context)
{
    struct websocket *socket = context;
    ssize_t got = 0;

    if (socket->held || wslay_event_get_queued_msg_count(wslay) > QUEUED_MAX) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    got = socket->left_at < socket->left_size ? take_left(socket, bytes, size)
                                              : socket->io.read(socket->io.context, bytes, size);
    if (got > 0) {
        socket->heard_ns = clock_boot_ns();
        return got;
    }
    wslay_event_set_error(wslay, got == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

/* 1: nothing waits, 0: not now, -1: the connection is over. */
static int flush(struct websocket *socket)
{
    while (socket->out_at < socket->out_size) {
        ssize_t sent = socket->io.write(socket->io.context, socket->out + socket->out_at,
                                        socket->out_size - socket->out_at);
        if (sent <= 0)
            return (int)sent;
        socket->out_at += (size_t)sent;
    }
    socket->out_size = socket->out_at = 0;
    return 1;
}

static ssize_t on_write(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t size,
                        int flags UNUSED, void *context)
{
    struct websocket *socket = context;
    int flushed = socket->out_size < OUT_SIZE ? 1 : flush(socket);
    size_t room = OUT_SIZE - socket->out_size;

    if (flushed != 1) {
        wslay_event_set_error(wslay,
                              flushed == 0 ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    size = size < room ? size : room;
    memcpy(socket->out + socket->out_size, bytes, size);
    socket->out_size += size;
    return (ssize_t)size;
}

static int on_mask(wslay_event_context_ptr wslay UNUSED, uint8_t *bytes, size_t size,
                   void *context UNUSED)
{
    return RAND_bytes(bytes, (int)size) == 1 ? 0 : -1;
}

/* ---- messages ---- */

static bool is_control(uint8_t opcode)
{
    return opcode >= WSLAY_CONNECTION_CLOSE;
}

static void on_frame(wslay_event_context_ptr wslay UNUSED,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *context)
{
    struct websocket *socket = context;

    socket->opcode = frame->opcode;
    socket->fin = frame->fin;
    if (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME)
        socket->kind = frame->opcode == WSLAY_TEXT_FRAME ? WEBSOCKET_TEXT : WEBSOCKET_BINARY;
}

static void keep_farewell(struct websocket *socket, const uint8_t *bytes, size_t size)
{
    size_t room = sizeof socket->farewell - socket->farewell_size;

    size = size < room ? size : room;
    memcpy(socket->farewell + socket->farewell_size, bytes, size);
    socket->farewell_size += size;
}

static void on_piece(wslay_event_context_ptr wslay UNUSED,
                     const struct wslay_event_on_frame_recv_chunk_arg *piece, void *context)
{
    struct websocket *socket = context;

    if (socket->opcode == WSLAY_CONNECTION_CLOSE)
        keep_farewell(socket, piece->data, piece->data_length);
    if (!is_control(socket->opcode) && piece->data_length > 0)
        socket->events.received(socket->events.context, socket->kind, piece->data,
                                piece->data_length, false);
}

static void on_frame_end(wslay_event_context_ptr wslay UNUSED, void *context)
{
    struct websocket *socket = context;

    if (!is_control(socket->opcode) && socket->fin)
        socket->events.received(socket->events.context, socket->kind, "", 0, true);
}

/* ---- life ---- */

static const struct wslay_event_callbacks callbacks = {
    .recv_callback = on_read,
    .send_callback = on_write,
    .genmask_callback = on_mask,
    .on_frame_recv_start_callback = on_frame,
    .on_frame_recv_chunk_callback = on_piece,
    .on_frame_recv_end_callback = on_frame_end,
};

struct websocket *websocket_new(enum websocket_side side, const struct websocket_io *io,
                                const struct websocket_events *events, struct err *err)
{
    struct websocket *socket = calloc(1, sizeof *socket);
    int failed = -1;

    if (socket) {
        socket->io = *io;
        socket->events = *events;
        socket->heard_ns = clock_boot_ns();
        failed = side == WEBSOCKET_SERVER
                     ? wslay_event_context_server_init(&socket->wslay, &callbacks, socket)
                     : wslay_event_context_client_init(&socket->wslay, &callbacks, socket);
    }
    if (failed) {
        io->close(io->context);
        free(socket);
        err_set(err, ERR_BUSY, "no memory for a stream");
        return NULL;
    }
    wslay_event_config_set_no_buffering(socket->wslay, 1);
    return socket;
}

void websocket_free(struct websocket *socket)
{
    if (!socket)
        return;
    wslay_event_context_free(socket->wslay);
    socket->io.close(socket->io.context);
    free(socket);
}

int websocket_fd(const struct websocket *socket)
{
    return socket->io.fd;
}

bool websocket_put_back(struct websocket *socket, const void *bytes, size_t size)
{
    if (size > sizeof socket->left)
        return false;
    if (size > 0)
        memcpy(socket->left, bytes, size);
    socket->left_size = size;
    return true;
}

/* ---- in and out ---- */

bool websocket_read(struct websocket *socket)
{
    if (socket->over)
        return false;
    if (wslay_event_recv(socket->wslay) != 0)
        socket->over = true;
    return !socket->over && wslay_event_want_read(socket->wslay);
}

static bool say_end(struct websocket *socket)
{
    if (socket->end_code <= 0 || wslay_event_get_queued_msg_count(socket->wslay) > 0)
        return true;
    (void)wslay_event_queue_close(socket->wslay, (uint16_t)socket->end_code,
                                  (const uint8_t *)socket->end_reason, strlen(socket->end_reason));
    socket->end_code = -1;
    return wslay_event_send(socket->wslay) == 0;
}

bool websocket_write(struct websocket *socket)
{
    if (socket->over)
        return false;
    if (wslay_event_send(socket->wslay) != 0 || !say_end(socket) || flush(socket) < 0)
        socket->over = true;
    return !socket->over &&
           (wslay_event_want_read(socket->wslay) || websocket_has_to_write(socket));
}

bool websocket_has_to_write(const struct websocket *socket)
{
    return !socket->over &&
           (socket->out_size > 0 || socket->end_code > 0 || wslay_event_want_write(socket->wslay));
}

bool websocket_send(struct websocket *socket, enum websocket_kind kind, const void *bytes,
                    size_t size)
{
    struct wslay_event_msg message = {
        .opcode = kind == WEBSOCKET_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
        .msg = bytes,
        .msg_length = size,
    };

    return !socket->over && socket->end_code == 0 &&
           wslay_event_queue_msg(socket->wslay, &message) == 0;
}

void websocket_ping(struct websocket *socket)
{
    struct wslay_event_msg message = {.opcode = WSLAY_PING};

    if (!socket->over && wslay_event_get_queued_msg_count(socket->wslay) <= QUEUED_MAX)
        (void)wslay_event_queue_msg(socket->wslay, &message);
}

void websocket_end(struct websocket *socket, int code, const char *reason)
{
    if (socket->end_code != 0)
        return;
    socket->end_code = code;
    text_copy(socket->end_reason, sizeof socket->end_reason, reason);
}

size_t websocket_waiting(const struct websocket *socket)
{
    return wslay_event_get_queued_msg_length(socket->wslay) + socket->out_size - socket->out_at;
}

void websocket_hold(struct websocket *socket, bool hold)
{
    socket->held = hold;
}

bool websocket_is_held(const struct websocket *socket)
{
    return socket->held;
}

int64_t websocket_heard_ns(const struct websocket *socket)
{
    return socket->heard_ns;
}

int websocket_end_code(const struct websocket *socket)
{
    return wslay_event_get_close_received(socket->wslay)
               ? wslay_event_get_status_code_received(socket->wslay)
               : 0;
}

void websocket_end_reason(const struct websocket *socket, char out[WEBSOCKET_REASON_SIZE])
{
    size_t size = socket->farewell_size > 2 ? socket->farewell_size - 2 : 0;

    memcpy(out, socket->farewell + 2, size);
    out[size] = '\0';
}

/* ---- the handshake's sums ---- */

bool websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT_SIZE])
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 */
    char text[WEBSOCKET_KEY_SIZE + sizeof magic];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (strlen(key) != WEBSOCKET_KEY_SIZE - 1 ||
        !text_format(text, sizeof text, "%s%s", key, magic) ||
        EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)out, digest, (int)size);
    return true;
}

void websocket_key(char out[WEBSOCKET_KEY_SIZE])
{
    unsigned char random[16];

    CHECK(RAND_bytes(random, sizeof random) == 1);
    EVP_EncodeBlock((unsigned char *)out, random, sizeof random);
}

/* ---- plain sockets ---- */

static int plain_fd(void *context)
{
    return (int)(intptr_t)context;
}

static ssize_t plain_read(void *context, void *bytes, size_t size)
{
    ssize_t got = recv(plain_fd(context), bytes, size, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return got > 0 ? got : -1;
}

static ssize_t plain_write(void *context, const void *bytes, size_t size)
{
    ssize_t sent = send(plain_fd(context), bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void plain_close(void *context)
{
    close(plain_fd(context));
}

struct websocket_io websocket_plain(int fd)
{
    return (struct websocket_io){.fd = fd,
                                 .read = plain_read,
                                 .write = plain_write,
                                 .close = plain_close,
                                 .context = (void *)(intptr_t)fd};
}
