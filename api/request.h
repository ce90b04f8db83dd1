/* One HTTP request and its answer, from its first byte to its last.
 *
 * A handler looks at the request and either fills `reply` or begins to wait (waits.h); it never
 * blocks. A request that waits is parked: its connection sleeps, and no thread but the one that
 * ends the wait touches it. Then the handler's next step (`then`) runs on the connection's thread.
 *
 *     static bool group_stopped(struct request *request, struct err *err) { ... reply ... }
 *     bool group_stop(struct request *request, struct err *err)
 *     {
 *         ...
 *         return wait_commit(request, stop_work, group_stopped, err);
 *     }
 *
 * Not for: sockets (http_server.c).
 * Threads: the connection's own, or, while parked, whoever ends the wait.
 * Owner: the server's pool; all that a handler allocates lives in `arena`. */
#ifndef API_REQUEST_H
#define API_REQUEST_H

#include "api/auth/auth.h"
#include "api/settings.h"
#include "api/stream/stream.h"
#include "base/clock.h"
#include "base/fields.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/store.h"

struct api;
struct request;
struct route;

enum http_method {
    HTTP_GET = 1 << 0,
    HTTP_HEAD = 1 << 1,
    HTTP_PUT = 1 << 2,
    HTTP_POST = 1 << 3,
    HTTP_PATCH = 1 << 4,
    HTTP_DELETE = 1 << 5,
    HTTP_OTHER = 1 << 6,
};

typedef bool (*handler_fn)(struct request *request, struct err *err);

enum { REPLY_HEADERS_MAX = 20, QUERY_MAX = 32, SEGMENTS_MAX = 16, NAMES_MAX = 6 };

struct reply_header {
    const char *name, *value;
};
struct reply {
    int status;
    const char *content_type; /* NULL: JSON when there is a body */
    const char *bytes; /* the body, when it is not in request->out: lives as long as the server */
    size_t size;
    struct reply_header headers[REPLY_HEADERS_MAX];
    size_t headers_count;
    bool is_secret; /* nobody on its way may keep it */
    /* Status 101: the connection becomes a WebSocket, which is given away here. */
    void (*upgraded)(struct request *request, const struct websocket_io *io, const void *left,
                     size_t left_size);
    struct tap *tap; /* the body comes from here, without a known end; owned */
};

/* Where bytes come from and go to; tests have one of their own. */
struct transport {
    /* A header of the request, NULL when absent. */
    const char *(*header)(const struct request *request, const char *name);
    /* The wait is over; any thread, once for each time it was parked. */
    void (*resume)(struct request *request);
    /* The address it came from, without a port. */
    void (*peer)(const struct request *request, char *out, size_t size);
};

enum wait_kind {
    WAIT_NONE,
    WAIT_COMMIT,    /* the store's writer */
    WAIT_OPERATION, /* an operation's end; key: operation */
    WAIT_DESIRED,   /* something new for a node; key: node */
    WAIT_ANSWER,    /* a node's answer; key: question */
    WAIT_IMAGE,     /* a look at an image in its registry; key: look */
};

enum request_phase { REQUEST_HEAD, REQUEST_BODY, REQUEST_PARKED, REQUEST_REPLIED };

enum wait_end { WAIT_ENDED, WAIT_TOO_LATE, WAIT_STOPPING, WAIT_OVERTAKEN };

/* One wait; filled by waits.h. */
struct wait {
    enum wait_kind kind;
    int64_t key;
    int64_t for_ms;
    handler_fn then;
    store_work work;                      /* WAIT_COMMIT */
    bool (*due)(struct request *request); /* checked once it waits: has it come already? */
    struct err outcome;                   /* of the commit */
    enum wait_end end;
    /* of the table of waiters */
    bool listed;
    struct request *next_by_key, **held_by_key, *next_by_slot, **held_by_slot;
    /* WAIT_ANSWER */
    int64_t node_key;
    struct question *question;
    struct request *next_untold, **held_by_untold; /* until it went out with a poll of the node */
    struct answer *answer;
};

struct request {
    struct api *api;
    const struct transport *transport;
    void *connection; /* the transport's */
    const struct settings *settings;
    struct arena *arena;

    /* what was asked */
    enum http_method method;
    const char *uri;  /* as it came, with the query */
    const char *base; /* request_base(), once the Host header was looked at */
    struct text *body;
    size_t body_max;
    struct text_pair query[QUERY_MAX];
    size_t query_count;
    const struct route *route;
    const char *names[NAMES_MAX]; /* what stands for {…} in the route's path */
    size_t names_count;
    const char *correlation_id; /* of the client, or the request's own */
    char id[37];
    int64_t begun_ns;
    struct caller caller;         /* who calls, by token */
    int64_t node_key, node_epoch; /* of a node that calls */

    /* what is answered */
    struct reply reply;
    struct text *out;
    struct problems problems;
    bool committed;        /* what it answers rests on a commit of its own */
    int64_t retry_after_s; /* of a failure that passes; 0: as its status says */
    struct rate {
        bool taken;
        int64_t tick;
        int64_t left_hour, left_5_minutes; /* once it was taken */
    } rate;                                /* rates.h */
    bool refused;                          /* answered already at its head: the body is dropped */

    struct wait wait;
    void *data;                /* the handler's own, from step to step */
    struct image_check *check; /* image_check.c's, while images are looked at */

    /* the server's */
    enum request_phase phase;
    struct connection *place;
    struct request *next_spare;
    uint64_t body_seen;
};

/* From and to the server's pool; NULL: no memory. */
struct request *request_take(struct api *api);
void request_give(struct request *request);

/* ---- asking ---- */

const char *request_header(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name); /* NULL when absent */
/* Parses the body as JSON by the table; problems go to request->problems. ERR_BAD_JSON, …. */
bool request_parse(struct request *request, const struct schema *schema, void *out, struct err *err)
    MUST_CHECK;
/* Same, of a client that speaks `contract` (base/fields.h). */
bool request_parse_at(struct request *request, const char *contract, const struct schema *schema,
                      void *out, struct err *err) MUST_CHECK;
/* The body as one of our own documents (the nodes' link). */
bool request_read(struct request *request, const struct schema *schema, void *out, struct err *err)
    MUST_CHECK;
/* The body as a form: names and values, as query parameters have them. ERR_MEDIA_TYPE, ERR_BAD_FORM. */
struct form {
    struct text_pair pairs[QUERY_MAX];
    size_t count;
};
bool request_form(struct request *request, struct form *form, struct err *err) MUST_CHECK;
const char *form_value(const struct form *form, const char *name); /* NULL when absent */
/* The client's address, for counting; "" when it is not known. */
const char *request_peer(const struct request *request);
/* "https://127.0.0.1:8700": what absolute links begin with. */
const char *request_base(const struct request *request);
/* The arena is full. */
static inline bool request_full(struct err *err)
{
    return err_set(err, ERR_BUSY, "the request needs more memory than one request may take");
}

/* ---- answering ---- */

/* These return true, so that a handler ends with them. */
bool reply_empty(struct request *request, int status);
bool reply_json(struct request *request, int status); /* the body is in request->out */
bool reply_value(struct request *request, int status, const struct schema *schema,
                 const void *value);
/* Bytes that live as long as the server; they are not copied. */
bool reply_kept(struct request *request, int status, const char *type, const char *bytes,
                size_t size);
void reply_header(struct request *request, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* A value that lasts as long as the request. */
void reply_header_kept(struct request *request, const char *name, const char *value);
/* Fills the reply with the error envelope; names the problems, if any. */
void reply_error(struct request *request, const struct err *err);

#endif
