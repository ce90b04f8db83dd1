/* Resource groups: shown and listed. Putting: resource_groups_put.c; deleting: resource_groups_delete.c. */
#include "api/filter.h"
#include "api/handlers/arm.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

void resource_group_print(const struct resource_group_row *row, struct text *out)
{
    text_addf(out, "{\"id\":\"/subscriptions/%s/resourceGroups/", row->subscription);
    text_add(out, row->name);
    text_add(out, "\",\"name\":");
    text_add_json(out, row->name);
    text_add(out, ",\"type\":\"" RESOURCE_TYPE_RESOURCE_GROUP "\",\"location\":");
    text_add_json(out, row->location);
    if (row->managed_by) {
        text_add(out, ",\"managedBy\":");
        text_add_json(out, row->managed_by);
    }
    text_add(out, ",\"tags\":");
    text_add(out, row->tags && row->tags[0] ? row->tags : "{}");
    text_addf(out, ",\"properties\":{\"provisioningState\":\"%s\"}}",
              row->deleting ? "Deleting" : "Succeeded");
}

struct resource_group_row *resource_group_get(struct request *request, struct tx *tx,
                                              struct err *err)
{
    struct resource_group_row *row =
        store_resource_group_find(tx, request->names[0], request->names[1], request->arena, err);

    if (!row && err->code == ERR_OK)
        err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND, "Resource group '%.90s' could not be found.",
                request->names[1]);
    return row;
}

void tags_print(const struct text_map *tags, struct text *out)
{
    text_add(out, "{");
    for (size_t i = 0; i < tags->count; i++) {
        text_add(out, i > 0 ? "," : "");
        text_add_json(out, tags->items[i].key);
        text_add(out, ":");
        text_add_json(out, tags->items[i].value ? tags->items[i].value : "");
    }
    text_add(out, "}");
}

const char *tags_text(const struct text_map *tags, struct arena *arena)
{
    AUTO(text) *out = text_new(LIMIT_HTTP_BODY_MAX);

    if (!out)
        return NULL;
    tags_print(tags, out);
    return text_ok(out) ? arena_text_n(arena, out->bytes, out->size) : NULL;
}

/* ---- showing ---- */

bool resource_group_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct resource_group_row *row = tx ? resource_group_get(request, tx, err) : NULL;

    if (!row)
        return false;
    if (request->method == HTTP_HEAD)
        return reply_empty(request, 204);
    resource_group_print(row, request->out);
    return reply_json(request, 200);
}

/* Only tags can be asked for, and one of them. */
static bool question_take(struct request *request, struct resource_group_question *question,
                          struct err *err)
{
    const char *text = request_query(request, "$filter");
    const struct filter_term *tag;
    struct filter filter;

    *question = (struct resource_group_question){.subscription = request->names[0]};
    if (!text)
        return true;
    if (!filter_parse(text, FILTER_TAGS, request->arena, &filter, err))
        return false;
    tag = filter_must(&filter, FILTER_TAG_NAME);
    if (filter.count > (tag && tag->tag_value ? 2u : tag ? 1u : 0u))
        return err_set(err, ERR_FILTER,
                       "Invalid $filter '%.120s' specified in the query string: here it is tagName "
                       "eq '…', with tagValue eq '…' or without.",
                       text);
    question->tag = tag ? tag->text : NULL;
    question->value = tag ? tag->tag_value : NULL;
    return true;
}

bool resource_group_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    struct resource_group_question question;
    struct resource_group_page rows;
    struct page page;

    if (!page_take(request, 'r', &page, err) || !question_take(request, &question, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_resource_group_list(tx, &question, page.after_key, page.rows_max,
                                          request->arena, &rows, err))
        return false;
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < rows.count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        resource_group_print(&rows.rows[i], request->out);
    }
    text_add(request->out, "]");
    page_link(request, 'r', rows.next_key);
    text_add(request->out, "}");
    return reply_json(request, 200);
}
