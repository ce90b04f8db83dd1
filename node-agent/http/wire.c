#include "node-agent/http/inner.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>

enum wire_state { CONNECTING, HANDSHAKING, OPEN, OVER };

struct wire {
    int fd;
    SSL *ssl; /* NULL: plain */
    enum wire_state state;
    short events;
    bool in_order; /* it is over because the other side said so */
    struct err why;
};

struct wire *wire_new(const struct wire_options *options, struct err *err)
{
    AUTO(wire) *wire = calloc(1, sizeof *wire);
    const int one = 1;

    if (!wire) {
        err_set(err, ERR_BUSY, "no memory for a connection");
        return NULL;
    }
    wire->events = POLLOUT;
    wire->fd = socket(options->address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (wire->fd < 0) {
        err_set_os(err, ERR_IO, errno, "no socket");
        return NULL;
    }
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (options->trust && !(wire->ssl = wire_tls_begin(options->trust, wire->fd, options->host))) {
        err_set(err, ERR_BUSY, "no memory for TLS");
        return NULL;
    }
    if (connect(wire->fd, options->address, options->address_size) != 0 && errno != EINPROGRESS) {
        err_set_os(err, ERR_IO, errno, "no connection");
        return NULL;
    }
    return TAKE(wire);
}

void wire_free(struct wire *wire)
{
    if (!wire)
        return;
    if (wire->ssl && wire->state == OPEN) {
        (void)SSL_shutdown(wire->ssl); /* a word of good-bye, if there is room for it */
        ERR_clear_error();
    }
    SSL_free(wire->ssl);
    auto_close_fd(&wire->fd);
    free(wire);
}

int wire_fd(const struct wire *wire)
{
    return wire->fd;
}

short wire_events(const struct wire *wire)
{
    return wire->events;
}

bool wire_over(const struct wire *wire, struct err *err)
{
    if (!wire->in_order)
        *err = wire->why;
    return wire->in_order;
}

/* ---- one step ---- */

/* 0: not now; -1: over, and `why` says why. */
static int tls_result(struct wire *wire, int returned, int os_errno)
{
    switch (SSL_get_error(wire->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        wire->events = POLLIN;
        return 0;
    case SSL_ERROR_WANT_WRITE:
        wire->events = POLLOUT;
        return 0;
    case SSL_ERROR_ZERO_RETURN:
        wire->in_order = true;
        break;
    case SSL_ERROR_SYSCALL:
        if (os_errno)
            err_set_os(&wire->why, ERR_IO, os_errno, "the connection broke");
        else
            err_set(&wire->why, ERR_IO, "the connection was closed");
        ERR_clear_error();
        break;
    default:
        wire_tls_failed(wire->ssl, &wire->why);
    }
    wire->state = OVER;
    return -1;
}

static int plain_result(struct wire *wire, ssize_t returned, int os_errno, short events)
{
    wire->events = events;
    if (returned < 0 && (os_errno == EAGAIN || os_errno == EINTR))
        return 0;
    wire->in_order = returned == 0;
    if (!wire->in_order)
        err_set_os(&wire->why, ERR_IO, os_errno, "the connection broke");
    return -1;
}

static enum http_step connected(struct wire *wire, struct err *err)
{
    struct pollfd ready = {.fd = wire->fd, .events = POLLOUT};
    int failure = 0;
    socklen_t size = sizeof failure;

    if (poll(&ready, 1, 0) != 1)
        return HTTP_WAITS;
    if (getsockopt(wire->fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0)
        failure = errno;
    if (failure) {
        err_set_os(err, ERR_IO, failure, "no connection");
        return HTTP_FAILED;
    }
    wire->state = wire->ssl ? HANDSHAKING : OPEN;
    return HTTP_DONE;
}

enum http_step wire_connect(struct wire *wire, struct err *err)
{
    if (wire->state == CONNECTING) {
        enum http_step step = connected(wire, err);
        if (step != HTTP_DONE)
            return step;
    }
    if (wire->state == HANDSHAKING) {
        ERR_clear_error();
        errno = 0;
        int done = SSL_do_handshake(wire->ssl);
        if (done != 1) {
            if (tls_result(wire, done, errno) == 0)
                return HTTP_WAITS;
            if (wire_over(wire, err))
                err_set(err, ERR_IO, "TLS: the connection was closed");
            return HTTP_FAILED;
        }
        wire->state = OPEN;
    }
    return HTTP_DONE;
}

ssize_t wire_read(struct wire *wire, void *bytes, size_t size)
{
    size_t got = 0;

    errno = 0;
    if (!wire->ssl) {
        ssize_t count = recv(wire->fd, bytes, size, 0);
        return count > 0 ? count : plain_result(wire, count, errno, POLLIN);
    }
    if (wire->state == OVER)
        return -1;
    ERR_clear_error();
    int done = SSL_read_ex(wire->ssl, bytes, size, &got);
    return done == 1 ? (ssize_t)got : tls_result(wire, done, errno);
}

ssize_t wire_write(struct wire *wire, const void *bytes, size_t size)
{
    size_t sent = 0;

    errno = 0;
    if (!wire->ssl) {
        ssize_t count = send(wire->fd, bytes, size, MSG_NOSIGNAL);
        return count >= 0 ? count : plain_result(wire, count, errno, POLLOUT);
    }
    if (wire->state == OVER)
        return -1;
    ERR_clear_error();
    int done = SSL_write_ex(wire->ssl, bytes, size, &sent);
    return done == 1 ? (ssize_t)sent : tls_result(wire, done, errno);
}

/* With TLS, tickets may stand there that nobody has read: they are no sign of trouble. */
bool wire_is_quiet(struct wire *wire)
{
    char byte;

    if (wire->state != OPEN)
        return false;
    if (!wire->ssl)
        return recv(wire->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
    ERR_clear_error();
    size_t got = 0;
    int done = SSL_peek_ex(wire->ssl, &byte, 1, &got);
    return done != 1 && SSL_get_error(wire->ssl, done) == SSL_ERROR_WANT_READ;
}
