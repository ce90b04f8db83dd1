/* A WebSocket to the plane: libcurl connects (and speaks TLS, checking who answers as every call does), the handshake
 * is written here, and from then on the bytes are the caller's. */
#include "base/clock.h"
#include "node-agent/link/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <string.h>

enum { CONNECT_MS = 5000, HEAD_MS = 10000, HEAD_MAX = 8192 };

struct http_stream {
    CURL *easy;
    int fd;
    char left[HEAD_MAX]; /* what came behind the head */
    size_t left_size, left_at;
};

/* ---- bytes ---- */

static ssize_t stream_read(void *context, void *bytes, size_t size)
{
    struct http_stream *stream = context;
    size_t got = 0;

    if (stream->left_at < stream->left_size) {
        got = stream->left_size - stream->left_at;
        got = got < size ? got : size;
        memcpy(bytes, stream->left + stream->left_at, got);
        stream->left_at += got;
        return (ssize_t)got;
    }
    switch (curl_easy_recv(stream->easy, bytes, size, &got)) {
    case CURLE_OK:
        return got > 0 ? (ssize_t)got : -1;
    case CURLE_AGAIN:
        return 0;
    default:
        return -1;
    }
}

static ssize_t stream_write(void *context, const void *bytes, size_t size)
{
    struct http_stream *stream = context;
    size_t sent = 0;
    CURLcode code = curl_easy_send(stream->easy, bytes, size, &sent);

    return code == CURLE_OK ? (ssize_t)sent : code == CURLE_AGAIN ? 0 : -1;
}

static void stream_close(void *context)
{
    struct http_stream *stream = context;

    if (stream->easy)
        curl_easy_cleanup(stream->easy);
    free(stream);
}

/* ---- the handshake ---- */

static bool wait_ready(const struct http_stream *stream, short events, int64_t until_ms)
{
    struct pollfd ready = {.fd = stream->fd, .events = events};
    int64_t left_ms = until_ms - clock_boot_ns() / 1000000;

    return left_ms > 0 && poll(&ready, 1, (int)left_ms) == 1;
}

static bool write_all(struct http_stream *stream, const struct text *text, int64_t until_ms)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t sent = stream_write(stream, text->bytes + at, text->size - at);
        if (sent < 0 || (sent == 0 && !wait_ready(stream, POLLOUT, until_ms)))
            return false;
        at += (size_t)sent;
    }
    return true;
}

static void head_add(struct text *out, const struct http_call *call, const char *key)
{
    const char *host = strstr(call->url, "://");
    host = host ? host + 3 : call->url;
    size_t host_size = strcspn(host, "/");

    text_addf(out, "GET %s HTTP/1.1\r\nHost: %.*s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
              host + host_size, (int)host_size, host);
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
        if (got < 0 || (got == 0 && !wait_ready(stream, POLLIN, until_ms)))
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

static bool handshake(struct http_stream *stream, const struct http_call *call, struct err *err)
{
    AUTO(text) *head = text_new(HEAD_MAX);
    char key[WEBSOCKET_KEY_SIZE], accept[WEBSOCKET_ACCEPT_SIZE];
    int64_t until_ms = clock_boot_ns() / 1000000 + HEAD_MS;

    websocket_key(key);
    head_add(head, call, key);
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

static bool connect_to(struct http_stream *stream, const struct http_call *call,
                       const char *ca_file, struct err *err)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    stream->easy = curl_easy_init();
    if (!stream->easy)
        return err_set(err, ERR_BUSY, "no memory for a stream");
    http_prepare_tls(stream->easy, ca_file);
    curl_easy_setopt(stream->easy, CURLOPT_URL, call->url);
    curl_easy_setopt(stream->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(stream->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(stream->easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(stream->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(stream->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    CURLcode code = curl_easy_perform(stream->easy);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(stream->easy, CURLINFO_ACTIVESOCKET, &fd);
    stream->fd = fd;
    return code == CURLE_OK ||
           err_set(err, ERR_NODE_AWAY, "%s: %s", call->url, curl_easy_strerror(code));
}

bool http_stream_open(const struct http_call *call, const char *ca_file, struct websocket_io *io,
                      struct err *err)
{
    struct http_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return err_set(err, ERR_BUSY, "no memory for a stream");
    if (!connect_to(stream, call, ca_file, err) || !handshake(stream, call, err)) {
        stream_close(stream);
        return false;
    }
    *io = (struct websocket_io){.fd = stream->fd,
                                .read = stream_read,
                                .write = stream_write,
                                .close = stream_close,
                                .context = stream};
    return true;
}
