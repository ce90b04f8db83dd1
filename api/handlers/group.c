/* Finding and admitting groups. Showing: group_print.c. Their operations: group_operations.c. */
#include "api/handlers/group.h"

#include "api/inside.h"

struct resource_id group_id_of(const struct request *request)
{
    return (struct resource_id){
        .subscription = request->names[0],
        .resource_group = request->names[1],
        .group = request->names[2],
    };
}

bool group_missing(struct request *request, struct tx *tx, struct err *err)
{
    struct resource_group_row *row =
        store_resource_group_find(tx, request->names[0], request->names[1], request->arena, err);

    if (!row && err->code != ERR_OK)
        return false;
    if (!row)
        return err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND,
                       "Resource group '%.90s' could not be found.", request->names[1]);
    return err_set(err, ERR_NOT_FOUND,
                   "The Resource '" RESOURCE_TYPE_GROUP
                   "/%.90s' under resource group '%.90s' was not found.",
                   request->names[2], row->name);
}

struct group_row *group_find(struct request *request, struct tx *tx, bool with_spec,
                             struct err *err)
{
    struct resource_id id = group_id_of(request);
    struct group_row *row = store_group_find(tx, &id, with_spec, request->arena, err);

    if (!row && err->code == ERR_OK)
        (void)group_missing(request, tx, err);
    return row;
}

bool group_is_over(const struct group_row *row)
{
    return row->state == GROUP_STOPPED || row->state == GROUP_SUCCEEDED ||
           row->state == GROUP_FAILED;
}

/* ---- admission ---- */

const char *milli_text(int64_t milli, struct arena *arena)
{
    int64_t rest = milli % 1000;
    int digits = 3;

    if (rest == 0)
        return arena_format(arena, "%lld", (long long)(milli / 1000));
    for (; rest % 10 == 0; rest /= 10)
        digits--;
    return arena_format(arena, "%lld.%0*lld", (long long)(milli / 1000), digits, (long long)rest);
}

bool group_disks(struct request *request, const struct container_group *group,
                 struct group_row *row, struct err *err)
{
    struct disk_ask found[LIMIT_VOLUMES_MAX], *kept;
    size_t count = local_disks_of(group->properties, found, COUNT_OF(found));

    if (count == 0)
        return true;
    kept = arena_array(request->arena, count, sizeof *kept);
    if (!kept)
        return request_full(err);
    memcpy(kept, found, count * sizeof *kept);
    row->disks = kept;
    row->disks_count = count;
    return true;
}

/* New groups that name no local disk are admitted without a look at the store. */
static bool disk_place(struct request *request, const struct group_row *row,
                       struct disk_place *place, struct err *err)
{
    AUTO(tx) *tx = NULL;

    *place = (struct disk_place){0};
    if (row->disks_count == 0 && row->key == 0)
        return true;
    tx = store_read(request->api->store, err);
    return tx && store_disk_place(tx, row, request->arena, place, err);
}

bool group_admit(struct request *request, struct group_row *row, struct err *err)
{
    const struct api_hooks *hooks = &request->api->hooks;
    struct disk_place place;
    const char *cpu, *memory;
    char why[700] = ""; /* with the service's sentence it fits struct err */

    if (!disk_place(request, row, &place, err))
        return false;
    if (!hooks->admit ||
        hooks->admit(hooks->context, &row->shape, row->os, row->location, place.node_key,
                     &row->promised, why, sizeof why - strlen(place.words)))
        return true;
    cpu = milli_text(row->shape.cpu_milli, request->arena);
    memory = milli_text(memory_milli_gb_from_mib(row->shape.memory_mib), request->arena);
    return err_set(err, ERR_NO_CAPACITY,
                   "The requested resource is not available in the location '%s' at this moment. "
                   "Please retry with a "
                   "different resource request or in another location. Resource requested: '%s' "
                   "CPU '%s' GB memory "
                   "'%s' OS. %s%s",
                   row->location, cpu ? cpu : "?", memory ? memory : "?", os_type_words[row->os],
                   place.words, why);
}

void group_admit_undo(struct request *request, struct group_row *row)
{
    const struct api_hooks *hooks = &request->api->hooks;

    if (hooks->admit_undo && row->promised.promise != 0)
        hooks->admit_undo(hooks->context, row->promised.promise);
    row->promised = (struct promised_place){0};
}
