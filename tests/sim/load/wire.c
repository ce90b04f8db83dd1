#include "tests/sim/load/wire.h"

#include "base/clock.h"
#include "base/limits.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

bool wire_init(struct wire *wire, void *owner)
{
    *wire = (struct wire){.fd = -1, .owner = owner};
    wire->out = text_new(LIMIT_LINK_MESSAGE_MAX);
    wire->in = text_new(LIMIT_LINK_MESSAGE_MAX);
    return wire->out && wire->in;
}

void wire_close(struct wire *wire)
{
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
    wire->busy = false;
    text_clear(wire->in);
}

void wire_done(struct wire *wire)
{
    wire_close(wire);
    text_free(wire->out);
    text_free(wire->in);
}

static bool wire_open(struct wire *wire, int epoll_fd, const struct sockaddr_in *to)
{
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = wire};
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (wire->fd < 0)
        return false;
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(wire->fd, (const struct sockaddr *)to, sizeof *to) != 0 && errno != EINPROGRESS)
        return false;
    return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wire->fd, &event) == 0;
}

static bool push(struct wire *wire)
{
    while (wire->sent < wire->out->size) {
        ssize_t count = send(wire->fd, wire->out->bytes + wire->sent, wire->out->size - wire->sent,
                             MSG_NOSIGNAL);
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        wire->sent += (size_t)count;
    }
    return true;
}

bool wire_send(struct wire *wire, int epoll_fd, const struct sockaddr_in *to, const char *method,
               const char *path, const char *headers, const char *body, size_t body_size)
{
    CHECK(!wire->busy);
    text_clear(wire->out);
    text_clear(wire->in);
    wire->sent = 0;
    text_addf(wire->out, "%s %s HTTP/1.1\r\nHost: plane\r\n%s", method, path, headers);
    if (body)
        text_addf(wire->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                  body_size);
    text_add(wire->out, "\r\n");
    if (body)
        text_add_n(wire->out, body, body_size);
    if (!text_ok(wire->out) || (wire->fd < 0 && !wire_open(wire, epoll_fd, to))) {
        wire_close(wire);
        return false;
    }
    wire->busy = true;
    wire->begun_ns = clock_boot_ns();
    if (push(wire) || errno == ENOTCONN)
        return true;
    wire_close(wire);
    return false;
}

static bool pull(struct wire *wire)
{
    char bytes[16384];
    for (;;) {
        ssize_t count = recv(wire->fd, bytes, sizeof bytes, 0);
        if (count == 0)
            return false;
        if (count < 0)
            return errno == EAGAIN || errno == EINTR;
        text_add_n(wire->in, bytes, (size_t)count);
    }
}

/* The plane always says how long its answer is. */
static enum wire_outcome read_answer(const struct wire *wire, int *status, const char **body,
                                     size_t *body_size)
{
    const char *bytes = wire->in->size > 0 ? wire->in->bytes : "";
    const char *end = strstr(bytes, "\r\n\r\n");
    if (!end)
        return WIRE_WAITS;
    const char *length = strcasestr(bytes, "\r\ncontent-length:");
    size_t size = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    if (strncmp(bytes, "HTTP/1.1 ", 9) != 0)
        return WIRE_BROKEN;
    if (wire->in->size < (size_t)(end + 4 - bytes) + size)
        return WIRE_WAITS;
    *status = (int)strtol(bytes + 9, NULL, 10);
    *body = end + 4;
    *body_size = size;
    return WIRE_ANSWERED;
}

enum wire_outcome wire_move(struct wire *wire, int *status, const char **body, size_t *body_size)
{
    if (wire->fd < 0)
        return WIRE_WAITS;
    bool open = push(wire) && pull(wire) && text_ok(wire->in);
    enum wire_outcome outcome =
        wire->busy ? read_answer(wire, status, body, body_size) : WIRE_WAITS;
    if (outcome == WIRE_ANSWERED) {
        wire->busy = false;
        return outcome;
    }
    if (open && outcome == WIRE_WAITS)
        return WIRE_WAITS;
    wire_close(wire);
    return WIRE_BROKEN;
}
