/* Resource groups. Deleting one orders the removal of all its container groups; the deletion is
 * polled at a Location that answers 202 until nothing of it is left. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"
#include "model/group_check.h"

struct tagged_state {
    const char *provisioning_state;
};
struct tagged { /* what clients send: a location and tags; the rest is passed over */
    const char *id, *name, *type;
    const char *location;
    struct text_map tags;
    struct tagged_state *state;
};

/* clang-format off */
static const struct field tagged_state_fields[] = {
    FIELD(struct tagged_state, provisioning_state, "provisioningState", .flags = FIELD_READ_ONLY),
};
static const struct schema tagged_state_schema =
    SCHEMA("ResourceGroupProperties", struct tagged_state, tagged_state_fields, "How the resource group stands.");

static const struct field tagged_fields[] = {
    FIELD(struct tagged, id, "id", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, name, "name", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, type, "type", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, location, "location", .max = 63),
    FIELD(struct tagged, tags, "tags", .flags = FIELD_PRINT_EMPTY, .max = LIMIT_TAGS_MAX),
    FIELD_STRUCT(struct tagged, state, "properties", &tagged_state_schema, .flags = FIELD_READ_ONLY),
};
const struct schema resource_group_schema = SCHEMA("ResourceGroup", struct tagged, tagged_fields, "A set of container groups.");
/* clang-format on */

static void print_row(const struct resource_group_row *row, struct text *out)
{
    text_addf(out, "{\"id\":\"/subscriptions/%s/resourceGroups/", row->subscription);
    text_add(out, row->name);
    text_add(out, "\",\"name\":");
    text_add_json(out, row->name);
    text_add(out, ",\"type\":\"Microsoft.Resources/resourceGroups\",\"location\":");
    text_add_json(out, row->location);
    text_add(out, ",\"tags\":");
    text_add(out, row->tags && row->tags[0] ? row->tags : "{}");
    text_add(out, ",\"properties\":{\"provisioningState\":\"Succeeded\"}}");
}

static bool not_found(const char *name, struct err *err)
{
    return err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND, "Resource group '%.90s' could not be found.",
                   name);
}

/* ---- putting ---- */

struct putting {
    struct resource_group_row row;
    bool created;
};

static bool put_work(struct tx *tx, void *data, struct err *err)
{
    struct putting *putting = ((struct request *)data)->data;

    return store_resource_group_put(tx, &putting->row, &putting->created, err);
}

static bool put_done(struct request *request, struct err *err)
{
    struct putting *putting = request->data;

    if (!wait_committed(request, err))
        return false;
    print_row(&putting->row, request->out);
    return reply_json(request, putting->created ? 201 : 200);
}

static const char *tags_text(const struct tagged *tagged, struct arena *arena)
{
    AUTO(text) *out = text_new(LIMIT_HTTP_BODY_MAX);

    text_add(out, "{");
    for (size_t i = 0; i < tagged->tags.count; i++) {
        text_add(out, i > 0 ? "," : "");
        text_add_json(out, tagged->tags.items[i].key);
        text_add(out, ":");
        text_add_json(out, tagged->tags.items[i].value);
    }
    text_add(out, "}");
    return text_ok(out) ? arena_text_n(arena, out->bytes, out->size) : NULL;
}

/* The name as first written stays, and the location may not change. */
static bool keep_what_stands(struct request *request, struct resource_group_row *row,
                             struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct resource_group_row *old;

    if (!tx)
        return false;
    old = store_resource_group_find(tx, row->subscription, row->name, request->arena, err);
    if (!old)
        return err->code == ERR_OK;
    if (row->location && !text_equal_nocase(row->location, old->location))
        return err_set(err, ERR_RESOURCE_GROUP_LOCATION,
                       "Invalid resource group location '%.60s'. The Resource group already exists "
                       "in location "
                       "'%.60s'.",
                       row->location, old->location);
    row->name = old->name;
    row->location = old->location;
    return true;
}

bool resource_group_put(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);
    struct tagged tagged;

    if (!putting)
        return request_full(err);
    if (!resource_group_name_valid(request->names[1]))
        return err_set(err, ERR_BAD_NAME,
                       "The resource group name '%.120s' is invalid. It may have at most %d "
                       "characters: letters, digits, "
                       "'-', '_', '.', '(' and ')', and must not end with '.'.",
                       request->names[1], LIMIT_RESOURCE_GROUP_NAME_MAX);
    if (!request_parse(request, &resource_group_schema, &tagged, err))
        return false;
    request->data = putting;
    putting->row.subscription = request->names[0];
    putting->row.name = request->names[1];
    putting->row.location =
        tagged.location ? location_normal(tagged.location, request->arena) : NULL;
    putting->row.tags = tags_text(&tagged, request->arena);
    if (!putting->row.tags)
        return request_full(err);
    if (!keep_what_stands(request, &putting->row, err))
        return false;
    if (!putting->row.location || !putting->row.location[0])
        return err_set_field(err, ERR_LOCATION_REQUIRED, "location",
                             "The location property is required for this definition.");
    return wait_commit(request, put_work, put_done);
}

/* ---- showing ---- */

bool resource_group_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct resource_group_row *row;

    if (!tx)
        return false;
    row = store_resource_group_find(tx, request->names[0], request->names[1], request->arena, err);
    if (!row)
        return err->code == ERR_OK ? not_found(request->names[1], err) : false;
    if (request->method == HTTP_HEAD)
        return reply_empty(request, 204);
    print_row(row, request->out);
    return reply_json(request, 200);
}

bool resource_group_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    struct resource_group_page rows;
    struct page page;

    if (!page_take(request, 'r', &page, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_resource_group_list(tx, request->names[0], page.after_key, page.rows_max,
                                          request->arena, &rows, err))
        return false;
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < rows.count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        print_row(&rows.rows[i], request->out);
    }
    text_add(request->out, "]");
    page_link(request, 'r', rows.next_key);
    text_add(request->out, "}");
    return reply_json(request, 200);
}

/* ---- deleting ---- */

struct deleting {
    int64_t key; /* 0: there is none */
};

static bool delete_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct deleting *deleting = request->data;
    const struct resource_group_row *row =
        store_resource_group_find(tx, request->names[0], request->names[1], request->arena, err);
    bool existed;

    deleting->key = row ? row->key : 0;
    if (!row)
        return err->code == ERR_OK;
    return store_resource_group_delete(tx, request->names[0], request->names[1], &existed, err);
}

static bool accepted(struct request *request, int64_t key)
{
    reply_header(request, "Location",
                 "%s/subscriptions/%s/operationresults/%llx?api-version=2021-04-01",
                 request_base(request), request->names[0], (unsigned long long)key);
    reply_header(request, "Retry-After", "1");
    return reply_empty(request, 202);
}

static bool delete_done(struct request *request, struct err *err)
{
    const struct deleting *deleting = request->data;

    if (!wait_committed(request, err))
        return false;
    return deleting->key != 0 ? accepted(request, deleting->key)
                              : not_found(request->names[1], err);
}

bool resource_group_delete(struct request *request, struct err *err)
{
    request->data = ARENA_NEW(request->arena, struct deleting);
    return request->data ? wait_commit(request, delete_work, delete_done) : request_full(err);
}

/* What the Location names: the resource group's key, in hexadecimal. */
bool resource_group_deletion_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    bool present = false;
    int64_t key;

    if (!key_parse(request->names[1], &key))
        return err_set(err, ERR_NOT_FOUND, "The deletion '%.40s' could not be found.",
                       request->names[1]);
    tx = store_read(request->api->store, err);
    if (!tx || !store_resource_group_present(tx, key, &present, err))
        return false;
    return present ? accepted(request, key) : reply_empty(request, 200);
}
