/* A list under one lock; the sweep walks it once a second. A file descriptor in the list is open:
 * the library tells of the end before it closes. */
#include "api/connections.h"

#include "api/tls.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"

#include <stdatomic.h>
#include <sys/socket.h>

struct connection {
    struct tls_sender sender; /* with its file descriptor */
    _Atomic int64_t since_ns; /* waiting for a whole request since; 0: it is the server's turn */
    struct connection *next, **held_by;
};

struct connections {
    struct lock lock;
    struct connection *first;
    int64_t count;
};

struct connections *connections_new(struct err *err)
{
    struct connections *connections = calloc(1, sizeof *connections);

    if (!connections) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    lock_init(&connections->lock, LOCK_API_CONNECTIONS);
    return connections;
}

static void connection_free(struct connection *connection)
{
    tls_sender_end(&connection->sender);
    free(connection);
}

void connections_free(struct connections *connections)
{
    if (!connections)
        return;
    for (struct connection *at = connections->first, *next; at; at = next) {
        next = at->next;
        connection_free(at);
    }
    lock_done(&connections->lock);
    free(connections);
}

struct connection *connections_add(struct connections *connections, int fd)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->sender.fd = fd;
    connection->since_ns = clock_boot_ns();
    WITH_LOCK(&connections->lock);
    connection->next = connections->first;
    connection->held_by = &connections->first;
    if (connection->next)
        connection->next->held_by = &connection->next;
    connections->first = connection;
    connections->count++;
    return connection;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
    if (!connection)
        return;
    lock_take(&connections->lock);
    *connection->held_by = connection->next;
    if (connection->next)
        connection->next->held_by = connection->held_by;
    connections->count--;
    lock_release(&connections->lock);
    connection_free(connection);
}

static void set_since(struct connection *connection, int64_t ns)
{
    if (connection)
        atomic_store_explicit(&connection->since_ns, ns, memory_order_relaxed);
}

void connections_ready(struct connection *connection)
{
    set_since(connection, 0);
}

void connections_idle(struct connection *connection)
{
    set_since(connection, clock_boot_ns());
}

struct tls_sender *connections_sender(struct connection *connection)
{
    return connection ? &connection->sender : NULL;
}

int64_t connections_sweep(struct connections *connections, int64_t now_ns)
{
    const int64_t patience_ns = (int64_t)LIMIT_HTTP_REQUEST_TIMEOUT_S * 1000000000;

    WITH_LOCK(&connections->lock);
    for (struct connection *at = connections->first; at; at = at->next) {
        int64_t since_ns = atomic_load_explicit(&at->since_ns, memory_order_relaxed);
        if (since_ns != 0 && now_ns - since_ns > patience_ns)
            (void)shutdown(at->sender.fd, SHUT_RDWR);
    }
    return connections->count;
}
