/* Nodes: who they are, that they joined, were lost, came back or left. */
#include "base/id.h"
#include "base/limits.h"
#include "model/runtime_class.h"
#include "store/group_life.h"
#include "store/row_id.h"
#include "store/statements.h"

#include <string.h>

/* ---- rows ---- */

static void read_words(struct statement *q, struct arena *arena, struct node_row *row)
{
    row->id = column_text(q, C_id, arena);
    row->name = column_text(q, C_name, arena);
    row->location = column_text(q, C_location, arena);
    row->zone = column_text(q, C_zone, arena);
    row->os = column_text(q, C_os, arena);
    row->architecture = column_text(q, C_architecture, arena);
    row->address = column_text(q, C_address, arena);
    row->version = column_text(q, C_version, arena);
    row->boot_id = column_text(q, C_boot_id, arena);
    row->classes = column_text(q, C_classes, arena);
}

static void row_read(struct statement *q, struct arena *arena, struct node_row *row)
{
    *row = (struct node_row){
        .key = column_int(q, C_key),
        .cpu_milli = column_int(q, C_cpu_milli),
        .memory_mib = column_int(q, C_memory_mib),
        .gpus = column_int(q, C_gpus),
        .epoch = column_int(q, C_epoch),
        .state = (enum node_state)column_int(q, C_state),
        .user_namespaces = column_int(q, C_user_namespaces) != 0,
        .cordoned = column_int(q, C_cordoned) != 0,
        .watermark_s = column_int(q, C_watermark_s),
        .joined_ms = column_int(q, C_joined_ms),
        .revision = column_int(q, C_revision),
    };
    read_words(q, arena, row);
}

/* NULL in *row: there is none. `credential` (may be NULL) gets its hash. */
static bool take_row(struct statement *q, struct arena *arena, struct node_row **row,
                     const char **credential, struct err *err)
{
    struct node_row *found = ARENA_NEW(arena, struct node_row);
    if (!found)
        return arena_full(err);
    bool any = statement_next(q, err);
    if (any)
        row_read(q, arena, found);
    if (any && credential)
        *credential = column_text(q, C_credential, arena);
    *row = any ? found : NULL;
    return statement_ok(q, err);
}

static bool find_by_id(struct tx *tx, const char *id, struct arena *arena, struct node_row **row,
                       const char **credential, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_find_id);
    bind_int(q, P_key, row_id_key(id));
    bind_text(q, P_id, id);
    return take_row(q, arena, row, credential, err);
}

static bool find_by_name(struct tx *tx, const char *name, struct arena *arena,
                         struct node_row **row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_find_name);
    bind_text(q, P_name, name);
    return take_row(q, arena, row, NULL, err);
}

bool node_get(struct tx *tx, int64_t key, struct arena *arena, struct node_row **row,
              struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_get);
    bind_int(q, P_key, key);
    return take_row(q, arena, row, NULL, err) &&
           (*row || err_set(err, ERR_NODE_UNKNOWN, "there is no such node"));
}

struct node_row *store_node_find(struct tx *tx, const char *name_or_id, struct arena *arena,
                                 struct err *err)
{
    struct node_row *row = NULL;
    if (!find_by_name(tx, name_or_id, arena, &row, err) ||
        (!row && !find_by_id(tx, name_or_id, arena, &row, NULL, err)))
        return NULL;
    return row && row->state != NODE_LEFT ? row : NULL;
}

bool store_node_list(struct tx *tx, struct arena *arena, struct node_row **rows, size_t *count,
                     struct err *err)
{
    struct node_row *found = NULL;
    size_t used = 0, room = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_node_list);
    while (statement_next(q, err)) {
        if (used == room) {
            struct node_row *more = arena_array(arena, room = room ? room * 2 : 16, sizeof *more);
            if (!more)
                return arena_full(err);
            if (used > 0)
                memcpy(more, found, used * sizeof *more);
            found = more;
        }
        row_read(q, arena, &found[used++]);
    }
    if (!statement_ok(q, err))
        return false;
    *rows = found;
    *count = used;
    return true;
}

bool store_node_platforms(struct tx *tx, const char *location, struct arena *arena,
                          struct node_platform **rows, size_t *count, struct err *err)
{
    enum { KINDS_MAX = 16 };
    struct node_platform *found = arena_array(arena, KINDS_MAX, sizeof *found);
    size_t used = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_node_platforms);
    bind_text(q, P_location, location);
    if (!found)
        return arena_full(err);
    while (used < KINDS_MAX && statement_next(q, err)) {
        found[used] = (struct node_platform){
            .os = column_text(q, C_os, arena),
            .architecture = column_text(q, C_architecture, arena),
        };
        if (!found[used].os || !found[used].architecture)
            return arena_full(err);
        used++;
    }
    *rows = found;
    *count = used;
    return statement_ok(q, err);
}

bool store_node_sizes(struct tx *tx, const char *location, struct arena *arena,
                      struct node_size **rows, size_t *count, struct err *err)
{
    struct node_size *found = arena_array(arena, NODE_SIZES_MAX, sizeof *found);
    size_t used = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_node_sizes);
    bind_text(q, P_location, location);
    bind_int(q, P_rows, NODE_SIZES_MAX);
    if (!found)
        return arena_full(err);
    while (used < NODE_SIZES_MAX && statement_next(q, err)) {
        found[used] = (struct node_size){column_text(q, C_os, arena), column_int(q, C_gpus),
                                         column_int(q, C_cpu_milli), column_int(q, C_memory_mib)};
        if (!found[used++].os)
            return arena_full(err);
    }
    *rows = found;
    *count = used;
    return statement_ok(q, err);
}

/* ---- who asks ---- */

bool store_node_check(struct tx *tx, const char *id, const char *credential, int64_t *node_key,
                      int64_t *epoch, struct err *err)
{
    char hash[65];
    AUTO(arena) *arena = arena_new(4096);
    AUTO(statement) *q = tx_statement(tx, SQL_node_check);
    bind_int(q, P_key, row_id_key(id));
    bind_text(q, P_id, id);
    if (!arena)
        return arena_full(err);
    bool any = statement_next(q, err);
    const char *known = any ? column_text(q, C_credential, arena) : "";
    if (!statement_ok(q, err))
        return false;
    id_hash(credential ? credential : "", hash);
    if (!any || !text_equal_secret(known, hash))
        return err_set(err, ERR_UNAUTHENTICATED, "the node or its credential is not known");
    *node_key = column_int(q, C_key);
    *epoch = column_int(q, C_epoch);
    return true;
}

/* ---- joining ---- */

int64_t node_note(struct tx *tx, int64_t node_key)
{
    return tx_note(tx, (struct change){.kind = CHANGE_NODE, .node_key = node_key});
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static void bind_request(struct statement *q, const struct tx *tx,
                         const struct join_request *request)
{
    char classes[RUNTIME_CLASSES_SIZE];
    runtime_classes_join(&request->classes, classes);
    /* Bound as it stands, so it lives as long as the transaction. */
    const char *kept = arena_text(tx->scratch, classes);
    bind_text(q, P_classes, kept ? kept : " ");
    bind_int(q, P_gpus, capacity_gpus(request->capacity));
    bind_int(q, P_user_namespaces, request->user_namespaces);
    bind_text(q, P_name, request->name);
    bind_text(q, P_location, or_empty(request->location));
    bind_text(q, P_zone, or_empty(request->zone));
    bind_text(q, P_os, request->os);
    bind_text(q, P_architecture, request->architecture);
    bind_text(q, P_address, or_empty(request->address));
    bind_text(q, P_version, or_empty(request->version));
    bind_text(q, P_boot_id, request->boot_id);
    bind_int(q, P_cpu_milli, request->capacity->cpu_milli);
    bind_int(q, P_memory_mib, request->capacity->memory_mib);
    bind_int(q, P_now_ms, tx->now_ms);
}

static bool insert(struct tx *tx, const struct join_request *request, struct arena *arena,
                   int64_t *key, const char **credential, struct err *err)
{
    char id[ID_SIZE], token[ID_TOKEN_SIZE], hash[65];
    id_token(token);
    id_hash(token, hash);
    if (!(*credential = arena_text(arena, token)))
        return arena_full(err);
    *key = node_note(tx, tx_revision(tx));
    row_id(*key, id);
    AUTO(statement) *q = tx_statement(tx, SQL_node_insert);
    bind_int(q, P_key, *key);
    bind_text(q, P_id, id);
    bind_text(q, P_credential, hash);
    bind_request(q, tx, request);
    return statement_run(q, err);
}

static bool rejoin(struct tx *tx, const struct join_request *request, int64_t key, struct err *err)
{
    if (!tx_run_key(tx, SQL_watermark_new_sequence, key, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_node_rejoin);
    bind_int(q, P_key, key);
    bind_int(q, P_revision, node_note(tx, key));
    bind_request(q, tx, request);
    return statement_run(q, err);
}

/* The node of an earlier join; NULL for a first one. */
static bool find_known(struct tx *tx, const struct join_request *request, struct node_row **known,
                       struct err *err)
{
    char hash[65];
    const char *credential = "";
    *known = NULL;
    if (!request->node_id || !request->node_id[0])
        return true;
    if (!find_by_id(tx, request->node_id, tx->scratch, known, &credential, err))
        return false;
    if (!*known)
        return err_set(err, ERR_NODE_UNKNOWN, "node %s is not known here", request->node_id);
    if ((*known)->state == NODE_LEFT)
        return err_set(
            err, ERR_NODE_UNKNOWN,
            "node %s was removed; without node.json in its state_dir it joins as a new one",
            (*known)->name);
    id_hash(or_empty(request->credential), hash);
    return text_equal_secret(credential, hash) ||
           err_set(err, ERR_UNAUTHENTICATED, "the credential of node %s is not right",
                   (*known)->name);
}

static bool name_is_free(struct tx *tx, const struct join_request *request,
                         const struct node_row *known, struct err *err)
{
    struct node_row *holder = NULL;
    if (!find_by_name(tx, request->name, tx->scratch, &holder, err))
        return false;
    if (holder && (!known || holder->key != known->key))
        return err_set(err, ERR_NODE_NAME_TAKEN,
                       "another node is named %s: choose another name, or remove that node first",
                       holder->name);
    return true;
}

bool store_node_join(struct tx *tx, const struct join_request *request, struct node_row *row,
                     const char **credential, struct arena *arena, struct err *err)
{
    struct node_row *known, *joined;
    const char *fresh = NULL;
    int64_t key = 0;
    if (!find_known(tx, request, &known, err) || !name_is_free(tx, request, known, err))
        return false;
    if (known ? !rejoin(tx, request, key = known->key, err)
              : !insert(tx, request, arena, &key, &fresh, err))
        return false;
    if (!node_get(tx, key, arena, &joined, err))
        return false;
    *row = *joined;
    *credential = fresh;
    return true;
}

bool store_node_groups(struct tx *tx, int64_t node_key, struct arena *arena, const char ***ids,
                       size_t *count, struct err *err)
{
    const char **found = arena_array(arena, LIMIT_NODE_GROUPS_SHOWN, sizeof *found);
    size_t found_count = 0;
    AUTO(statement) *q = tx_statement(tx, SQL_node_groups);
    bind_int(q, P_node_key, node_key);
    bind_int(q, P_rows, LIMIT_NODE_GROUPS_SHOWN);
    if (!found)
        return arena_full(err);
    while (statement_next(q, err)) {
        found[found_count] = resource_text(q, arena);
        if (!found[found_count++])
            return arena_full(err);
    }
    if (!statement_ok(q, err))
        return false;
    *ids = found;
    *count = found_count;
    return true;
}

/* ---- changes ---- */

bool store_node_cordon(struct tx *tx, int64_t node_key, bool cordoned, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_node_cordon);
    bind_int(q, P_key, node_key);
    bind_int(q, P_cordoned, cordoned);
    bind_int(q, P_revision, node_note(tx, node_key));
    return statement_run(q, err);
}

bool node_capacity(struct tx *tx, const struct node_row *node, const struct node_capacity *capacity,
                   struct err *err)
{
    if (node->cpu_milli == capacity->cpu_milli && node->memory_mib == capacity->memory_mib &&
        node->gpus == capacity_gpus(capacity))
        return true;
    AUTO(statement) *q = tx_statement(tx, SQL_node_capacity);
    bind_int(q, P_key, node->key);
    bind_int(q, P_cpu_milli, capacity->cpu_milli);
    bind_int(q, P_memory_mib, capacity->memory_mib);
    bind_int(q, P_gpus, capacity_gpus(capacity));
    bind_int(q, P_revision, node_note(tx, node->key));
    return statement_run(q, err);
}
