/* Local disks: groups name them, the first placement makes them, and from then on they say where a group may run. */
#include "store/disks.h"

#include "base/limits.h"
#include "model/local_disk.h"
#include "store/row_id.h"
#include "store/statements.h"

#include <string.h>

struct named {
    int64_t key, size_bytes, node_key; /* key 0: there is none */
};

static bool find_named(struct tx *tx, int64_t resource_group_key, const char *name,
                       struct named *found, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_named);
    bind_int(q, P_resource_group_key, resource_group_key);
    bind_text(q, P_name, name);
    *found = (struct named){0};
    if (statement_next(q, err))
        *found = (struct named){column_int(q, C_key), column_int(q, C_size_bytes),
                                column_int(q, C_node_key)};
    return statement_ok(q, err);
}

/* ---- naming ---- */

static bool other_size(struct tx *tx, const struct group_row *row, const char *name,
                       int64_t *size_bytes, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_other_size);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_int(q, P_group_key, row->key);
    bind_text(q, P_name, name);
    *size_bytes = statement_next(q, err) ? column_int(q, C_size_bytes) : 0;
    return statement_ok(q, err);
}

static bool size_agrees(struct tx *tx, const struct group_row *row, const struct disk_ask *ask,
                        const struct named *disk, struct err *err)
{
    int64_t size_bytes = disk->size_bytes;
    if (ask->size_bytes == 0)
        return true;
    if (disk->key == 0 && !other_size(tx, row, ask->name, &size_bytes, err))
        return false;
    if ((disk->key == 0 && size_bytes == 0) || size_bytes == ask->size_bytes)
        return true;
    if (size_bytes == 0)
        return err_set(err, ERR_DISK,
                       "The local disk '%s' was made without a 'sizeLimit' and cannot get one now.",
                       ask->name);
    return err_set(err, ERR_DISK,
                   "The local disk '%s' holds %lld bytes; a 'sizeLimit' of %lld cannot be had.",
                   ask->name, (long long)size_bytes, (long long)ask->size_bytes);
}

static bool quota_allows_disk(struct tx *tx, const struct group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_count);
    bind_int(q, P_subscription_key, row->subscription_key);
    int64_t count = statement_next(q, err) ? column_int(q, C_made) + column_int(q, C_unmade) : 0;
    if (!statement_ok(q, err))
        return false;
    return count < LIMIT_DISKS_MAX ||
           err_set(err, ERR_QUOTA, "The subscription has %lld local disks, as many as it may have.",
                   (long long)count);
}

static bool put_use(struct tx *tx, const struct group_row *row, const struct disk_ask *ask,
                    const struct named *disk, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_use_put);
    bind_int(q, P_group_key, row->key);
    bind_text(q, P_name, ask->name);
    bind_int(q, P_subscription_key, row->subscription_key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_int(q, P_size_bytes, ask->size_bytes);
    if (disk->key)
        bind_int(q, P_disk_key, disk->key);
    else
        bind_null(q, P_disk_key);
    return statement_run(q, err);
}

/* First what may be refused: a refusal that wrote nothing costs others nothing. */
static bool look(struct tx *tx, const struct group_row *row, struct named *found, struct err *err)
{
    int64_t node_key = 0;
    for (size_t i = 0; i < row->disks_count; i++) {
        const struct disk_ask *ask = &row->disks[i];
        if (!find_named(tx, row->resource_group_key, ask->name, &found[i], err) ||
            !size_agrees(tx, row, ask, &found[i], err) ||
            (found[i].key == 0 && !quota_allows_disk(tx, row, err)))
            return false;
        if (node_key != 0 && found[i].node_key != 0 && found[i].node_key != node_key)
            return err_set(err, ERR_DISK,
                           "The local disks of container group '%.63s' are on different nodes.",
                           row->name);
        node_key = found[i].node_key ? found[i].node_key : node_key;
    }
    return true;
}

bool disks_name(struct tx *tx, const struct group_row *row, bool is_new, struct err *err)
{
    struct named found[LIMIT_VOLUMES_MAX];
    CHECK(row->disks_count <= COUNT_OF(found));
    if (!look(tx, row, found, err) ||
        (!is_new && !tx_run_key(tx, SQL_disk_uses_drop, row->key, err)))
        return false;
    for (size_t i = 0; i < row->disks_count; i++)
        if (!put_use(tx, row, &row->disks[i], &found[i], err))
            return false;
    return true;
}

/* ---- placing ---- */

bool disks_allow(struct tx *tx, int64_t group_key, int64_t node_key, bool *allowed, char *words,
                 struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_uses_of_group);
    bind_int(q, P_key, group_key);
    *allowed = true;
    while (*allowed && statement_next(q, err)) {
        *allowed = column_is_null(q, C_disk_key) || column_int(q, C_node_key) == node_key;
        if (!*allowed) {
            const char *name = column_text(q, C_name, tx->scratch);
            const char *node = column_text(q, C_node, tx->scratch);
            text_format(words, DISK_WORDS_SIZE, "Its local disk '%s' is on node '%s'.",
                        name ? name : "", node ? node : "");
        }
    }
    return statement_ok(q, err);
}

bool store_disk_words(struct tx *tx, int64_t group_key, char words[DISK_WORDS_SIZE],
                      struct err *err)
{
    bool none;
    words[0] = '\0';
    return disks_allow(tx, group_key, 0, &none, words, err);
}

static bool size_of_name(struct tx *tx, const struct group_row *row, const char *name,
                         int64_t *size_bytes, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_size_of_name);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, name);
    *size_bytes = statement_next(q, err) ? column_int(q, C_size_bytes) : 0;
    return statement_ok(q, err);
}

static bool insert(struct tx *tx, const struct group_row *row, const char *name, int64_t key,
                   int64_t node_key, struct err *err)
{
    char id[ID_SIZE];
    int64_t size_bytes;
    if (!size_of_name(tx, row, name, &size_bytes, err))
        return false;
    row_id(key, id);
    AUTO(statement) *q = tx_statement(tx, SQL_disk_insert);
    bind_int(q, P_key, key);
    bind_text(q, P_id, id);
    bind_int(q, P_subscription_key, row->subscription_key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, name);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_size_bytes, size_bytes);
    bind_int(q, P_now_ms, tx->now_ms);
    return statement_run(q, err);
}

static bool meet(struct tx *tx, const struct group_row *row, const char *name, int64_t key,
                 struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_meet);
    bind_int(q, P_key, key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, name);
    return statement_run(q, err);
}

/* Names of those that nobody made yet. */
static bool unmade(struct tx *tx, int64_t group_key, const char **names, size_t *count,
                   struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_disk_uses_of_group);
    bind_int(q, P_key, group_key);
    for (*count = 0; statement_next(q, err);) {
        if (!column_is_null(q, C_disk_key))
            continue;
        CHECK(*count < (size_t)LIMIT_VOLUMES_MAX);
        names[*count] = column_text(q, C_name, tx->scratch);
        if (!names[(*count)++])
            return arena_full(err);
    }
    return statement_ok(q, err);
}

bool disks_place(struct tx *tx, const struct group_row *row, int64_t node_key, struct err *err)
{
    const char *names[LIMIT_VOLUMES_MAX];
    size_t count;
    if (!unmade(tx, row->key, names, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t key = tx_next_revision(tx);
        if (!insert(tx, row, names[i], key, node_key, err) || !meet(tx, row, names[i], key, err))
            return false;
    }
    return true;
}

bool disks_of_group(struct tx *tx, int64_t group_key, struct arena *arena, struct disk_seat **seats,
                    size_t *count, struct err *err)
{
    struct disk_seat *found = NULL;
    AUTO(statement) *q = tx_statement(tx, SQL_disk_uses_of_group);
    bind_int(q, P_key, group_key);
    *count = 0;
    while (statement_next(q, err)) {
        if (column_is_null(q, C_disk_key))
            continue;
        if (!found && !(found = arena_array(arena, LIMIT_VOLUMES_MAX, sizeof *found)))
            return arena_full(err);
        CHECK(*count < (size_t)LIMIT_VOLUMES_MAX);
        found[(*count)++] =
            (struct disk_seat){column_text(q, C_name, arena), column_text(q, C_id, arena),
                               column_int(q, C_size_bytes)};
    }
    *seats = found;
    return statement_ok(q, err);
}
