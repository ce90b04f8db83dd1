/* PUT over a group that stands. The new version is read, checked and admitted before the old one is
 * told to stop; what was looked at is looked at again by the writer, and weighed anew when another
 * call was faster. */
#include "api/handlers/group_put.h"

#include "api/image_check.h"
#include "api/inside.h"
#include "api/rates.h"

#include <string.h>

/* ---- writing ---- */

/* The row as it stands now gets what was sent. The same label of the same scope keeps its name, a random one too.
 * Its runtime class, which follows from a tag that PATCH may have changed, counts for a new deployment only: where it
 * runs, that class may not be. */
static void row_take(struct group_row *row, const struct putting *putting)
{
    const struct group_row *sent = &putting->row;
    char class_name[RUNTIME_CLASS_SIZE];

    text_copy(class_name, sizeof class_name,
              putting->change == PUT_CREATE ? sent->shape.runtime_class : row->shape.runtime_class);
    row->spec = sent->spec;
    row->address_at = sent->address_at;
    row->restart_policy = sent->restart_policy;
    row->os = sent->os;
    row->shape = sent->shape;
    row->quota_class = sent->quota_class;
    text_copy(row->shape.runtime_class, sizeof row->shape.runtime_class, class_name);
    row->limits = sent->limits;
    row->promised = sent->promised;
    row->pins = sent->pins;
    row->pins_count = sent->pins_count;
    row->disks = sent->disks;
    row->disks_count = sent->disks_count;
    if (!put_keeps_label(putting))
        row->dns_name = sent->dns_name;
    row->pool = sent->pool;
}

static bool has_moved(const struct group_row *row, const struct group_row *old)
{
    return row->key != old->key || row->generation != old->generation ||
           row->operation_key != old->operation_key || row->wanted != old->wanted;
}

static bool is_rerun(const struct putting *putting)
{
    return putting->change != PUT_TAGS_ONLY && putting->change != PUT_FILES;
}

static bool update_work(struct tx *tx, void *data, struct err *err)
{
    struct request *request = data;
    struct putting *putting = request->data;
    struct group_row *row = group_find(request, tx, false, err);

    putting->moved = row ? has_moved(row, putting->old) : err->code == ERR_NOT_FOUND;
    if (!row)
        return false;
    if (putting->moved)
        return err_set(err, ERR_TRANSITIONING,
                       "The container group '%.63s' was changed by another call meanwhile, please "
                       "retry later.",
                       row->name);
    row_take(row, putting);
    if (!store_group_update(tx, row, putting->secrets, is_rerun(putting), err) ||
        (putting->change == PUT_FILES && !store_group_tell(tx, row, err)))
        return false;
    putting->old = row;
    return true;
}

static bool update_done(struct request *request, struct err *err)
{
    struct putting *putting = request->data;
    const struct group_row *row;

    if (request->wait.outcome.code != ERR_OK)
        group_admit_undo(request, &putting->row);
    if (request->wait.outcome.code != ERR_OK && putting->moved && putting->tries++ < PUT_TRIES_MAX)
        return put_standing(request, err);
    if (!wait_committed(request, err))
        return false;
    row = putting->old;
    if (is_rerun(putting)) {
        group_operation_header(request, row->location, row->operation_id);
        group_result_header(request, row->location, row->operation_id);
    }
    return put_answer(request, row, 200);
}

/* ---- weighing ---- */

/* Nothing to do; who sent it twice gets the operation that runs, if one does. */
static bool join(struct request *request, struct tx *tx, const struct group_row *old,
                 struct err *err)
{
    struct operation_row *operation =
        old->operation_key != 0 ? store_operation_get(tx, old->operation_key, request->arena, err)
                                : NULL;

    if (!operation && err->code != ERR_OK)
        return false;
    if (operation && operation->status == OPERATION_PENDING) {
        group_operation_header(request, old->location, operation->id);
        group_result_header(request, old->location, operation->id);
    }
    return put_answer(request, old, 200);
}

/* A group that holds nothing needs room for its new run. */
static bool admit_again(struct request *request, struct putting *putting, struct err *err)
{
    return putting->change != PUT_CREATE || group_admit(request, &putting->row, err);
}

static bool secrets_are_kept(const struct putting *putting, struct err *err)
{
    const struct group_row *old = putting->old;

    if (!putting->kept ||
        (putting->kept_key == old->key && putting->kept_generation == old->generation))
        return true;
    return err_set(err, ERR_TRANSITIONING,
                   "The container group '%.63s', whose secrets were to be kept, was changed by "
                   "another call meanwhile, please retry later.",
                   old->name);
}

static bool change_standing(struct request *request, struct tx *tx, struct putting *putting,
                            struct err *err)
{
    struct group_row *old = putting->old;
    struct operation_row *joined;

    if (!group_precondition(request, old, err) || !secrets_are_kept(putting, err) ||
        !image_check_pins(request, &putting->row.pins, &putting->row.pins_count, err) ||
        !put_read(request, tx, putting, err))
        return false;
    if (put_is_same(putting) && old->wanted == WANTED_RUN && !group_is_over(old))
        return join(request, tx, old, err);
    if (!group_settled(request, tx, old, JOINS_NONE, &joined, err))
        return false;
    putting->change = put_weigh(request, putting);
    if (putting->change == PUT_REPLACE)
        return problems_to_err(&request->problems, err);
    putting->row.name = old->name;
    return rate_take(request, err) && admit_again(request, putting, err) &&
           wait_commit(request, update_work, update_done);
}

/* It was there when the store was asked to create it, and is gone now; or it never was, and there
 * is no room. */
static bool nothing_stands(struct request *request, struct tx *tx, struct putting *putting,
                           struct err *err)
{
    putting->row.name = request->names[2];
    if (!group_precondition(request, NULL, err))
        return false;
    if (putting->refusal.code == ERR_OK && putting->tries++ < PUT_TRIES_MAX)
        return put_create(request, putting, err);
    if (!group_missing(request, tx, err) && err->code == ERR_NOT_FOUND &&
        putting->refusal.code != ERR_OK)
        *err = putting->refusal;
    return false;
}

bool put_standing(struct request *request, struct err *err)
{
    struct putting *putting = request->data;
    struct resource_id id = group_id_of(request);
    AUTO(tx) *tx = store_read(request->api->store, err);

    rate_give(request); /* it created nothing; a change takes anew */
    if (!tx)
        return false;
    putting->old = store_group_find(tx, &id, true, request->arena, err);
    if (putting->old && image_check_is_due_anew(request))
        return image_check_anew(request, tx, putting->old, put_standing, err);
    if (putting->old)
        return change_standing(request, tx, putting, err);
    return err->code == ERR_OK ? nothing_stands(request, tx, putting, err) : false;
}
