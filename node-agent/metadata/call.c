/* What is asked, refused and answered. */
#include "base/text.h"
#include "node-agent/metadata/inside.h"
#include "node-agent/metadata/request.h"

#include <string.h>

enum { BODY_MAX = 65536, OK = 200, WRONG = 400, NOT_FOUND = 404, NOT_ALLOWED = 405, AWAY = 503 };

static const char token_path[] = "/metadata/identity/oauth2/token";

/* Our own sentences: none has a quote in it. */
static void refuse(struct reply *out, int status, const char *why)
{
    out->status = status;
    out->body = text_new(BODY_MAX);
    text_addf(out->body, "{\"error\":\"%s\",\"error_description\":\"%s\"}",
              status == NOT_FOUND ? "not_found"
              : status == AWAY    ? "temporarily_unavailable"
                                  : "invalid_request",
              why);
}

/* NULL: it is a question. A page that a browser in a container was made to fetch has neither the header, nor no trace
 * of a proxy. */
static const char *wrong(const struct request *request)
{
    const char *mark = request_header(request, "Metadata");

    if (!mark || !text_equal_nocase(mark, "true"))
        return "Required metadata header not specified";
    if (request_header(request, "X-Forwarded-For"))
        return "The request came through a proxy";
    if (!request_argument(request, "api-version"))
        return "Required query variable 'api-version' is missing";
    const char *resource = request_argument(request, "resource");
    return resource && *resource ? NULL : "Required query variable 'resource' is missing";
}

static bool question_take(const struct request *request, struct metadata_question *question)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } members[] = {
        {"resource", question->resource, sizeof question->resource},
        {"client_id", question->client_id, sizeof question->client_id},
        {"object_id", question->object_id, sizeof question->object_id},
        {"msi_res_id", question->resource_id, sizeof question->resource_id},
        {"mi_res_id", question->resource_id, sizeof question->resource_id},
    };

    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const char *value = request_argument(request, members[i].name);
        if (value && !text_copy(members[i].out, members[i].size, value))
            return false;
    }
    return true;
}

static void call_free(struct call *call)
{
    free(call->body);
    free(call);
}

static void call_ask(struct place *place, const struct request *request, struct reply *out)
{
    struct metadata *metadata = place->metadata;
    struct call *call = calloc(1, sizeof *call);

    if (!call) {
        refuse(out, AWAY, "The node has no memory");
        return;
    }
    call->metadata = metadata;
    text_copy(call->question.uid, sizeof call->question.uid, place->uid);
    if (!question_take(request, &call->question)) {
        call_free(call);
        refuse(out, WRONG, "A query variable is too long");
        return;
    }
    call->waits = true;
    if (!metadata->ask(metadata->context, &call->question)) {
        call_free(call);
        refuse(out, AWAY, "The plane gives no token at the moment");
        return;
    }
    out->call = call;
}

void call_begin(struct place *place, char *head, struct reply *out)
{
    struct request request;

    *out = (struct reply){0};
    if (!request_read(head, &request)) {
        refuse(out, WRONG, "That is no request of HTTP/1.1");
        return;
    }
    const char *why = wrong(&request);
    if (strcmp(request.path, token_path) != 0)
        refuse(out, NOT_FOUND, "There is only /metadata/identity/oauth2/token here");
    else if (strcmp(request.method, "GET") != 0)
        refuse(out, NOT_ALLOWED, "Only GET is allowed");
    else if (why)
        refuse(out, WRONG, why);
    else
        call_ask(place, &request, out);
}

bool call_take(struct call *call, struct reply *out)
{
    lock_take(&call->metadata->lock);
    bool waits = call->waits;
    lock_release(&call->metadata->lock);
    if (waits)
        return false;
    *out = (struct reply){.status = call->status};
    if (call->body) {
        out->body = text_new(strlen(call->body) + 1);
        text_add(out->body, call->body);
    } else {
        refuse(out, call->status, "The plane gives no token at the moment");
    }
    return true;
}

void call_leave(struct call *call)
{
    struct metadata *metadata = call->metadata;

    lock_take(&metadata->lock);
    call->left = true;
    bool waits = call->waits;
    lock_release(&metadata->lock);
    if (!waits)
        call_free(call);
}

void metadata_answer(struct metadata_question *question, int status, const char *body)
{
    struct call *call = CONTAINER_OF(question, struct call, question);
    struct metadata *metadata = call->metadata;

    lock_take(&metadata->lock);
    call->waits = false;
    call->status = status;
    call->body = body ? strdup(body) : NULL;
    bool left = call->left;
    lock_release(&metadata->lock);
    if (left)
        call_free(call);
    else
        bell_ring(&metadata->bell);
}
