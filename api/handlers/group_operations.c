/* What is said of the operations of groups where they begin, and where they stand in the way. */
#include "api/handlers/group.h"
#include "api/inside.h"

static void give_url(struct request *request, const char *header, const char *resource,
                     const char *location, const char *operation_id)
{
    reply_header(request, header,
                 "%s/subscriptions/%s/providers/" RESOURCE_PROVIDER
                 "/locations/%s/%s/%s?api-version=2018-06-01",
                 request_base(request), request->names[0], location, resource, operation_id);
}

void group_operation_header(struct request *request, const char *location, const char *operation_id)
{
    give_url(request, "Azure-AsyncOperation", "operations", location, operation_id);
    reply_header_kept(request, "Retry-After", "1");
}

void group_result_header(struct request *request, const char *location, const char *operation_id)
{
    give_url(request, "Location", "operationresults", location, operation_id);
}

bool group_operation_keep(struct request *request, const struct group_row *row,
                          const char **operation_id, struct err *err)
{
    *operation_id = arena_text(request->arena, row->operation_id ? row->operation_id : "");
    return *operation_id || request_full(err);
}

bool group_operation_ended(struct request *request, int64_t key)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(request->api->store, &err);
    const struct operation_row *operation =
        tx ? store_operation_get(tx, key, request->arena, &err) : NULL;

    return !operation || operation->status != OPERATION_PENDING;
}

bool group_operation_due(struct request *request)
{
    return group_operation_ended(request, request->wait.key);
}

/* What has run for so long will take about as long again: a client that repeats the call ten times
 * asks seldom, and outlasts the pull of an image. */
static int64_t patience_s(const struct operation_row *operation)
{
    int64_t run_s = (clock_now_ms() - operation->started_ms) / 1000;

    return run_s < 1                              ? 1
           : run_s > LIMIT_TRANSITION_RETRY_MAX_S ? LIMIT_TRANSITION_RETRY_MAX_S
                                                  : run_s;
}

bool group_settled(struct request *request, struct tx *tx, const struct group_row *row, int joins,
                   struct operation_row **joined, struct err *err)
{
    struct operation_row *operation;
    char since[CLOCK_TEXT_SIZE];

    *joined = NULL;
    if (row->operation_key == 0)
        return true;
    operation = store_operation_get(tx, row->operation_key, request->arena, err);
    if (!operation)
        return err->code == ERR_OK;
    if (operation->status != OPERATION_PENDING)
        return true;
    if ((int)operation->kind == joins) {
        *joined = operation;
        return true;
    }
    clock_text(operation->started_ms, since);
    request->retry_after_s = patience_s(operation);
    return err_set(err, ERR_TRANSITIONING,
                   "The container group '%.63s' is still transitioning, please retry later. Its "
                   "operation %s (%s) has "
                   "been running since %s.",
                   row->name, operation->id, operation_kind_words[operation->kind], since);
}
