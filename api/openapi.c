/* The document: its head, and each path with its calls. */
#include "api/openapi.h"

#include "api/openapi_inner.h"

#include <string.h>

static const struct {
    enum http_method method;
    const char *name;
} methods[] = {
    {HTTP_GET, "get"},   {HTTP_HEAD, "head"},   {HTTP_PUT, "put"},
    {HTTP_POST, "post"}, {HTTP_PATCH, "patch"}, {HTTP_DELETE, "delete"},
};

bool openapi_shows(const struct route *route)
{
    return (route->flags & (ROUTE_NODE | ROUTE_JOIN)) == 0;
}

static void add_member(struct text *out, const char *name, const char *value)
{
    text_addf(out, ",\"%s\":", name);
    text_add_json(out, value);
}

static void add_body(const struct route *route, struct text *out)
{
    if (route->takes)
        text_addf(out,
                  ",\"requestBody\":{\"required\":true,\"content\":{\"%s\":"
                  "{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}}",
                  route->flags & ROUTE_SIGN_IN ? "application/x-www-form-urlencoded"
                                               : "application/json",
                  route->takes->name);
}

static void add_call(const struct route *route, const char *method, struct text *out)
{
    text_addf(out, "\"%s\":{\"operationId\":\"%s\",\"tags\":[\"%.*s\"]", method, route->operation,
              (int)strcspn(route->operation, "_"), route->operation);
    add_member(out, "summary", route->summary);
    if (route->flags & ROUTE_OPEN)
        text_add(out, ",\"security\":[]");
    if (route->words & (WORD_OPERATION | WORD_LOCATION))
        text_add(out, ",\"x-ms-long-running-operation\":true");
    if (route->words & WORD_LIST)
        text_addf(out, ",\"x-ms-pageable\":{\"nextLinkName\":%s}",
                  route->words & WORD_PAGED ? "\"nextLink\"" : "null");
    openapi_add_parameters(route, out);
    add_body(route, out);
    text_add(out, ",\"responses\":{");
    openapi_add_answers(route, out);
    text_add(out, "}}");
}

/* All calls of the path that `first` is the first line of. */
static void add_path(size_t first, struct text *out)
{
    size_t count = 0;

    text_addf(out, "\"%s\":{", routes[first].path);
    for (size_t i = first; i < routes_count; i++) {
        if (strcmp(routes[i].path, routes[first].path) != 0)
            continue;
        for (size_t j = 0; j < COUNT_OF(methods); j++) {
            if ((routes[i].methods & methods[j].method) == 0)
                continue;
            text_add(out, count++ > 0 ? "," : "");
            add_call(&routes[i], methods[j].name, out);
        }
    }
    text_add(out, "}");
}

static bool seen_before(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (strcmp(routes[i].path, routes[at].path) == 0)
            return true;
    }
    return false;
}

static void add_paths(struct text *out)
{
    size_t count = 0;

    for (size_t i = 0; i < routes_count; i++) {
        if (!openapi_shows(&routes[i]) || seen_before(i))
            continue;
        text_add(out, count++ > 0 ? "," : "");
        add_path(i, out);
    }
}

static void add_head(struct text *out)
{
    text_add(out,
             "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Berth\",\"version\":\"" BERTH_VERSION
             "\",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
    add_member(
        out, "description",
        "Container groups in the shape of Azure Container Instances, and Berth's "
        "own calls under /v1. Property names, enum values and path segments match without "
        "case. Unknown properties are ignored and named in a Warning header; readOnly "
        "properties are ignored in requests, writeOnly ones never returned, required or "
        "not. ETags are those of If-Match and If-None-Match; x-berth-keep-secrets: true on a "
        "PUT keeps the secrets it leaves out. The calls of nodes under /v1/agent are not described "
        "here: they may change "
        "with every release.");
    text_add(out, "},\"servers\":[{\"url\":\"/\",\"description\":\"Where this document "
                  "came from.\"}],\"security\":[{\"bearer\":[]}],\"paths\":{");
}

void openapi_print(struct text *out)
{
    add_head(out);
    add_paths(out);
    text_add(out, "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\","
                  "\"scheme\":\"bearer\",\"description\":\"A token that was given for a client id "
                  "and its secret, or the one of the "
                  "configuration.\"}},");
    openapi_add_components(out);
    text_add(out, "}}");
}
