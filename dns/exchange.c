#include "dns/exchange.h"

#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <poll.h>

enum { SIZE_BYTES = 2, SLICE_MS = 100 /* how often a wait looks whether this ends */ };

struct talk {
    const union address *server;
    const atomic_bool *stopping;
    int64_t until_ns;
};

static bool late(struct err *err)
{
    return err_set(err, ERR_IO, "the DNS server does not answer");
}

/* Until the socket is ready; false past the deadline, or when this ends. */
static bool ready(const struct talk *talk, int fd, short events, struct err *err)
{
    while (!atomic_load(talk->stopping) && clock_boot_ns() < talk->until_ns) {
        struct pollfd wait = {.fd = fd, .events = events};
        if (poll(&wait, 1, SLICE_MS) > 0)
            return true;
    }
    return late(err);
}

static bool connect_to(const struct talk *talk, int fd, struct err *err)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    if (connect(fd, &talk->server->any, address_size(talk->server)) == 0)
        return true;
    if (errno != EINPROGRESS)
        return err_set_os(err, ERR_IO, errno, "cannot reach the DNS server");
    if (!ready(talk, fd, POLLOUT, err))
        return false;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) != 0 || failure != 0)
        return err_set_os(err, ERR_IO, failure, "cannot reach the DNS server");
    return true;
}

static bool send_all(const struct talk *talk, int fd, const uint8_t *bytes, size_t size,
                     struct err *err)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            return err_set_os(err, ERR_IO, errno, "cannot send to the DNS server");
        if (sent < 0 && !ready(talk, fd, POLLOUT, err))
            return false;
        bytes += sent > 0 ? sent : 0;
        size -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static bool receive_all(const struct talk *talk, int fd, uint8_t *bytes, size_t size,
                        struct err *err)
{
    while (size > 0) {
        ssize_t got = recv(fd, bytes, size, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return err_set_os(err, ERR_IO, got < 0 ? errno : ECONNRESET,
                              "the DNS server does not answer");
        if (got < 0 && !ready(talk, fd, POLLIN, err))
            return false;
        bytes += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool converse(const struct talk *talk, int fd, const uint8_t *message, size_t size,
                     struct arena *arena, uint8_t **reply, size_t *reply_size, struct err *err)
{
    uint8_t head[SIZE_BYTES] = {(uint8_t)(size >> 8), (uint8_t)size};
    if (!connect_to(talk, fd, err) || !send_all(talk, fd, head, sizeof head, err) ||
        !send_all(talk, fd, message, size, err) || !receive_all(talk, fd, head, sizeof head, err))
        return false;
    *reply_size = (size_t)(head[0] << 8 | head[1]);
    *reply = arena_alloc(arena, *reply_size + 1);
    return *reply ? receive_all(talk, fd, *reply, *reply_size, err)
                  : err_set(err, ERR_BUSY, "out of memory for a DNS update");
}

bool exchange(const union address *server, const atomic_bool *stopping, struct arena *arena,
              const uint8_t *message, size_t size, uint8_t **reply, size_t *reply_size,
              struct err *err)
{
    struct talk talk = {server, stopping, clock_boot_ns() + (int64_t)LIMIT_DNS_ANSWER_MS * 1000000};
    AUTO_CLOSE int fd =
        socket(server->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot make a socket");
    return converse(&talk, fd, message, size, arena, reply, reply_size, err);
}
