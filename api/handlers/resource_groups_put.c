/* Resource groups: made, put anew, changed. */
#include "api/handlers/arm.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "model/group_check.h"
#include "model/tags_check.h"

#include <string.h>

struct tagged_state {
    const char *provisioning_state;
};
struct
    tagged { /* what clients send: a location, tags and who manages it; the rest is passed over */
    const char *id, *name, *type;
    const char *location, *managed_by;
    struct text_map tags;
    struct tagged_state *state;
};

/* clang-format off */
static const struct field tagged_state_fields[] = {
    FIELD(struct tagged_state, provisioning_state, "provisioningState", .flags = FIELD_READ_ONLY, .doc = "Succeeded, or Deleting while it goes."),
};
static const struct schema tagged_state_schema =
    SCHEMA("ResourceGroupProperties", struct tagged_state, tagged_state_fields, "How the resource group stands.");

static const struct field tagged_fields[] = {
    FIELD(struct tagged, id, "id", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, name, "name", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, type, "type", .flags = FIELD_READ_ONLY),
    FIELD(struct tagged, location, "location", .max = 63),
    FIELD(struct tagged, managed_by, "managedBy", .max = LIMIT_MANAGED_BY_MAX, .doc = "The id of what manages it."),
    FIELD(struct tagged, tags, "tags", .flags = FIELD_PRINT_EMPTY, .max = LIMIT_TAGS_MAX, .code = ERR_TAGS),
    FIELD_STRUCT(struct tagged, state, "properties", &tagged_state_schema, .flags = FIELD_READ_ONLY),
};
const struct schema resource_group_schema = SCHEMA("ResourceGroup", struct tagged, tagged_fields, "A set of container groups.");

static const struct field patch_fields[] = {
    FIELD(struct tagged, managed_by, "managedBy", .max = LIMIT_MANAGED_BY_MAX),
    FIELD(struct tagged, tags, "tags", .max = LIMIT_TAGS_MAX, .code = ERR_TAGS),
};
const struct schema resource_group_patch_schema = SCHEMA("ResourceGroupPatchable", struct tagged, patch_fields, "What PATCH may change.");
/* clang-format on */

struct putting {
    struct tagged sent;
    struct resource_group_row row;
    bool stands; /* when it was looked at */
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
    resource_group_print(&putting->row, request->out);
    return reply_json(request, putting->created ? 201 : 200);
}

static bool name_check(const char *name, struct err *err)
{
    char wrong[] = "'.' at the end";

    if (resource_group_name_valid(name))
        return true;
    if (strlen(name) > (size_t)LIMIT_RESOURCE_GROUP_NAME_MAX)
        return err_set(err, ERR_RESOURCE_GROUP_NAME,
                       "The provided resource group name '%.60s…' has more than %d characters.",
                       name, (int)LIMIT_RESOURCE_GROUP_NAME_MAX);
    for (const char *at = name; *at; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') ||
                      (*at >= '0' && *at <= '9') || strchr("-_.()", *at);
        if (!letter) {
            text_format(wrong, sizeof wrong, "'%.*s'", (int)text_utf8_size(at, strlen(at)), at);
            break;
        }
    }
    return err_set(err, ERR_RESOURCE_GROUP_NAME,
                   "The provided resource group name '%.90s' has these invalid characters: %s. The "
                   "name can only be a letter, digit, '-', '.', '(', ')' or '_'.",
                   name, wrong);
}

/* The name as first written stays; whether the location does is looked at when it is written. */
static bool keep_what_stands(struct request *request, struct putting *putting, struct err *err)
{
    struct resource_group_row *row = &putting->row, *old;
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx)
        return false;
    old = store_resource_group_find(tx, row->subscription, row->name, request->arena, err);
    if (!old)
        return err->code == ERR_OK;
    putting->stands = true;
    row->name = old->name;
    if (!row->location)
        row->location = old->location;
    return true;
}

static void add_locations(const struct settings *settings, struct text *out)
{
    for (size_t i = 0; i < settings->locations_count; i++)
        text_addf(out, "%s%s", i > 0 ? "," : "", settings->locations[i].name);
}

static bool location_check(struct request *request, const char *location, struct err *err)
{
    AUTO(text) *names = text_new(100);

    if (!location || !location[0])
        return err_set_field(err, ERR_LOCATION_REQUIRED, "location",
                             "The location property is required for this definition.");
    if (settings_location(request->settings, location))
        return true;
    if (!names)
        return request_full(err);
    add_locations(request->settings, names);
    return err_set_field(err, ERR_RESOURCE_GROUP_PLACE, "location",
                         "The provided location '%.60s' is not available for resource group. List "
                         "of available regions is '%s'.",
                         location,
                         text_ok(names) ? names->bytes : "GET /subscriptions/…/locations");
}

static bool sent_take(struct request *request, const struct schema *schema, struct putting *putting,
                      struct err *err)
{
    struct tagged *sent = &putting->sent;

    if (!request_parse(request, schema, sent, err))
        return false;
    if (!tags_check(&sent->tags, "tags", &request->problems))
        return problems_to_err(&request->problems, err);
    putting->row.subscription = request->names[0];
    putting->row.name = request->names[1];
    putting->row.managed_by = sent->managed_by;
    putting->row.tags = tags_text(&sent->tags, request->arena);
    if (sent->location) {
        putting->row.location = location_normal(sent->location, request->arena);
        if (!putting->row.location)
            return request_full(err);
    }
    return putting->row.tags || request_full(err);
}

bool resource_group_put(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);

    if (!putting)
        return request_full(err);
    request->data = putting;
    return name_check(request->names[1], err) &&
           sent_take(request, &resource_group_schema, putting, err) &&
           keep_what_stands(request, putting, err) &&
           (putting->stands || location_check(request, putting->row.location, err)) &&
           wait_commit(request, put_work, put_done);
}

/* ---- changing ---- */

static bool patch_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct putting *putting = request->data;
    struct resource_group_row *row = resource_group_get(request, tx, err);

    if (!row)
        return false;
    if (putting->sent.tags.given)
        row->tags = putting->row.tags;
    if (putting->sent.managed_by)
        row->managed_by = putting->sent.managed_by;
    if (!store_resource_group_put(tx, row, &putting->created, err))
        return false;
    putting->row = *row;
    return true;
}

bool resource_group_patch(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);

    if (!putting)
        return request_full(err);
    request->data = putting;
    return sent_take(request, &resource_group_patch_schema, putting, err) &&
           wait_commit(request, patch_work, put_done);
}
