/* A WebSocket takes the whole connection over: it sleeps as far as the library knows, and is resumed to be closed. The
 * library's own way for this carries TLS through a pair of sockets, at 60 KiB/s, and lets them linger. */
#include "api/connections.h"
#include "api/http_inner.h"
#include "api/tls.h"

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

enum MHD_Result reply_upgrade(struct request *request)
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
