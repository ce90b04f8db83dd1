/* Requests and their pool; what handlers ask of them. Answers: reply.c. */
#include "api/inside.h"
#include "api/request_id.h"
#include "api/router.h"

#include <string.h>

/* ---- the pool ---- */

static void request_free(struct request *request)
{
    if (!request)
        return;
    arena_free(request->arena);
    text_free(request->body);
    text_free(request->out);
    free(request);
}

static struct request *request_new(void)
{
    struct request *request = calloc(1, sizeof *request);

    if (!request)
        return NULL;
    request->arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    request->body = text_new(LIMIT_LINK_MESSAGE_MAX);
    request->out = text_new(LIMIT_REQUEST_ARENA_MAX);
    if (request->arena && request->body && request->out)
        return request;
    request_free(request);
    return NULL;
}

static struct request *spare_take(struct api *api)
{
    WITH_LOCK(&api->spare_lock);
    struct request *request = api->spare;
    if (request) {
        api->spare = request->next_spare;
        api->spare_count--;
    }
    return request;
}

/* Everything but the memory that is kept. */
static void request_reset(struct request *request)
{
    tap_free(TAKE(request->reply.tap));
    struct arena *arena = request->arena;
    struct text *body = request->body, *out = request->out;

    arena_reset(arena);
    text_clear(body);
    text_clear(out);
    memset(request, 0, sizeof *request);
    request->arena = arena;
    request->body = body;
    request->out = out;
}

struct request *request_take(struct api *api)
{
    struct request *request = spare_take(api);

    if (!request)
        request = request_new();
    if (!request)
        return NULL;
    request->api = api;
    request->settings = atomic_load(&api->settings);
    request->begun_ns = clock_boot_ns();
    request->body_max = LIMIT_HTTP_BODY_MAX;
    request->method = HTTP_OTHER;
    problems_init(&request->problems, request->arena);
    request_id_new(request->id);
    return request;
}

static bool spare_keep(struct api *api, struct request *request)
{
    WITH_LOCK(&api->spare_lock);
    if (api->spare_count >= LIMIT_HTTP_SPARE_REQUESTS)
        return false;
    request->next_spare = api->spare;
    api->spare = request;
    api->spare_count++;
    return true;
}

void request_give(struct request *request)
{
    struct api *api = request->api;
    bool large = request->body->capacity > LIMIT_HTTP_SPARE_BYTES ||
                 request->out->capacity > LIMIT_HTTP_SPARE_BYTES;

    request_reset(request);
    if (large || !spare_keep(api, request))
        request_free(request);
}

void requests_drop(struct api *api)
{
    for (struct request *request; (request = spare_take(api)) != NULL;)
        request_free(request);
}

/* ---- asking ---- */

const char *request_header(const struct request *request, const char *name)
{
    return request->transport->header(request, name);
}

const char *request_query(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++) {
        if (text_equal_nocase(request->query[i].key, name))
            return request->query[i].value;
    }
    return NULL;
}

/* What a Content-Type names, without its parameters. */
static bool media_type(const char *type, char *out, size_t size)
{
    return text_format(out, size, "%.*s", (int)strcspn(type, "; \t"), type);
}

static bool is_json(const char *type)
{
    char name[64];

    if (!media_type(type, name, sizeof name))
        return false;
    size_t size = strlen(name);
    return text_equal_nocase(name, "application/json") || text_equal_nocase(name, "text/json") ||
           (size > 5 && text_equal_nocase(name + size - 5, "+json"));
}

static bool has_json_body(const struct request *request, struct err *err)
{
    const char *type = request_header(request, "Content-Type");

    if (type && !is_json(type))
        return err_set(err, ERR_MEDIA_TYPE,
                       "the body is '%.100s'; only 'application/json' is understood", type);
    if (!text_ok(request->body))
        return request_full(err);
    if (request->body->size == 0)
        return err_set(err, ERR_BAD_JSON, "the request has no body; a JSON object is expected");
    return true;
}

bool request_parse_at(struct request *request, const char *contract, const struct schema *schema,
                      void *out, struct err *err)
{
    if (!has_json_body(request, err))
        return false;
    return fields_parse_at(schema, contract, request->body->bytes, request->body->size,
                           request->arena, out, &request->problems) ||
           problems_to_err(&request->problems, err);
}

bool request_parse(struct request *request, const struct schema *schema, void *out, struct err *err)
{
    return request_parse_at(request, NULL, schema, out, err);
}

bool request_read(struct request *request, const struct schema *schema, void *out, struct err *err)
{
    return has_json_body(request, err) &&
           fields_read(schema, request->body->bytes, request->body->size, request->arena, out, err);
}

bool request_form(struct request *request, struct form *form, struct err *err)
{
    const char *type = request_header(request, "Content-Type");
    char name[64];

    if (!type || !media_type(type, name, sizeof name) ||
        !text_equal_nocase(name, "application/x-www-form-urlencoded"))
        return err_set(err, ERR_MEDIA_TYPE,
                       "the body is '%.100s'; only 'application/x-www-form-urlencoded' is "
                       "understood",
                       type ? type : "");
    if (!text_ok(request->body))
        return request_full(err);
    return form_split(request->body->bytes, request->body->size, request->arena, form, err);
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->pairs[i].key, name) == 0)
            return form->pairs[i].value;
    }
    return NULL;
}

const char *request_peer(const struct request *request)
{
    char peer[64] = "";

    if (request->transport->peer)
        request->transport->peer(request, peer, sizeof peer);
    const char *kept = arena_text(request->arena, peer);
    return kept ? kept : "";
}

/* Whether the Host header is fit for a link was checked by router_begin(). */
const char *request_base(const struct request *request)
{
    const char *host = request_header(request, "Host");
    char base[300];

    if (request->base)
        return request->base;
    if (request->settings->base_url)
        return request->settings->base_url;
    (void)text_format(base, sizeof base, "%s://%s", request->api->tls ? "https" : "http",
                      host ? host : "localhost");
    const char *kept = arena_text(request->arena, base);
    return kept ? kept : "";
}
