#include "api/refuse.h"

#include "api/handlers/providers.h"
#include "api/router.h"
#include "base/id.h"

#include <string.h>

static const struct {
    enum http_method method;
    const char *name;
} method_names[] = {
    {HTTP_GET, "GET"},   {HTTP_HEAD, "HEAD"},   {HTTP_PUT, "PUT"},
    {HTTP_POST, "POST"}, {HTTP_PATCH, "PATCH"}, {HTTP_DELETE, "DELETE"},
};

struct path {
    const char *segments[SEGMENTS_MAX];
    size_t count;
};

static bool segment_is(const struct path *path, size_t index, const char *word)
{
    return index < path->count && text_equal_nocase(path->segments[index], word);
}

/* ---- subscriptions ---- */

bool refuse_subscription(const char *id, struct err *err)
{
    if (!id_valid(id))
        return err_set(err, ERR_SUBSCRIPTION_ID,
                       "The provided subscription identifier '%.60s' is malformed or invalid.", id);
    return err_set(err, ERR_SUBSCRIPTION_NOT_FOUND, "The subscription '%.60s' could not be found.",
                   id);
}

/* ---- providers and their types ---- */

/* The type behind a provider: every second segment, names left out. */
static void type_print(const struct path *path, size_t at, struct text *out)
{
    for (size_t i = at; i < path->count; i += 2) {
        text_add(out, i > at ? "/" : "");
        text_add_cut(out, path->segments[i], strlen(path->segments[i]));
    }
}

static bool refuse_type(const struct request *request, const struct path *path, size_t at,
                        const struct provider *provider, struct err *err)
{
    AUTO(text) *type = text_new(100);
    const char *version = request_query(request, "api-version");

    if (!type)
        return request_full(err);
    type_print(path, at, type);
    return err_set(err, ERR_RESOURCE_TYPE,
                   "The resource type '%s' could not be found in the namespace '%s' for api "
                   "version '%.40s'.",
                   type->bytes, provider->namespace, version ? version : "");
}

/* `at` is the segment behind "providers". */
static bool refuse_provider(const struct request *request, const struct path *path, size_t at,
                            struct err *err)
{
    const struct provider *provider = provider_find(path->segments[at]);

    if (!provider)
        return err_set(err, ERR_NAMESPACE, "The resource namespace '%.100s' is invalid.",
                       path->segments[at]);
    return refuse_type(request, path, at + 1, provider, err);
}

/* ---- the whole path ---- */

/* One past the last "providers", as the path's last provider is the one that is asked; 0: none. */
static size_t provider_at(const struct path *path)
{
    for (size_t at = path->count; at-- > 1;) {
        if (segment_is(path, at - 1, "providers"))
            return at;
    }
    return 0;
}

static bool is_arm(const struct path *path, const char *version)
{
    return segment_is(path, 0, "subscriptions") || segment_is(path, 0, "providers") ||
           segment_is(path, 0, "tenants") || version;
}

static bool nothing_there(const struct request *request, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "there is nothing at '%.150s'", request->uri);
}

static bool refuse_arm(const struct request *request, const struct path *path, struct err *err)
{
    size_t provider = provider_at(path);

    if (!segment_is(path, 0, "subscriptions")) {
        if (provider == 1)
            return refuse_provider(request, path, provider, err);
        return err_set(err, ERR_SUBSCRIPTION_MISSING,
                       "The request did not have a subscription or a valid tenant level resource "
                       "provider.");
    }
    if (path->count > 1 && !settings_subscription(request->settings, path->segments[1]))
        return refuse_subscription(path->segments[1], err);
    return provider ? refuse_provider(request, path, provider, err) : nothing_there(request, err);
}

bool refuse_path(struct request *request, struct err *err)
{
    const char *version = request_query(request, "api-version");
    const char *text = arena_text_n(request->arena, request->uri, strcspn(request->uri, "?#"));
    struct path path;

    if (!text)
        return request_full(err);
    if (!path_split(text, request->arena, path.segments, &path.count, err))
        return false;
    if (segment_is(&path, 0, "v1") || !is_arm(&path, version))
        return nothing_there(request, err);
    return api_version_check(version, err) && refuse_arm(request, &path, err);
}

bool refuse_method(struct request *request, unsigned allowed, struct err *err)
{
    AUTO(text) *names = text_new(64);
    const char *asked = "";

    for (size_t i = 0; i < COUNT_OF(method_names); i++) {
        if (allowed & method_names[i].method)
            text_addf(names, "%s%s", names && names->size > 0 ? ", " : "", method_names[i].name);
        if (request->method & method_names[i].method)
            asked = method_names[i].name;
    }
    if (!text_ok(names))
        return request_full(err);
    reply_header(request, "Allow", "%s", names->bytes);
    return err_set(err, ERR_METHOD,
                   asked[0] ? "The http method '%s' is not supported here; this path takes %s."
                            : "The http method%s is not supported here; this path takes %s.",
                   asked, names->bytes);
}
