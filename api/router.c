/* What all calls have in common, in the order in which it is looked at. */
#include "api/router.h"

#include "api/inside.h"
#include "api/refuse.h"
#include "api/request_id.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"

#include <ctype.h>
#include <string.h>

enum { WARNED_SHOWN_MAX = 400 };

/* ---- the path ---- */

/* Compares one segment with one of a route's path; true and *is_name for {…}. */
static bool segment_fits(const char *pattern, size_t size, const char *segment, bool *is_name)
{
    *is_name = pattern[0] == '{';
    return *is_name || (strlen(segment) == size && strncasecmp(pattern, segment, size) == 0);
}

static bool path_fits(const char *pattern, const char *const *segments, size_t count,
                      const char **names, size_t *names_count)
{
    size_t at = 0;

    *names_count = 0;
    while (*pattern) {
        size_t size = strcspn(++pattern, "/");
        bool is_name;
        if (at == count || !segment_fits(pattern, size, segments[at], &is_name))
            return false;
        if (is_name) {
            CHECK(*names_count < NAMES_MAX);
            names[(*names_count)++] = segments[at];
        }
        at++;
        pattern += size;
    }
    return at == count;
}

const struct route *route_find(enum http_method method, const char *const *segments, size_t count,
                               const char **names, size_t *names_count, unsigned *allowed)
{
    *allowed = 0;
    for (size_t i = 0; i < routes_count; i++) {
        if (!path_fits(routes[i].path, segments, count, names, names_count))
            continue;
        if (routes[i].methods & method)
            return &routes[i];
        *allowed |= routes[i].methods;
    }
    return NULL;
}

/* Path and query as texts; the route when there is one, else why not (told only to those who may
 * call). */
static bool uri_take(struct request *request, unsigned *allowed, struct err *err)
{
    const char *segments[SEGMENTS_MAX];
    size_t count;
    size_t path_size = strcspn(request->uri, "?#");
    const char *path = arena_text_n(request->arena, request->uri, path_size);
    const char *query = request->uri[path_size] == '?' ? request->uri + path_size + 1 : "";

    if (!path)
        return request_full(err);
    if (!path_split(path, request->arena, segments, &count, err) ||
        !query_split(query, request->arena, request->query, &request->query_count, err))
        return false;
    request->route = route_find(request->method, segments, count, request->names,
                                &request->names_count, allowed);
    return true;
}

/* ---- the caller ---- */

static const char *bearer(const struct request *request)
{
    const char *value = request_header(request, "Authorization");

    if (!value || strncasecmp(value, "Bearer ", 7) != 0)
        return NULL;
    value += 7;
    return value + strspn(value, " ");
}

/* Tells where to sign in. Our own sentences only: none has a quote or ends the header. */
static bool unauthenticated(struct request *request, const struct err *err)
{
    const struct auth *auth = request->api->auth;

    if (auth)
        reply_header(request, "WWW-Authenticate",
                     "Bearer authorization_uri=\"%s/%s\", error=\"invalid_token\", "
                     "error_description=\"%s\"",
                     request_base(request), auth_tenant(auth), err->text);
    else
        reply_header(request, "WWW-Authenticate",
                     "Bearer realm=\"berth\", error=\"invalid_token\", error_description=\"%s\"",
                     err->text);
    return false;
}

static bool static_token_check(const char *token, const char *hash, struct err *err)
{
    char given[65];

    id_hash(token, given);
    return text_equal_secret(hash, given) ||
           err_set(err, ERR_UNAUTHENTICATED, "Authentication failed. The access token is invalid.");
}

/* A token that was signed here, or the one of the configuration. */
static bool user_check(struct request *request, const char *token, struct err *err)
{
    struct auth *auth = request->api->auth;

    if (auth && auth_is_token(token))
        return auth_check(auth, token, &request->caller, err);
    request->caller.is_operator = true;
    return static_token_check(token, request->settings->token_hash, err);
}

static bool token_check(struct request *request, bool joins, struct err *err)
{
    const char *token = bearer(request);

    if (!token || !token[0]) {
        err_set(err, ERR_TOKEN_MISSING,
                "Authentication failed. The 'Authorization' header is missing.");
        return unauthenticated(request, err);
    }
    bool good = joins ? static_token_check(token, request->settings->join_token_hash, err)
                      : user_check(request, token, err);
    return good || unauthenticated(request, err);
}

static bool node_check(struct request *request, struct err *err)
{
    const char *node = request_header(request, LINK_NODE_HEADER), *credential = bearer(request);
    AUTO(tx) *tx = NULL;

    if (!node || !credential) {
        err_set(err, ERR_UNAUTHENTICATED,
                "A node names itself in '" LINK_NODE_HEADER "' and proves it.");
        return unauthenticated(request, err);
    }
    tx = store_read(request->api->store, err);
    if (!tx)
        return false;
    if (store_node_check(tx, node, credential, &request->node_key, &request->node_epoch, err))
        return true;
    return err->code == ERR_UNAUTHENTICATED ? unauthenticated(request, err) : false;
}

static bool caller_check(struct request *request, struct err *err)
{
    unsigned flags = request->route ? request->route->flags : 0;

    if (flags & ROUTE_OPEN)
        return true;
    if (flags & ROUTE_NODE)
        return node_check(request, err);
    return token_check(request, flags & ROUTE_JOIN, err);
}

/* ---- the rest of the head ---- */

static bool host_check(struct request *request, struct err *err)
{
    const char *host = request_header(request, "Host");

    if (!host || !host_valid(host))
        return err_set(err, ERR_BAD_HEADER, "the Host header is missing or not well-formed");
    request->base = request_base(request);
    return true;
}

bool api_version_check(const char *version, struct err *err)
{
    if (!version || !version[0])
        return err_set(
            err, ERR_API_VERSION_MISSING,
            "The api-version query parameter (?api-version=) is required for all requests.");
    return api_version_valid(version) || err_set(err, ERR_API_VERSION_INVALID,
                                                 "The api-version '%.60s' is invalid. It has the "
                                                 "form yyyy-mm-dd or yyyy-mm-dd-preview.",
                                                 version);
}

static bool subscription_check(struct request *request, struct err *err)
{
    const struct api_subscription *subscription;

    if (!(request->route->flags & ROUTE_SUBSCRIPTION))
        return true;
    subscription = settings_subscription(request->settings, request->names[0]);
    if (!subscription)
        return refuse_subscription(request->names[0], err);
    request->names[0] = subscription->id;
    return true;
}

static bool head_check(struct request *request, struct err *err)
{
    unsigned allowed = 0;

    if (!uri_take(request, &allowed, err) || !host_check(request, err) ||
        !caller_check(request, err))
        return false;
    if (!request->route)
        return allowed ? refuse_method(request, allowed, err) : refuse_path(request, err);
    if (request->route->flags & (ROUTE_NODE | ROUTE_JOIN))
        request->body_max = LIMIT_LINK_MESSAGE_MAX;
    if (request->route->flags & ROUTE_SIGN_IN)
        request->body_max = LIMIT_SIGN_IN_BODY_MAX;
    if ((request->route->flags & ROUTE_ARM) &&
        !api_version_check(request_query(request, "api-version"), err))
        return false;
    return subscription_check(request, err);
}

/* ---- ids, errors, counters ---- */

static bool id_is_plain(const char *text)
{
    size_t size = strnlen(text, 129);

    return size > 0 && size <= 128 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") ==
               size;
}

static void ids_take(struct request *request)
{
    const char *given = request_header(request, "x-ms-correlation-request-id");

    request->correlation_id =
        given && id_is_plain(given) ? arena_text(request->arena, given) : request->id;
}

/* Where it was answered, when, and which call: WESTUS:20260102T030405Z:…, as ARM writes it. */
static void routing_give(struct request *request)
{
    const struct settings *settings = request->settings;
    const char *region =
        settings->default_location ? settings->default_location : settings->locations[0].name;
    char time[CLOCK_TEXT_SIZE], value[160];
    size_t size = 0;

    clock_text(clock_now_ms(), time);
    for (const char *at = region; *at && size < 64; at++)
        value[size++] = (char)toupper((unsigned char)*at);
    value[size++] = ':';
    for (const char *at = time; *at; at++) {
        if (*at != '-' && *at != ':')
            value[size++] = *at;
    }
    value[size] = '\0';
    reply_header(request, "x-ms-routing-request-id", "%s:%s", value, request->id);
}

/* Only those who came over TLS may be told to stay with it. */
static void transport_give(struct request *request)
{
    if (text_has_prefix(request_base(request), "https:"))
        reply_header_kept(request, "Strict-Transport-Security",
                          "max-age=31536000; includeSubDomains");
}

static void ids_give(struct request *request)
{
    const char *client = request_header(request, "x-ms-client-request-id");

    reply_header_kept(request, "x-ms-request-id", request->id);
    reply_header_kept(request, "x-ms-correlation-request-id",
                      request->correlation_id ? request->correlation_id : request->id);
    routing_give(request);
    if (client && id_is_plain(client))
        reply_header_kept(request, "x-ms-client-request-id", client);
}

/* Berth does not count calls by subscription; clients of ARM expect to be told that there is room.
 */
static void room_give(struct request *request)
{
    const char *name = "x-ms-ratelimit-remaining-subscription-writes";

    if (!request->route || !(request->route->flags & ROUTE_ARM))
        return;
    if (!(request->route->flags & ROUTE_SUBSCRIPTION)) /* those of the tenant only read */
        name = "x-ms-ratelimit-remaining-tenant-reads";
    else if (request->method & (HTTP_GET | HTTP_HEAD))
        name = "x-ms-ratelimit-remaining-subscription-reads";
    else if (request->method == HTTP_DELETE)
        name = "x-ms-ratelimit-remaining-subscription-deletes";
    reply_header(request, name, "%d", LIMIT_CALLS_REMAINING);
}

/* Names come from the client: what could end the header's text does not go in. */
static void words_join(const struct text_list *words, const char *between, struct text *out)
{
    size_t max = out->size + WARNED_SHOWN_MAX;

    for (size_t i = 0; i < words->count && out->size < max; i++) {
        text_add(out, i > 0 ? between : "");
        for (const char *at = words->items[i]; *at && out->size < max; at++)
            text_add_char(out, *at >= 0x20 && *at < 0x7F && *at != '"' && *at != '\\' ? *at : '?');
    }
}

static void warn(struct text *out, const char *what, const struct text_list *words,
                 const char *between)
{
    if (words->count == 0)
        return;
    text_addf(out, "%s299 berth \"%s", out->size > 0 ? ", " : "", what);
    words_join(words, between, out);
    text_add_char(out, '"');
}

/* What was passed over, by name, and what is worth a word. */
static void warnings_give(struct request *request)
{
    const struct problems *problems = &request->problems;

    if (problems->unknown.count + problems->notes.count == 0)
        return;
    AUTO(text) *out = text_new(4 * WARNED_SHOWN_MAX);
    if (!out)
        return;
    warn(out, "unknown properties are ignored: ", &problems->unknown, ", ");
    warn(out, "", &problems->notes, "; ");
    if (text_ok(out))
        reply_header(request, "Warning", "%s", out->bytes);
}

static void failure_log(const struct request *request, const struct err *err)
{
    if (request->reply.status >= 500 && err->code != ERR_NOT_IMPLEMENTED)
        log_warn("request_failed", "request=%s uri=%s code=%s text=%s", request->id,
                 LOG_QUOTE(request->uri ? request->uri : ""), err_code_name(err->code),
                 LOG_QUOTE(err->text));
}

static void finish(struct request *request)
{
    if (!text_ok(request->out)) {
        struct err err = {0};
        (void)request_full(&err);
        reply_error(request, &err);
    }
    ids_give(request);
    transport_give(request);
    room_give(request);
    rate_end(request);
    warnings_give(request);
    metric_add(METRIC_http_requests_total, 1);
    if (request->reply.status >= 500)
        metric_add(METRIC_http_errors_5xx_total, 1);
    else if (request->reply.status >= 400)
        metric_add(METRIC_http_errors_4xx_total, 1);
    metric_observe_ns(METRIC_http_request_seconds, clock_boot_ns() - request->begun_ns);
}

static void fail(struct request *request, const struct err *err)
{
    CHECK(err->code != ERR_OK);
    reply_error(request, err);
    failure_log(request, err);
    finish(request);
}

/* ---- what the server calls ---- */

void router_refuse(struct request *request, const struct err *err)
{
    request->refused = true;
    fail(request, err);
}

void router_begin(struct request *request)
{
    struct err err = {0};

    ids_take(request);
    if (!head_check(request, &err))
        router_refuse(request, &err);
}

static bool nothing(struct tx *tx UNUSED, void *data UNUSED, struct err *err UNUSED)
{
    return true;
}

static bool settled(struct request *request, struct err *err)
{
    return wait_committed(request, err);
}

/* What readers see may not be on the disk yet. Who asked for a change and is told that it is as asked, without a commit
 * of its own, is told so when it is. Nodes compare what they were told with what stands when they join. */
static bool must_settle(const struct request *request)
{
    return !(request->method & (HTTP_GET | HTTP_HEAD)) && !request->committed &&
           request->reply.status < 300 && !(request->route->flags & ROUTE_NODE) &&
           !store_settled(request->api->store);
}

static bool step(struct request *request, handler_fn handler)
{
    struct err err = {0};

    request->wait.kind = WAIT_NONE;
    if (!handler(request, &err)) {
        request->wait.kind = WAIT_NONE;
        fail(request, &err);
        return true;
    }
    if (request->wait.kind == WAIT_NONE && must_settle(request))
        (void)wait_commit(request, nothing, settled);
    if (request->wait.kind != WAIT_NONE)
        return false;
    finish(request);
    return true;
}

static bool refuse_to_begin(struct request *request UNUSED, struct err *err)
{
    return err_set(err, ERR_CLOSED, "the server is stopping");
}

bool router_run(struct request *request)
{
    if (atomic_load(&request->api->refusing))
        return step(request, refuse_to_begin);
    request->begun_ns = clock_boot_ns();
    return step(request, request->route->handler);
}

bool router_resume(struct request *request)
{
    request->committed = request->committed || request->wait.kind == WAIT_COMMIT;
    return step(request, request->wait.then);
}
