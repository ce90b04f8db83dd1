/* The picture of the store in memory: nodes, what is held on them, who waits. Read whole at the start and after any
 * doubt; after that, only what changed. */
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "scheduler/room.h"

void picture_doubt(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->changes_lock);
    scheduler->changes.lost = true;
}

void note_grown(struct scheduler *scheduler, int64_t slot)
{
    if (slot != PLAN_NONE && !slots_add(&scheduler->grown, (uint32_t)slot))
        picture_doubt(scheduler);
}

static void gave(uint32_t slot, void *scheduler)
{
    note_grown(scheduler, slot);
}

void picture_reread_node(struct scheduler *scheduler, uint32_t slot)
{
    const struct plan_node *node = plan_node_get(scheduler->fleet.plan, slot);
    if (!node)
        return;
    struct change change = {.kind = CHANGE_NODE, .node_key = node->key};
    fleet_unready(&scheduler->fleet, slot);
    changes_add(scheduler, &change, 1);
}

/* ---- nodes ---- */

/* LOCK_SCHEDULER is held. Whatever changed about a node, it may take groups now that it did not before. */
static bool node_renew(struct scheduler *scheduler, const struct node_row *row, struct err *err)
{
    int64_t slot;
    if (!fleet_put(&scheduler->fleet, row, scheduler->default_location, clock_boot_ns(), &slot,
                   err))
        return false;
    note_grown(scheduler, slot);
    return true;
}

static void nodes_unmark(struct fleet *fleet)
{
    for (uint32_t i = 0; i < plan_slots(fleet->plan); i++)
        fleet->leases[i].marked = false;
}

static void nodes_drop_unmarked(struct fleet *fleet)
{
    for (uint32_t i = 0; i < plan_slots(fleet->plan); i++)
        if (plan_node_get(fleet->plan, i) && !fleet->leases[i].marked)
            fleet_remove(fleet, i);
}

static bool nodes_read(struct scheduler *scheduler, struct tx *tx, struct err *err)
{
    struct node_row *rows;
    size_t count;
    if (!store_node_list(tx, scheduler->arena, &rows, &count, err))
        return false;
    WITH_LOCK(&scheduler->lock);
    nodes_unmark(&scheduler->fleet);
    for (size_t i = 0; i < count; i++)
        if (!node_renew(scheduler, &rows[i], err))
            return false;
    nodes_drop_unmarked(&scheduler->fleet);
    return true;
}

/* False without a failure when it is not known yet, or gone: then all are read. */
static bool node_read(struct scheduler *scheduler, struct tx *tx, int64_t node_key, struct err *err)
{
    char id[ID_SIZE] = "";
    {
        WITH_LOCK(&scheduler->lock);
        int64_t slot = fleet_slot(&scheduler->fleet, node_key);
        if (slot != PLAN_NONE)
            text_copy(id, sizeof id, scheduler->fleet.leases[slot].id);
    }
    const struct node_row *row = id[0] ? store_node_find(tx, id, scheduler->arena, err) : NULL;
    if (!row || row->key != node_key)
        return false;
    WITH_LOCK(&scheduler->lock);
    return node_renew(scheduler, row, err);
}

/* ---- what groups hold ---- */

/* LOCK_SCHEDULER is held. */
static bool holds_take(struct scheduler *scheduler, const struct assignment_row *row,
                       struct err *err)
{
    if (row->released ||
        holds_add(&scheduler->holds, &scheduler->fleet, row->group_key, row->node_key, &row->shape))
        return true;
    return err_set(err, ERR_BUSY, "no memory for what groups hold");
}

static bool holds_read_all(struct scheduler *scheduler, struct tx *tx, struct err *err)
{
    struct assignment_row *rows;
    size_t count;
    if (!store_assignment_list(tx, scheduler->arena, &rows, &count, err))
        return false;
    WITH_LOCK(&scheduler->lock);
    holds_clear(&scheduler->holds, &scheduler->fleet);
    for (size_t i = 0; i < count; i++)
        if (!holds_take(scheduler, &rows[i], err))
            return false;
    return true;
}

static bool holds_read(struct scheduler *scheduler, struct tx *tx, int64_t group_key,
                       struct err *err)
{
    struct assignment_row *rows;
    size_t count;
    if (!store_assignment_of_group(tx, group_key, scheduler->arena, &rows, &count, err))
        return false;
    WITH_LOCK(&scheduler->lock);
    holds_remove(&scheduler->holds, &scheduler->fleet, group_key, gave, scheduler);
    for (size_t i = 0; i < count; i++)
        if (!holds_take(scheduler, &rows[i], err))
            return false;
    return true;
}

/* ---- all of it ---- */

static void forget_waiting(struct scheduler *scheduler)
{
    WITH_LOCK(&scheduler->lock);
    for (uint32_t i = 0; i < scheduler->keeps_count; i++) {
        const struct keep *keep = &scheduler->keeps[i];
        if (keep->group_key && fleet_holds(&scheduler->fleet, keep->slot, keep->node_key))
            plan_node_keep(scheduler->fleet.plan, keep->slot, 0);
        scheduler->keeps[i] = (struct keep){0};
    }
    for (size_t i = 0; i < COUNT_OF(scheduler->preempts); i++)
        keep_let_go(scheduler, &scheduler->preempts[i]);
    waiting_done(&scheduler->waiting);
    scheduler->again.count = scheduler->fresh_count = scheduler->untold_count =
        scheduler->placed_count = 0;
    scheduler->listed_revision = 0;
    scheduler->list_more = true;
}

/* Promises stay: their nodes do, too. */
bool picture_read(struct scheduler *scheduler, struct err *err)
{
    arena_reset(scheduler->arena);
    AUTO(tx) *tx = store_read(scheduler->store, err);
    if (!tx)
        return false;
    forget_waiting(scheduler);
    if (!nodes_read(scheduler, tx, err) || !holds_read_all(scheduler, tx, err))
        return err_add(err, "while reading the picture of nodes and groups");
    scheduler->picture_revision = tx_revision(tx);
    log_info("picture_read", "revision=%lld nodes=%zu groups=%zu",
             (long long)scheduler->picture_revision, scheduler->fleet.slots.count,
             scheduler->holds.groups.count);
    return true;
}

/* ---- what changed ---- */

/* What placing wrote itself is in the picture already. */
static bool is_own(const struct scheduler *scheduler, const struct change *change)
{
    for (size_t i = 0; i < scheduler->placed_count; i++) {
        const struct placement *placed = &scheduler->placed[i];
        if (change->revision >= placed->first_revision && change->revision < placed->end_revision)
            return true;
    }
    return false;
}

static int by_key(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* Each key of that kind once. NULL when out of memory. */
static int64_t *keys_of(struct scheduler *scheduler, const struct change *changes, size_t count,
                        enum change_kind kind, size_t *keys_count)
{
    int64_t *keys = arena_array(scheduler->arena, count + 1, sizeof *keys);
    if (!keys)
        return NULL;
    size_t found = 0, kept = 0;
    for (size_t i = 0; i < count; i++)
        if (changes[i].kind == kind && !is_own(scheduler, &changes[i]))
            keys[found++] = kind == CHANGE_NODE ? changes[i].node_key : changes[i].group_key;
    qsort(keys, found, sizeof *keys, by_key);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || keys[kept - 1] != keys[i])
            keys[kept++] = keys[i];
    *keys_count = kept;
    return keys;
}

static bool nodes_renew(struct scheduler *scheduler, struct tx *tx, const int64_t *keys,
                        size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (node_read(scheduler, tx, keys[i], err))
            continue;
        return err->code == ERR_OK && nodes_read(scheduler, tx, err);
    }
    return true;
}

static bool groups_renew(struct scheduler *scheduler, struct tx *tx, const int64_t *keys,
                         size_t count,
                         bool (*renew)(struct scheduler *, struct tx *, int64_t, struct err *),
                         struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i] != 0 && !renew(scheduler, tx, keys[i], err))
            return false;
    return true;
}

/* LOCK_SCHEDULER is held. What was promised becomes what is held, as the order says, without asking the store. */
static bool hold_promised(struct scheduler *scheduler, const struct change *change)
{
    struct shape shape;
    if (!promises_keep(&scheduler->promises, &scheduler->fleet, change->promise, &shape))
        return false;
    metric_add(METRIC_groups_placed_total, 1);
    return holds_add(&scheduler->holds, &scheduler->fleet, change->group_key, change->node_key,
                     &shape);
}

static void bind(struct scheduler *scheduler, const struct change *change)
{
    note_grown(scheduler, promises_bind(&scheduler->promises, &scheduler->fleet, change->promise,
                                        change->group_key));
}

size_t picture_bind(struct scheduler *scheduler, struct change *changes, size_t count)
{
    size_t bound = 0;
    WITH_LOCK(&scheduler->lock);
    for (size_t i = 0; i < count; i++) {
        if (changes[i].promise == 0)
            continue;
        bound++;
        if (changes[i].kind == CHANGE_GROUP)
            bind(scheduler, &changes[i]);
        else if (hold_promised(scheduler, &changes[i]))
            changes[i].group_key = 0; /* nothing is left to look at */
    }
    return bound;
}

bool picture_renew(struct scheduler *scheduler, const struct change *changes, size_t count,
                   struct err *err)
{
    arena_reset(scheduler->arena);
    size_t nodes_count, groups_count, holders_count;
    int64_t *nodes = keys_of(scheduler, changes, count, CHANGE_NODE, &nodes_count);
    int64_t *holders = keys_of(scheduler, changes, count, CHANGE_ASSIGNMENT, &holders_count);
    int64_t *groups = keys_of(scheduler, changes, count, CHANGE_GROUP, &groups_count);
    if (!nodes || !holders || !groups)
        return err_set(err, ERR_BUSY, "no memory for %zu changes", count);
    scheduler->list_more |= groups_count > 0 || holders_count > 0;
    if (nodes_count + holders_count == 0 && groups_count == 0 && !scheduler->list_more)
        return true;
    AUTO(tx) *tx = store_read(scheduler->store, err);
    return tx && nodes_renew(scheduler, tx, nodes, nodes_count, err) &&
           groups_renew(scheduler, tx, holders, holders_count, holds_read, err) &&
           groups_renew(scheduler, tx, groups, groups_count, pending_renew, err) &&
           pending_list(scheduler, tx, err);
}
