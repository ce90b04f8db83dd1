/* The thread that answers: one epoll over the UDP socket, the TCP socket, the connections and the bell that ends it. A
 * question costs one look into the store, through a reader that waits for no writer, so each answer shows what is
 * committed. */
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "dns/address.h"
#include "dns/answer.h"
#include "dns/connections.h"
#include "dns/rate.h"
#include "dns/room.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

enum {
    EVENTS_MAX = 64,
    DATAGRAMS_AT_ONCE = 64,
    BACKLOG = 64,
    TICK_MS = 1000,
    ARENA_MAX = 64 * 1024,
};

struct server {
    struct store *store;
    struct zone *zone;
    struct arena *arena; /* of one look-up */
    int udp, tcp, epoll, port;
    struct bell bell;
    pthread_t thread;
    bool started, failed; /* failed: the store did not answer, and it was told */
    atomic_bool stopping;
    struct reply_rates rates;
    struct connections connections;
};

/* ---- one question ---- */

static bool look(struct server *server, const char *name, struct looked_up *found, struct err *err)
{
    struct dns_found row;
    arena_reset(server->arena);
    AUTO(tx) *tx = store_read(server->store, err);
    if (!tx || !store_dns_find(tx, name, server->arena, &row, err))
        return false;
    *found = (struct looked_up){.exists = row.exists, .serial = (uint32_t)tx_revision(tx)};
    return text_copy(found->address, sizeof found->address, row.address ? row.address : "");
}

static bool look_up(void *context, const char *name, struct looked_up *found)
{
    struct server *server = context;
    struct err err = {0};
    bool good = look(server, name, found, &err);
    if (!good && !server->failed)
        log_failure("dns_look_up_failed", &err);
    server->failed = !good;
    return good;
}

static size_t answer_to(struct server *server, const uint8_t *query, size_t size,
                        enum answer_way way, uint8_t *out)
{
    metric_add(METRIC_dns_queries_total, 1);
    return zone_answer(server->zone, query, size, way, look_up, server, out);
}

static size_t answer_over_tcp(void *context, const uint8_t *query, size_t size, uint8_t *out)
{
    return answer_to(context, query, size, ANSWER_TCP, out);
}

/* ---- UDP ---- */

/* False: nothing more waits. */
static bool datagram(struct server *server)
{
    uint8_t query[QUERY_SIZE_MAX + 1], out[ANSWER_SIZE_MAX];
    union address from;
    socklen_t from_size = sizeof from;
    ssize_t size = recvfrom(server->udp, query, sizeof query, 0, &from.any, &from_size);
    if (size < 0)
        return errno == EINTR;
    enum rate_word word =
        reply_rate_take(&server->rates, address_network(&from), clock_boot_ns() / 1000000000);
    if (word == RATE_NONE)
        return true;
    enum answer_way way = word == RATE_CUT ? ANSWER_CUT : ANSWER_UDP;
    size_t out_size = answer_to(server, query, (size_t)size, way, out);
    if (out_size > 0) /* who does not take it asks again */
        (void)!sendto(server->udp, out, out_size, MSG_DONTWAIT, &from.any, from_size);
    return true;
}

static void datagrams(struct server *server)
{
    for (int i = 0; i < DATAGRAMS_AT_ONCE && datagram(server); i++)
        ;
}

/* ---- the thread ---- */

static void serve(struct server *server, const struct epoll_event *event)
{
    if (event->data.ptr == &server->udp)
        datagrams(server);
    else if (event->data.ptr == &server->tcp)
        connections_accept(&server->connections, server->tcp);
    else if (event->data.ptr != &server->bell)
        connections_serve(&server->connections, event->data.ptr);
}

static void *run(void *context)
{
    struct server *server = context;
    struct epoll_event events[EVENTS_MAX];
    while (!atomic_load(&server->stopping)) {
        int count = epoll_wait(server->epoll, events, EVENTS_MAX, TICK_MS);
        for (int i = 0; i < count; i++)
            serve(server, &events[i]);
        connections_close_silent(&server->connections);
    }
    return NULL;
}

/* ---- beginning and end ---- */

static int socket_bound(int kind, const union address *address, struct err *err)
{
    int yes = 1;
    AUTO_CLOSE int fd = socket(address->any.sa_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, &address->any, address_size(address)) != 0 ||
        (kind == SOCK_STREAM && listen(fd, BACKLOG) != 0)) {
        err_set_os(err, ERR_IO, errno, "cannot answer DNS over %s on port %d",
                   kind == SOCK_STREAM ? "TCP" : "UDP", address_port(address));
        return -1;
    }
    return TAKE_FD(fd);
}

/* With port 0 both get the port that TCP was given. */
static bool sockets_open(struct server *server, union address address, struct err *err)
{
    socklen_t size = sizeof address;
    server->tcp = socket_bound(SOCK_STREAM, &address, err);
    if (server->tcp < 0)
        return false;
    if (getsockname(server->tcp, &address.any, &size) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot ask a socket for its port");
    server->port = address_port(&address);
    server->udp = socket_bound(SOCK_DGRAM, &address, err);
    return server->udp >= 0;
}

static bool watch(struct server *server, int fd, void *data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool epoll_open(struct server *server, struct err *err)
{
    server->epoll = server->connections.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0 || !watch(server, server->udp, &server->udp) ||
        !watch(server, server->tcp, &server->tcp) || !watch(server, server->bell.fd, &server->bell))
        return err_set_os(err, ERR_IO, errno, "cannot watch the sockets of the DNS server");
    return true;
}

static bool open_all(struct server *server, const struct dns_options *options, struct err *err)
{
    union address address;
    char own[INET6_ADDRSTRLEN];
    if (!address_parse(options->listen, &address))
        return err_set_field(err, ERR_INVALID, "dns_listen", "'%.60s' is no address with a port",
                             options->listen);
    const void *bytes = address.any.sa_family == AF_INET6 ? (void *)&address.six.sin6_addr
                                                          : (void *)&address.four.sin_addr;
    (void)inet_ntop(address.any.sa_family, bytes, own, sizeof own);
    server->store = options->store;
    server->zone = zone_new(options->zone, options->name_server, own, (uint32_t)options->ttl_s);
    server->arena = arena_new(ARENA_MAX);
    if (!server->zone || !server->arena)
        return err_set(err, ERR_INVALID, "the DNS zone %s cannot be made", options->zone);
    return bell_init(&server->bell, err) && sockets_open(server, address, err) &&
           epoll_open(server, err);
}

struct server *server_new(const struct dns_options *options, struct err *err)
{
    AUTO(server) *server = calloc(1, sizeof *server);
    if (!server) {
        err_set(err, ERR_BUSY, "out of memory for the DNS server");
        return NULL;
    }
    server->udp = server->tcp = server->epoll = server->bell.fd = -1;
    connections_init(&server->connections, answer_over_tcp, server);
    return open_all(server, options, err) ? TAKE(server) : NULL;
}

bool server_start(struct server *server, struct err *err)
{
    server->started = thread_start(&server->thread, "dns", run, server, err);
    return server->started;
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_stop(struct server *server)
{
    if (!server || !server->started)
        return;
    atomic_store(&server->stopping, true);
    bell_ring(&server->bell);
    pthread_join(server->thread, NULL);
    server->started = false;
}

void server_free(struct server *server)
{
    if (!server)
        return;
    server_stop(server);
    connections_done(&server->connections);
    auto_close_fd(&server->epoll);
    auto_close_fd(&server->udp);
    auto_close_fd(&server->tcp);
    bell_done(&server->bell);
    zone_free(server->zone);
    arena_free(server->arena);
    free(server);
}
