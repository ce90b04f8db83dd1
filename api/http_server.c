/* The only file that sees libmicrohttpd: a pool of threads, each with an epoll set of its own.
 *
 *     request line    on_uri          a request from the pool
 *     head            on_call, HEAD   router_begin(): may refuse
 *     body            on_call, BODY   kept, or dropped when refused or too large
 *     all of it       on_call, BODY   router_run(): a reply, or parked
 *     wait over       on_call, PARKED router_resume(): the same again
 *     reply sent      on_done         back to the pool
 *
 * A reply to a request whose body is still to come would close the connection (and lose the reply,
 * when the client still sends): bodies of a bearable size are read to their end and dropped. What
 * the library itself refuses (malformed request lines and chunks, heads beyond its memory) gets its
 * own short answer, which is no JSON. */
#include "api/http_server.h"

#include "api/connections.h"
#include "api/router.h"
#include "api/socket.h"
#include "api/tls.h"
#include "base/log.h"
#include "base/metrics.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <string.h>

/* Beyond this, or with "Expect: 100-continue", a body that is not wanted is not read at all. */
#define DROP_MAX (UINT64_C(16) * LIMIT_HTTP_BODY_MAX)

enum { TAP_BLOCK = 16384 };

struct http_server {
    struct api *api;
    struct MHD_Daemon *daemon;
    struct connections *connections;
    int listen_fd, port;
    _Atomic int busy, parked;
    _Atomic bool closing; /* replies end their connection */
};

static struct http_server *server_of(const struct request *request)
{
    return request->api->server;
}

/* ---- the transport of requests ---- */

static const char *header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static void resume(struct request *request)
{
    MHD_resume_connection(request->connection);
}

static void peer(const struct request *request, char *out, size_t size)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)address;

    out[0] = '\0';
    if (address && address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &four->sin_addr, out, (socklen_t)size);
    else if (address && address->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &six->sin6_addr, out, (socklen_t)size);
}

static const struct transport transport = {.header = header, .resume = resume, .peer = peer};

/* ---- one request ---- */

static void *on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct request *request = request_take(server->api);

    if (!request)
        return NULL;
    request->transport = &transport;
    request->connection = connection;
    atomic_fetch_add(&server->busy, 1);
    /* NULL when it is too long; head() says so. */
    request->uri = strlen(uri) <= LIMIT_HTTP_URI_MAX ? arena_text(request->arena, uri) : NULL;
    return request;
}

static void on_done(void *context, struct MHD_Connection *connection UNUSED, void **request_at,
                    enum MHD_RequestTerminationCode code UNUSED)
{
    struct http_server *server = context;
    struct request *request = *request_at;

    *request_at = NULL;
    if (!request)
        return;
    if (request->phase == REQUEST_PARKED) /* its client went away before the reply */
        atomic_fetch_sub(&server->parked, 1);
    connections_idle(request->place);
    request_give(request);
    atomic_fetch_sub(&server->busy, 1);
}

static size_t body_size(const struct request *request)
{
    return request->reply.bytes ? request->reply.size : request->out->size;
}

/* The library does not write to it. */
static void *body_bytes(const struct request *request)
{
    return request->reply.bytes ? (void *)request->reply.bytes : request->out->bytes;
}

static bool add_headers(struct MHD_Response *response, const struct request *request)
{
    const struct reply *reply = &request->reply;
    bool ok = MHD_add_response_header(response, "Cache-Control",
                                      reply->is_secret ? "no-store" : "no-cache") == MHD_YES &&
              MHD_add_response_header(response, "Pragma", "no-cache") == MHD_YES &&
              MHD_add_response_header(response, "Expires", "-1") == MHD_YES &&
              MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;

    if (body_size(request) > 0 || reply->tap)
        ok = ok && MHD_add_response_header(response, "Content-Type",
                                           reply->content_type
                                               ? reply->content_type
                                               : "application/json; charset=utf-8") == MHD_YES;
    for (size_t i = 0; i < reply->headers_count; i++)
        ok = ok && MHD_add_response_header(response, reply->headers[i].name,
                                           reply->headers[i].value) == MHD_YES;
    if (atomic_load(&server_of(request)->closing))
        ok = ok && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    return ok;
}

/* ---- replies that go on: bodies without a known end, and WebSockets ---- */

static void tap_pause(void *connection)
{
    MHD_suspend_connection(connection);
}

static void tap_resume(void *connection)
{
    MHD_resume_connection(connection);
}

static ssize_t on_body(void *context, uint64_t position UNUSED, char *bytes, size_t size)
{
    struct request *request = context;
    struct tap_reader reader = {tap_pause, tap_resume, request->connection};
    ssize_t got = tap_read(request->reply.tap, &reader, bytes, size);

    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

/* A WebSocket takes the whole connection over: it sleeps as far as the library knows, and is resumed to be closed. The
 * library's own way for this carries TLS through a pair of sockets, at 60 KiB/s, and lets them linger. */
struct upgraded {
    struct MHD_Connection *connection;
    int fd;
    void *tls; /* NULL: none is spoken */
};

static ssize_t upgraded_read(void *context, void *bytes, size_t size)
{
    const struct upgraded *upgraded = context;
    struct websocket_io plain = websocket_plain(upgraded->fd);

    return upgraded->tls ? tls_read(upgraded->tls, bytes, size)
                         : plain.read(plain.context, bytes, size);
}

static ssize_t upgraded_write(void *context, const void *bytes, size_t size)
{
    const struct upgraded *upgraded = context;
    struct websocket_io plain = websocket_plain(upgraded->fd);

    return upgraded->tls ? tls_write(upgraded->tls, bytes, size)
                         : plain.write(plain.context, bytes, size);
}

static void upgraded_close(void *context)
{
    struct upgraded *upgraded = context;

    if (upgraded->tls)
        tls_say_end(upgraded->tls);
    MHD_resume_connection(upgraded->connection);
    free(upgraded);
}

static struct upgraded *upgraded_new(const struct request *request)
{
    struct upgraded *upgraded = malloc(sizeof *upgraded);
    const union MHD_ConnectionInfo *info;

    if (!upgraded)
        return NULL;
    info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *upgraded = (struct upgraded){request->connection, info ? info->connect_fd : -1, NULL};
    if (request->api->tls) {
        info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        upgraded->tls = info ? info->tls_session : NULL;
    }
    return upgraded;
}

/* A client waits for this head before it says more: the library has read nothing beyond the request's own. */
static bool send_switching(const struct request *request, struct upgraded *upgraded)
{
    AUTO(text) *head = text_new(LIMIT_HTTP_CONNECTION_BYTES);

    text_add(head, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n");
    for (size_t i = 0; i < request->reply.headers_count; i++)
        text_addf(head, "%s: %s\r\n", request->reply.headers[i].name,
                  request->reply.headers[i].value);
    text_add(head, "\r\n");
    /* The client has nothing unread of this connection that could fill its buffer. */
    return text_ok(head) &&
           upgraded_write(upgraded, head->bytes, head->size) == (ssize_t)head->size;
}

static enum MHD_Result switch_over(struct request *request)
{
    struct upgraded *upgraded = upgraded_new(request);

    connections_ready(request->place); /* as long as it likes */
    request->phase = REQUEST_REPLIED;
    if (!upgraded || upgraded->fd < 0 || !send_switching(request, upgraded)) {
        free(upgraded);
        return MHD_NO;
    }
    struct websocket_io io = {upgraded->fd, upgraded_read, upgraded_write, upgraded_close,
                              upgraded};
    MHD_suspend_connection(request->connection);
    request->reply.upgraded(request, &io, NULL, 0);
    return MHD_YES;
}

static struct MHD_Response *response_make(struct request *request)
{
    if (request->reply.tap)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, TAP_BLOCK, on_body, request,
                                                 NULL);
    return MHD_create_response_from_buffer(body_size(request), body_bytes(request),
                                           MHD_RESPMEM_PERSISTENT);
}

static bool has_body(const struct request *request)
{
    return body_size(request) > 0 && request->method != HTTP_HEAD && request->reply.status != 204 &&
           request->reply.status != 304;
}

static enum MHD_Result reply_send(struct request *request)
{
    struct tls_sender *sender = connections_sender(request->place);
    struct MHD_Response *response;
    enum MHD_Result sent = MHD_NO;

    if (request->reply.upgraded)
        return switch_over(request);
    response = response_make(request);

    request->phase = REQUEST_REPLIED;
    if (request->reply.tap)
        connections_ready(request->place); /* as long as it likes */
    else
        connections_idle(request->place); /* the client's turn: to take it */
    if (!response)
        return MHD_NO;
    if (sender)
        sender->more = !request->reply.tap && has_body(request);
    if (add_headers(response, request))
        sent = MHD_queue_response(request->connection, (unsigned)request->reply.status, response);
    MHD_destroy_response(response);
    return sent;
}

static enum http_method method_of(const char *name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET},   {"HEAD", HTTP_HEAD},   {"PUT", HTTP_PUT},
        {"POST", HTTP_POST}, {"PATCH", HTTP_PATCH}, {"DELETE", HTTP_DELETE},
    };

    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        if (strcmp(name, methods[i].name) == 0)
            return methods[i].method;
    }
    return HTTP_OTHER;
}

static size_t head_size(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info ? info->header_size : 0;
}

/* The body is not read: the library closes the connection after the reply. */
static bool is_not_worth_reading(const struct request *request)
{
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t size = 0;

    if (!request->refused)
        return false;
    return (length && (!text_to_int(length, &size) || (uint64_t)size > DROP_MAX)) ||
           (header(request, MHD_HTTP_HEADER_EXPECT) &&
            (length || header(request, "Transfer-Encoding")));
}

static void check_announced_size(struct request *request)
{
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    int64_t size = 0;
    struct err err = {0};

    if (request->refused || !length ||
        (text_to_int(length, &size) && (uint64_t)size <= request->body_max))
        return;
    err_set(&err, ERR_TOO_LARGE, "the body of %.20s bytes is larger than the %zu allowed here",
            length, request->body_max);
    router_refuse(request, &err);
}

static struct connection *place_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

static enum MHD_Result head(struct request *request, const char *method)
{
    struct err err = {0};

    request->phase = REQUEST_BODY;
    request->method = method_of(method);
    request->place = place_of(request->connection);
    if (!request->uri) {
        err_set(&err, ERR_URI_TOO_LONG, "the URI is longer than %d bytes", LIMIT_HTTP_URI_MAX);
        router_refuse(request, &err);
    } else if (head_size(request) > LIMIT_HTTP_HEADER_MAX) {
        err_set(&err, ERR_HEADERS_TOO_LARGE, "the head is longer than %d bytes",
                LIMIT_HTTP_HEADER_MAX);
        router_refuse(request, &err);
    } else {
        router_begin(request);
    }
    check_announced_size(request);
    return is_not_worth_reading(request) ? reply_send(request) : MHD_YES;
}

static enum MHD_Result take(struct request *request, const char *bytes, size_t size)
{
    struct err err = {0};

    request->body_seen += size;
    if (request->body_seen > DROP_MAX)
        return MHD_NO;
    if (request->refused)
        return MHD_YES;
    if (request->body_seen > request->body_max) {
        err_set(&err, ERR_TOO_LARGE, "the body is larger than the %zu bytes allowed here",
                request->body_max);
        router_refuse(request, &err);
        return MHD_YES;
    }
    text_add_n(request->body, bytes, size);
    return MHD_YES;
}

/* The counter is raised before the handler runs: once api_stop() sees none, none can come. */
static enum MHD_Result run(struct http_server *server, struct request *request)
{
    bool resumed = request->phase == REQUEST_PARKED;

    if (!resumed)
        atomic_fetch_add(&server->parked, 1);
    request->phase = REQUEST_BODY;
    if (resumed ? router_resume(request) : router_run(request)) {
        atomic_fetch_sub(&server->parked, 1);
        return reply_send(request);
    }
    request->phase = REQUEST_PARKED;
    MHD_suspend_connection(request->connection);
    wait_begin(request);
    return MHD_YES;
}

static enum MHD_Result on_call(void *context, struct MHD_Connection *connection UNUSED,
                               const char *url UNUSED, const char *method,
                               const char *version UNUSED, const char *bytes, size_t *size,
                               void **request_at)
{
    struct http_server *server = context;
    struct request *request = *request_at;
    size_t taken = *size;

    if (!request)
        return MHD_NO;
    if (request->phase == REQUEST_HEAD)
        return head(request, method);
    if (request->phase == REQUEST_REPLIED) /* a WebSocket that has ended */
        return MHD_NO;
    if (taken > 0) {
        *size = 0;
        return take(request, bytes, taken);
    }
    connections_ready(request->place);
    return request->refused ? reply_send(request) : run(server, request);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **place,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        connections_remove(server->connections, TAKE(*place));
        return;
    }
    *place = connections_add(server->connections, info ? info->connect_fd : -1);
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (*place && server->api->tls && info)
        tls_send_by(info->tls_session, connections_sender(*place));
}

/* Paths are decoded by path_split(), segment by segment. */
static size_t keep_as_is(void *context UNUSED, struct MHD_Connection *connection UNUSED, char *text)
{
    return strlen(text);
}

PRINTF_LIKE(2, 0)
static void on_log(void *context UNUSED, const char *format, va_list arguments)
{
    char line[256];

    (void)text_format_v(line, sizeof line, format, arguments);
    log_debug("http_library", "said=%s", LOG_QUOTE(line));
}

/* ---- the server ---- */

/* A handshake counts as part of its first request: connections.h cuts it off when it is slow. */
static struct MHD_Daemon *daemon_start(struct http_server *server)
{
    bool tls = server->api->tls;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (tls ? MHD_USE_TLS : 0);
    unsigned threads = server->api->threads > 1 ? (unsigned)server->api->threads : 0;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_call, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, server, MHD_OPTION_URI_LOG_CALLBACK, on_uri, server,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_as_is, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        server, tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, tls_priorities,
        MHD_OPTION_HTTPS_CERT_CALLBACK, tls_callback(), MHD_OPTION_END);
}

bool http_server_start(struct api *api, struct err *err)
{
    struct http_server *server = calloc(1, sizeof *server);

    if (!server)
        return err_set(err, ERR_BUSY, "out of memory");
    server->api = api;
    api->server = server;
    server->listen_fd = api->tls && !tls_begin(api->auth, err)
                            ? -1
                            : socket_listen(api->address, api->port, &server->port, err);
    if (server->listen_fd >= 0)
        server->connections = connections_new(err);
    if (server->connections) {
        server->daemon = daemon_start(server);
        if (server->daemon)
            return true;
        err_set(err, ERR_IO, "cannot start the HTTP server's threads");
    }
    if (api->tls)
        tls_end();
    connections_free(server->connections);
    auto_close_fd(&server->listen_fd);
    api->server = NULL;
    free(server);
    return false;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_quiesce(struct http_server *server)
{
    atomic_store(&server->closing, true);
    (void)MHD_quiesce_daemon(server->daemon);
    auto_close_fd(&server->listen_fd);
}

int http_server_busy(const struct http_server *server)
{
    return atomic_load(&server->busy);
}

int http_server_parked(const struct http_server *server)
{
    return atomic_load(&server->parked);
}

void http_server_tick(struct http_server *server)
{
    int64_t now_ns = clock_boot_ns();

    metric_set(METRIC_http_connections, connections_sweep(server->connections, now_ns));
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    MHD_stop_daemon(server->daemon);
    if (server->api->tls)
        tls_end();
    connections_free(server->connections);
    free(server);
}
