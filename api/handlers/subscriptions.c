/* Subscriptions and locations: both come from the configuration. */
#include "api/handlers/handlers.h"

static void subscription_print(const struct api_subscription *subscription, struct text *out)
{
    text_addf(out, "{\"id\":\"/subscriptions/%s\",\"subscriptionId\":\"%s\",\"displayName\":",
              subscription->id, subscription->id);
    text_add_json(out, subscription->display_name);
    text_add(out, ",\"state\":\"Enabled\",\"managedByTenants\":[]}");
}

bool subscription_list(struct request *request, struct err *err UNUSED)
{
    const struct settings *settings = request->settings;

    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < settings->subscriptions_count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        subscription_print(&settings->subscriptions[i], request->out);
    }
    text_add(request->out, "]}");
    return reply_json(request, 200);
}

bool subscription_show(struct request *request, struct err *err UNUSED)
{
    subscription_print(settings_subscription(request->settings, request->names[0]), request->out);
    return reply_json(request, 200);
}

bool location_list(struct request *request, struct err *err UNUSED)
{
    const struct settings *settings = request->settings;
    struct text *out = request->out;

    text_add(out, "{\"value\":[");
    for (size_t i = 0; i < settings->locations_count; i++) {
        const struct api_location *location = &settings->locations[i];
        text_addf(out, "%s{\"id\":\"/subscriptions/%s/locations/", i > 0 ? "," : "",
                  request->names[0]);
        text_addf(out, "%s\",\"name\":", location->name);
        text_add_json(out, location->name);
        text_add(out, ",\"displayName\":");
        text_add_json(out, location->display_name);
        text_add(out, ",\"regionalDisplayName\":");
        text_add_json(out, location->display_name);
        text_add(out,
                 ",\"metadata\":{\"regionType\":\"Physical\",\"regionCategory\":\"Recommended\"}}");
    }
    text_add(out, "]}");
    return reply_json(request, 200);
}
