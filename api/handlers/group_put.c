/* PUT of a container group: create it, or change the one that stands (group_update.c).
 *
 *     parse, check ─▶ images ─▶ admit ─▶ create ─▶ 201          a new one: no look at the store before
 *                                 │         └ it exists ─┐
 *                                 └ no room ─────────────┴▶ what stands:
 *                             nothing ─▶ 409 ServiceUnavailable (or 404 for its resource group)
 *                             the same, running ─▶ 200, nothing changes
 *                             another, while an operation runs ─▶ 409
 *                             another that may not change so ─▶ 400
 *                             another, or it is over ─▶ update ─▶ 200
 * */
#include "api/handlers/group_put.h"

#include "api/handlers/handlers.h"
#include "api/image_check.h"
#include "api/inside.h"
#include "base/metrics.h"
#include "model/group_check.h"

#include <string.h>

/* ---- what was sent ---- */

/* What the location allows, and the runtime class that follows. */
static bool allowed_take(struct request *request, struct putting *putting,
                         const struct api_location *location, struct err *err)
{
    struct group_permits permits = {location->name, location->privileged, location->runtime_class};

    if (!group_check_allowed(request->names[2], &putting->group, &permits, &request->problems))
        return problems_to_err(&request->problems, err);
    putting->runtime_class = group_runtime_class(&putting->group, &permits);
    return true;
}

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
    return allowed_take(request, putting, location, err);
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

/* The name that a label asks for. */
static bool name_make(struct request *request, struct putting *putting, struct err *err)
{
    const struct group_address *address = putting->group.properties->address;
    struct dns_owner owner = {
        .tenant = request->settings->tenant_id,
        .subscription = request->names[0],
        .resource_group = request->names[1],
        .location = putting->group.location,
    };
    char name[DNS_NAME_SIZE];

    if (!address || !address->dns_name_label)
        return true;
    owner.label = address->dns_name_label;
    owner.scope = address->label_scope;
    if (!dns_name_make(&owner, name))
        return err_set_field(err, ERR_DNS_LABEL, "properties.ipAddress.dnsNameLabel",
                             "The DNS name label '%.63s' does not fit.", owner.label);
    putting->row.dns_name = arena_text(request->arena, name);
    return putting->row.dns_name || request_full(err);
}

/* A public group gets an address of its location's pool; without a pool, ports of its node's own address. */
static bool address_ask(struct request *request, struct putting *putting, struct err *err)
{
    const struct group_address *address = putting->group.properties->address;
    const struct address_pool *pool = settings_pool(request->settings, putting->row.location);

    if (!address || address->type != ADDRESS_PUBLIC)
        return true;
    if (pool) {
        putting->row.pool = address_pool_copy(pool, request->arena);
        return putting->row.pool || request_full(err);
    }
    port_set_of(address, &putting->row.shape.ports);
    return true;
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
        .quota_class = quota_class_of(&putting->group),
        .limits = &putting->limits,
    };
    text_copy(putting->row.shape.runtime_class, sizeof putting->row.shape.runtime_class,
              putting->runtime_class ? putting->runtime_class : "");
    if (!group_disks(request, &putting->group, &putting->row, err))
        return false;
    settings_quotas(request->settings, request->names[0], putting->row.location, &putting->limits);
    return name_make(request, putting, err) && address_ask(request, putting, err) &&
           texts_make(request, putting, err);
}

bool put_take(struct request *request, struct putting *putting, struct err *err)
{
    struct container_group *group = &putting->group;

    return group_read(request, group, err) && put_keep_secrets(request, putting, err) &&
           group_fits(request, group, err) && group_identity_fill(request, group, err) &&
           location_take(request, putting, err) && row_make(request, putting, err);
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

bool put_answer(struct request *request, const struct group_row *row, int status)
{
    text_clear(request->out);
    group_etag_give(request, row);
    group_print(row, request->api->dns_zone, true, request->out);
    return reply_json(request, status);
}

static bool create_done(struct request *request, struct err *err)
{
    struct putting *putting = request->data;
    struct group_row *row = &putting->row;

    if (request->wait.outcome.code == ERR_OK) {
        metric_add(METRIC_groups_created_total, 1);
        group_operation_header(request, row->location, row->operation_id);
        group_result_header(request, row->location, row->operation_id);
        return put_answer(request, row, 201);
    }
    group_admit_undo(request, row);
    if (request->wait.outcome.code == ERR_CONFLICT)
        return put_standing(request, err);
    return wait_committed(request, err);
}

bool put_create(struct request *request, struct putting *putting, struct err *err)
{
    if (!image_check_pins(request, &putting->row.pins, &putting->row.pins_count, err))
        return false;
    if (rate_take(request, &putting->refusal) &&
        group_admit(request, &putting->row, &putting->refusal))
        return wait_commit(request, create_work, create_done);
    return put_standing(request, err);
}

/* ---- the steps ---- */

/* Who names what must stand (If-Match) wants no new one. */
static bool place(struct request *request, struct err *err)
{
    return request_header(request, "If-Match") ? put_standing(request, err)
                                               : put_create(request, request->data, err);
}

/* Whether its images can be had is asked before anything is promised or stopped. */
bool group_put(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);

    if (!putting)
        return request_full(err);
    request->data = putting;
    return put_take(request, putting, err) && image_check(request, &putting->group, place, err);
}
