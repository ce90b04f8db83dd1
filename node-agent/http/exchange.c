#include "node-agent/http/http.h"

enum { PIECE = 16384 };

void exchange_begin(struct exchange *exchange, struct wire *wire,
                    const struct exchange_parts *parts)
{
    *exchange = (struct exchange){.wire = wire, .parts = *parts};
    http_reply_begin(&exchange->reply, parts->reply, parts->location);
}

static void send_some(struct exchange *exchange, enum http_step *step)
{
    const struct exchange_parts *parts = &exchange->parts;
    size_t head_size = parts->head->size;
    bool in_head = exchange->sent < head_size;
    const char *from =
        in_head ? parts->head->bytes + exchange->sent : parts->body + (exchange->sent - head_size);
    size_t size = (in_head ? head_size : head_size + parts->body_size) - exchange->sent;
    ssize_t sent = wire_write(exchange->wire, from, size);

    if (sent <= 0)
        *step = sent == 0 ? HTTP_WAITS : HTTP_FAILED;
    else
        exchange->sent += (size_t)sent;
}

/* Its whole request is out, or it takes no more of it: then it may have said why. */
static enum http_step send_all(struct exchange *exchange)
{
    enum http_step step = HTTP_DONE;

    while (step == HTTP_DONE &&
           exchange->sent < exchange->parts.head->size + exchange->parts.body_size)
        send_some(exchange, &step);
    return step;
}

static enum http_step receive(struct exchange *exchange, struct err *err)
{
    char bytes[PIECE];
    struct http_reply *reply = &exchange->reply;
    const int64_t max = exchange->parts.bytes_max;

    while (!reply->whole) {
        ssize_t got = wire_read(exchange->wire, bytes, sizeof bytes);
        if (got == 0)
            return HTTP_WAITS;
        if (got < 0) {
            bool closed = wire_over(exchange->wire, err) && http_reply_close(reply, err);
            return closed ? HTTP_DONE : HTTP_FAILED;
        }
        ssize_t taken = http_reply_take(reply, bytes, (size_t)got, err);
        if (taken < 0)
            return HTTP_FAILED;
        if (taken < got) /* nobody asked for what is behind it */
            reply->keeps = false;
        if (max > 0 && reply->bytes > max && !reply->whole) {
            err_set(err, ERR_TOO_LARGE, "the answer is too long");
            return HTTP_FAILED;
        }
    }
    return HTTP_DONE;
}

enum http_step exchange_go(struct exchange *exchange, struct err *err)
{
    if (!exchange->connected) {
        enum http_step step = wire_connect(exchange->wire, err);
        if (step != HTTP_DONE)
            return step;
        exchange->connected = true;
    }
    enum http_step sent = send_all(exchange);
    if (sent == HTTP_WAITS)
        return HTTP_WAITS;
    enum http_step step = receive(exchange, err);
    exchange->reply.keeps &= sent == HTTP_DONE;
    return step;
}
