/* What a subscription holds in a location of its quotas (§21). Cores are whole numbers here: what is held is rounded up,
 * limits are whole. */
#include "api/handlers/handlers.h"
#include "api/inside.h"

struct quota_name_view {
    const char *value, *localized;
};
struct quota_usage_view {
    const char *id, *unit;
    int64_t current, limit;
    struct quota_name_view *name;
};

/* clang-format off */
static const struct field name_fields[] = {
    FIELD(struct quota_name_view, value, "value", .doc = "For programs."),
    FIELD(struct quota_name_view, localized, "localizedValue", .doc = "For people."),
};
static const struct schema name_schema = SCHEMA("UsageName", struct quota_name_view, name_fields, "Which quota.");

static const struct field usage_fields[] = {
    FIELD(struct quota_usage_view, id, "id"),
    FIELD(struct quota_usage_view, unit, "unit", .doc = "Count."),
    FIELD(struct quota_usage_view, current, "currentValue", .doc = "Groups that live; cores that groups hold or wait for, rounded up."),
    FIELD(struct quota_usage_view, limit, "limit"),
    FIELD_STRUCT(struct quota_usage_view, name, "name", &name_schema),
};
const struct schema quota_usage_schema = SCHEMA("QuotaUsage", struct quota_usage_view, usage_fields, "A quota and its use in a location.");
/* clang-format on */

static bool row_print(struct request *request, const struct api_location *location, int quota,
                      int64_t used, int64_t limit, struct err *err)
{
    const struct quota_kind *kind = &quota_kinds[quota];
    struct quota_name_view name = {kind->name, kind->words};
    struct quota_usage_view view = {
        .id =
            arena_format(request->arena,
                         "/subscriptions/%s/providers/" RESOURCE_PROVIDER "/locations/%s/usages/%s",
                         request->names[0], location->name, kind->name),
        .unit = "Count",
        .current = kind->cores ? (used + 999) / 1000 : used,
        .limit = limit,
        .name = &name,
    };

    if (!view.id)
        return request_full(err);
    text_add(request->out, quota > 0 ? "," : "");
    fields_print(&quota_usage_schema, &view, FIELDS_ALL, request->out, NULL);
    return true;
}

bool usages_list(struct request *request, struct err *err)
{
    const struct api_location *location;
    struct quota_limits most;
    struct quota_use use;
    AUTO(tx) *tx = NULL;

    if (!location_of_path(request, "locations/usages", &location, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || !store_quota_use(tx, request->names[0], location->name, &use, err))
        return false;
    settings_quotas(request->settings, request->names[0], location->name, &most);
    text_add(request->out, "{\"value\":[");
    for (int i = 0; i < QUOTA_USES; i++)
        if (!row_print(request, location, i, use.used[i], most.most[i], err))
            return false;
    text_add(request->out, "]}");
    return reply_json(request, 200);
}
