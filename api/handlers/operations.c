/* The operation behind Azure-AsyncOperation: always 200, the state is in the body; its events come
 * with it while it runs. And the same behind Location: 202 while it runs, then what it gave.
 *
 * A question for one that runs is held for a while: pollers ask at once and then sleep for a whole
 * second or more, but most starts take some thirty milliseconds. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

struct operation_error {
    const char *code, *message;
};
struct operation_properties {
    struct event *events;
    size_t events_count;
};
struct operation_view {
    const char *id, *name, *status, *start_time, *end_time;
    struct operation_properties *properties;
    struct operation_error *error;
};

/* clang-format off */
static const struct field error_fields[] = {
    FIELD(struct operation_error, code, "code"),
    FIELD(struct operation_error, message, "message"),
};
static const struct schema error_schema = SCHEMA("OperationError", struct operation_error, error_fields, "Why it failed.");

static const struct field properties_fields[] = {
    FIELD_ITEMS(struct operation_properties, events, "events", &event_schema, .flags = FIELD_PRINT_EMPTY),
};
static const struct schema properties_schema =
    SCHEMA("OperationProperties", struct operation_properties, properties_fields, "What happened so far.");

static const struct field view_fields[] = {
    FIELD(struct operation_view, id, "id", .doc = "Of the container group."),
    FIELD(struct operation_view, name, "name", .doc = "Of the operation."),
    FIELD(struct operation_view, status, "status", .doc = "Pending, Succeeded, Failed or Canceled."),
    FIELD(struct operation_view, start_time, "startTime"),
    FIELD(struct operation_view, end_time, "endTime"),
    FIELD_STRUCT(struct operation_view, properties, "properties", &properties_schema),
    FIELD_STRUCT(struct operation_view, error, "error", &error_schema),
};
const struct schema operation_schema = SCHEMA("Operation", struct operation_view, view_fields, "A long-running operation.");
/* clang-format on */

static bool add_events(struct event *all, size_t max, size_t *count, const struct event *more,
                       size_t more_count)
{
    for (size_t i = 0; i < more_count && *count < max; i++)
        all[(*count)++] = more[i];
    return true;
}

/* Events of the group and of its containers (§19.4). */
static bool events_take(struct request *request, struct tx *tx,
                        const struct operation_row *operation,
                        struct operation_properties *properties, struct err *err)
{
    const size_t max = (size_t)LIMIT_EVENTS_MAX * 10;
    struct group_row *row = store_group_get(tx, operation->group_key, false, request->arena, err);
    struct group_status *status;
    struct event *own;
    size_t own_count;

    if (!row)
        return err->code == ERR_OK || err->code == ERR_NOT_FOUND;
    if (!group_status_take(request, row, &status, err) ||
        !group_events_take(request, row, status, &own, &own_count, err))
        return false;
    properties->events = arena_array(request->arena, max, sizeof *properties->events);
    if (!properties->events)
        return request_full(err);
    add_events(properties->events, max, &properties->events_count, own, own_count);
    for (size_t i = 0; status && i < status->containers_count; i++) {
        const struct container_view *view = status->containers[i].view;
        if (view)
            add_events(properties->events, max, &properties->events_count, view->events,
                       view->events_count);
    }
    return true;
}

static struct operation_row *operation_find(struct request *request, struct tx *tx, struct err *err)
{
    struct operation_row *operation =
        store_operation_find(tx, request->names[2], request->arena, err);

    if (operation && text_equal_nocase(operation->subscription, request->names[0]))
        return operation;
    if (operation || err->code == ERR_OK)
        err_set(err, ERR_NOT_FOUND, "The operation '%.60s' could not be found.", request->names[2]);
    return NULL;
}

/* Answers with `tell`, at once or when the operation has ended. */
static bool hold(struct request *request, handler_fn tell, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct operation_row *operation = tx ? operation_find(request, tx, err) : NULL;

    if (!operation)
        return false;
    return operation->status == OPERATION_PENDING
               ? wait_for(request, WAIT_OPERATION, operation->key, LIMIT_OPERATION_WAIT_MS,
                          group_operation_due, tell)
               : tell(request, err);
}

static bool has_failed(const struct operation_row *operation)
{
    return operation->status == OPERATION_FAILED || operation->status == OPERATION_CANCELED;
}

static struct operation_error error_of(const struct operation_row *operation)
{
    return (struct operation_error){
        .code = operation->error_code ? operation->error_code
                                      : operation_status_words[operation->status],
        .message = operation->error_text ? operation->error_text
                                         : "The operation was ended by another one.",
    };
}

/* ---- its state ---- */

static bool tell(struct request *request, const struct operation_row *operation,
                 struct operation_properties *properties)
{
    struct operation_error error = error_of(operation);
    char started[CLOCK_TEXT_SIZE], ended[CLOCK_TEXT_SIZE];

    clock_text_ms(operation->started_ms, started);
    clock_text_ms(operation->ended_ms, ended);
    struct operation_view view = {
        .id = operation->resource,
        .name = operation->id,
        .status = operation_status_words[operation->status],
        .start_time = started,
        .end_time = operation->ended_ms > 0 ? ended : NULL,
        .properties = properties,
        .error = has_failed(operation) ? &error : NULL,
    };
    if (operation->status == OPERATION_PENDING)
        reply_header_kept(request, "Retry-After", "1");
    return reply_value(request, 200, &operation_schema, &view);
}

static bool tell_state(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct operation_row *operation = tx ? operation_find(request, tx, err) : NULL;
    struct operation_properties properties = {0};

    return operation && events_take(request, tx, operation, &properties, err) &&
           tell(request, operation, &properties);
}

bool operation_show(struct request *request, struct err *err)
{
    return hold(request, tell_state, err);
}

/* ---- what it gave ---- */

static bool give_group(struct request *request, struct tx *tx,
                       const struct operation_row *operation, struct err *err)
{
    struct group_row *row = store_group_get(tx, operation->group_key, true, request->arena, err);

    if (!row && err->code != ERR_OK && err->code != ERR_NOT_FOUND)
        return false;
    if (!row || !row->living)
        return err_set(err, ERR_NOT_FOUND, "The container group of operation '%.60s' is gone.",
                       operation->id);
    group_etag_give(request, row);
    return group_print_whole(request, row, request->out, err) && reply_json(request, 200);
}

static bool tell_result(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct operation_row *operation = tx ? operation_find(request, tx, err) : NULL;

    if (!operation)
        return false;
    if (has_failed(operation)) {
        struct operation_error error = error_of(operation);
        return err_set(err, err_code_find(error.code, ERR_CONFLICT), "%s", error.message);
    }
    if (operation->status == OPERATION_PENDING) {
        group_result_header(request, operation->location, operation->id);
        reply_header_kept(request, "Retry-After", "1");
        return reply_empty(request, 202);
    }
    return operation->kind == OPERATION_CREATE || operation->kind == OPERATION_UPDATE
               ? give_group(request, tx, operation, err)
               : reply_empty(request, 204);
}

bool operation_result_show(struct request *request, struct err *err)
{
    return hold(request, tell_result, err);
}
