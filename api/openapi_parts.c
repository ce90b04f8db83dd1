/* What calls have in common: parameters, answers, schemas. */
#include "api/openapi_inner.h"

#include "api/handlers/handlers.h"

#include <string.h>

enum { ARENA_MAX = 1 << 20, FAILURES_FROM = 400 };

#define STRING_ "{\"type\":\"string\"}"
#define TIME_ "{\"type\":[\"string\",\"integer\"]}"
#define BOUNDED_(least, most) "{\"type\":\"integer\",\"minimum\":" #least ",\"maximum\":" #most "}"

/* Those of paths are found by name, the others by what the route says of itself. */
static const struct parameter {
    const char *name, *schema;
    unsigned flags, words; /* of the routes that take it */
    bool required;
    const char *doc;
} parameters[] = {
    {"subscriptionId", "{\"type\":\"string\",\"format\":\"uuid\"}",
     .doc = "One of the configuration."},
    {"resourceGroupName", STRING_,
     .doc = "Letters, digits, '-', '_', '.', '(' and ')'; no '.' last."},
    {"containerGroupName", STRING_, .doc = "Lower case letters, digits and single '-' within."},
    {"containerName", STRING_, .doc = "A container or init container of the group."},
    {"location", STRING_, .doc = "A location of the configuration."},
    {"operationId", STRING_, .doc = "As Azure-AsyncOperation names it."},
    {"virtualNetworkName", STRING_, .doc = "A virtual network."},
    {"subnetName", STRING_, .doc = "A subnet of it."},
    {"containerGroupProfileName", STRING_, .doc = "A template of groups."},
    {"revisionNumber", STRING_, .doc = "A version of it, counted from 1."},
    {"ngroupsName", STRING_, .doc = "A group of groups."},
    {"file", STRING_, .doc = "A file of the page."},
    {"deletion", STRING_, .doc = "As Location names it."},
    {"resourceProviderNamespace", STRING_, .doc = "Like Microsoft.ContainerInstance."},
    {"disk", STRING_, .doc = "The id of a local disk."},
    {"node", STRING_, .doc = "The id of a node."},
    {"tenant", STRING_, .doc = "The tenant's id, or \"adfs\"."},
    {"api-version", "{\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}(-[a-z]+)?$\"}",
     ROUTE_ARM, 0, true, "Like 2023-05-01."},
    {"$top", BOUNDED_(1, 9223372036854775807), 0, WORD_PAGED, false,
     "Items in one page; there is a ceiling."},
    {"$skiptoken", STRING_, 0, WORD_PAGED, false, "Where the page begins: as a nextLink gave it."},
    {"$filter", STRING_, 0, WORD_FILTER, false,
     "Properties compared with texts: tagName eq 'x' and tagValue eq 'y'."},
    {"$expand", STRING_, 0, WORD_EXPAND, false,
     "Any of createdTime, changedTime, provisioningState, with commas between."},
    {"tail", BOUNDED_(0, 2147483647), 0, WORD_LOGS | WORD_EVENTS, false,
     "Only so many last lines."},
    {"timestamps", "{\"type\":\"boolean\"}", 0, WORD_LOGS, false, "A time before each line."},
    {"previous", "{\"type\":\"boolean\"}", 0, WORD_LOGS, false,
     "Of the container's run before this one."},
    {"bytes", BOUNDED_(1, 6291456), 0, WORD_LOGS, false,
     "From the end, at most so many; 4 MB without."},
    {"session", "{\"type\":\"string\",\"format\":\"uuid\"}", .doc = "As webSocketUri names it."},
    {"container", STRING_, 0, WORD_EVENTS, false, "Only this one; all without."},
    {"follow", "{\"type\":\"boolean\"}", 0, WORD_EVENTS, false,
     "Goes on with what is written from now on; true without."},
    {"group", STRING_, 0, WORD_USAGE | WORD_ENDED, true,
     "The id of a container group, of a resource group or of a subscription; of what has ended: of "
     "a subscription."},
    {"subscription", STRING_, 0, WORD_SCOPE, false, "Only what belongs to this subscription."},
    {"resourceGroup", STRING_, 0, WORD_SCOPE, false,
     "Only what belongs to this resource group of it."},
    {"from", TIME_, 0, WORD_USAGE, false, "Unix seconds or RFC 3339; from the beginning without."},
    {"to", TIME_, 0, WORD_USAGE, false, "Unix seconds or RFC 3339; until now without."},
};

static bool in_query(const struct parameter *parameter)
{
    return (parameter->flags | parameter->words) != 0;
}

static bool in_path(const struct route *route, const char *name)
{
    char braced[64];

    return text_format(braced, sizeof braced, "{%s}", name) && strstr(route->path, braced);
}

static bool takes(const struct route *route, const struct parameter *parameter)
{
    return in_query(parameter)
               ? (route->flags & parameter->flags) != 0 || (route->words & parameter->words) != 0
               : in_path(route, parameter->name);
}

/* '$' may not stand in the name of a component. */
static const char *component(const struct parameter *parameter)
{
    return parameter->name + (parameter->name[0] == '$');
}

void openapi_add_parameters(const struct route *route, struct text *out)
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        if (takes(route, &parameters[i]))
            text_addf(out, "%s{\"$ref\":\"#/components/parameters/%s\"}",
                      count++ > 0 ? "," : ",\"parameters\":[", component(&parameters[i]));
    }
    text_add(out, count > 0 ? "]" : "");
}

static void describe_parameters(struct text *out)
{
    text_add(out, "\"parameters\":{");
    for (size_t i = 0; i < COUNT_OF(parameters); i++) {
        const struct parameter *one = &parameters[i];
        text_addf(out, "%s\"%s\":{\"name\":\"%s\",\"in\":\"%s\",\"required\":%s,\"schema\":%s,",
                  i > 0 ? "," : "", component(one), one->name, in_query(one) ? "query" : "path",
                  one->required || !in_query(one) ? "true" : "false", one->schema);
        text_add(out, "\"description\":");
        text_add_json(out, one->doc);
        text_add(out, "}");
    }
    text_add(out, "}");
}

/* ---- answers ---- */

/* "#/components/schemas/" is said by the caller. */
void openapi_add_list_name(const struct route *route, struct text *out)
{
    text_addf(out, "%sListResult", route->gives->name);
}

static void add_schema(const struct route *route, struct text *out)
{
    text_add(out, "{\"$ref\":\"#/components/schemas/");
    if (route->words & WORD_LIST)
        openapi_add_list_name(route, out);
    else
        text_add(out, route->gives->name);
    text_add(out, "\"}");
}

static void add_headers(const struct route *route, int status, struct text *out)
{
    if (route->words & WORD_OPERATION)
        text_add(out, ",\"headers\":{\"Azure-AsyncOperation\":{\"$ref\":"
                      "\"#/components/headers/Azure-AsyncOperation\"}}");
    else if ((route->words & WORD_LOCATION) && status == 202)
        text_add(out, ",\"headers\":{\"Location\":{\"$ref\":\"#/components/headers/Location\"}}");
}

static const char *success_words(int status)
{
    return status == 101   ? "The connection is a WebSocket now."
           : status == 200 ? "Done."
           : status == 201 ? "Created."
           : status == 202 ? "Accepted; it goes on."
           : status == 304 ? "What If-None-Match names is still so."
                           : "Done; there is nothing to say.";
}

static void add_success(const struct route *route, int status, struct text *out)
{
    text_addf(out, "\"%d\":{\"description\":\"%s\"", status, success_words(status));
    add_headers(route, status, out);
    if ((status == 200 || status == 201) && route->gives) {
        text_add(out, ",\"content\":{\"application/json\":{\"schema\":");
        add_schema(route, out);
        text_add(out, "}}");
    } else if (route->words & WORD_ANY) {
        text_add(out, ",\"content\":{\"application/json\":{\"schema\":{}}}");
    } else if (route->words & WORD_NAMES) {
        text_add(out, ",\"content\":{\"application/json\":{\"schema\":"
                      "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}");
    } else if ((route->words & WORD_FILE) && status == 200) {
        text_add(out, ",\"content\":{\"*/*\":{}}");
    } else if (route->words & WORD_EVENTS) {
        text_add(out, ",\"content\":{\"text/event-stream\":{\"schema\":{\"type\":\"string\"}}}");
    } else if (route->words & WORD_TEXT) {
        text_add(out, ",\"content\":{\"text/plain\":{\"schema\":{\"type\":\"string\"}}}");
    }
    text_add(out, "}");
}

static bool names_status(const struct route *route, int status)
{
    char digits[12];

    return text_format(digits, sizeof digits, "%d", status) && strstr(route->answers, digits);
}

/* Failures that follow from what the call is. */
static bool may_fail_with(const struct route *route, int status)
{
    switch (status) {
    case 400:
    case 500:
    case 503:
        return true;
    case 401:
        return (route->flags & ROUTE_OPEN) == 0;
    case 404:
        return (route->flags & ROUTE_SUBSCRIPTION) != 0;
    case 413:
    case 415:
        return route->takes != NULL;
    default:
        return false;
    }
}

void openapi_add_answers(const struct route *route, struct text *out)
{
    for (int status = 101; status < FAILURES_FROM; status++) {
        if (!names_status(route, status))
            continue;
        add_success(route, status, out);
        text_add(out, ",");
    }
    for (int status = FAILURES_FROM; status < 600; status++) {
        if (!names_status(route, status) && !may_fail_with(route, status))
            continue;
        text_addf(out, "\"%d\":{\"$ref\":\"#/components/responses/", status);
        if (route->flags & ROUTE_SIGN_IN)
            text_add(out, "SignInFailure\"},");
        else
            text_addf(out, "Failure%d\"},", status);
    }
    text_addf(out, "\"default\":{\"$ref\":\"#/components/responses/%s\"}",
              route->flags & ROUTE_SIGN_IN ? "SignInFailure" : "Failure");
}

/* ---- failures ---- */

static bool name_came_before(enum err_code code)
{
    for (int at = ERR_OK + 1; at < (int)code; at++) {
        if (err_code_status((enum err_code)at) == err_code_status(code) &&
            strcmp(err_code_name((enum err_code)at), err_code_name(code)) == 0)
            return true;
    }
    return false;
}

/* Appends every code of that status; false when there is none. */
static bool add_codes(int status, struct text *out)
{
    size_t count = 0;

    for (int at = ERR_OK + 1; at < ERR_COUNT; at++) {
        if (err_code_status((enum err_code)at) == status && !name_came_before((enum err_code)at))
            text_addf(out, "%s%s", count++ > 0 ? ", " : "", err_code_name((enum err_code)at));
    }
    return count > 0;
}

static void describe_failure(const char *name, const char *words, const struct schema *schema,
                             struct text *out)
{
    text_addf(out,
              "\"%s\":{\"description\":\"%s\",\"content\":{\"application/json\":{\"schema\":"
              "{\"$ref\":\"#/components/schemas/%s\"}}}}",
              name, words, schema->name);
}

static void describe_failures(struct text *out)
{
    AUTO(text) *codes = text_new(4096);
    char name[24];

    text_add(out, ",\"responses\":{");
    for (int status = FAILURES_FROM; codes && status < 600; status++) {
        text_clear(codes);
        if (!add_codes(status, codes) || !text_ok(codes))
            continue;
        text_format(name, sizeof name, "Failure%d", status);
        describe_failure(name, codes->bytes, &failure_schema, out);
        text_add(out, ",");
    }
    describe_failure("SignInFailure", "In the form of OAuth.", &sign_in_failure_schema, out);
    text_add(out, ",");
    describe_failure("Failure", "Any other failure.", &failure_schema, out);
    text_add(out, "}");
}

/* ---- schemas ---- */

static void describe_list(const struct route *route, struct text *out)
{
    text_add(out, ",\"");
    openapi_add_list_name(route, out);
    text_addf(out,
              "\":{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"array\",\"items\":"
              "{\"$ref\":\"#/components/schemas/%s\"}}%s},\"required\":[\"value\"]}",
              route->gives->name,
              route->words & WORD_PAGED ? ",\"nextLink\":{\"type\":\"string\",\"description\":"
                                          "\"The next page, when there is one.\"}"
                                        : "");
}

static bool list_came_before(size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if ((routes[i].words & WORD_LIST) && routes[i].gives == routes[at].gives)
            return true;
    }
    return false;
}

static void describe_schemas(struct text *out)
{
    AUTO(arena) *arena = arena_new(ARENA_MAX);
    struct text_list seen = {0};

    text_add(out, ",\"schemas\":{");
    if (arena) {
        fields_describe(&failure_schema, out, &seen, arena);
        fields_describe(&sign_in_failure_schema, out, &seen, arena);
    }
    for (size_t i = 0; arena && i < routes_count; i++) {
        if (!openapi_shows(&routes[i]))
            continue;
        if (routes[i].takes)
            fields_describe(routes[i].takes, out, &seen, arena);
        if (routes[i].gives)
            fields_describe(routes[i].gives, out, &seen, arena);
    }
    for (size_t i = 0; i < routes_count; i++) {
        if ((routes[i].words & WORD_LIST) && !list_came_before(i))
            describe_list(&routes[i], out);
    }
    text_add(out, "}");
}

void openapi_add_components(struct text *out)
{
    describe_parameters(out);
    text_add(out, ",\"headers\":{\"Azure-AsyncOperation\":{\"schema\":{\"type\":\"string\","
                  "\"format\":\"uri\"},\"description\":\"The operation that runs, if one does.\"},"
                  "\"Location\":{\"schema\":{\"type\":\"string\",\"format\":\"uri\"},"
                  "\"description\":\"What to ask until it answers 200.\"}}");
    describe_failures(out);
    describe_schemas(out);
}
