/* A reply, read as it comes by http_parser; what is ours are its ceilings and what is kept of it. */
#include "node-agent/http/http.h"

#include "base/limits.h"

#include <string.h>

enum { SWITCHING = 101, NOT_MODIFIED = 304 };

static struct http_reply *reply_of(http_parser *parser)
{
    return CONTAINER_OF(parser, struct http_reply, parser);
}

/* ---- what the parser tells ---- */

static int on_begin(http_parser *parser)
{
    struct http_reply *reply = reply_of(parser);

    reply->status = 0;
    reply->part = REPLY_OTHER;
    if (reply->location)
        text_clear(reply->location);
    return 0;
}

/* A name may come in pieces. */
static int on_name(http_parser *parser, const char *bytes, size_t size)
{
    static const char wanted[] = "location";
    struct http_reply *reply = reply_of(parser);

    reply->status = parser->status_code;
    if (reply->part != REPLY_NAME)
        reply->matched = 0;
    reply->part = REPLY_NAME;
    if (reply->matched <= sizeof wanted - 1 && size <= sizeof wanted - 1 - reply->matched &&
        strncasecmp(wanted + reply->matched, bytes, size) == 0)
        reply->matched += size;
    else
        reply->matched = sizeof wanted; /* another */
    return 0;
}

static int on_value(http_parser *parser, const char *bytes, size_t size)
{
    struct http_reply *reply = reply_of(parser);

    reply->part = REPLY_OTHER;
    if (reply->location && reply->matched == strlen("location"))
        text_add_n(reply->location, bytes, size);
    return 0;
}

static void spaces_drop(struct text *value)
{
    while (value && value->size > 0 && strchr(" \t", value->bytes[value->size - 1]))
        value->bytes[--value->size] = '\0';
}

/* What is encoded in a way that nobody asked for has no end that can be trusted. */
static int on_head(http_parser *parser)
{
    struct http_reply *reply = reply_of(parser);

    if (parser->status_code < 100 ||
        (parser->uses_transfer_encoding && !(parser->flags & F_CHUNKED)))
        return -1;
    spaces_drop(reply->location);
    reply->status = parser->status_code;
    reply->keeps = http_should_keep_alive(parser);
    return reply->status == NOT_MODIFIED; /* 1: without a body, whatever length it names */
}

static int on_body(http_parser *parser, const char *bytes, size_t size)
{
    struct http_reply *reply = reply_of(parser);

    reply->body_bytes += (int64_t)size;
    if (reply->body)
        text_add_n(reply->body, bytes, size);
    return reply->body && !text_ok(reply->body);
}

/* 1xx but for one only say that there will be an answer. */
static int on_end(http_parser *parser)
{
    struct http_reply *reply = reply_of(parser);

    reply->whole = reply->status / 100 != 1 || reply->status == SWITCHING;
    if (reply->whole)
        http_parser_pause(parser, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_end,
};

/* ---- what goes in ---- */

void http_reply_begin(struct http_reply *reply, struct text *body, struct text *location)
{
    *reply = (struct http_reply){.body = body, .location = location};
    http_parser_init(&reply->parser, HTTP_RESPONSE);
}

ssize_t http_reply_take(struct http_reply *reply, const char *bytes, size_t size, struct err *err)
{
    size_t taken = reply->whole ? 0 : http_parser_execute(&reply->parser, &settings, bytes, size);
    enum http_errno failed = HTTP_PARSER_ERRNO(&reply->parser);

    reply->bytes += (int64_t)taken;
    if (failed == HPE_CB_body)
        err_set(err, ERR_TOO_LARGE, "the answer is too long");
    else if (failed != HPE_OK && failed != HPE_PAUSED)
        err_set(err, ERR_IO, "the answer is not HTTP/1.1: %s",
                failed == HPE_CB_headers_complete ? "a status or an encoding of its own"
                                                  : http_errno_description(failed));
    else if (reply->bytes - reply->body_bytes > LIMIT_HTTP_REPLY_HEADS_MAX)
        err_set(err, ERR_IO, "the head of the answer is too long");
    else
        return (ssize_t)taken;
    return -1;
}

bool http_reply_close(struct http_reply *reply, struct err *err)
{
    if (!reply->whole)
        http_parser_execute(&reply->parser, &settings, NULL, 0);
    if (reply->whole)
        return true;
    return err_set(err, ERR_IO, "the connection was closed %s",
                   reply->bytes == 0 ? "without an answer" : "in the middle of the answer");
}
