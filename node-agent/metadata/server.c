/* HTTP in a group's namespace: a daemon of libmicrohttpd for each group, without threads, run by the room's one when its
 * epoll set has something. A call waits suspended while its token is fetched. */
#include "node-agent/metadata/inside.h"

#include "base/text.h"

#include <microhttpd.h>
#include <string.h>

enum {
    CONNECTIONS_MAX = 16,
    CONNECTION_MEMORY = 8192,
    IDLE_S = 10,
    ERROR_SIZE = 512,
    STEPS_MAX = 64
};

static const char token_path[] = "/metadata/identity/oauth2/token";

/* ---- replies ---- */

static enum MHD_Result reply(struct MHD_Connection *connection, int status, const char *body)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json; charset=utf-8");
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result queued = MHD_queue_response(connection, (unsigned)status, response);
    MHD_destroy_response(response);
    return queued;
}

/* Our own sentences: none has a quote in it. */
static enum MHD_Result refuse(struct MHD_Connection *connection, int status, const char *why)
{
    char body[ERROR_SIZE];

    text_format(body, sizeof body, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
                status == MHD_HTTP_NOT_FOUND ? "not_found" : "invalid_request", why);
    return reply(connection, status, body);
}

/* ---- what was asked ---- */

static const char *argument(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* NULL: it is a question. A page that a browser in a container was made to fetch has neither the header, nor no trace
 * of a proxy. */
static const char *wrong(struct MHD_Connection *connection)
{
    const char *mark = header(connection, "Metadata");

    if (!mark || strcasecmp(mark, "true") != 0)
        return "Required metadata header not specified";
    if (header(connection, "X-Forwarded-For"))
        return "The request came through a proxy";
    if (!argument(connection, "api-version"))
        return "Required query variable 'api-version' is missing";
    const char *resource = argument(connection, "resource");
    return resource && *resource ? NULL : "Required query variable 'resource' is missing";
}

static bool question_take(struct MHD_Connection *connection, struct metadata_question *question)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } members[] = {
        {"resource", question->resource, sizeof question->resource},
        {"client_id", question->client_id, sizeof question->client_id},
        {"object_id", question->object_id, sizeof question->object_id},
        {"msi_res_id", question->resource_id, sizeof question->resource_id},
        {"mi_res_id", question->resource_id, sizeof question->resource_id},
    };

    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *value = argument(connection, members[i].name);
        if (value && !text_copy(members[i].out, members[i].size, value))
            return false;
    }
    return true;
}

/* ---- calls ---- */

static void call_free(struct call *call)
{
    free(call->body);
    free(call);
}

static enum MHD_Result call_ask(struct call *call, struct place *place)
{
    struct metadata *metadata = call->metadata;

    lock_take(&metadata->lock);
    call->state = CALL_ASKED;
    call->asked = true;
    call->next = place->calls;
    place->calls = call;
    lock_release(&metadata->lock);
    MHD_suspend_connection(call->connection);
    if (!metadata->ask(metadata->context, &call->question))
        metadata_answer(&call->question, MHD_HTTP_SERVICE_UNAVAILABLE, NULL);
    return MHD_YES;
}

static enum MHD_Result call_begin(struct call *call, struct place *place, const char *method,
                                  const char *path)
{
    struct MHD_Connection *connection = call->connection;
    const char *why = wrong(connection);

    if (strcmp(path, token_path) != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND,
                      "There is only /metadata/identity/oauth2/token here");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET is allowed");
    if (why)
        return refuse(connection, MHD_HTTP_BAD_REQUEST, why);
    if (!question_take(connection, &call->question))
        return refuse(connection, MHD_HTTP_BAD_REQUEST, "A query variable is too long");
    return call_ask(call, place);
}

static enum MHD_Result call_end(struct call *call)
{
    const char *body = call->body ? call->body
                                  : "{\"error\":\"temporarily_unavailable\",\"error_description\":"
                                    "\"The plane gives no token at the moment\"}";

    return reply(call->connection, call->status, body);
}

static enum MHD_Result on_call(void *context, struct MHD_Connection *connection, const char *path,
                               const char *method, const char *version UNUSED,
                               const char *upload UNUSED, size_t *upload_size,
                               void **connection_data)
{
    struct place *place = context;
    struct call *call = *connection_data;

    if (!call) {
        call = calloc(1, sizeof *call);
        if (!call)
            return MHD_NO;
        call->metadata = place->metadata;
        call->connection = connection;
        text_copy(call->question.uid, sizeof call->question.uid, place->uid);
        *connection_data = call;
        return MHD_YES;
    }
    if (*upload_size > 0) { /* a body is dropped */
        *upload_size = 0;
        return MHD_YES;
    }
    switch (call->state) {
    case CALL_NEW:
        return call_begin(call, place, method, path);
    case CALL_ASKED:
        return MHD_YES;
    case CALL_ANSWERED:
        return call_end(call);
    }
    return MHD_NO;
}

static void on_done(void *context UNUSED, struct MHD_Connection *connection UNUSED,
                    void **connection_data, enum MHD_RequestTerminationCode code UNUSED)
{
    struct call *call = *connection_data;

    *connection_data = NULL;
    if (!call)
        return;
    lock_take(&call->metadata->lock);
    call->connection = NULL;
    bool asked = call->asked;
    lock_release(&call->metadata->lock);
    if (!asked)
        call_free(call);
}

static void call_unlink(struct place *places, struct call *call)
{
    for (struct place *place = places; place; place = place->next) {
        for (struct call **at = &place->calls; *at; at = &(*at)->next) {
            if (*at != call)
                continue;
            *at = call->next;
            return;
        }
    }
}

void metadata_answer(struct metadata_question *question, int status, const char *body)
{
    struct call *call = CONTAINER_OF(question, struct call, question);
    struct metadata *metadata = call->metadata;

    lock_take(&metadata->lock);
    call->asked = false;
    call->status = status;
    call->body = body ? strdup(body) : NULL;
    call->state = CALL_ANSWERED;
    call_unlink(metadata->places, call);
    bool gone = !call->connection;
    if (!gone)
        MHD_resume_connection(call->connection);
    lock_release(&metadata->lock);
    if (gone)
        call_free(call);
}

/* ---- places ---- */

struct MHD_Daemon *place_listen(struct place *place, int listening_fd, int *epoll_fd)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_call, place,
        MHD_OPTION_LISTEN_SOCKET, listening_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
        MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;

    if (info)
        *epoll_fd = info->epoll_fd;
    return daemon;
}

/* One run takes each connection one step further; "at once" means that there are more. */
void place_run(struct place *place)
{
    MHD_UNSIGNED_LONG_LONG left_ms = 0;

    for (int i = 0; i < STEPS_MAX && left_ms == 0; i++) {
        MHD_run(place->daemon);
        if (MHD_get_timeout(place->daemon, &left_ms) != MHD_YES)
            return;
    }
}

/* The library refuses to stop with suspended connections. Whoever still answers one finds nobody there. */
void place_end(struct place *place)
{
    struct metadata *metadata = place->metadata;

    lock_take(&metadata->lock);
    for (struct call *call = place->calls; call; call = call->next)
        MHD_resume_connection(call->connection);
    lock_release(&metadata->lock);
    MHD_stop_daemon(place->daemon);
}
