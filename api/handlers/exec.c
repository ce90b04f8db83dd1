/* Exec and attach: asking for a session, opening its WebSocket, and the node's end of it (api/stream/stream.h).
 * Clients show the session's password, not a token, when they open it. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

/* With it, text messages of the client are orders (struct stream_size). */
#define CONTROL_PROTOCOL "berth.control.v1"

struct exec_request {
    const char *command;
    struct stream_size *size;
};

/* clang-format off */
static const struct field exec_request_fields[] = {
    FIELD(struct exec_request, command, "command", .flags = FIELD_REQUIRED, .min = 1, .max = LIMIT_EXEC_COMMAND_MAX, .code = ERR_EXEC_COMMAND, .doc = "A program and its arguments, quoted as for a shell; nothing is expanded."),
    FIELD_STRUCT(struct exec_request, size, "terminalSize", &stream_size_schema),
};
const struct schema exec_request_schema = SCHEMA("ContainerExecRequest", struct exec_request, exec_request_fields, "What to run, always in a terminal.");

struct stream_answer {
    const char *uri, *password;
};
static const struct field stream_ticket_fields[] = {
    FIELD(struct stream_answer, uri, "webSocketUri", .doc = "Where to connect; soon, and once."),
    FIELD(struct stream_answer, password, "password", .flags = FIELD_SECRET, .doc = "The first message, or the Authorization header, of the WebSocket."),
};
/* clang-format on */
const struct schema stream_ticket_schema = SCHEMA("ContainerExecResponse", struct stream_answer,
                                                  stream_ticket_fields, "How to open a session.");

/* ---- asking ---- */

static bool state_check(const struct group_row *row, struct err *err)
{
    return (!group_is_over(row) && row->wanted == WANTED_RUN) ||
           err_set(err, ERR_GROUP_STOPPED,
                   "Container Group '%.63s' in resource group '%.90s' is stopped.", row->name,
                   row->resource_group);
}

static bool is_running(const struct group_status *status, const char *name)
{
    for (size_t i = 0; status && i < status->containers_count; i++) {
        const struct container_view *view = status->containers[i].view;
        if (strcmp(status->containers[i].name, name) == 0)
            return view && view->current_state && view->current_state->state &&
                   strcmp(view->current_state->state, "Running") == 0;
    }
    return false;
}

static bool container_check(struct request *request, const struct group_row *row, const char *name,
                            struct err *err)
{
    struct group_status *status;

    if (!group_status_take(request, row, &status, err))
        return false;
    return is_running(status, name) ||
           err_set(err, ERR_CONTAINER_NOT_RUNNING,
                   "The container '%.63s' in container group '%.63s' is not running.", name,
                   row->name);
}

/* "https://host" becomes "wss://host". */
static const char *socket_uri(struct request *request, const struct question *question,
                              const char *id)
{
    const char *base = request_base(request) + strlen("http");

    if (question->kind == QUESTION_ATTACH)
        return arena_format(request->arena, "ws%s/logstream/sessionId/%s?api-version=1.0", base,
                            id);
    return arena_format(request->arena,
                        "ws%s/execstream/sessionId/%s?api-version=1.0&rows=%lld&cols=%lld", base,
                        id, (long long)question->rows, (long long)question->columns);
}

static bool give_ticket(struct request *request, const struct question *question,
                        const struct stream_ticket *ticket, struct err *err)
{
    struct stream_answer answer = {.uri = socket_uri(request, question, ticket->id),
                                   .password = ticket->password};

    if (!answer.uri)
        return request_full(err);
    text_clear(request->out);
    fields_print(&stream_ticket_schema, &answer, FIELDS_WITH_SECRETS, request->out, NULL);
    request->reply.is_secret = true;
    return reply_json(request, 200);
}

static bool session_ask(struct request *request, struct question *question, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct group_row *row = tx ? group_find(request, tx, true, err) : NULL;
    struct stream_ticket ticket;

    if (!row || !group_container_find(request, row, request->names[3], &question->container, err) ||
        !state_check(row, err) || !container_check(request, row, question->container, err) ||
        !group_node_is_there(request, row->node_key, err))
        return false;
    question->uid = row->uid;
    struct stream_ask ask = {row->node_key, row->subscription, question};
    return streams_open(request->api->streams, &ask, &ticket, err) &&
           give_ticket(request, question, &ticket, err);
}

bool container_exec(struct request *request, struct err *err)
{
    struct exec_request asked = {0};
    struct question question = {.kind = QUESTION_EXEC, .rows = 24, .columns = 80};

    if (!request_parse(request, &exec_request_schema, &asked, err))
        return false;
    /* A terminal that does not know its size says 0. */
    if (asked.size && asked.size->rows > 0)
        question.rows = asked.size->rows;
    if (asked.size && asked.size->columns > 0)
        question.columns = asked.size->columns;
    question.command = asked.command;
    return session_ask(request, &question, err);
}

bool container_attach(struct request *request, struct err *err)
{
    struct question question = {.kind = QUESTION_ATTACH};

    return session_ask(request, &question, err);
}

/* ---- the handshake ---- */

/* Whether a header's list, with commas between, has that word. */
static bool header_has(const struct request *request, const char *name, const char *word)
{
    const char *at = request_header(request, name);
    size_t size = strlen(word);

    while (at && *at) {
        at += strspn(at, " \t,");
        size_t length = strcspn(at, " \t,");
        if (length == size && strncasecmp(at, word, size) == 0)
            return true;
        at += length;
    }
    return false;
}

static bool handshake_check(struct request *request, struct err *err)
{
    const char *version = request_header(request, "Sec-WebSocket-Version");
    bool is_right = version && strcmp(version, "13") == 0 &&
                    header_has(request, "Upgrade", "websocket") &&
                    header_has(request, "Connection", "upgrade");

    if (is_right)
        return true;
    reply_header(request, "Upgrade", "websocket");
    reply_header(request, "Sec-WebSocket-Version", "13");
    return err_set(err, ERR_UPGRADE, "a WebSocket (version 13) is opened here, nothing else");
}

static bool handshake_give(struct request *request, struct err *err)
{
    const char *key = request_header(request, "Sec-WebSocket-Key");
    char accept[WEBSOCKET_ACCEPT_SIZE];

    if (!key || !websocket_accept(key, accept))
        return err_set(err, ERR_BAD_HEADER,
                       "the header Sec-WebSocket-Key is missing or not well-formed");
    reply_header(request, "Upgrade", "websocket");
    reply_header(request, "Sec-WebSocket-Accept", "%s", accept);
    return true;
}

/* ---- the client's end ---- */

static void client_upgraded(struct request *request, const struct websocket_io *io,
                            const void *left, size_t left_size)
{
    streams_take_client(request->api->streams, request->names[0], request->data != NULL, io, left,
                        left_size);
}

bool stream_open(struct request *request, struct err *err)
{
    const char *password = request_header(request, "Authorization");

    if (password && text_has_prefix(password, "Bearer "))
        password += strlen("Bearer ");
    if (!handshake_check(request, err) || !handshake_give(request, err))
        return false;
    if (header_has(request, "Sec-WebSocket-Protocol", CONTROL_PROTOCOL)) {
        request->data = request;
        reply_header(request, "Sec-WebSocket-Protocol", CONTROL_PROTOCOL);
    }
    if (!streams_claim(request->api->streams, request->names[0], password, err))
        return false;
    request->reply.upgraded = client_upgraded;
    return reply_empty(request, 101);
}

/* ---- the node's end ---- */

static void node_upgraded(struct request *request, const struct websocket_io *io, const void *left,
                          size_t left_size)
{
    streams_take_node(request->api->streams, request->names[0], io, left, left_size);
}

bool agent_stream(struct request *request, struct err *err)
{
    if (!handshake_check(request, err) || !handshake_give(request, err) ||
        !streams_awaits_node(request->api->streams, request->names[0], request->node_key, err))
        return false;
    request->reply.upgraded = node_upgraded;
    return reply_empty(request, 101);
}
