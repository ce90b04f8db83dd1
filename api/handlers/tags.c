/* The tags of a resource group or container group, by themselves: shown, put, merged, taken away. */
#include "api/handlers/arm.h"
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "model/tags_check.h"

#include <string.h>

enum tags_operation { TAGS_MERGE, TAGS_REPLACE, TAGS_DELETE };
static const char *const operation_words[] = {"Merge", "Replace", "Delete", NULL};

struct tags_properties {
    struct text_map tags;
};
struct tags_resource {
    const char *id, *name, *type;
    int operation;
    struct tags_properties *properties;
};

/* clang-format off */
static const struct field properties_fields[] = {
    FIELD(struct tags_properties, tags, "tags", .flags = FIELD_PRINT_EMPTY, .max = LIMIT_TAGS_MAX, .code = ERR_TAGS),
};
static const struct schema properties_schema = SCHEMA("Tags", struct tags_properties, properties_fields, "Tags.");

static const struct field tags_fields[] = {
    FIELD(struct tags_resource, id, "id", .flags = FIELD_READ_ONLY),
    FIELD(struct tags_resource, name, "name", .flags = FIELD_READ_ONLY),
    FIELD(struct tags_resource, type, "type", .flags = FIELD_READ_ONLY),
    FIELD_STRUCT(struct tags_resource, properties, "properties", &properties_schema, .flags = FIELD_REQUIRED),
};
const struct schema tags_schema = SCHEMA("TagsResource", struct tags_resource, tags_fields, "The tags of something.");

static const struct field patch_fields[] = {
    FIELD_ENUM(struct tags_resource, operation, "operation", operation_words, .flags = FIELD_REQUIRED, .doc = "Delete takes away those of that name; with a value, only if it has it."),
    FIELD_STRUCT(struct tags_resource, properties, "properties", &properties_schema, .flags = FIELD_REQUIRED),
};
const struct schema tags_patch_schema = SCHEMA("TagsPatchResource", struct tags_resource, patch_fields, "What to do with the tags of something.");
/* clang-format on */

struct tagging {
    enum tags_operation operation;
    struct text_map sent, result;
    const char *scope; /* its id */
};

static bool is_group(const struct request *request)
{
    return request->names_count > 2;
}

/* ---- what it has ---- */

static bool resource_group_tags(struct request *request, const struct resource_group_row *row,
                                struct tagging *tagging, struct err *err)
{
    const char *json = arena_format(request->arena, "{\"tags\":%s}", row->tags);
    struct tags_properties read;

    tagging->scope = arena_format(request->arena, "/subscriptions/%s/resourceGroups/%s",
                                  row->subscription, row->name);
    if (!json || !tagging->scope)
        return request_full(err);
    if (!fields_read(&properties_schema, json, strlen(json), request->arena, &read, err))
        return err_add(err, "while reading the stored tags");
    tagging->result = read.tags;
    return true;
}

static bool group_tags(struct request *request, const struct group_row *row,
                       struct tagging *tagging, struct err *err)
{
    struct container_group group;

    tagging->scope = arena_format(
        request->arena, "/subscriptions/%s/resourceGroups/%s/providers/" RESOURCE_TYPE_GROUP "/%s",
        row->subscription, row->resource_group, row->name);
    if (!tagging->scope)
        return request_full(err);
    if (!group_spec_read(request, row, &group, err))
        return false;
    tagging->result = group.tags;
    return true;
}

/* ---- what it gets ---- */

static struct text_pair *find(struct text_map *tags, const char *name)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (text_equal_nocase(tags->items[i].key, name))
            return &tags->items[i];
    }
    return NULL;
}

static void merge(struct text_map *tags, const struct text_pair *tag)
{
    struct text_pair *old = find(tags, tag->key);

    if (old)
        *old = *tag;
    else
        tags->items[tags->count++] = *tag;
}

static void take_away(struct text_map *tags, const struct text_pair *tag)
{
    struct text_pair *old = find(tags, tag->key);

    if (!old || (tag->value && tag->value[0] && strcmp(tag->value, old->value) != 0))
        return;
    memmove(old, old + 1, (size_t)(&tags->items[tags->count] - (old + 1)) * sizeof *old);
    tags->count--;
}

/* From the tags it has to those it gets. */
static bool apply(struct request *request, struct tagging *tagging, struct err *err)
{
    const struct text_map *sent = &tagging->sent;
    struct text_map result = {.given = true};
    size_t kept = tagging->operation == TAGS_REPLACE ? 0 : tagging->result.count;

    result.items = arena_array(request->arena, kept + sent->count + 1, sizeof *result.items);
    if (!result.items)
        return request_full(err);
    for (; result.count < kept; result.count++)
        result.items[result.count] = tagging->result.items[result.count];
    for (size_t i = 0; i < sent->count; i++) {
        if (tagging->operation == TAGS_DELETE)
            take_away(&result, &sent->items[i]);
        else
            merge(&result, &sent->items[i]);
    }
    if (result.count > (size_t)LIMIT_TAGS_MAX)
        return err_set_field(err, ERR_TAGS, "properties.tags",
                             "Too many tags specified. Requested tag count - '%zu'. Maximum number "
                             "of tags allowed - '%d'.",
                             result.count, (int)LIMIT_TAGS_MAX);
    tagging->result = result;
    return true;
}

static bool retag_resource_group(struct request *request, struct tx *tx, struct err *err)
{
    struct tagging *tagging = request->data;
    struct resource_group_row *row = resource_group_get(request, tx, err);
    bool created;

    if (!row || !resource_group_tags(request, row, tagging, err) || !apply(request, tagging, err))
        return false;
    row->tags = tags_text(&tagging->result, request->arena);
    return row->tags ? store_resource_group_put(tx, row, &created, err) : request_full(err);
}

static bool retag_group(struct request *request, struct tx *tx, struct err *err)
{
    struct tagging *tagging = request->data;
    struct group_row *row = group_find(request, tx, true, err);

    return row && group_tags(request, row, tagging, err) && apply(request, tagging, err) &&
           group_retag(request, tx, row, &tagging->result, err);
}

/* ---- the calls ---- */

static bool answer(struct request *request, const struct tagging *tagging)
{
    text_clear(request->out);
    text_addf(request->out, "{\"id\":\"%s/providers/Microsoft.Resources/tags/default\",",
              tagging->scope);
    text_add(request->out, "\"name\":\"default\",\"type\":\"Microsoft.Resources/tags\","
                           "\"properties\":{\"tags\":");
    tags_print(&tagging->result, request->out);
    text_add(request->out, "}}");
    return reply_json(request, 200);
}

static bool tags_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;

    return is_group(request) ? retag_group(request, tx, err)
                             : retag_resource_group(request, tx, err);
}

static bool tags_done(struct request *request, struct err *err)
{
    if (!wait_committed(request, err))
        return false;
    return request->method == HTTP_DELETE ? reply_empty(request, 200)
                                          : answer(request, request->data);
}

static bool sent_take(struct request *request, const struct schema *schema, struct tagging *tagging,
                      struct err *err)
{
    struct tags_resource sent = {.operation = TAGS_REPLACE};

    if (!request_parse(request, schema, &sent, err))
        return false;
    if (!tags_check(&sent.properties->tags, "properties.tags", &request->problems))
        return problems_to_err(&request->problems, err);
    tagging->operation =
        schema == &tags_patch_schema ? (enum tags_operation)sent.operation : TAGS_REPLACE;
    tagging->sent = sent.properties->tags;
    return true;
}

bool scope_tags_put(struct request *request, struct err *err)
{
    struct tagging *tagging = ARENA_NEW(request->arena, struct tagging);

    request->data = tagging;
    if (!tagging)
        return request_full(err);
    return sent_take(request, request->method == HTTP_PATCH ? &tags_patch_schema : &tags_schema,
                     tagging, err) &&
           wait_commit(request, tags_work, tags_done);
}

bool scope_tags_delete(struct request *request, struct err *err)
{
    struct tagging *tagging = ARENA_NEW(request->arena, struct tagging);

    request->data = tagging;
    if (!tagging)
        return request_full(err);
    tagging->operation = TAGS_REPLACE; /* by none */
    return wait_commit(request, tags_work, tags_done);
}

bool scope_tags_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct tagging tagging = {0};

    if (!tx)
        return false;
    if (is_group(request)) {
        struct group_row *row = group_find(request, tx, true, err);
        if (!row || !group_tags(request, row, &tagging, err))
            return false;
    } else {
        struct resource_group_row *row = resource_group_get(request, tx, err);
        if (!row || !resource_group_tags(request, row, &tagging, err))
            return false;
    }
    return answer(request, &tagging);
}
