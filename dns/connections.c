#include "dns/connections.h"

#include "base/clock.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static void connection_close(struct connection *connection)
{
    auto_close_fd(&connection->fd);
}

static void connection_touch(struct connection *connection)
{
    connection->until_ns = clock_boot_ns() + (int64_t)LIMIT_DNS_IDLE_MS * 1000000;
}

static bool watch(struct connections *connections, int operation, int fd, uint32_t events,
                  void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};
    return epoll_ctl(connections->epoll, operation, fd, &event) == 0;
}

/* A free place, or that of the connection that has been silent longest. */
static struct connection *place(struct connections *connections)
{
    struct connection *oldest = &connections->all[0];
    for (size_t i = 0; i < COUNT_OF(connections->all); i++) {
        struct connection *connection = &connections->all[i];
        if (connection->fd < 0)
            return connection;
        if (connection->until_ns < oldest->until_ns)
            oldest = connection;
    }
    connection_close(oldest);
    return oldest;
}

void connections_accept(struct connections *connections, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct connection *connection = place(connections);
    connection->fd = fd;
    connection->in_size = connection->out_size = connection->out_sent = 0;
    connection_touch(connection);
    if (!watch(connections, EPOLL_CTL_ADD, fd, EPOLLIN, connection))
        connection_close(connection);
}

/* How much of the query that came first must be there; 0: more than we read. */
static size_t query_size(const struct connection *connection)
{
    if (connection->in_size < SIZE_BYTES)
        return SIZE_BYTES;
    size_t size = (size_t)(connection->in[0] << 8 | connection->in[1]);
    return size <= QUERY_SIZE_MAX ? SIZE_BYTES + size : 0;
}

/* False: it is to be closed. */
static bool receive(struct connection *connection)
{
    size_t wanted;
    while ((wanted = query_size(connection)) > connection->in_size) {
        ssize_t size = recv(connection->fd, connection->in + connection->in_size,
                            wanted - connection->in_size, 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size < 0 && errno == EAGAIN;
        connection->in_size += (size_t)size;
    }
    return wanted > 0;
}

static bool send_out(struct connection *connection)
{
    while (connection->out_sent < connection->out_size) {
        ssize_t size = send(connection->fd, connection->out + connection->out_sent,
                            connection->out_size - connection->out_sent, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno == EAGAIN;
        connection->out_sent += (size_t)size;
    }
    connection->out_size = connection->out_sent = 0;
    return true;
}

static bool answer_over(struct connections *connections, struct connection *connection)
{
    uint8_t *out = connection->out;
    size_t size = connections->answer(connections->context, connection->in + SIZE_BYTES,
                                      connection->in_size - SIZE_BYTES, out + SIZE_BYTES);
    if (size == 0)
        return false;
    out[0] = (uint8_t)(size >> 8);
    out[1] = (uint8_t)size;
    connection->in_size = 0;
    connection->out_size = SIZE_BYTES + size;
    connection_touch(connection);
    return send_out(connection);
}

static bool talk(struct connections *connections, struct connection *connection)
{
    if (connection->out_size > 0 && !send_out(connection))
        return false;
    if (connection->out_size == 0 && !receive(connection))
        return false;
    if (connection->out_size == 0 && connection->in_size > SIZE_BYTES &&
        query_size(connection) == connection->in_size && !answer_over(connections, connection))
        return false;
    return watch(connections, EPOLL_CTL_MOD, connection->fd,
                 connection->out_size > 0 ? EPOLLOUT : EPOLLIN, connection);
}

void connections_close_silent(struct connections *connections)
{
    int64_t now_ns = clock_boot_ns();
    for (size_t i = 0; i < COUNT_OF(connections->all); i++)
        if (connections->all[i].fd >= 0 && connections->all[i].until_ns < now_ns)
            connection_close(&connections->all[i]);
}

void connections_serve(struct connections *connections, struct connection *connection)
{
    if (connection->fd >= 0 && !talk(connections, connection))
        connection_close(connection);
}

void connections_init(struct connections *connections, connection_answer answer, void *context)
{
    connections->epoll = -1;
    connections->answer = answer;
    connections->context = context;
    for (size_t i = 0; i < COUNT_OF(connections->all); i++)
        connections->all[i].fd = -1;
}

void connections_done(struct connections *connections)
{
    for (size_t i = 0; i < COUNT_OF(connections->all); i++)
        connection_close(&connections->all[i]);
}
