/* A reply, read as it comes: lines until the empty one, then a body whose end the head told. What it does not
 * understand it refuses; what does not matter it skips without keeping it. */
#include "node-agent/http/http.h"

#include "base/limits.h"

#include <string.h>

enum { CHUNK_DIGITS_MAX = 15, SWITCHING = 101 };

bool http_reply_begin(struct http_reply *reply, struct text *body, struct text *location)
{
    *reply = (struct http_reply){.body = body,
                                 .location = location,
                                 .head_left = LIMIT_HTTP_REPLY_HEADS_MAX,
                                 .line = text_new(LIMIT_HTTP_REPLY_LINE_MAX)};
    return reply->line != NULL;
}

void http_reply_end(struct http_reply *reply)
{
    text_free(TAKE(reply->line));
}

bool http_reply_is_whole(const struct http_reply *reply)
{
    return reply->part == REPLY_WHOLE;
}

/* ---- the head ---- */

static bool status_take(struct http_reply *reply, const char *line, struct err *err)
{
    int64_t status;
    char digits[4] = "";

    if (text_has_prefix(line, "HTTP/1.") && (line[7] == '0' || line[7] == '1') && line[8] == ' ' &&
        strspn(line + 9, "0123456789") == 3 && (line[12] == ' ' || line[12] == '\0'))
        memcpy(digits, line + 9, 3);
    if (!text_to_int(digits, &status) || status < 100)
        return err_set(err, ERR_IO, "the answer is not HTTP/1.1");
    reply->status = (int)status;
    reply->keeps = line[7] == '1';
    reply->has_length = reply->chunked = false;
    reply->left = 0;
    reply->part = REPLY_HEADERS;
    return true;
}

/* One of a list separated by commas. */
static bool has_word(const char *value, const char *word)
{
    size_t size = strlen(word);

    while (*value) {
        value += strspn(value, ", \t");
        size_t length = strcspn(value, ", \t");
        if (length == size && strncasecmp(value, word, size) == 0)
            return true;
        value += length;
    }
    return false;
}

static bool length_take(struct http_reply *reply, const char *value, struct err *err)
{
    int64_t length;

    if (!text_to_int(value, &length) || length < 0 || (reply->has_length && length != reply->left))
        return err_set(err, ERR_IO, "the answer has no sound Content-Length");
    reply->has_length = true;
    reply->left = length;
    return true;
}

static bool header_take(struct http_reply *reply, const char *name, const char *value,
                        struct err *err)
{
    if (text_equal_nocase(name, "Content-Length"))
        return length_take(reply, value, err);
    if (text_equal_nocase(name, "Transfer-Encoding")) {
        if (reply->chunked || !text_equal_nocase(value, "chunked"))
            return err_set(err, ERR_IO, "the answer has an encoding that nobody asked for");
        reply->chunked = true;
    }
    if (text_equal_nocase(name, "Connection") && has_word(value, "close"))
        reply->keeps = false;
    if (text_equal_nocase(name, "Location") && reply->location) {
        text_clear(reply->location);
        text_add(reply->location, value);
    }
    return true;
}

/* Both sides must agree on where it ends; if in doubt the connection is not used again. */
static void head_ends(struct http_reply *reply)
{
    const int status = reply->status;

    if (status / 100 == 1 && status != SWITCHING) {
        reply->part = REPLY_STATUS;
        reply->status = 0;
    } else if (status == SWITCHING || status == 204 || status == 304) {
        reply->part = REPLY_WHOLE;
    } else if (reply->chunked) {
        reply->keeps &= !reply->has_length;
        reply->part = REPLY_CHUNK;
    } else if (reply->has_length) {
        reply->part = reply->left > 0 ? REPLY_BODY : REPLY_WHOLE;
    } else {
        reply->until_end = true;
        reply->keeps = false;
        reply->part = REPLY_BODY;
    }
}

static bool header_line(struct http_reply *reply, char *line, struct err *err)
{
    char *colon = strchr(line, ':');

    if (!*line) {
        head_ends(reply);
        return true;
    }
    if (*line == ' ' || *line == '\t') /* goes on with the one before: none of ours does */
        return true;
    if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
        return err_set(err, ERR_IO, "a line in the head of the answer is no header");
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    for (char *end = value + strlen(value); end > value && strchr(" \t", end[-1]); end--)
        end[-1] = '\0';
    return header_take(reply, line, value, err);
}

/* ---- the body ---- */

static bool chunk_line(struct http_reply *reply, const char *line, struct err *err)
{
    size_t digits = strspn(line, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > CHUNK_DIGITS_MAX || (line[digits] && !strchr("; \t", line[digits])))
        return err_set(err, ERR_IO, "the answer has no sound chunk size");
    reply->left = (int64_t)strtoull(line, NULL, 16);
    reply->part = reply->left > 0 ? REPLY_BODY : REPLY_TRAILER;
    return true;
}

static bool line_take(struct http_reply *reply, char *line, struct err *err)
{
    switch (reply->part) {
    case REPLY_STATUS:
        return status_take(reply, line, err);
    case REPLY_HEADERS:
        return header_line(reply, line, err);
    case REPLY_CHUNK:
        return chunk_line(reply, line, err);
    case REPLY_CHUNK_END:
        reply->part = REPLY_CHUNK;
        return !*line || err_set(err, ERR_IO, "a chunk of the answer is longer than it said");
    case REPLY_TRAILER:
        reply->part = *line ? REPLY_TRAILER : REPLY_WHOLE;
        return true;
    case REPLY_BODY:
    case REPLY_WHOLE:
        break;
    }
    return false;
}

/* Up to the end of a line; what it held is taken when that is there. */
static ssize_t line_bytes(struct http_reply *reply, const char *bytes, size_t size, struct err *err)
{
    const char *end = memchr(bytes, '\n', size);
    size_t taken = end ? (size_t)(end - bytes) + 1 : size;
    struct text *line = reply->line;

    text_add_n(line, bytes, end ? taken - 1 : taken);
    if (!reply->chunked || reply->part == REPLY_TRAILER || reply->part == REPLY_HEADERS)
        reply->head_left -= (int64_t)taken;
    if (!text_ok(line) || reply->head_left < 0 || memchr(bytes, '\0', taken))
        return err_set(err, ERR_IO, "the head of the answer is too long, or binary") - 1;
    if (!end)
        return (ssize_t)taken;
    if (line->size > 0 && line->bytes[line->size - 1] == '\r')
        line->bytes[--line->size] = '\0';
    char none[1] = "";
    bool sound = line_take(reply, line->size > 0 ? line->bytes : none, err);
    text_clear(line);
    return sound ? (ssize_t)taken : -1;
}

static ssize_t body_bytes(struct http_reply *reply, const char *bytes, size_t size, struct err *err)
{
    if (!reply->until_end && (int64_t)size > reply->left)
        size = (size_t)reply->left;
    if (reply->body) {
        text_add_n(reply->body, bytes, size);
        if (!text_ok(reply->body))
            return err_set(err, ERR_TOO_LARGE, "the answer is too long") - 1;
    }
    if (reply->until_end)
        return (ssize_t)size;
    reply->left -= (int64_t)size;
    if (reply->left == 0)
        reply->part = reply->chunked ? REPLY_CHUNK_END : REPLY_WHOLE;
    return (ssize_t)size;
}

ssize_t http_reply_take(struct http_reply *reply, const char *bytes, size_t size, struct err *err)
{
    size_t taken = 0;

    while (taken < size && reply->part != REPLY_WHOLE) {
        ssize_t got = reply->part == REPLY_BODY
                          ? body_bytes(reply, bytes + taken, size - taken, err)
                          : line_bytes(reply, bytes + taken, size - taken, err);
        if (got < 0)
            return -1;
        taken += (size_t)got;
        reply->bytes += got;
    }
    return (ssize_t)taken;
}

bool http_reply_close(struct http_reply *reply, struct err *err)
{
    if (reply->part == REPLY_BODY && reply->until_end)
        reply->part = REPLY_WHOLE;
    if (reply->part == REPLY_WHOLE)
        return true;
    return err_set(err, ERR_IO, "the connection was closed %s",
                   reply->bytes == 0 ? "without an answer" : "in the middle of the answer");
}
