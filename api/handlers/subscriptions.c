/* Subscriptions, locations and the tenant: all come from the configuration. */
#include "api/handlers/handlers.h"

static void subscription_print(const struct settings *settings,
                               const struct api_subscription *subscription, struct text *out)
{
    text_addf(out,
              "{\"id\":\"/subscriptions/%s\",\"subscriptionId\":\"%s\",\"tenantId\":\"%s\","
              "\"displayName\":",
              subscription->id, subscription->id, settings->tenant_id);
    text_add_json(out, subscription->display_name);
    text_add(out, ",\"state\":\"Enabled\",\"subscriptionPolicies\":{\"locationPlacementId\":"
                  "\"Internal_2014-09-01\",\"quotaId\":\"Internal_2014-09-01\",\"spendingLimit\":"
                  "\"Off\"},\"authorizationSource\":\"RoleBased\",\"managedByTenants\":[]}");
}

bool subscription_list(struct request *request, struct err *err UNUSED)
{
    const struct settings *settings = request->settings;

    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < settings->subscriptions_count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        subscription_print(settings, &settings->subscriptions[i], request->out);
    }
    text_add(request->out, "]}");
    return reply_json(request, 200);
}

bool subscription_show(struct request *request, struct err *err UNUSED)
{
    subscription_print(request->settings,
                       settings_subscription(request->settings, request->names[0]), request->out);
    return reply_json(request, 200);
}

bool tenant_list(struct request *request, struct err *err UNUSED)
{
    const char *id = request->settings->tenant_id;

    text_addf(request->out,
              "{\"value\":[{\"id\":\"/tenants/%s\",\"tenantId\":\"%s\",\"tenantCategory\":\"Home\","
              "\"displayName\":\"Berth\",\"domains\":[]}]}",
              id, id);
    return reply_json(request, 200);
}

static void location_print(const char *subscription, const struct api_location *location,
                           struct text *out)
{
    text_addf(out, "{\"id\":\"/subscriptions/%s/locations/", subscription);
    text_addf(out, "%s\",\"name\":", location->name);
    text_add_json(out, location->name);
    text_add(out, ",\"type\":\"Region\",\"displayName\":");
    text_add_json(out, location->display_name);
    text_add(out, ",\"regionalDisplayName\":");
    text_add_json(out, location->display_name);
    text_add(out, ",\"metadata\":{\"regionType\":\"Physical\",\"regionCategory\":\"Recommended\","
                  "\"pairedRegion\":[]}}");
}

bool location_list(struct request *request, struct err *err UNUSED)
{
    const struct settings *settings = request->settings;

    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < settings->locations_count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        location_print(request->names[0], &settings->locations[i], request->out);
    }
    text_add(request->out, "]}");
    return reply_json(request, 200);
}
