/* The server around libmicrohttpd: threads that share nothing, each with a socket that listens, an epoll set and
 * connections of its own. (On one socket the first thread that is idle takes what comes, and would have most of the
 * connections.) Only this file, http_calls.c, http_reply.c and http_upgrade.c see the library. */
#include "api/connections.h"
#include "api/http_inner.h"
#include "api/socket.h"
#include "api/tls.h"
#include "base/log.h"
#include "base/metrics.h"

#include <string.h>

/* ---- what the library tells ---- */

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
static struct MHD_Daemon *daemon_start(struct http_server *server, int listen_fd)
{
    bool tls = server->api->tls;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (tls ? MHD_USE_TLS : 0);
    unsigned connections_max = (unsigned)(LIMIT_HTTP_CONNECTIONS_MAX / server->threads_count);

    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_call, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT, connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_done, server, MHD_OPTION_URI_LOG_CALLBACK, http_on_uri,
        server, MHD_OPTION_UNESCAPE_CALLBACK, keep_as_is, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, tls_priorities,
        MHD_OPTION_HTTPS_CERT_CALLBACK, tls_callback(), MHD_OPTION_END);
}

/* Another program may share a port as ours do: it is ours when it can be had alone. */
static bool port_is_free(const struct api *api, struct err *err)
{
    int port;
    AUTO_CLOSE int fd = socket_listen(api->address, api->port, false, &port, err);

    return fd >= 0;
}

/* All of them before the first thread runs: a socket that came later would get none of the connections that wait. */
static bool listen_all(struct http_server *server, struct err *err)
{
    bool shared = server->threads_count > 1;

    server->port = server->api->port;
    if (shared && server->port != 0 && !port_is_free(server->api, err))
        return false;
    for (int i = 0; i < server->threads_count; i++) {
        struct http_thread *thread = &server->threads[i];
        thread->listen_fd =
            socket_listen(server->api->address, server->port, shared, &server->port, err);
        if (thread->listen_fd < 0)
            return false;
    }
    return true;
}

static bool run_all(struct http_server *server, struct err *err)
{
    for (int i = 0; i < server->threads_count; i++) {
        struct http_thread *thread = &server->threads[i];
        thread->daemon = daemon_start(server, thread->listen_fd);
        if (!thread->daemon)
            return err_set(err, ERR_IO, "cannot start the HTTP server's threads");
    }
    return true;
}

static struct http_server *server_new(struct api *api)
{
    struct http_server *server = calloc(1, sizeof *server);

    if (!server)
        return NULL;
    server->api = api;
    server->threads_count = api->threads > 1 ? api->threads : 1;
    server->threads = calloc((size_t)server->threads_count, sizeof *server->threads);
    for (int i = 0; server->threads && i < server->threads_count; i++)
        server->threads[i].listen_fd = -1;
    return server;
}

bool http_server_start(struct api *api, struct err *err)
{
    struct http_server *server = api->server = server_new(api);

    if (!server || !server->threads)
        err_set(err, ERR_BUSY, "out of memory");
    else if ((!api->tls || tls_begin(api->auth, err)) && listen_all(server, err) &&
             (server->connections = connections_new(err)) && run_all(server, err))
        return true;
    http_server_stop(server);
    api->server = NULL;
    return false;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

/* Afterwards the socket is not the library's any more. */
static void stop_listening(struct http_thread *thread)
{
    if (thread->daemon)
        (void)MHD_quiesce_daemon(thread->daemon);
    auto_close_fd(&thread->listen_fd);
}

void http_server_quiesce(struct http_server *server)
{
    atomic_store(&server->closing, true);
    for (int i = 0; i < server->threads_count; i++)
        stop_listening(&server->threads[i]);
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
    for (int i = 0; server->threads && i < server->threads_count; i++) {
        if (server->threads[i].listen_fd >= 0)
            stop_listening(&server->threads[i]);
        if (server->threads[i].daemon)
            MHD_stop_daemon(server->threads[i].daemon);
    }
    if (server->api->tls)
        tls_end();
    connections_free(server->connections);
    free(server->threads);
    free(server);
}
