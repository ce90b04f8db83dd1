/* The sockets: takes requests up to their ceilings, hands them to router.h, sends the replies.
 * Only the files around http_inner.h see libmicrohttpd.   Threads: its own pool. */
#ifndef API_HTTP_SERVER_H
#define API_HTTP_SERVER_H

#include "api/inside.h"

/* Sets api->server. */
bool http_server_start(struct api *api, struct err *err) MUST_CHECK;
int http_server_port(const struct http_server *server);
/* Takes no new connections and says so in each reply. */
void http_server_quiesce(struct http_server *server);
/* Requests that have begun and are not answered, parked ones among them. */
int http_server_busy(const struct http_server *server);
int http_server_parked(const struct http_server *server);
/* Once a second: cuts off clients that never finish a request. */
void http_server_tick(struct http_server *server);
/* No request may be parked any more. */
void http_server_stop(struct http_server *server);

#endif
