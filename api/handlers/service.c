/* Calls about the server itself. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/router.h"
#include "base/metrics.h"

static bool plain(struct request *request, int status, const char *text)
{
    text_clear(request->out);
    text_add(request->out, text);
    request->reply.content_type = "text/plain; charset=utf-8";
    return reply_json(request, status);
}

bool health_show(struct request *request, struct err *err UNUSED)
{
    return plain(request, 200, "ok\n");
}

static bool nothing(struct tx *tx UNUSED, void *data UNUSED, struct err *err UNUSED)
{
    return true;
}

static bool writer_answered(struct request *request, struct err *err)
{
    if (!wait_committed(request, err))
        return err_add(err, "the store does not write");
    return plain(request, 200, "ready\n");
}

/* Ready: the scheduler has its picture and the store's writer takes work. */
bool ready_show(struct request *request, struct err *err)
{
    const struct api_hooks *hooks = &request->api->hooks;

    if (hooks->ready && !hooks->ready(hooks->context))
        return err_set(err, ERR_BUSY, "the scheduler is not running yet");
    return wait_commit(request, nothing, writer_answered);
}

bool metrics_show(struct request *request, struct err *err UNUSED)
{
    text_clear(request->out);
    metrics_print(request->out);
    request->reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply_json(request, 200);
}

bool not_yet(struct request *request, struct err *err)
{
    return err_set(err, ERR_NOT_IMPLEMENTED, "%s is part of the contract and not implemented yet",
                   request->route->operation);
}
