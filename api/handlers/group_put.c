/* PUT of a container group: create it, or change the one that stands.
 *
 *     parse, check ─▶ images ─▶ admit ─▶ create ─▶ 201            a new one: no look at the store before
 *                                 │         └ it exists ─┐
 *                                 └ no room ─────────────┴▶ what stands:
 *                             nothing ─▶ 409 ServiceUnavailable (or 404 for its resource group)
 *                             the same ─▶ 200, nothing changes
 *                             another, while an operation runs ─▶ 409
 *                             another that may not change so ─▶ 400
 *                             another ─▶ update ─▶ 200
 * */
#include "api/handlers/group.h"
#include "api/handlers/group_change.h"
#include "api/handlers/handlers.h"
#include "api/image_check.h"
#include "api/inside.h"
#include "base/metrics.h"
#include "model/group_check.h"

#include <string.h>

enum { TRIES_MAX = 3 };

struct putting {
    struct container_group group;
    struct group_row row; /* as it is to be */
    const char *secrets;
    struct group_row *old; /* as it stands, when it does */
    bool rerun;            /* the change asks for a new run */
    bool admitted;
    int tries;
    struct err refusal; /* of the scheduler */
};

static bool put_standing(struct request *request, struct err *err);

static bool refused(struct request *request, struct err *err)
{
    return problems_to_err(&request->problems, err);
}

/* ---- what was sent ---- */

static bool location_take(struct request *request, struct putting *putting, struct err *err)
{
    const struct api_location *location;

    if (!putting->group.location || !putting->group.location[0])
        return err_set_field(err, ERR_LOCATION_REQUIRED, "location",
                             "The location property is required for this definition.");
    location = settings_location(request->settings, putting->group.location);
    if (!location)
        return err_set_field(err, ERR_LOCATION_UNAVAILABLE, "location",
                             "The provided location '%.60s' is not available for resource type "
                             "'" RESOURCE_TYPE_GROUP
                             "'. GET /subscriptions/%s/locations lists those that are.",
                             putting->group.location, request->names[0]);
    putting->group.location = location->name;
    return true;
}

/* The document as it is stored, and its secrets apart. */
static bool texts_make(struct request *request, struct putting *putting, struct err *err)
{
    size_t splice = 0;

    text_clear(request->out);
    fields_print_members(&container_group_schema, &putting->group, FIELDS_STORED, request->out,
                         &splice);
    putting->row.spec = text_ok(request->out)
                            ? arena_text_n(request->arena, request->out->bytes, request->out->size)
                            : NULL;
    putting->row.address_at = (int64_t)splice;
    text_clear(request->out);
    fields_secrets(&container_group_schema, &putting->group, request->out);
    putting->secrets = text_ok(request->out)
                           ? arena_text_n(request->arena, request->out->bytes, request->out->size)
                           : NULL;
    text_clear(request->out);
    return (putting->row.spec && putting->secrets) || request_full(err);
}

static bool row_make(struct request *request, struct putting *putting, struct err *err)
{
    putting->row = (struct group_row){
        .subscription = request->names[0],
        .resource_group = request->names[1],
        .name = request->names[2],
        .location = putting->group.location,
        .restart_policy = (enum restart_policy)putting->group.properties->restart_policy,
        .os = (enum os_type)putting->group.properties->os_type,
        .shape = group_shape(&putting->group),
    };
    return texts_make(request, putting, err);
}

static bool sent_take(struct request *request, struct putting *putting, struct err *err)
{
    struct container_group *group = &putting->group;

    if (!request_parse(request, &container_group_schema, group, err))
        return false;
    if (!group_check(request->names[2], group, &request->problems) ||
        !group_check_supported(group, &request->problems))
        return refused(request, err);
    return location_take(request, putting, err) && row_make(request, putting, err);
}

/* ---- a new one ---- */

static bool create_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct putting *putting = request->data;

    putting->row.subscription = request->names[0];
    putting->row.resource_group = request->names[1];
    return store_group_create(tx, &putting->row, putting->secrets, err);
}

static bool answer(struct request *request, const struct group_row *row, int status)
{
    text_clear(request->out);
    group_print(row, true, request->out);
    return reply_json(request, status);
}

static bool create_done(struct request *request, struct err *err)
{
    struct putting *putting = request->data;

    if (request->wait.outcome.code == ERR_OK) {
        metric_add(METRIC_groups_created_total, 1);
        group_operation_header(request, putting->row.location, putting->row.operation_id);
        return answer(request, &putting->row, 201);
    }
    group_admit_undo(request, &putting->row);
    putting->admitted = false;
    if (request->wait.outcome.code == ERR_CONFLICT)
        return put_standing(request, err);
    return wait_committed(request, err);
}

static bool create(struct request *request, struct putting *putting, struct err *err)
{
    putting->admitted = group_admit(request, &putting->row, &putting->refusal);
    if (putting->admitted)
        return wait_commit(request, create_work, create_done);
    return putting->refusal.code == ERR_NO_CAPACITY ? put_standing(request, err) : false;
}

/* ---- one that stands ---- */

static bool update_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct putting *putting = request->data;
    struct group_row *row = group_find(request, tx, false, err);

    if (!row)
        return false;
    if (row->key != putting->old->key || row->generation != putting->old->generation)
        return err_set(err, ERR_TRANSITIONING,
                       "The container group '%.63s' was changed by another call meanwhile, please "
                       "retry later.",
                       row->name);
    row->spec = putting->row.spec;
    row->address_at = putting->row.address_at;
    row->restart_policy = putting->row.restart_policy;
    row->os = putting->row.os;
    row->shape = putting->row.shape;
    if (!store_group_update(tx, row, putting->secrets, putting->rerun, err))
        return false;
    putting->old = row;
    return true;
}

static bool update_done(struct request *request, struct err *err)
{
    struct putting *putting = request->data;

    if (request->wait.outcome.code != ERR_OK && putting->admitted)
        group_admit_undo(request, &putting->row);
    if (!wait_committed(request, err))
        return false;
    if (putting->rerun)
        group_operation_header(request, putting->old->location, putting->old->operation_id);
    return answer(request, putting->old, 200);
}

/* Nothing to do; who sent it twice gets the operation that runs, if one does. */
static bool join(struct request *request, struct tx *tx, const struct group_row *old,
                 struct err *err)
{
    struct operation_row *operation =
        old->operation_key != 0 ? store_operation_get(tx, old->operation_key, request->arena, err)
                                : NULL;

    if (!operation && err->code != ERR_OK)
        return false;
    if (operation && operation->status == OPERATION_PENDING)
        group_operation_header(request, old->location, operation->id);
    return answer(request, old, 200);
}

/* A group that holds nothing needs room for its new run. */
static bool admit_again(struct request *request, struct putting *putting, struct err *err)
{
    enum group_state state = putting->old->state;

    if (!putting->rerun ||
        (state != GROUP_STOPPED && state != GROUP_SUCCEEDED && state != GROUP_FAILED))
        return true;
    putting->admitted = group_admit(request, &putting->row, err);
    return putting->admitted;
}

static bool change_standing(struct request *request, struct tx *tx, struct putting *putting,
                            struct err *err)
{
    struct group_row *old = putting->old;
    struct container_group *stands = ARENA_NEW(request->arena, struct container_group);
    const char *secrets = store_group_secrets(tx, old->key, request->arena, err);
    struct operation_row *joined;
    bool same_secrets;

    if (!stands || !secrets)
        return stands ? false : request_full(err);
    same_secrets = strcmp(secrets, putting->secrets) == 0;
    if (same_secrets && strcmp(old->spec, putting->row.spec) == 0)
        return join(request, tx, old, err);
    if (!group_settled(request, tx, old, JOINS_NONE, &joined, err) ||
        !group_spec_read(request, old, stands, err) ||
        !group_change_check(old->name, stands, &putting->group, &request->problems))
        return request->problems.count > 0 ? refused(request, err) : false;
    putting->rerun =
        !same_secrets || !group_change_is_tags_only(request, old, stands, &putting->group);
    putting->row.name = old->name;
    return admit_again(request, putting, err) && wait_commit(request, update_work, update_done);
}

/* It was there when the store was asked to create it, and is gone now; or it never was, and there
 * is no room. */
static bool nothing_stands(struct request *request, struct tx *tx, struct putting *putting,
                           struct err *err)
{
    if (putting->refusal.code == ERR_OK && putting->tries++ < TRIES_MAX)
        return create(request, putting, err);
    if (!group_missing(request, tx, err) && err->code == ERR_NOT_FOUND &&
        putting->refusal.code != ERR_OK)
        *err = putting->refusal;
    return false;
}

static bool put_standing(struct request *request, struct err *err)
{
    struct putting *putting = request->data;
    struct resource_id id = group_id_of(request);
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx)
        return false;
    putting->old = store_group_find(tx, &id, true, request->arena, err);
    if (putting->old)
        return change_standing(request, tx, putting, err);
    return err->code == ERR_OK ? nothing_stands(request, tx, putting, err) : false;
}

static bool create_sent(struct request *request, struct err *err)
{
    return create(request, request->data, err);
}

bool group_put(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);

    if (!putting)
        return request_full(err);
    request->data = putting;
    return sent_take(request, putting, err) &&
           image_check(request, &putting->group, create_sent, err);
}
