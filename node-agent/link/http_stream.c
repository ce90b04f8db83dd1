/* A WebSocket to the plane: a connection of its own, whose handshake is written here; from then on the bytes are the
 * caller's. */
#include "node-agent/link/http.h"
#include "node-agent/link/open.h"

#include <string.h>

enum { CONNECT_MS = 5000, HEAD_MS = 10000, HEAD_MAX = 8192 };

struct http_stream {
    struct wire *wire;
    char left[HEAD_MAX]; /* what came behind the head */
    size_t left_size, left_at;
};

/* ---- bytes ---- */

static ssize_t stream_read(void *context, void *bytes, size_t size)
{
    struct http_stream *stream = context;

    if (stream->left_at == stream->left_size)
        return wire_read(stream->wire, bytes, size);
    size_t got = stream->left_size - stream->left_at;
    got = got < size ? got : size;
    memcpy(bytes, stream->left + stream->left_at, got);
    stream->left_at += got;
    return (ssize_t)got;
}

static ssize_t stream_write(void *context, const void *bytes, size_t size)
{
    struct http_stream *stream = context;

    return wire_write(stream->wire, bytes, size);
}

static void stream_close(void *context)
{
    struct http_stream *stream = context;

    wire_free(stream->wire);
    free(stream);
}

/* ---- the handshake ---- */

/* Nobody ends it but the clock. */
static bool wait_ready(const struct http_stream *stream, int64_t until_ms)
{
    const struct bell none = {.fd = -1};
    struct err late;

    return open_wait(stream->wire, until_ms, &none, &late);
}

static bool write_all(struct http_stream *stream, const struct text *text, int64_t until_ms)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t sent = stream_write(stream, text->bytes + at, text->size - at);
        if (sent < 0 || (sent == 0 && !wait_ready(stream, until_ms)))
            return false;
        at += (size_t)sent;
    }
    return true;
}

static void head_add(struct text *out, const struct http_call *call, const struct http_url *url,
                     const char *key)
{
    http_add_request(out, "GET", url->path);
    text_addf(out, "Host: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", url->authority);
    text_addf(out, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", key);
    for (size_t i = 0; call->headers && call->headers[i]; i++)
        text_addf(out, "%s\r\n", call->headers[i]);
    text_add(out, "\r\n");
}

/* Into `left`, to be cut down to what is behind it. */
static char *head_read(struct http_stream *stream, int64_t until_ms)
{
    size_t size = 0;
    char *end = NULL;

    while (!end && size < sizeof stream->left - 1) {
        ssize_t got = stream_read(stream, stream->left + size, sizeof stream->left - 1 - size);
        if (got < 0 || (got == 0 && !wait_ready(stream, until_ms)))
            return NULL;
        size += (size_t)got;
        stream->left[size] = '\0';
        end = strstr(stream->left, "\r\n\r\n");
    }
    if (end) {
        stream->left_size = size;
        stream->left_at = (size_t)(end + 4 - stream->left);
        *end = '\0';
    }
    return end ? stream->left : NULL;
}

static bool handshake(struct http_stream *stream, const struct http_call *call,
                      const struct http_url *url, struct err *err)
{
    AUTO(text) *head = text_new(HEAD_MAX);
    char key[WEBSOCKET_KEY_SIZE], accept[WEBSOCKET_ACCEPT_SIZE];
    int64_t until_ms = open_now_ms() + HEAD_MS;

    websocket_key(key);
    head_add(head, call, url, key);
    if (!text_ok(head) || !websocket_accept(key, accept))
        return err_set(err, ERR_BUSY, "no memory for a stream");
    const char *answer = write_all(stream, head, until_ms) ? head_read(stream, until_ms) : NULL;
    text_wipe(head); /* it holds the node's credential */
    if (!answer)
        return err_set(err, ERR_NODE_AWAY, "the plane does not answer %s", call->url);
    if (!text_has_prefix(answer, "HTTP/1.1 101 ") || !strstr(answer, accept))
        return err_set(err, ERR_CONFLICT, "the plane takes no stream: %.40s", answer);
    return true;
}

bool http_stream_open(const struct http_call *call, const char *ca_file, struct websocket_io *io,
                      struct err *err)
{
    const struct bell none = {.fd = -1};
    struct http_stream *stream = calloc(1, sizeof *stream);
    struct http_url url;

    if (!stream)
        return err_set(err, ERR_BUSY, "no memory for a stream");
    if (!http_url_parse(call->url, &url))
        err_set(err, ERR_NODE_AWAY, "%s is no URL of a plane", call->url);
    else
        stream->wire = open_wire(call->url, &url, ca_file, open_now_ms() + CONNECT_MS, &none, err);
    if (!stream->wire || !handshake(stream, call, &url, err)) {
        stream_close(stream);
        return false;
    }
    *io = (struct websocket_io){.fd = wire_fd(stream->wire),
                                .read = stream_read,
                                .write = stream_write,
                                .close = stream_close,
                                .context = stream};
    return true;
}
