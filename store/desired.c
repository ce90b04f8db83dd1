/* What a node is to do, from its assignments: the only place where secrets are put back into a group. */
#include "base/limits.h"
#include "base/log.h"
#include "store/disks.h"
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

/* The whole document again: what the client wrote with its secrets. */
static bool fill_group(struct tx *tx, const struct group_row *row, struct arena *arena,
                       size_t *size, struct container_group **group, struct err *err)
{
    struct container_group *filled = ARENA_NEW(arena, struct container_group);
    const char *json = arena_format(arena, "{%s}", row->spec);
    if (!filled || !json)
        return arena_full(err);
    if (!fields_read(&container_group_schema, json, strlen(json), arena, filled, err))
        return err_add(err, "the stored spec of group %s", row->uid);
    const char *secrets = store_group_secrets(tx, row->key, arena, err);
    if (!secrets ||
        !fields_fill_secrets(&container_group_schema, filled, secrets, strlen(secrets), arena, err))
        return err_add(err, "the secrets of group %s", row->uid);
    *size += strlen(json) + strlen(secrets);
    *group = filled;
    return true;
}

/* A spec or secrets that cannot be read are no reason to tell the node nothing of its other groups: it gets the order
 * without a group, and starts nothing. */
static bool fill_group_or_none(struct tx *tx, const struct group_row *row, struct arena *arena,
                               size_t *size, struct container_group **group, struct err *err)
{
    struct err why = {0};
    if (fill_group(tx, row, arena, size, group, &why))
        return true;
    if (why.code == ERR_BUSY) {
        *err = why;
        return false;
    }
    log_failure("group_unreadable", &why);
    return true;
}

static bool fill_assignment(struct tx *tx, const struct assignment_row *from, struct arena *arena,
                            size_t *size, struct assignment *out, struct err *err)
{
    struct err why = {0};
    bool run = from->wanted == WANTED_RUN;
    struct group_row *row = store_group_get(tx, from->group_key, run, arena, &why);
    if (!row) {
        *err = why;
        return why.code == ERR_OK ? err_set(err, ERR_INTERNAL, "a group vanished from a view")
                                  : false;
    }
    *out = (struct assignment){
        .uid = from->uid,
        .incarnation = from->incarnation,
        .revision = from->revision,
        .wanted = (int)from->wanted,
        .name = row->name,
        .resource_group = row->resource_group,
        .subscription = row->subscription,
        .cpu_milli = from->shape.cpu_milli,
        .memory_mib = from->shape.memory_mib,
        .public_address = row->public_address,
        .runtime_class =
            row->shape.runtime_class[0] ? arena_text(arena, row->shape.runtime_class) : NULL,
    };
    return !run || (fill_group_or_none(tx, row, arena, size, &out->group, err) &&
                    store_group_pins(tx, row->key, arena, &out->pins, &out->pins_count, err) &&
                    disks_of_group(tx, row->key, arena, &out->disks, &out->disks_count, err));
}

/* A page ends after so many groups, or when their documents fill a message. */
static bool fill_page(struct tx *tx, const struct assignment_row *rows, size_t count,
                      struct arena *arena, struct desired *desired, struct err *err)
{
    size_t size = 0, i;
    desired->assignments = arena_array(arena, count, sizeof *desired->assignments);
    if (!desired->assignments)
        return arena_full(err);
    for (i = 0; i < count && i < (size_t)LIMIT_LINK_DESIRED_PAGE &&
                size < (size_t)LIMIT_LINK_DESIRED_BYTES;
         i++)
        if (!fill_assignment(tx, &rows[i], arena, &size, &desired->assignments[i], err))
            return false;
    desired->assignments_count = i;
    desired->complete = i == count;
    if (!desired->complete)
        desired->revision = rows[i - 1].revision;
    return true;
}

/* Also a page: what comes behind it is asked for next. */
static bool fill_disks(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                       struct desired *desired, struct err *err)
{
    int64_t last;
    bool full;
    if (!disks_leaving(tx, node_key, after, arena, &desired->remove_disks, &last, &full, err))
        return false;
    if (!full)
        return true;
    desired->complete = false;
    desired->revision = last < desired->revision ? last : desired->revision;
    return true;
}

bool store_desired(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                   struct desired *desired, struct err *err)
{
    struct assignment_row *rows;
    struct desired found = {.revision = tx->revision};
    size_t count;
    if (!assignment_page(tx, node_key, after, (size_t)LIMIT_LINK_DESIRED_PAGE + 1, arena, &rows,
                         &count, err) ||
        !fill_page(tx, rows, count, arena, &found, err) ||
        !fill_disks(tx, node_key, after, arena, &found, err))
        return false;
    *desired = found;
    return true;
}

bool store_desired_waits(struct tx *tx, int64_t node_key, int64_t after, bool *waits,
                         struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_assignment_waits);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_after, after);
    *waits = statement_next(q, err);
    return statement_ok(q, err) && (*waits || disks_leaving_any(tx, node_key, after, waits, err));
}
