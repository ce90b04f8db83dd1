/* Deleting resource groups: 202 and a Location, which answers 202 until nothing of it is left that could still run. */
#include "api/handlers/arm.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

struct deleting {
    int64_t key; /* 0: there is none */
};

static bool delete_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct deleting *deleting = request->data;

    return store_resource_group_delete(tx, request->names[0], request->names[1], &deleting->key,
                                       err);
}

/* What the Location names is the resource group's key, in hexadecimal. */
static bool accepted(struct request *request, int64_t key)
{
    reply_header(request, "Location",
                 "%s/subscriptions/%s/operationresults/%llx?api-version=2021-04-01",
                 request_base(request), request->names[0], (unsigned long long)key);
    reply_header_kept(request, "Retry-After", "1");
    return reply_empty(request, 202);
}

static bool delete_done(struct request *request, struct err *err)
{
    const struct deleting *deleting = request->data;

    if (!wait_committed(request, err))
        return false;
    if (deleting->key != 0)
        return accepted(request, deleting->key);
    return err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND, "Resource group '%.90s' could not be found.",
                   request->names[1]);
}

bool resource_group_delete(struct request *request, struct err *err)
{
    request->data = ARENA_NEW(request->arena, struct deleting);
    return request->data ? wait_commit(request, delete_work, delete_done) : request_full(err);
}

bool resource_group_deletion_show(struct request *request, struct err *err)
{
    enum deletion deletion = DELETION_NONE;
    AUTO(tx) *tx = NULL;
    int64_t key = 0;

    if (key_parse(request->names[1], &key)) {
        tx = store_read(request->api->store, err);
        if (!tx || !store_resource_group_deletion(tx, request->names[0], key, &deletion, err))
            return false;
    }
    if (deletion == DELETION_NONE)
        return err_set(err, ERR_NOT_FOUND, "The deletion '%.40s' could not be found.",
                       request->names[1]);
    return deletion == DELETION_GOES_ON ? accepted(request, key) : reply_empty(request, 200);
}
