#include "node-agent/link/open.h"

#include "base/clock.h"
#include "node-agent/link/resolve.h"

#include <errno.h>
#include <poll.h>

int64_t open_now_ms(void)
{
    return clock_boot_ns() / 1000000;
}

bool open_wait(const struct wire *wire, int64_t until_ms, const struct bell *stop, struct err *err)
{
    struct pollfd fds[] = {{.fd = wire_fd(wire), .events = wire_events(wire)},
                           {.fd = stop->fd, .events = POLLIN}};

    for (;;) {
        int64_t left_ms = until_ms - open_now_ms();
        if (left_ms <= 0) /* however much has come meanwhile */
            return err_set(err, ERR_TIMEOUT, "no answer in time");
        int ready = poll(fds, COUNT_OF(fds), (int)left_ms);
        if (ready > 0 && fds[1].revents)
            return err_set(err, ERR_CLOSED, "the connection to the plane is being closed");
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return err_set_os(err, ERR_IO, errno, "cannot wait for an answer");
    }
}

static struct wire *try_address(const struct wire_options *options, int64_t until_ms,
                                const struct bell *stop, struct err *err)
{
    AUTO(wire) *wire = wire_new(options, err);
    enum http_step step;

    if (!wire)
        return NULL;
    while ((step = wire_connect(wire, err)) == HTTP_WAITS)
        if (!open_wait(wire, until_ms, stop, err))
            return NULL;
    return step == HTTP_DONE ? TAKE(wire) : NULL;
}

/* Each address has its share of the time that is left, so that one that swallows packets does not spoil the rest. */
static struct wire *try_all(const struct addrinfo *found, struct wire_options options,
                            int64_t until_ms, const struct bell *stop, struct err *err)
{
    int left = 0;

    for (const struct addrinfo *at = found; at; at = at->ai_next)
        left++;
    for (; found; found = found->ai_next, left--) {
        int64_t now_ms = open_now_ms();
        options.address = found->ai_addr;
        options.address_size = found->ai_addrlen;
        struct wire *wire = try_address(&options, now_ms + (until_ms - now_ms) / left, stop, err);
        if (wire || err->code == ERR_CLOSED)
            return wire;
    }
    return NULL;
}

static bool say_why(const char *text, const char *ca_file, struct err *err)
{
    const struct err why = *err;

    if (why.code == ERR_CLOSED)
        return false;
    if (why.code == ERR_FORBIDDEN)
        return err_set(err, ERR_NODE_AWAY, "the plane's certificate does not fit: %s (%s, %s)",
                       why.text, text, ca_file ? ca_file : "no plane_ca_file");
    if (why.code == ERR_INVALID)
        return err_set(err, ERR_NODE_AWAY, "plane_ca_file %s", why.text);
    return err_set(err, ERR_NODE_AWAY, "%s: %s", text, why.text);
}

struct wire *open_wire(const char *text, const struct http_url *url, const char *ca_file,
                       int64_t until_ms, const struct bell *stop, struct err *err)
{
    AUTO(http_trust) *trust = url->tls ? http_trust_new(ca_file, err) : NULL;
    const struct wire_options options = {.trust = trust, .host = url->host};
    struct addrinfo *found = NULL;
    struct wire *wire = NULL;

    if (trust || !url->tls)
        found = resolve(url->host, url->port, until_ms, stop, err);
    if (found) {
        wire = try_all(found, options, until_ms, stop, err);
        freeaddrinfo(found);
    }
    if (!wire)
        say_why(text, ca_file, err);
    return wire;
}
