/* Resource providers. All that are served are registered, in every subscription and for ever: no client has to wait. */
#include "api/handlers/providers.h"

#include "api/handlers/handlers.h"
#include "api/router.h"

static void print_places(const struct request *request, const struct provider_type *type,
                         struct text *out)
{
    const struct settings *settings = request->settings;

    text_add(out, ",\"locations\":[");
    for (size_t i = 0; type->has_locations && i < settings->locations_count; i++) {
        text_add(out, i > 0 ? "," : "");
        text_add_json(out, settings->locations[i].display_name);
    }
    text_add(out, "]");
}

static void print_type(const struct request *request, const struct provider_type *type,
                       struct text *out)
{
    text_addf(out, "{\"resourceType\":\"%s\"", type->name);
    print_places(request, type, out);
    text_add(out, ",\"apiVersions\":[");
    for (size_t i = 0; type->versions[i]; i++)
        text_addf(out, "%s\"%s\"", i > 0 ? "," : "", type->versions[i]);
    text_addf(out, "],\"defaultApiVersion\":\"%s\",\"capabilities\":\"%s\"}", type->versions[0],
              type->capabilities);
}

static void print_types(const struct request *request, const struct provider *provider,
                        struct text *out)
{
    for (size_t i = 0; i < provider->types_count; i++) {
        text_add(out, i > 0 ? "," : "");
        print_type(request, &provider->types[i], out);
    }
}

static bool in_subscription(const struct request *request)
{
    return (request->route->flags & ROUTE_SUBSCRIPTION) != 0;
}

static void print_provider(const struct request *request, const struct provider *provider,
                           struct text *out)
{
    text_add(out, "{\"id\":\"");
    if (in_subscription(request))
        text_addf(out, "/subscriptions/%s", request->names[0]);
    text_addf(out, "/providers/%s\",\"namespace\":\"%s\"", provider->namespace,
              provider->namespace);
    if (in_subscription(request))
        text_addf(out, ",\"registrationState\":\"Registered\",\"registrationPolicy\":\"%s\"",
                  provider->policy);
    text_add(out, ",\"resourceTypes\":[");
    print_types(request, provider, out);
    text_add(out, "]}");
}

static const struct provider *asked_for(const struct request *request, struct err *err)
{
    const char *namespace = request->names[in_subscription(request) ? 1 : 0];
    const struct provider *provider = provider_find(namespace);

    if (!provider)
        err_set(err, ERR_NAMESPACE, "The resource namespace '%.100s' is invalid.", namespace);
    return provider;
}

bool provider_list(struct request *request, struct err *err UNUSED)
{
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < providers_count; i++) {
        text_add(request->out, i > 0 ? "," : "");
        print_provider(request, &providers[i], request->out);
    }
    text_add(request->out, "]}");
    return reply_json(request, 200);
}

/* Also the answer to register and unregister: neither changes anything. */
bool provider_show(struct request *request, struct err *err)
{
    const struct provider *provider = asked_for(request, err);

    if (!provider)
        return false;
    print_provider(request, provider, request->out);
    return reply_json(request, 200);
}

bool provider_types_list(struct request *request, struct err *err)
{
    const struct provider *provider = asked_for(request, err);

    if (!provider)
        return false;
    text_add(request->out, "{\"value\":[");
    print_types(request, provider, request->out);
    text_add(request->out, "]}");
    return reply_json(request, 200);
}
