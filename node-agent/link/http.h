/* Calls to the plane over one HTTP connection, kept alive: they block, and another thread can end them.
 * Not for: registries (image/ uses skopeo).
 * Threads: one at a time, but http_cancel() and http_interrupt(): any.   Owner: http_free(). */
#ifndef LINK_HTTP_H
#define LINK_HTTP_H

#include "base/err.h"
#include "base/text.h"
#include "base/websocket.h"

struct http;

/* `ca_file` (PEM) is what the plane's certificate is checked with, read anew for each connection; NULL: what the system
 * trusts. The text must outlive it. */
struct http *http_new(const char *ca_file, struct err *err) MUST_CHECK;
void http_free(struct http *http);
/* Ends the call under way and every later one with ERR_CLOSED. */
void http_cancel(struct http *http);
/* Ends the call under way, or else the next one, with ERR_CLOSED. */
void http_interrupt(struct http *http);

struct http_call {
    const char *method; /* "GET" or "POST" */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated */
    const char *body;           /* NULL: none; sent as application/json */
    size_t body_size;
    int64_t timeout_ms; /* of the whole call */
};

/* ERR_NODE_AWAY when there was no answer at all; any answer is success with its status. `reply` is cleared first. */
bool http_send(struct http *http, const struct http_call *call, struct text *reply, int *status,
               struct err *err) MUST_CHECK;

/* A connection of its own that has become a WebSocket; of the call url and headers count. Blocks. */
bool http_stream_open(const struct http_call *call, const char *ca_file, struct websocket_io *io,
                      struct err *err) MUST_CHECK;

AUTO_TYPE(http);

#endif
