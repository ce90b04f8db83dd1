/* What a node's report says, into the database. Reports of a node come in the order of their sequence; one that comes
 * late (a newer one was taken) is passed over, the newest one told again changes nothing. A status speaks of one
 * incarnation: it counts only while the assignment is still of that one. */
#include "base/limits.h"
#include "store/disks.h"
#include "store/group_life.h"
#include "store/images.h"
#include "store/pins.h"
#include "store/statements.h"
#include "store/use.h"

#include <string.h>

/* ---- one status ---- */

static bool status_before(struct tx *tx, int64_t key, const char **status, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_report_get);
    bind_int(q, P_key, key);
    *status = statement_next(q, err) ? column_text(q, C_status, tx->scratch) : NULL;
    return statement_ok(q, err);
}

/* What was told last, if it changed. */
static bool keep_status(struct tx *tx, const struct group_row *row,
                        const struct group_status *status, bool *changed, struct err *err)
{
    const char *before;
    AUTO(text) *out = text_new((size_t)LIMIT_LINK_MESSAGE_MAX);
    if (!status_before(tx, row->key, &before, err))
        return false;
    if (!out)
        return arena_full(err);
    fields_print(&group_status_schema, status, FIELDS_ALL, out, NULL);
    if (!text_ok(out))
        return arena_full(err);
    if (before && strcmp(before, out->bytes) == 0)
        return true;
    *changed = true;
    return group_status_put(tx, row->key, out->bytes, err);
}

static void keep_address(struct tx *tx, struct group_row *row, const struct group_status *status,
                         bool *changed)
{
    const char *address = status->address && status->address[0] ? status->address : NULL;
    bool same =
        address && row->address ? strcmp(address, row->address) == 0 : address == row->address;
    if (same || row->wanted != WANTED_RUN)
        return;
    row->address = arena_text(tx->scratch, address);
    *changed = true;
}

/* The node's word on the state, as far as that move is allowed: a late word of a run that ended moves nothing. */
static void keep_state(struct group_row *row, const struct group_status *status, bool *changed)
{
    struct err unused;
    enum group_state before = row->state;
    enum group_state next = status->failure ? GROUP_FAILED : (enum group_state)status->state;
    bool told = next == GROUP_PENDING || next == GROUP_RUNNING || next == GROUP_SUCCEEDED ||
                next == GROUP_FAILED;
    if (!told || !group_move(&row->state, next, &unused))
        return;
    *changed |= row->state != before;
}

/* Its node has it, and works on it. */
static void begin_provisioning(struct group_row *row, bool *changed)
{
    if (row->provisioning != PROVISIONING_PENDING)
        return;
    row->provisioning = PROVISIONING_CREATING;
    *changed = true;
}

static bool end_provisioning(struct tx *tx, struct group_row *row,
                             const struct group_status *status, bool *changed, struct err *err)
{
    if (status->failure && !status->provisioned) {
        *changed |= row->provisioning != PROVISIONING_FAILED;
        row->provisioning = PROVISIONING_FAILED;
        return operation_end(tx, row, OPERATION_FAILED, status->failure->code,
                             status->failure->text, err);
    }
    if (!status->provisioned)
        return true;
    *changed |= row->provisioning != PROVISIONING_SUCCEEDED;
    row->provisioning = PROVISIONING_SUCCEEDED;
    return operation_end(tx, row, OPERATION_SUCCEEDED, NULL, NULL, err);
}

/* A status of the group's own run. */
static bool apply_run(struct tx *tx, struct group_row *row, const struct group_status *status,
                      struct err *err)
{
    bool changed = false;
    if (!keep_status(tx, row, status, &changed, err) ||
        (changed && !pins_learn(tx, row->key, status->pins, status->pins_count, err)))
        return false;
    keep_address(tx, row, status, &changed);
    if (row->wanted == WANTED_RUN) {
        keep_state(row, status, &changed);
        begin_provisioning(row, &changed);
        if (!end_provisioning(tx, row, status, &changed, err))
            return false;
    }
    return !changed || group_save(tx, row, err);
}

/* A node that was told to forget the group. */
static bool apply_forgetting(struct tx *tx, struct assignment_row *assignment,
                             const struct group_status *status, struct err *err)
{
    struct group_row *row;
    if (!status->removed)
        return !status->released || assignment_hold(tx, assignment, true, err);
    if (!group_load(tx, assignment->group_key, &row, err))
        return false;
    CHECK(row); /* it is purged with its last assignment */
    return assignment_drop(tx, assignment, err) && group_forgotten(tx, row, err);
}

/* A run that has not finished keeps its room even when nothing of it is there (fenced and back in time, between two
 * tries): it begins again. A stop does not. */
static bool apply_holding(struct tx *tx, struct assignment_row *assignment, struct group_row *row,
                          const struct group_status *status, bool own, struct err *err)
{
    bool run = assignment->wanted == WANTED_RUN;
    bool goes_on = run && own && !group_is_finished(row);
    bool released = (status->released && !goes_on) || (status->removed && !run) ||
                    (assignment->released && !run);
    if (!assignment_hold(tx, assignment, released, err))
        return false;
    return !released || group_released(tx, row, assignment, err);
}

static bool apply_status(struct tx *tx, int64_t node_key, const struct group_status *status,
                         struct err *err)
{
    struct assignment_row *assignment;
    struct group_row *row;
    int64_t group_key, unused;
    if (!usage_group_find(tx, status->uid, &group_key, &unused, err))
        return false;
    if (group_key == 0)
        return true;
    if (!assignment_find(tx, group_key, node_key, &assignment, err))
        return false;
    if (!assignment || assignment->incarnation != status->incarnation)
        return true;
    if (assignment->wanted == WANTED_REMOVE)
        return apply_forgetting(tx, assignment, status, err);
    if (!group_load(tx, group_key, &row, err))
        return false;
    CHECK(row);
    bool own = row->node_key == node_key && row->incarnation == assignment->incarnation;
    return (!own || apply_run(tx, row, status, err)) &&
           apply_holding(tx, assignment, row, status, own, err);
}

/* ---- the whole report ---- */

static bool apply_parts(struct tx *tx, int64_t node_key, const struct report *report,
                        struct err *err)
{
    /* First: of a group that is removed nobody knows any more what its agent did not tell. */
    for (size_t i = 0; i < report->intervals_count; i++)
        if (!usage_interval_tell(tx, node_key, &report->intervals[i], err))
            return false;
    for (size_t i = 0; i < report->statuses_count; i++)
        if (!apply_status(tx, node_key, &report->statuses[i], err))
            return false;
    return use_tell(tx, report->samples, report->samples_count, err);
}

static bool newest_sequence(struct tx *tx, int64_t node_key, int64_t *sequence, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_watermark_get);
    bind_int(q, P_node_key, node_key);
    *sequence = statement_next(q, err) ? column_int(q, C_sequence) : 0;
    return statement_ok(q, err);
}

static bool raise_watermark(struct tx *tx, int64_t node_key, const struct report *report,
                            struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_watermark_raise);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_watermark_s, report->watermark_s);
    bind_int(q, P_sequence, report->sequence);
    return statement_run(q, err);
}

bool store_report_apply(struct tx *tx, int64_t node_key, const struct report *report,
                        struct arena *arena UNUSED, struct err *err)
{
    struct node_row *node;
    int64_t newest = 0;
    if (!node_get(tx, node_key, tx->scratch, &node, err))
        return false;
    if (node->epoch != report->epoch || node->state != NODE_READY)
        return err_set(err, ERR_NODE_EPOCH,
                       "node %s reports in epoch %lld, it is now %lld: join again", node->name,
                       (long long)report->epoch, (long long)node->epoch);
    if (!newest_sequence(tx, node_key, &newest, err))
        return false;
    if (report->sequence < newest)
        return true;
    return (!report->capacity || node_capacity(tx, node, report->capacity, err)) &&
           (!report->images || node_images_tell(tx, node_key, report->images, err)) &&
           disks_removed(tx, node_key, &report->removed_disks, err) &&
           apply_parts(tx, node_key, report, err) && raise_watermark(tx, node_key, report, err);
}
