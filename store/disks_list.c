/* Local disks as they are shown, and where new groups that name them may go. */
#include "store/disks.h"

#include "base/limits.h"
#include "model/local_disk.h"
#include "store/statements.h"

/* ---- listing ---- */

static int sql_of(const struct disk_question *question)
{
    if (!question->subscription)
        return SQL_disk_list;
    return question->resource_group ? SQL_disk_list_resource_group : SQL_disk_list_subscription;
}

static void row_read(struct statement *q, struct arena *arena, struct disk_row *row)
{
    *row = (struct disk_row){
        .key = column_int(q, C_key),
        .id = column_text(q, C_id, arena),
        .subscription = column_text(q, C_subscription, arena),
        .resource_group = column_text(q, C_resource_group, arena),
        .name = column_text(q, C_name, arena),
        .node = column_text(q, C_node, arena),
        .node_state = (enum node_state)column_int(q, C_state),
        .size_bytes = column_int(q, C_size_bytes),
        .created_ms = column_int(q, C_created_ms),
        .removing = column_int(q, C_removing) != 0,
    };
}

static bool read_users(struct tx *tx, struct disk_row *row, struct arena *arena, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_users);
    bind_int(q, P_key, row->key);
    bind_int(q, P_rows, DISK_USERS_SHOWN);
    while (statement_next(q, err)) {
        if (!row->groups.items &&
            !(row->groups.items = arena_array(arena, DISK_USERS_SHOWN, sizeof *row->groups.items)))
            return arena_full(err);
        row->groups.given = true;
        row->groups.items[row->groups.count++] = column_text(q, C_name, arena);
    }
    return statement_ok(q, err);
}

static bool read_rows(struct tx *tx, const struct disk_question *question, int64_t after_key,
                      size_t rows_max, struct arena *arena, struct disk_page *page, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, sql_of(question));
    if (question->subscription)
        bind_text(q, P_subscription, question->subscription);
    if (question->subscription && question->resource_group)
        bind_text(q, P_resource_group, question->resource_group);
    bind_int(q, P_after, after_key);
    bind_int(q, P_rows, (int64_t)rows_max + 1);
    while (statement_next(q, err)) {
        if (page->count == rows_max) {
            page->next_key = page->rows[rows_max - 1].key;
            return true;
        }
        row_read(q, arena, &page->rows[page->count++]);
    }
    return statement_ok(q, err);
}

bool store_disk_list(struct tx *tx, const struct disk_question *question, int64_t after_key,
                     size_t rows_max, struct arena *arena, struct disk_page *page, struct err *err)
{
    struct disk_page found = {.rows = arena_array(arena, rows_max + 1, sizeof *found.rows)};
    if (!found.rows)
        return arena_full(err);
    if (!read_rows(tx, question, after_key, rows_max, arena, &found, err))
        return false;
    for (size_t i = 0; i < found.count; i++)
        if (!read_users(tx, &found.rows[i], arena, err))
            return false;
    *page = found;
    return true;
}

/* ---- before a group is accepted ---- */

static bool named_at(struct tx *tx, int64_t resource_group_key, const char *name, int64_t *node_key,
                     struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_named);
    bind_int(q, P_resource_group_key, resource_group_key);
    bind_text(q, P_name, name);
    *node_key = statement_next(q, err) ? column_int(q, C_node_key) : 0;
    return statement_ok(q, err);
}

static bool node_name(struct tx *tx, int64_t node_key, struct arena *arena, const char **name,
                      struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_plan);
    bind_int(q, P_key, node_key);
    *name = statement_next(q, err) ? column_text(q, C_name, arena) : NULL;
    return statement_ok(q, err);
}

static bool take_seat(struct tx *tx, const char *disk, int64_t node_key, struct arena *arena,
                      struct disk_place *place, struct err *err)
{
    const char *node;
    if (!node_name(tx, node_key, arena, &node, err))
        return false;
    place->node_key = node_key;
    text_format(place->words, sizeof place->words, "Its local disk '%s' is on node '%s'. ", disk,
                node ? node : "");
    return true;
}

/* One that stands names what it named. */
static bool place_standing(struct tx *tx, int64_t group_key, struct arena *arena,
                           struct disk_place *place, struct err *err)
{
    int64_t node_key = 0;
    const char *name = NULL;
    {
        AUTO(statement) *q = tx_statement(tx, SQL_disk_uses_of_group);
        bind_int(q, P_key, group_key);
        while (node_key == 0 && statement_next(q, err)) {
            node_key = column_int(q, C_node_key);
            name = column_text(q, C_name, arena);
        }
        if (!statement_ok(q, err))
            return false;
    }
    return node_key == 0 || take_seat(tx, name ? name : "", node_key, arena, place, err);
}

static bool place_new(struct tx *tx, int64_t resource_group_key, const struct group_row *row,
                      struct arena *arena, struct disk_place *place, struct err *err)
{
    for (size_t i = 0; i < row->disks_count; i++) {
        int64_t node_key;
        if (!named_at(tx, resource_group_key, row->disks[i].name, &node_key, err))
            return false;
        if (node_key == 0 || node_key == place->node_key)
            continue;
        if (place->node_key != 0)
            return err_set(err, ERR_DISK,
                           "%sIts local disk '%s' is on another: no node can run the group.",
                           place->words, row->disks[i].name);
        if (!take_seat(tx, row->disks[i].name, node_key, arena, place, err))
            return false;
    }
    return true;
}

bool store_disk_place(struct tx *tx, const struct group_row *row, struct arena *arena,
                      struct disk_place *place, struct err *err)
{
    struct err absent = {0};
    *place = (struct disk_place){0};
    if (row->disks_count == 0)
        return place_standing(tx, row->key, arena, place, err);
    struct resource_group_row *parent =
        store_resource_group_find(tx, row->subscription, row->resource_group, arena, &absent);
    if (parent)
        return place_new(tx, parent->key, row, arena, place, err);
    if (absent.code != ERR_OK)
        *err = absent;
    return absent.code == ERR_OK;
}
