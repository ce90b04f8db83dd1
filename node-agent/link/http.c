/* A blocking call over a connection that is kept: what waits, waits for the bell too. */
#include "node-agent/link/http.h"

#include "node-agent/link/open.h"

#include <stdatomic.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 3000, HEAD_MAX = 16384 };

struct http {
    const char *ca_file;
    struct wire *wire;  /* NULL: none is open */
    struct http_url to; /* where it leads; its path is not kept */
    struct bell bell;
    atomic_bool cancelled, interrupted;
};

struct http *http_new(const char *ca_file, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);

    if (http)
        http->ca_file = ca_file;
    if (!http || !bell_init(&http->bell, err)) {
        free(http);
        err_set(err, ERR_BUSY, "no memory for a connection to the plane");
        return NULL;
    }
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    wire_free(http->wire);
    bell_done(&http->bell);
    free(http);
}

void http_cancel(struct http *http)
{
    atomic_store(&http->cancelled, true);
    bell_ring(&http->bell);
}

void http_interrupt(struct http *http)
{
    atomic_store(&http->interrupted, true);
    bell_ring(&http->bell);
}

/* The bell is heard once; whoever is cancelled stays so. */
static bool may_go_on(struct http *http, struct err *err)
{
    bool cancelled = atomic_load(&http->cancelled);

    if (!cancelled)
        bell_wait(&http->bell, 0);
    if (cancelled || atomic_exchange(&http->interrupted, false))
        return err_set(err, ERR_CLOSED, "the connection to the plane is being closed");
    return true;
}

/* ---- one request ---- */

static void head_print(const struct http_call *call, const struct http_url *url, struct text *head)
{
    http_add_request(head, call->method, url->path);
    text_addf(head, "Host: %s\r\nAccept: */*\r\n", url->authority);
    if (call->body)
        text_addf(head, "Content-Type: application/json\r\n");
    if (call->body || !text_equal_nocase(call->method, "GET"))
        text_addf(head, "Content-Length: %zu\r\n", call->body ? call->body_size : 0);
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        text_addf(head, "%s\r\n", call->headers[i]);
    text_add(head, "\r\n");
}

static bool same_place(const struct http_url *left, const struct http_url *right)
{
    return left->tls == right->tls && text_equal_nocase(left->authority, right->authority);
}

/* A call on its way. */
struct sending {
    struct http *http;
    const struct http_call *call;
    struct http_url url;
    struct exchange_parts parts;
    int64_t until_ms;
    int status;
    bool again; /* the connection had been kept, and turned out to be closed before anything came */
};

static bool wire_ready(const struct sending *sending, bool *used_before, struct err *err)
{
    struct http *http = sending->http;
    int64_t until_ms = open_now_ms() + CONNECT_TIMEOUT_MS;

    *used_before = http->wire && same_place(&http->to, &sending->url) && wire_is_quiet(http->wire);
    if (*used_before)
        return true;
    if (until_ms > sending->until_ms)
        until_ms = sending->until_ms;
    wire_free(TAKE(http->wire));
    http->wire =
        open_wire(sending->call->url, &sending->url, http->ca_file, until_ms, &http->bell, err);
    http->to = sending->url;
    http->to.path = NULL;
    return http->wire != NULL;
}

static bool exchange_run(const struct sending *sending, struct exchange *exchange, struct err *err)
{
    enum http_step step;

    while ((step = exchange_go(exchange, err)) == HTTP_WAITS)
        if (!open_wait(exchange->wire, sending->until_ms, &sending->http->bell, err))
            return false;
    return step == HTTP_DONE;
}

static bool request(struct sending *sending, struct err *err)
{
    struct http *http = sending->http;
    struct exchange exchange;
    struct err why = {0};
    bool used_before;

    sending->again = false;
    if (!wire_ready(sending, &used_before, err))
        return false;
    exchange_begin(&exchange, http->wire, &sending->parts);
    bool done = exchange_run(sending, &exchange, &why);
    if (!done || !exchange.reply.keeps)
        wire_free(TAKE(http->wire));
    sending->status = exchange.reply.status;
    sending->again = !done && used_before && exchange.reply.bytes == 0 && why.code == ERR_IO;
    if (done)
        return true;
    if (why.code != ERR_CLOSED)
        return err_set(err, ERR_NODE_AWAY, "%s: %s", sending->call->url, why.text);
    *err = why;
    return false;
}

static bool send_call(struct sending *sending, struct err *err)
{
    AUTO(text) *head = text_new(HEAD_MAX);

    head_print(sending->call, &sending->url, head);
    sending->parts.head = head;
    bool sent = text_ok(head) ? request(sending, err) || (sending->again && request(sending, err))
                              : err_set(err, ERR_BUSY, "no memory for a call to the plane");
    text_wipe(head); /* it holds the node's credential */
    return sent;
}

bool http_send(struct http *http, const struct http_call *call, struct text *reply, int *status,
               struct err *err)
{
    struct sending sending = {.http = http,
                              .call = call,
                              .parts = {.body = call->body,
                                        .body_size = call->body ? call->body_size : 0,
                                        .reply = reply},
                              .until_ms = open_now_ms() + call->timeout_ms};
    struct err ended;

    text_clear(reply);
    if (!may_go_on(http, err))
        return false;
    if (!http_url_parse(call->url, &sending.url))
        return err_set(err, ERR_NODE_AWAY, "%s is no URL of a plane", call->url);
    bool sent = send_call(&sending, err);
    if (sent)
        *status = sending.status;
    else if (err->code == ERR_CLOSED)
        (void)may_go_on(http, &ended); /* that was this call's end */
    return sent;
}
