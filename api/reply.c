/* Answers: bodies, headers, and the one error envelope. */
#include "api/router.h"
#include "base/metrics.h"

#include <string.h>

enum { HEADER_VALUE_SIZE = 2048 }; /* what is longer is left out: only a link could be */

bool reply_empty(struct request *request, int status)
{
    text_clear(request->out);
    request->reply.status = status;
    return true;
}

bool reply_json(struct request *request, int status)
{
    request->reply.status = status;
    return true;
}

bool reply_value(struct request *request, int status, const struct schema *schema,
                 const void *value)
{
    text_clear(request->out);
    fields_print(schema, value, FIELDS_ALL, request->out, NULL);
    return reply_json(request, status);
}

bool reply_kept(struct request *request, int status, const char *type, const char *bytes,
                size_t size)
{
    text_clear(request->out);
    request->reply.content_type = type;
    request->reply.bytes = bytes;
    request->reply.size = size;
    return reply_json(request, status);
}

void reply_header_kept(struct request *request, const char *name, const char *value)
{
    struct reply *reply = &request->reply;

    CHECK(reply->headers_count < REPLY_HEADERS_MAX);
    reply->headers[reply->headers_count++] = (struct reply_header){name, value};
}

void reply_header(struct request *request, const char *name, const char *format, ...)
{
    char value[HEADER_VALUE_SIZE];
    const char *kept = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (text_format_v(value, sizeof value, format, arguments))
        kept = arena_text(request->arena, value);
    va_end(arguments);
    if (kept)
        reply_header_kept(request, name, kept);
}

static void add_error(struct text *out, enum err_code code, const char *field, const char *message)
{
    text_add(out, "{\"code\":");
    text_add_json(out, err_code_name(code));
    text_add(out, ",\"message\":");
    text_add_json(out, message);
    if (field && field[0]) {
        text_add(out, ",\"target\":");
        text_add_json(out, field);
    }
}

/* All of several; a single one is in the envelope itself. */
static void add_details(struct text *out, const struct problems *problems)
{
    if (problems->count + problems->more < 2)
        return;
    text_add(out, ",\"details\":[");
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        text_add(out, i > 0 ? "," : "");
        add_error(out, problem->code, problem->field, problem->text);
        text_add(out, "}");
    }
    if (problems->more > 0)
        text_addf(out, "%s{\"code\":\"MoreErrors\",\"message\":\"%zu more\"}",
                  problems->count > 0 ? "," : "", problems->more);
    text_add(out, "]");
}

/* When to try again; 0: not at all. az and the Python SDK repeat whatever carries Retry-After: right
 * for what passes by itself, for nothing else. */
static int64_t retry_after_s(const struct request *request, const struct err *err)
{
    int status = err_code_status(err->code);
    bool passes = status == 429 || status == 503 || err->code == ERR_TRANSITIONING;

    if (!passes)
        return 0;
    return request->retry_after_s > 0 ? request->retry_after_s : 1;
}

/* Clients that sign in read this form instead (RFC 6749 §5.2). */
static void add_form_error(struct text *out, const struct err *err)
{
    text_add(out, "{\"error\":");
    text_add_json(out, err_code_status(err->code) < 500 ? "invalid_request" : "server_error");
    text_add(out, ",\"error_description\":");
    text_add_json(out, err->text);
    text_add(out, "}");
}

static void add_envelope(struct request *request, const struct err *err)
{
    text_add(request->out, "{\"error\":");
    add_error(request->out, err->code, err->field, err->text);
    add_details(request->out, &request->problems);
    text_add(request->out, "}}");
}

void reply_error(struct request *request, const struct err *err)
{
    int64_t seconds = retry_after_s(request, err);

    text_clear(request->out);
    if (request->route && (request->route->flags & ROUTE_SIGN_IN))
        add_form_error(request->out, err);
    else
        add_envelope(request, err);
    request->reply.status = err_code_status(err->code);
    request->reply.content_type = NULL;
    request->reply.bytes = NULL;
    if (err->code == ERR_METHOD || err->code == ERR_UPGRADE || request->reply.status == 401)
        return; /* their headers are the router's */
    request->reply.headers_count = 0;
    if (seconds > 0)
        reply_header(request, "Retry-After", "%lld", (long long)seconds);
}
