/* Followed logs of a group as server-sent events. The node writes the events, each with its position as id; a
 * client that comes back with Last-Event-ID goes on behind it. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

/* "name=position;name=position": nothing else goes on to the node. */
static bool position_take(const struct request *request, const char **position, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-=;.:";
    const char *text = request_header(request, "Last-Event-ID");

    *position = text && *text ? text : NULL;
    return !*position ||
           (strlen(text) <= LIMIT_FOLLOW_POSITION_MAX && strspn(text, letters) == strlen(text)) ||
           err_set_field(err, ERR_BAD_HEADER, "Last-Event-ID",
                         "the header Last-Event-ID is none of the ids that were given");
}

static bool names_take(struct request *request, const struct group_row *row, struct text_list *out,
                       struct err *err)
{
    struct container_group group;
    const struct group_properties *properties;
    const char *one = request_query(request, "container"), *name = NULL;

    if (one && !group_container_find(request, row, one, &name, err))
        return false;
    if (!group_spec_read(request, row, &group, err))
        return false;
    properties = group.properties;
    out->items = arena_array(request->arena,
                             properties->containers_count + properties->init_containers_count + 1,
                             sizeof *out->items);
    if (!out->items)
        return request_full(err);
    for (size_t i = 0; !name && i < properties->init_containers_count; i++)
        out->items[out->count++] = properties->init_containers[i].name;
    for (size_t i = 0; !name && i < properties->containers_count; i++)
        out->items[out->count++] = properties->containers[i].name;
    if (name)
        out->items[out->count++] = name;
    return true;
}

static bool question_fill(struct request *request, struct question *question, struct err *err)
{
    bool follow = true;

    if (!query_flag(request, "follow", true, &follow, err) ||
        !query_tail(request, &question->tail, err) ||
        !position_take(request, &question->position, err))
        return false;
    question->ends = !follow;
    return true;
}

bool group_follow(struct request *request, struct err *err)
{
    struct question question = {.kind = QUESTION_FOLLOW};
    AUTO(tx) *tx = NULL;
    struct group_row *row;

    if (!question_fill(request, &question, err))
        return false;
    tx = store_read(request->api->store, err);
    row = tx ? group_find(request, tx, true, err) : NULL;
    if (!row || !names_take(request, row, &question.containers, err))
        return false;
    if (row->node_key == 0)
        return err_set(
            err, ERR_LOG_NOT_AVAILABLE,
            "container group '%.63s' has not been placed on a node yet: there are no logs",
            row->name);
    if (!group_node_is_there(request, row->node_key, err))
        return false;
    question.uid = row->uid;
    question.ends |= group_is_over(row);
    struct stream_ask ask = {row->node_key, row->subscription, &question};
    request->reply.tap = streams_follow(request->api->streams, &ask, err);
    if (!request->reply.tap)
        return false;
    request->reply.content_type = "text/event-stream";
    reply_header(request, "X-Accel-Buffering", "no");
    return reply_empty(request, 200);
}
