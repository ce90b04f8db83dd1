/* Requests as they come in, on the library's threads:
 *
 *     request line    http_on_uri()           a request from the pool
 *     head            http_on_call(), HEAD    router_begin(): may refuse
 *     body            http_on_call(), BODY    kept, or dropped when refused or too large
 *     all of it       http_on_call(), BODY    router_run(): a reply, or parked
 *     wait over       http_on_call(), PARKED  router_resume(): the same again
 *     reply sent      http_on_done()          back to the pool
 *
 * A reply to a request whose body is still to come would close the connection (and lose the reply,
 * when the client still sends): bodies of a bearable size are read to their end and dropped. What
 * the library itself refuses (malformed request lines and chunks, heads beyond its memory) gets its
 * own short answer, which is no JSON. */
#include "api/connections.h"
#include "api/http_inner.h"
#include "api/router.h"

#include <arpa/inet.h>
#include <string.h>

/* Beyond this, or with "Expect: 100-continue", a body that is not wanted is not read at all. */
#define DROP_MAX (UINT64_C(16) * LIMIT_HTTP_BODY_MAX)

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

/* The library makes its threads itself: each comes by here with its first request. */
static void settle_thread(struct http_server *server)
{
    static _Thread_local bool settled;

    if (settled)
        return;
    settled = true;
    thread_keep_to_core(atomic_fetch_add(&server->threads_seen, 1));
}

void *http_on_uri(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct request *request = request_take(server->api);

    settle_thread(server);
    if (!request)
        return NULL;
    request->transport = &transport;
    request->connection = connection;
    atomic_fetch_add(&server->busy, 1);
    /* NULL when it is too long; head() says so. */
    request->uri = strlen(uri) <= LIMIT_HTTP_URI_MAX ? arena_text(request->arena, uri) : NULL;
    return request;
}

void http_on_done(void *context, struct MHD_Connection *connection UNUSED, void **request_at,
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

enum MHD_Result http_on_call(void *context, struct MHD_Connection *connection UNUSED,
                             const char *url UNUSED, const char *method, const char *version UNUSED,
                             const char *bytes, size_t *size, void **request_at)
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
