/* HTTP/1.1 as a client: URLs, one connection (plain or TLS), one request and its reply at a time. Nothing here waits:
 * whoever owns a connection polls for it and goes on.
 *
 *     struct wire *wire = wire_new(&options, &err);                  has begun to connect
 *     exchange_begin(&exchange, wire, &parts);                       one request
 *     while ((step = exchange_go(&exchange, &err)) == HTTP_WAITS)
 *         poll() wire_fd(wire) for wire_events(wire)
 *     exchange.reply.keeps                                           the wire may be used again
 *
 * Not for: names of hosts (link/resolve.h), servers, HTTP/2, proxies.
 * Threads: one at a time for one wire.   Owner: each thing its maker. The process ignores SIGPIPE. */
#ifndef NODE_AGENT_HTTP_H
#define NODE_AGENT_HTTP_H

#include "base/err.h"
#include "base/text.h"

#include <http_parser.h>
#include <sys/socket.h>

enum http_step { HTTP_DONE, HTTP_WAITS, HTTP_FAILED };

/* ---- url.c ---- */

enum { HTTP_HOST_SIZE = 256 };

struct http_url {
    bool tls;
    char host[HTTP_HOST_SIZE]; /* of [::1] without the brackets */
    char authority[HTTP_HOST_SIZE +
                   16]; /* for the header Host: a port that goes without saying is left out */
    char port[8];
    const char *path; /* in the text that was parsed; "" when it has none */
};

/* "https://host:port/path?query", and nothing else. */
bool http_url_parse(const char *text, struct http_url *out) MUST_CHECK;
/* A request's first line; what may not stand in one is written as %XX. */
void http_add_request(struct text *head, const char *method, const char *path);

/* ---- tls.c: whose certificates are believed ---- */

struct http_trust;

/* Those that lead to one in `ca_file` (PEM), and no others; NULL: to what the system trusts. ERR_INVALID: the file
 * holds none. */
struct http_trust *http_trust_new(const char *ca_file, struct err *err) MUST_CHECK;
struct http_trust *http_trust_anyone(struct err *err) MUST_CHECK;
void http_trust_free(struct http_trust *trust); /* connections that use it go on */
AUTO_TYPE(http_trust);

/* ---- wire.c: a connection ---- */

struct wire;

struct wire_options {
    const struct sockaddr *address;
    socklen_t address_size;
    const struct http_trust *trust; /* NULL: without TLS */
    const char *host;               /* which its certificate must name; a name or an address */
};

struct wire *wire_new(const struct wire_options *options, struct err *err) MUST_CHECK;
void wire_free(struct wire *wire);
AUTO_TYPE(wire);

int wire_fd(const struct wire *wire);
short wire_events(const struct wire *wire); /* what the last step that waits waits for */
/* Until it is HTTP_DONE nothing can be read or written. ERR_IO; ERR_FORBIDDEN: the certificate does not fit. */
enum http_step wire_connect(struct wire *wire, struct err *err) MUST_CHECK;
/* Bytes moved; 0: not now; -1: it is over. */
ssize_t wire_read(struct wire *wire, void *bytes, size_t size) MUST_CHECK;
ssize_t wire_write(struct wire *wire, const void *bytes, size_t size) MUST_CHECK;
/* Why it is over: ended by the other side in good order (true), or a failure with its words. */
bool wire_over(const struct wire *wire, struct err *err);
/* Nothing has come that nobody asked for, and it has not ended. */
bool wire_is_quiet(struct wire *wire);

/* ---- reply.c: what came back ---- */

struct http_reply {
    int status;            /* 0: its first line has not come */
    bool keeps;            /* the connection may carry another request */
    bool whole;            /* nothing more belongs to it */
    int64_t bytes;         /* so far, head and body */
    struct text *body;     /* NULL: dropped */
    struct text *location; /* of that header; NULL: dropped */
    /* The reader's own. */
    http_parser parser;
    enum { REPLY_OTHER, REPLY_NAME } part;
    size_t matched; /* bytes of the name of a header */
    int64_t body_bytes;
};

void http_reply_begin(struct http_reply *reply, struct text *body, struct text *location);
/* How many of the bytes belong to it; -1: no reply looks like that, or it is too large. */
ssize_t http_reply_take(struct http_reply *reply, const char *bytes, size_t size, struct err *err)
    MUST_CHECK;
/* The connection has ended: false when that is too early. */
bool http_reply_close(struct http_reply *reply, struct err *err) MUST_CHECK;

/* ---- exchange.c: a request and its reply ---- */

struct exchange_parts {
    const struct text *head; /* all of it, with its empty line */
    const char *body;
    size_t body_size;
    struct text *reply, *location; /* where those of the reply go; NULL: dropped */
    int64_t bytes_max; /* of the reply's head and body: no more is read (ERR_TOO_LARGE); 0: any */
};

struct exchange {
    struct wire *wire;
    struct exchange_parts parts;
    size_t sent; /* of head and body */
    bool connected;
    struct http_reply reply;
};

/* Wire and parts are the caller's and outlive it. */
void exchange_begin(struct exchange *exchange, struct wire *wire,
                    const struct exchange_parts *parts);
/* HTTP_DONE: the reply is whole. HTTP_FAILED: with `reply` as far as it came. */
enum http_step exchange_go(struct exchange *exchange, struct err *err) MUST_CHECK;

#endif
