/* Container groups as rows: making, finding, their specs and their sealed secrets. Listing: group_list.c. */
#include "base/id.h"
#include "base/limits.h"
#include "model/resource_id.h"
#include "store/disks.h"
#include "store/dns.h"
#include "store/group_life.h"
#include "store/pins.h"
#include "store/row_id.h"
#include "store/seal.h"
#include "store/statements.h"
#include "store/tags.h"

#include <string.h>

_Static_assert(sizeof((struct group_row *)0)->ids[0] >= ID_SIZE, "an id fits");

/* ---- rows ---- */

static void read_ports(struct statement *q, struct group_row *row)
{
    AUTO(arena) *arena = column_is_null(q, C_node_ports) ? NULL : arena_new(1024);
    const char *ports = arena ? column_text(q, C_node_ports, arena) : NULL;
    if (ports)
        port_set_read(ports, &row->shape.ports);
}

static void read_life(struct statement *q, struct group_row *row)
{
    row->living = column_int(q, C_living) != 0;
    row->wanted = (enum wanted)column_int(q, C_wanted);
    row->state = (enum group_state)column_int(q, C_state);
    row->provisioning = (enum provisioning)column_int(q, C_provisioning);
    row->restart_policy = (enum restart_policy)column_int(q, C_restart_policy);
    row->os = (enum os_type)column_int(q, C_os);
    row->shape.cpu_milli = column_int(q, C_cpu_milli);
    row->shape.memory_mib = column_int(q, C_memory_mib);
    read_ports(q, row);
    row->shape.gpus = column_int(q, C_gpus);
    row->quota_class = (enum quota_class)column_int(q, C_quota_class);
    quota_class_shape(row->quota_class, &row->shape);
    row->waits = !column_is_null(q, C_waits_since);
    row->counted = quota_hold_of(row->living, row->state, row->shape.cpu_milli);
    row->counted_class = row->quota_class;
}

static void read_numbers(struct statement *q, struct group_row *row)
{
    row->key = column_int(q, C_key);
    row->subscription_key = column_int(q, C_subscription_key);
    row->resource_group_key = column_int(q, C_resource_group_key);
    row->generation = column_int(q, C_generation);
    row->incarnation = column_int(q, C_incarnation);
    row->created_ms = column_int(q, C_created_ms);
    row->revision = column_int(q, C_revision);
    row->operation_key = column_int(q, C_operation_key);
    row->node_key = column_int(q, C_node_key);
}

/* The columns that all questions for groups have. */
static void read_moving(struct statement *q, struct arena *arena, struct group_row *row)
{
    *row = (struct group_row){
        .uid = column_text(q, C_uid, arena),
        .name = column_text(q, C_name, arena),
        .location = column_text(q, C_location, arena),
        .address = column_text(q, C_address, arena),
        .public_number = column_int(q, C_public_address),
    };
    row->public_address = public_address_text(row->public_number, arena);
    const char *class_name = column_text(q, C_runtime_class, arena);
    read_numbers(q, row);
    read_life(q, row);
    text_copy(row->shape.runtime_class, sizeof row->shape.runtime_class,
              class_name ? class_name : "");
    column_copy(q, C_zone, row->shape.zone, sizeof row->shape.zone);
}

static void row_read(struct statement *q, struct arena *arena, struct group_row *row)
{
    read_moving(q, arena, row);
    row->subscription = column_text(q, C_subscription, arena);
    row->resource_group = column_text(q, C_resource_group, arena);
    row->address_at = column_int(q, C_address_at);
}

static const char *read_spec(struct tx *tx, int64_t key, struct arena *arena, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_spec);
    bind_int(q, P_key, key);
    const char *spec = NULL;
    if (statement_next(q, err))
        spec = column_text(q, C_spec, arena);
    return statement_ok(q, err) ? spec : NULL;
}

/* Takes the one row of a question for a whole group. */
static struct group_row *take_row(struct statement *q, struct arena *arena, struct err *err)
{
    struct group_row *row = ARENA_NEW(arena, struct group_row);
    if (!row) {
        arena_full(err);
        return NULL;
    }
    if (!statement_next(q, err))
        return NULL;
    row_read(q, arena, row);
    row->operation_id = column_text(q, C_operation_id, arena);
    row->status = column_text(q, C_status, arena);
    row->events = column_text(q, C_events, arena);
    row->dns_name = column_text(q, C_dns_name, arena);
    return statement_ok(q, err) ? row : NULL;
}

static struct group_row *with_its_spec(struct tx *tx, struct group_row *row, bool with_spec,
                                       struct arena *arena, struct err *err)
{
    if (row && with_spec && !(row->spec = read_spec(tx, row->key, arena, err)))
        return NULL;
    return row;
}

static struct group_row *find_row(struct tx *tx, const struct resource_id *id, struct arena *arena,
                                  struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_find);
    bind_text(q, P_subscription, id->subscription);
    bind_text(q, P_resource_group, id->resource_group);
    bind_text(q, P_name, id->group);
    return take_row(q, arena, err);
}

struct group_row *store_group_find(struct tx *tx, const struct resource_id *id, bool with_spec,
                                   struct arena *arena, struct err *err)
{
    return with_its_spec(tx, find_row(tx, id, arena, err), with_spec, arena, err);
}

static struct group_row *get_row(struct tx *tx, int64_t key, struct arena *arena, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_get);
    bind_int(q, P_key, key);
    return take_row(q, arena, err);
}

struct group_row *store_group_get(struct tx *tx, int64_t key, bool with_spec, struct arena *arena,
                                  struct err *err)
{
    return with_its_spec(tx, get_row(tx, key, arena, err), with_spec, arena, err);
}

struct group_row *store_group_hosted(struct tx *tx, const char *uid, int64_t node_key,
                                     struct arena *arena, struct err *err)
{
    int64_t key = row_id_key(uid);
    struct group_row *row = key ? store_group_get(tx, key, true, arena, err) : NULL;

    if (row && row->living && row->node_key == node_key && strcmp(row->uid, uid) == 0)
        return row;
    if (row || err->code == ERR_OK)
        err_set(err, ERR_NOT_FOUND, "this node runs no container group of that uid");
    return NULL;
}

bool group_load(struct tx *tx, int64_t key, struct group_row **row, struct err *err)
{
    struct group_row *found = ARENA_NEW(tx->scratch, struct group_row);
    AUTO(statement) *q = tx_statement(tx, SQL_group_load);
    bind_int(q, P_key, key);
    if (!found)
        return arena_full(err);
    bool any = statement_next(q, err);
    if (any) {
        read_moving(q, tx->scratch, found);
        found->no_disks = column_int(q, C_no_disks) != 0;
        found->no_dns_name = column_int(q, C_no_dns_name) != 0;
    }
    *row = any ? found : NULL;
    return statement_ok(q, err);
}

/* ---- secrets ---- */

enum { PLACE_SIZE = 80 };
static const char no_secrets[] = "{}";

static void seal_place(const char *uid, int64_t generation, char out[PLACE_SIZE])
{
    text_format(out, PLACE_SIZE, "%s %lld", uid, (long long)generation);
}

/* NULL in *sealed: there are none. */
static bool seal_secrets(struct tx *tx, const struct group_row *row, const char *secrets,
                         unsigned char **sealed, size_t *size, struct err *err)
{
    char place[PLACE_SIZE];
    size_t text_size = strlen(secrets);
    *sealed = NULL;
    *size = 0;
    if (strcmp(secrets, no_secrets) == 0)
        return true;
    seal_place(row->uid, row->generation, place);
    *sealed = arena_alloc(tx->scratch, text_size + SEAL_OVERHEAD);
    *size = text_size + SEAL_OVERHEAD;
    return *sealed ? seal_close(tx_seal(tx), place, secrets, text_size, *sealed, err)
                   : arena_full(err);
}

const char *store_group_secrets(struct tx *tx, int64_t key, struct arena *arena, struct err *err)
{
    char place[PLACE_SIZE];
    AUTO(statement) *q = tx_statement(tx, SQL_group_spec_sealed);
    bind_int(q, P_key, key);
    if (!statement_next(q, err)) {
        if (statement_ok(q, err))
            err_set(err, ERR_NOT_FOUND, "the group is gone");
        return NULL;
    }
    const char *uid = column_text(q, C_uid, arena);
    size_t size;
    const unsigned char *sealed = column_bytes(q, C_sealed, &size);
    if (!uid || !sealed)
        return uid || arena_full(err) ? no_secrets : NULL;
    seal_place(uid, column_int(q, C_generation), place);
    return seal_text(tx_seal(tx), place, sealed, size, arena, err);
}

/* ---- making and changing ---- */

static bool find_parents(struct tx *tx, struct group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_parents);
    bind_text(q, P_subscription, row->subscription);
    bind_text(q, P_resource_group, row->resource_group);
    if (!statement_next(q, err))
        return statement_ok(q, err)
                   ? err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND,
                             "Resource group '%s' could not be found.", row->resource_group)
                   : false;
    if (column_int(q, C_deleting) != 0)
        return resource_group_refuse_deleting(row->resource_group, err);
    row->subscription_key = column_int(q, C_subscription_key);
    row->resource_group_key = column_int(q, C_resource_group_key);
    const char *subscription = column_text(q, C_subscription, tx->scratch);
    const char *resource_group = column_text(q, C_resource_group, tx->scratch);
    if (!subscription || !resource_group)
        return arena_full(err);
    if (text_copy(row->parents[0], sizeof row->parents[0], subscription))
        row->subscription = row->parents[0];
    if (text_copy(row->parents[1], sizeof row->parents[1], resource_group))
        row->resource_group = row->parents[1];
    return true;
}

static void bind_life(struct statement *q, const struct group_row *row, int64_t operation_key)
{
    bind_int(q, P_key, row->key);
    bind_int(q, P_wanted, row->wanted);
    bind_int(q, P_state, row->state);
    bind_int(q, P_provisioning, row->provisioning);
    bind_int(q, P_operation_key, operation_key);
}

static void bind_shape(struct statement *q, const struct group_row *row)
{
    bind_int(q, P_restart_policy, row->restart_policy);
    bind_int(q, P_os, row->os);
    bind_int(q, P_cpu_milli, row->shape.cpu_milli);
    bind_int(q, P_memory_mib, row->shape.memory_mib);
    bind_int(q, P_gpus, row->shape.gpus);
    bind_int(q, P_quota_class, row->quota_class);
    bind_text(q, P_runtime_class, row->shape.runtime_class);
    bind_text(q, P_zone, row->shape.zone);
}

static bool name_taken(const struct group_row *row, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "The container group '%s' exists already.", row->name);
}

/* Who is at the limit and puts a group that stands is told that it stands, as below the limit. */
static bool quota_allows_new(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct err stands;
    if (quota_allows(tx, row, err))
        return true;
    AUTO(statement) *q = tx_statement(tx, SQL_group_named);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, row->name);
    if (statement_next(q, &stands))
        return name_taken(row, err);
    if (!statement_ok(q, &stands))
        *err = stands;
    return false;
}

static bool insert_row(struct tx *tx, const struct group_row *row, struct err *err)
{
    bool inserted = false;
    AUTO(statement) *q = tx_statement(tx, SQL_group_insert);
    bind_life(q, row, tx_revision(tx)); /* the operation gets the next number */
    bind_shape(q, row);
    bind_int(q, P_subscription_key, row->subscription_key);
    bind_int(q, P_resource_group_key, row->resource_group_key);
    bind_text(q, P_name, row->name);
    bind_text(q, P_uid, row->uid);
    bind_text(q, P_location, row->location);
    bind_int(q, P_now_ms, row->created_ms);
    bind_int(q, P_node_key, row->node_key);
    if (row->waits)
        bind_int(q, P_waits_since, row->key);
    else
        bind_null(q, P_waits_since);
    if (!statement_change(q, &inserted, err))
        return false;
    return inserted || name_taken(row, err);
}

static bool put_tags(struct tx *tx, const struct group_row *row, struct err *err)
{
    struct tags_owner owner = {row->key, row->subscription_key, TAGS_OF_GROUP,
                               row->generation == 1};
    return tags_put(tx, &owner, row->spec, err);
}

static bool put_spec(struct tx *tx, const struct group_row *row, const char *secrets,
                     struct err *err)
{
    unsigned char *sealed;
    size_t size;
    if (!seal_secrets(tx, row, secrets, &sealed, &size, err))
        return false;
    AUTO(statement) *q = tx_statement(tx, SQL_group_spec_put);
    bind_int(q, P_key, row->key);
    bind_int(q, P_address_at, row->address_at);
    bind_text(q, P_spec, row->spec);
    if (sealed)
        bind_bytes(q, P_sealed, sealed, size);
    else
        bind_null(q, P_sealed);
    return statement_run(q, err) && put_tags(tx, row, err);
}

bool store_group_create(struct tx *tx, struct group_row *row, const char *secrets, struct err *err)
{
    row->generation = row->incarnation = 1;
    row->wanted = WANTED_RUN;
    row->state = GROUP_PENDING;
    row->provisioning = PROVISIONING_PENDING;
    row->created_ms = tx->now_ms;
    row->living = row->waits = true;
    row->node_key = row->operation_key = 0;
    row->address = row->public_address = row->status = row->events = NULL;
    row->public_number = 0;
    row->counted = (struct quota_hold){0};
    bool ignored;
    if (!find_parents(tx, row, err) || !quota_allows_new(tx, row, err) ||
        !placement_promised(tx, row, err))
        return false;
    int64_t promise = row->waits ? row->promised.promise : 0; /* or its order tells of it */
    row->key = row->revision = tx_note(
        tx,
        (struct change){.kind = CHANGE_GROUP, .group_key = tx_revision(tx), .promise = promise});
    row_id(row->key, row->ids[0]);
    row->uid = row->ids[0];
    /* First what may be refused: a refusal that wrote nothing costs others nothing. The operation's number follows
     * the row's (insert_row). */
    return insert_row(tx, row, err) && quota_count(tx, row, err) &&
           ((!row->pool && row->shape.ports.count == 0) ||
            public_address_settle(tx, row, &ignored, err)) &&
           operation_begin(tx, row, OPERATION_CREATE, err) && dns_name_put(tx, row, true, err) &&
           disks_name(tx, row, true, err) && put_spec(tx, row, secrets, err) &&
           pins_begin(tx, row, err) && (row->waits || placement_begin(tx, row, err));
}

bool group_save(struct tx *tx, struct group_row *row, struct err *err)
{
    row->revision = tx_note(tx, (struct change){.kind = CHANGE_GROUP,
                                                .group_key = row->key,
                                                .promise = row->promised.promise});
    AUTO(statement) *q = tx_statement(tx, SQL_group_save);
    bind_life(q, row, row->operation_key);
    bind_int(q, P_incarnation, row->incarnation);
    bind_int(q, P_node_key, row->node_key);
    bind_text(q, P_address, row->address);
    bind_int(q, P_revision, row->revision);
    bind_int(q, P_waits, row->waits);
    return statement_run(q, err) && (row->no_dns_name || dns_name_move(tx, row, err)) &&
           quota_count(tx, row, err);
}

static bool respec_columns(struct tx *tx, const struct group_row *row, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_respec);
    bind_int(q, P_key, row->key);
    bind_shape(q, row);
    bind_int(q, P_generation, row->generation);
    bind_int(q, P_now_ms, tx->now_ms);
    return statement_run(q, err);
}

/* The secrets it has, sealed again for the next generation. */
static bool keep_secrets(struct tx *tx, struct group_row *row, struct err *err)
{
    const char *opened = store_group_secrets(tx, row->key, tx->scratch, err);
    if (!opened)
        return false;
    row->generation++;
    bool ok = put_spec(tx, row, opened, err);
    if (opened != no_secrets)
        seal_forget(opened);
    return ok;
}

bool group_respec(struct tx *tx, struct group_row *row, const char *secrets, struct err *err)
{
    if (!secrets)
        return keep_secrets(tx, row, err) && respec_columns(tx, row, err);
    row->generation++;
    return put_spec(tx, row, secrets, err) && respec_columns(tx, row, err);
}

/* ---- status ---- */

bool group_status_put(struct tx *tx, int64_t key, const char *status, struct err *err)
{
    AUTO(statement) *q = tx_statement(tx, SQL_group_status_put);
    bind_int(q, P_key, key);
    bind_text(q, P_status, status);
    return statement_run(q, err);
}

/* ---- leaving ---- */

bool group_hide(struct tx *tx, int64_t key, struct err *err)
{
    return tx_run_key(tx, SQL_group_hide, key, err) &&
           tx_run_key(tx, SQL_group_spec_unseal, key, err) &&
           tx_run_key(tx, SQL_tag_drop, key, err) && dns_name_free(tx, key, err);
}

bool group_purge(struct tx *tx, const struct group_row *row, struct err *err)
{
    static const int parts[] = {SQL_use_purge, SQL_group_report_purge, SQL_group_images_purge,
                                SQL_group_spec_purge, SQL_group_purge};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!tx_run_key(tx, parts[i], row->key, err))
            return false;
    return disks_forget(tx, row->key, err);
}
