/* The server around libmicrohttpd: a pool of threads, each with an epoll set of its own. Only this file, http_calls.c,
 * http_reply.c and http_upgrade.c see the library. */
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
static struct MHD_Daemon *daemon_start(struct http_server *server)
{
    bool tls = server->api->tls;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (tls ? MHD_USE_TLS : 0);
    unsigned threads = server->api->threads > 1 ? (unsigned)server->api->threads : 0;

    return MHD_start_daemon(
        flags, 0, NULL, NULL, http_on_call, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, server->listen_fd, MHD_OPTION_THREAD_POOL_SIZE, threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)LIMIT_HTTP_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)LIMIT_HTTP_CONNECTION_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)LIMIT_HTTP_IDLE_TIMEOUT_S,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_done, server, MHD_OPTION_URI_LOG_CALLBACK, http_on_uri,
        server, MHD_OPTION_UNESCAPE_CALLBACK, keep_as_is, NULL, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, tls ? MHD_OPTION_HTTPS_PRIORITIES : MHD_OPTION_END, tls_priorities,
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
