/* What a node is to do, from its assignments: the only place where secrets are put back into a group. */
#include "base/limits.h"
#include "store/group_life.h"
#include "store/statements.h"

#include <string.h>

/* The whole document again: what the client wrote with its secrets. */
static bool fill_group(struct tx *tx, const struct group_row *row, struct arena *arena,
                       struct container_group **group, struct err *err)
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
    *group = filled;
    return true;
}

static bool fill_assignment(struct tx *tx, const struct assignment_row *from, struct arena *arena,
                            struct assignment *out, struct err *err)
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
    };
    return !run || fill_group(tx, row, arena, &out->group, err);
}

bool store_desired(struct tx *tx, int64_t node_key, int64_t after, struct arena *arena,
                   struct desired *desired, struct err *err)
{
    struct assignment_row *rows;
    struct desired found = {.revision = tx->revision, .complete = true};
    size_t count, page = (size_t)LIMIT_LINK_DESIRED_PAGE;
    if (!assignment_page(tx, node_key, after, page + 1, arena, &rows, &count, err))
        return false;
    if (count > page) { /* one more than fits: there is a next page */
        count = page;
        found.complete = false;
        found.revision = rows[count - 1].revision;
    }
    found.assignments = arena_array(arena, count, sizeof *found.assignments);
    if (!found.assignments)
        return arena_full(err);
    for (size_t i = 0; i < count; i++)
        if (!fill_assignment(tx, &rows[i], arena, &found.assignments[i], err))
            return false;
    found.assignments_count = count;
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
    return statement_ok(q, err);
}
