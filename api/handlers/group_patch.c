/* PATCH: only tags take effect (§1.6), all of them at once as ARM has it: those that are not sent
 * are gone. The group keeps running. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "model/tags_check.h"

struct patch {
    struct text_map tags;
};

/* clang-format off */
static const struct field patch_fields[] = {
    FIELD(struct patch, tags, "tags", .max = LIMIT_TAGS_MAX, .code = ERR_TAGS),
};
const struct schema patch_schema = SCHEMA("Resource", struct patch, patch_fields, "What PATCH may change.");
/* clang-format on */

struct patching {
    struct patch patch;
    struct group_row *row;
};

/* The spec is read, changed and printed on the writer's thread: whatever was changed meanwhile
 * stays. */
bool group_retag(struct request *request, struct tx *tx, struct group_row *row,
                 const struct text_map *tags, struct err *err)
{
    struct container_group group;
    size_t splice = 0;

    if (!group_spec_read(request, row, &group, err))
        return false;
    group.tags = *tags;
    text_clear(request->out);
    fields_print_members(&container_group_schema, &group, FIELDS_STORED, request->out, &splice);
    row->spec = text_ok(request->out)
                    ? arena_text_n(request->arena, request->out->bytes, request->out->size)
                    : NULL;
    row->address_at = (int64_t)splice;
    return row->spec ? store_group_update(tx, row, NULL, false, err) : request_full(err);
}

static bool patch_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct patching *patching = request->data;

    patching->row = group_find(request, tx, true, err);
    return patching->row && group_precondition(request, patching->row, err) &&
           group_retag(request, tx, patching->row, &patching->patch.tags, err);
}

static bool patch_done(struct request *request, struct err *err)
{
    const struct patching *patching = request->data;

    text_clear(request->out);
    if (!wait_committed(request, err) ||
        !group_print_whole(request, patching->row, request->out, err))
        return false;
    group_etag_give(request, patching->row);
    return reply_json(request, 200);
}

/* No tags were sent: nothing to do, if this is the group the client means. */
static bool patch_nothing(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct group_row *row = tx ? group_find(request, tx, true, err) : NULL;

    text_clear(request->out);
    if (!row || !group_precondition(request, row, err) ||
        !group_print_whole(request, row, request->out, err))
        return false;
    group_etag_give(request, row);
    return reply_json(request, 200);
}

bool group_patch(struct request *request, struct err *err)
{
    struct patching *patching = ARENA_NEW(request->arena, struct patching);

    if (!patching)
        return request_full(err);
    request->data = patching;
    if (!request_parse(request, &patch_schema, &patching->patch, err))
        return false;
    if (!tags_check(&patching->patch.tags, "tags", &request->problems))
        return problems_to_err(&request->problems, err);
    return patching->patch.tags.given ? wait_commit(request, patch_work, patch_done)
                                      : patch_nothing(request, err);
}
