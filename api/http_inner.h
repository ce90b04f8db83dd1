/* What the files around libmicrohttpd share: http_server.c (start and stop), http_calls.c (requests as they come in),
 * http_reply.c (replies), http_upgrade.c (WebSockets). Not for: anybody else.
 * Threads: the library's, and http_server_stop() once they have ended. */
#ifndef API_HTTP_INNER_H
#define API_HTTP_INNER_H

#include "api/http_server.h"

#include <microhttpd.h>

/* One thread of the library's, with its own socket and its own connections. */
struct http_thread {
    struct MHD_Daemon *daemon;
    int listen_fd;
};

struct http_server {
    struct api *api;
    struct http_thread *threads;
    int threads_count, port;
    struct connections *connections;
    _Atomic int threads_seen; /* of the library's: each has its core from its first request on */
    _Atomic int busy, parked;
    _Atomic bool closing; /* replies end their connection */
};

/* What the library calls, in this order: `context` is the server, `*request_at` what http_on_uri() gave. */
void *http_on_uri(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result http_on_call(void *context, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *bytes,
                             size_t *size, void **request_at);
void http_on_done(void *context, struct MHD_Connection *connection, void **request_at,
                  enum MHD_RequestTerminationCode code);

/* Hands the filled reply to the library; MHD_NO closes the connection. */
enum MHD_Result reply_send(struct request *request);
/* A WebSocket takes the connection over. */
enum MHD_Result reply_upgrade(struct request *request);

#endif
