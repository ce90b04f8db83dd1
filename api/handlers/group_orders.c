/* Delete, stop, start, restart: what a client orders goes into the store; nodes follow. Delete and
 * stop cut in whatever runs; start and restart join one of their own kind, and wait their turn behind
 * any other (409). */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "base/metrics.h"

struct order {
    struct group_row *row; /* as it was when the request came */
    bool absent;
    bool joined;                 /* one of its kind runs already: nothing is ordered */
    struct quota_limits *limits; /* of a start */
    int64_t operation_key;
    const char *operation_id;
    const char *location;
    int64_t until_ns;
};

typedef bool (*order_fn)(struct tx *tx, struct group_row *row, struct err *err);

/* Takes what the answer needs: the operation that runs from now on, or ran already. */
static bool order_keep(struct request *request, const struct group_row *row, struct err *err)
{
    struct order *order = request->data;

    order->operation_key = row->operation_key;
    order->location = row->location;
    return group_operation_keep(request, row, &order->operation_id, err);
}

/* On the writer's thread: the group as it is now. NULL: there is none (order->absent), or it cannot be had. */
static struct group_row *order_find(struct tx *tx, struct request *request, struct err *err)
{
    struct order *order = request->data;
    struct resource_id id = group_id_of(request);
    struct group_row *row = store_group_find(tx, &id, false, request->arena, err);

    order->absent = !row && err->code == ERR_OK;
    return row;
}

/* The group, ordered to change. */
static bool order_run(struct tx *tx, struct request *request, order_fn give, struct err *err)
{
    const struct order *order = request->data;
    struct group_row *row = order_find(tx, request, err);

    if (!row)
        return order->absent;
    return give(tx, row, err) && order_keep(request, row, err);
}

/* The same for an order that waits its turn, or joins one of its `kind`. */
static bool order_in_turn(struct tx *tx, struct request *request, enum operation_kind kind,
                          order_fn give, struct err *err)
{
    struct order *order = request->data;
    struct group_row *row = order_find(tx, request, err);
    struct operation_row *running;

    if (!row)
        return order->absent;
    if (!group_settled(request, tx, row, (int)kind, &running, err))
        return false;
    order->joined = running != NULL;
    row->limits = order->limits;
    if (order->row)
        row->promised = order->row->promised;
    return (order->joined || give(tx, row, err)) && order_keep(request, row, err);
}

static struct order *order_new(struct request *request, struct err *err)
{
    request->data = ARENA_NEW(request->arena, struct order);
    if (!request->data)
        (void)request_full(err);
    return request->data;
}

static bool answer_missing(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);

    return tx && group_missing(request, tx, err);
}

/* ---- delete ---- */

static bool delete_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    const struct order *order = request->data;
    struct group_row *row = order_find(tx, request, err);

    if (!row)
        return order->absent;
    return group_precondition(request, row, err) && store_group_remove(tx, row, err);
}

static bool delete_done(struct request *request, struct err *err)
{
    const struct order *order = request->data;

    if (!wait_committed(request, err))
        return false;
    if (order->absent)
        return reply_empty(request, 204);
    metric_add(METRIC_groups_deleted_total, 1);
    return reply_json(request, 200); /* printed by group_delete() */
}

/* The answer is the group as it was. */
bool group_delete(struct request *request, struct err *err)
{
    struct order *order = order_new(request, err);
    struct resource_id id = group_id_of(request);
    AUTO(tx) *tx = order ? store_read(request->api->store, err) : NULL;

    if (!tx)
        return false;
    order->row = store_group_find(tx, &id, true, request->arena, err);
    if (!order->row)
        return err->code == ERR_OK ? reply_empty(request, 204) : false;
    if (!group_print_whole(request, order->row, request->out, err) || !rate_take(request, err))
        return false;
    return wait_commit(request, delete_work, delete_done);
}

/* ---- stop ---- */

/* The operation changed, or there is no more time. */
static bool stop_waited(struct request *request, struct err *err UNUSED)
{
    struct order *order = request->data;
    int64_t left_ms = (order->until_ns - clock_boot_ns()) / 1000000;

    if (request->wait.end != WAIT_ENDED || left_ms <= 0 ||
        group_operation_ended(request, order->operation_key))
        return reply_empty(request, 204);
    return wait_for(request, WAIT_OPERATION, order->operation_key, left_ms, group_operation_due,
                    stop_waited);
}

static bool stop_work(struct tx *tx, void *request, struct err *err)
{
    return order_run(tx, request, store_group_stop, err);
}

static bool stop_done(struct request *request, struct err *err)
{
    struct order *order = request->data;

    if (!wait_committed(request, err))
        return false;
    if (order->absent)
        return answer_missing(request, err);
    if (order->operation_key == 0)
        return reply_empty(request, 204);
    order->until_ns = clock_boot_ns() + (int64_t)LIMIT_STOP_WAIT_MS * 1000000;
    return wait_for(request, WAIT_OPERATION, order->operation_key, LIMIT_STOP_WAIT_MS,
                    group_operation_due, stop_waited);
}

/* No operation of its own for clients (§1.9): done when it answers, as far as that can be waited
 * for. */
bool group_stop(struct request *request, struct err *err)
{
    return order_new(request, err) && wait_commit(request, stop_work, stop_done);
}

/* ---- start ---- */

static bool start_work(struct tx *tx, void *request, struct err *err)
{
    return order_in_turn(tx, request, OPERATION_START, store_group_start, err);
}

static bool start_done(struct request *request, struct err *err)
{
    const struct order *order = request->data;
    bool ordered = !order->absent && !order->joined && request->wait.outcome.code == ERR_OK;

    if (!ordered)
        group_admit_undo(request, order->row);
    if (!wait_committed(request, err))
        return false;
    if (order->absent)
        return answer_missing(request, err);
    group_operation_header(request, order->location, order->operation_id);
    return reply_empty(request, 202);
}

/* It counts in the quotas again. */
static bool limits_take(struct request *request, struct order *order, struct err *err)
{
    order->limits = ARENA_NEW(request->arena, struct quota_limits);
    if (!order->limits)
        return request_full(err);
    settings_quotas(request->settings, request->names[0], order->row->location, order->limits);
    return true;
}

/* A group that is over holds nothing: there must be room for it again. */
bool group_start(struct request *request, struct err *err)
{
    struct order *order = order_new(request, err);
    AUTO(tx) *tx = order ? store_read(request->api->store, err) : NULL;

    order = tx ? order : NULL;
    if (!order || !(order->row = group_find(request, tx, false, err)))
        return false;
    if (!limits_take(request, order, err))
        return false;
    if (group_is_over(order->row) && !group_admit(request, order->row, err))
        return false;
    return wait_commit(request, start_work, start_done);
}

/* ---- restart ---- */

static bool restart_work(struct tx *tx, void *request, struct err *err)
{
    return order_in_turn(tx, request, OPERATION_RESTART, store_group_restart, err);
}

static bool restart_done(struct request *request, struct err *err)
{
    const struct order *order = request->data;

    if (!wait_committed(request, err))
        return false;
    if (order->absent)
        return answer_missing(request, err);
    group_operation_header(request, order->location, order->operation_id);
    return reply_empty(request, 204);
}

bool group_restart(struct request *request, struct err *err)
{
    return order_new(request, err) && wait_commit(request, restart_work, restart_done);
}
