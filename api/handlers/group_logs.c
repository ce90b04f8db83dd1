/* Logs of a container: a question to its node, which answers through its own connection. `content`
 * is always a text: a client that is given null prints "None" and gives up. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

static bool give(struct request *request, const char *content)
{
    text_clear(request->out);
    text_add(request->out, "{\"content\":");
    text_add_json(request->out, content ? content : "");
    text_add(request->out, "}");
    return reply_json(request, 200);
}

bool query_flag(const struct request *request, const char *name, bool fallback, bool *flag,
                struct err *err)
{
    const char *text = request_query(request, name);

    *flag = text ? text_equal_nocase(text, "true") : fallback;
    return !text || *flag || text_equal_nocase(text, "false") ||
           err_set_field(err, ERR_BAD_QUERY, name, "the value of '%s' must be true or false", name);
}

bool query_tail(const struct request *request, struct opt_int *tail, struct err *err)
{
    const char *text = request_query(request, "tail");

    *tail = (struct opt_int){.given = text ? GIVEN_VALUE : GIVEN_ABSENT};
    return !text ||
           (text_to_int(text, &tail->value) && tail->value >= 0 && tail->value <= INT32_MAX) ||
           err_set_field(err, ERR_BAD_QUERY, "tail",
                         "the value of 'tail' must be a number from 0 to %d", INT32_MAX);
}

static bool bytes_take(const struct request *request, int64_t *bytes, struct err *err)
{
    const char *text = request_query(request, "bytes");

    return !text || (text_to_int(text, bytes) && *bytes >= 1 && *bytes <= LIMIT_LOG_LARGE_MAX) ||
           err_set_field(err, ERR_BAD_QUERY, "bytes",
                         "the value of 'bytes' must be a number from 1 to %d", LIMIT_LOG_LARGE_MAX);
}

static const char *name_in(const struct container *containers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_equal_nocase(containers[i].name, name))
            return containers[i].name;
    }
    return NULL;
}

/* The container's own spelling of its name. */
bool group_container_find(struct request *request, const struct group_row *row, const char *asked,
                          const char **name, struct err *err)
{
    struct container_group group;
    const struct group_properties *properties;

    if (!group_spec_read(request, row, &group, err))
        return false;
    properties = group.properties;
    *name = name_in(properties->containers, properties->containers_count, asked);
    if (!*name)
        *name = name_in(properties->init_containers, properties->init_containers_count, asked);
    return *name || err_set(err, ERR_CONTAINER_NOT_FOUND,
                            "The container '%.63s' is not found in container group '%.63s'.", asked,
                            row->name);
}

bool group_node_is_there(const struct request *request, int64_t node_key, struct err *err)
{
    const struct api_hooks *hooks = &request->api->hooks;
    struct api_node_room room;

    if (!hooks->node_room ||
        (hooks->node_room(hooks->context, node_key, &room) && room.silent_ms >= 0))
        return true;
    return err_set(err, ERR_NODE_AWAY,
                   "the node that runs this container group does not answer at the moment");
}

/* The node's own words for a failure; its code is one of errors.def. */
static bool node_failed(const struct answer *answer, struct err *err)
{
    return err_set(err, err_code_find(answer->error_code, ERR_INTERNAL), "%s",
                   answer->error_text ? answer->error_text : answer->error_code);
}

static bool answered(struct request *request, struct err *err)
{
    const struct answer *answer = request->wait.answer;

    if (request->wait.end == WAIT_STOPPING)
        return err_set(err, ERR_CLOSED, "the server is stopping");
    if (request->wait.end == WAIT_TOO_LATE)
        return err_set(err, ERR_TIMEOUT,
                       "the node that runs this container group did not answer within %d s",
                       LIMIT_NODE_ANSWER_MS / 1000);
    if (!answer)
        return err_set(err, ERR_INTERNAL, "the node's answer was not understood");
    if (answer->error_code &&
        !text_equal_nocase(answer->error_code, err_code_name(ERR_LOG_NOT_AVAILABLE)))
        return node_failed(answer, err);
    return give(request, answer->content);
}

bool container_logs(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    struct group_row *row;
    struct question *question = ARENA_NEW(request->arena, struct question);

    if (!question)
        return request_full(err);
    if (!query_tail(request, &question->tail, err) ||
        !query_flag(request, "previous", false, &question->previous, err) ||
        !bytes_take(request, &question->bytes_max, err) ||
        !query_flag(request, "timestamps", false, &question->timestamps, err))
        return false;
    tx = store_read(request->api->store, err);
    row = tx ? group_find(request, tx, true, err) : NULL;
    if (!row || !group_container_find(request, row, request->names[3], &question->container, err))
        return false;
    if (row->node_key == 0)
        return give(request, ""); /* nothing ran yet */
    if (!group_node_is_there(request, row->node_key, err))
        return false;
    question->kind = QUESTION_LOGS;
    question->uid = row->uid;
    return wait_answer(request, row->node_key, question, answered);
}
