/* Replies: their headers, their bodies, in one piece or as they come. */
#include "api/connections.h"
#include "api/http_inner.h"
#include "api/tls.h"

enum { TAP_BLOCK = 16384 };

static size_t body_size(const struct request *request)
{
    return request->reply.bytes ? request->reply.size : request->out->size;
}

/* The library does not write to it. */
static void *body_bytes(const struct request *request)
{
    return request->reply.bytes ? (void *)request->reply.bytes : request->out->bytes;
}

static bool add_headers(struct MHD_Response *response, const struct request *request)
{
    const struct reply *reply = &request->reply;
    bool ok = MHD_add_response_header(response, "Cache-Control",
                                      reply->is_secret ? "no-store" : "no-cache") == MHD_YES &&
              MHD_add_response_header(response, "Pragma", "no-cache") == MHD_YES &&
              MHD_add_response_header(response, "Expires", "-1") == MHD_YES &&
              MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;

    if (body_size(request) > 0 || reply->tap)
        ok = ok && MHD_add_response_header(response, "Content-Type",
                                           reply->content_type
                                               ? reply->content_type
                                               : "application/json; charset=utf-8") == MHD_YES;
    for (size_t i = 0; i < reply->headers_count; i++)
        ok = ok && MHD_add_response_header(response, reply->headers[i].name,
                                           reply->headers[i].value) == MHD_YES;
    if (atomic_load(&request->api->server->closing))
        ok = ok && MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    return ok;
}

/* ---- bodies without a known end ---- */

static void tap_pause(void *connection)
{
    MHD_suspend_connection(connection);
}

static void tap_resume(void *connection)
{
    MHD_resume_connection(connection);
}

static ssize_t on_body(void *context, uint64_t position UNUSED, char *bytes, size_t size)
{
    struct request *request = context;
    struct tap_reader reader = {tap_pause, tap_resume, request->connection};
    ssize_t got = tap_read(request->reply.tap, &reader, bytes, size);

    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

/* ---- sending ---- */

static struct MHD_Response *response_make(struct request *request)
{
    if (request->reply.tap)
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, TAP_BLOCK, on_body, request,
                                                 NULL);
    return MHD_create_response_from_buffer(body_size(request), body_bytes(request),
                                           MHD_RESPMEM_PERSISTENT);
}

static bool has_body(const struct request *request)
{
    return body_size(request) > 0 && request->method != HTTP_HEAD && request->reply.status != 204 &&
           request->reply.status != 304;
}

enum MHD_Result reply_send(struct request *request)
{
    struct tls_sender *sender = connections_sender(request->place);
    struct MHD_Response *response;
    enum MHD_Result sent = MHD_NO;

    if (request->reply.upgraded)
        return reply_upgrade(request);
    response = response_make(request);

    request->phase = REQUEST_REPLIED;
    if (request->reply.tap)
        connections_ready(request->place); /* as long as it likes */
    else
        connections_idle(request->place); /* the client's turn: to take it */
    if (!response)
        return MHD_NO;
    if (sender)
        sender->more = !request->reply.tap && has_body(request);
    if (add_headers(response, request))
        sent = MHD_queue_response(request->connection, (unsigned)request->reply.status, response);
    MHD_destroy_response(response);
    return sent;
}
