/* WebSocket messages over any connection: a thin cover over wslay, so that only websocket.c sees it. The
 * handshake is HTTP and not done here. Received messages are handed over in pieces as they come, so that no
 * message needs memory; what is sent waits in a queue whose size the caller watches (websocket_waiting()).
 *
 *     struct websocket *socket = websocket_new(WEBSOCKET_SERVER, &io, &events, err);
 *     ... epoll says readable:  if (!websocket_read(socket))  it is over
 *         epoll says writable:  if (!websocket_write(socket)) it is over
 *     websocket_send(socket, WEBSOCKET_BINARY, bytes, size);
 *     websocket_end(socket, 1000, "exit code 0");   then write until websocket_write() is false
 *
 * Not for: waiting, threads, time-outs.
 * Threads: one at a time.   Owner: websocket_free(), which also closes the connection. */
#ifndef BASE_WEBSOCKET_H
#define BASE_WEBSOCKET_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct websocket;

enum websocket_side { WEBSOCKET_SERVER, WEBSOCKET_CLIENT };
enum websocket_kind { WEBSOCKET_TEXT, WEBSOCKET_BINARY };

/* Where bytes come from and go to. Both return what they moved, 0: not now, -1: the connection is over. */
struct websocket_io {
    int fd; /* to wait on */
    ssize_t (*read)(void *context, void *bytes, size_t size);
    ssize_t (*write)(void *context, const void *bytes, size_t size);
    void (*close)(void *context);
    void *context;
};

struct websocket_events {
    /* A piece of a message; `whole`: the last one of it, perhaps empty. */
    void (*received)(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                     bool whole);
    void *context;
};

/* Takes io over, on failure too. */
struct websocket *websocket_new(enum websocket_side side, const struct websocket_io *io,
                                const struct websocket_events *events, struct err *err) MUST_CHECK;
void websocket_free(struct websocket *socket);
AUTO_TYPE(websocket);

int websocket_fd(const struct websocket *socket);
/* What was read together with the head of the handshake: it is read first. At most WEBSOCKET_LEFT_MAX. */
enum { WEBSOCKET_LEFT_MAX = 4096 };
bool websocket_put_back(struct websocket *socket, const void *bytes, size_t size) MUST_CHECK;

/* Hands over what has come, until nothing more is there or websocket_hold(). False: nothing more will come. */
bool websocket_read(struct websocket *socket) MUST_CHECK;
/* Sends what waits. False: nothing more can be sent, or both sides have said good-bye. */
bool websocket_write(struct websocket *socket) MUST_CHECK;
bool websocket_has_to_write(const struct websocket *socket);

/* False: it cannot be sent any more, or no memory. */
bool websocket_send(struct websocket *socket, enum websocket_kind kind, const void *bytes,
                    size_t size) MUST_CHECK;
void websocket_ping(struct websocket *socket);
/* The last message, behind those that wait; only the first call counts. A reason that is too long is cut. */
void websocket_end(struct websocket *socket, int code, const char *reason);
/* Bytes that wait to be sent. */
size_t websocket_waiting(const struct websocket *socket);
/* Nothing more is read until it is let go; then websocket_read() may have something without the connection being
 * readable. */
void websocket_hold(struct websocket *socket, bool hold);
bool websocket_is_held(const struct websocket *socket);
/* When something last came, a pong say; clock_boot_ns(). */
int64_t websocket_heard_ns(const struct websocket *socket);

/* The code with which the other side said good-bye; 0: it has not, or without one. */
int websocket_end_code(const struct websocket *socket);
/* The words that came with it; "" when none did. */
enum { WEBSOCKET_REASON_SIZE = 124 };
void websocket_end_reason(const struct websocket *socket, char out[WEBSOCKET_REASON_SIZE]);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
enum { WEBSOCKET_ACCEPT_SIZE = 29, WEBSOCKET_KEY_SIZE = 25 };
bool websocket_accept(const char *key, char out[WEBSOCKET_ACCEPT_SIZE]) MUST_CHECK;
void websocket_key(char out[WEBSOCKET_KEY_SIZE]);

/* An io over a plain socket, which it closes. */
struct websocket_io websocket_plain(int fd);

#endif
