/* Nodes, for who operates them: what they are, what room they have, taking them out of use. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "model/runtime_class.h"

#include <string.h>

struct amounts {
    int64_t cpu_milli, memory_mib;
};
struct node_view {
    const char *id, *name, *location, *zone, *os, *architecture, *address, *version, *state,
        *joined_time;
    bool cordoned, user_namespaces;
    int64_t epoch, watermark_s;
    struct text_list classes, held;
    struct node_gpus *gpus;
    size_t gpus_count;
    struct amounts *capacity, *free;
    struct opt_int groups, silent_ms;
};
struct node_views {
    struct node_view *value;
    size_t value_count;
};

/* clang-format off */
static const struct field amounts_fields[] = {
    FIELD(struct amounts, cpu_milli, "cpuMilli"),
    FIELD(struct amounts, memory_mib, "memoryMib"),
};
static const struct schema amounts_schema = SCHEMA("Amounts", struct amounts, amounts_fields, "CPU and memory.");

static const struct field node_fields[] = {
    FIELD(struct node_view, id, "id"),
    FIELD(struct node_view, name, "name"),
    FIELD(struct node_view, location, "location"),
    FIELD(struct node_view, zone, "zone", .doc = "Part of its location; absent: none."),
    FIELD(struct node_view, os, "os"),
    FIELD(struct node_view, architecture, "architecture"),
    FIELD(struct node_view, address, "address"),
    FIELD(struct node_view, version, "version"),
    FIELD(struct node_view, state, "state", .doc = "Ready, Lost or Left."),
    FIELD(struct node_view, cordoned, "cordoned", .doc = "Takes no new groups."),
    FIELD(struct node_view, joined_time, "joinedTime"),
    FIELD(struct node_view, epoch, "epoch", .doc = "Counts joins and losses."),
    FIELD(struct node_view, watermark_s, "watermark", .doc = "Unix second; everything below it is fully reported."),
    FIELD(struct node_view, classes, "runtimeClasses", .flags = FIELD_PRINT_EMPTY, .doc = "Runtimes that it has, the usual one first; a group names one in its tag berth.runtimeClass."),
    FIELD(struct node_view, user_namespaces, "userNamespaces", .doc = "Groups have users of their own there, so that root in one is nobody on the node."),
    FIELD_ITEMS(struct node_view, gpus, "gpus", &node_gpus_schema, .doc = "Graphics processors."),
    FIELD_STRUCT(struct node_view, capacity, "capacity", &amounts_schema),
    FIELD_STRUCT(struct node_view, free, "free", &amounts_schema, .doc = "Neither held nor promised."),
    FIELD(struct node_view, groups, "groups", .doc = "That hold room there."),
    FIELD(struct node_view, held, "containerGroups", .doc = "Ids of them, the last ones first, of many some; only where one node is shown."),
    FIELD(struct node_view, silent_ms, "silentMs", .doc = "Since the last report; -1: it has no lease."),
};
const struct schema node_schema = SCHEMA("Node", struct node_view, node_fields, "A machine that runs groups.");

static const struct field nodes_fields[] = {
    FIELD_ITEMS(struct node_views, value, "value", &node_schema, .flags = FIELD_PRINT_EMPTY),
};
const struct schema nodes_schema = SCHEMA("NodeList", struct node_views, nodes_fields, "All nodes.");
/* clang-format on */

static bool room_take(struct request *request, const struct node_row *row, struct node_view *view,
                      struct err *err)
{
    const struct api_hooks *hooks = &request->api->hooks;
    struct api_node_room room;

    if (!hooks->node_room || !hooks->node_room(hooks->context, row->key, &room))
        return true;
    view->free = ARENA_NEW(request->arena, struct amounts);
    if (!view->free)
        return request_full(err);
    *view->free = (struct amounts){room.cpu_milli, room.memory_mib};
    view->groups = (struct opt_int){GIVEN_VALUE, room.groups};
    view->silent_ms = (struct opt_int){GIVEN_VALUE, room.silent_ms};
    return true;
}

/* What it has beside CPU and memory. False: no memory. */
static bool more_take(struct request *request, const struct node_row *row, struct node_view *view)
{
    char *rest = arena_text(request->arena, row->classes ? row->classes : "");

    view->classes.items = arena_array(request->arena, RUNTIME_CLASSES_MAX, sizeof(char *));
    view->gpus = arena_array(request->arena, GPU_SKUS, sizeof *view->gpus);
    if (!rest || !view->classes.items || !view->gpus)
        return false;
    for (char *name; view->classes.count < RUNTIME_CLASSES_MAX && (name = strsep(&rest, " "));)
        if (*name)
            view->classes.items[view->classes.count++] = name;
    for (int sku = 0; sku < GPU_SKUS; sku++)
        if (gpus_count(row->gpus, sku) > 0)
            view->gpus[view->gpus_count++] = (struct node_gpus){sku, gpus_count(row->gpus, sku)};
    return true;
}

static bool view_take(struct request *request, const struct node_row *row, struct node_view *view,
                      struct err *err)
{
    struct amounts *capacity = ARENA_NEW(request->arena, struct amounts);
    char joined[CLOCK_TEXT_SIZE];

    clock_text(row->joined_ms, joined);
    *view = (struct node_view){
        .id = row->id,
        .name = row->name,
        .location = row->location,
        .zone = row->zone && row->zone[0] ? row->zone : NULL,
        .os = row->os,
        .architecture = row->architecture,
        .address = row->address,
        .version = row->version,
        .state = node_state_words[row->state],
        .joined_time = arena_text(request->arena, joined),
        .cordoned = row->cordoned,
        .user_namespaces = row->user_namespaces,
        .epoch = row->epoch,
        .watermark_s = row->watermark_s,
        .capacity = capacity,
    };
    if (!capacity || !view->joined_time || !more_take(request, row, view))
        return request_full(err);
    *capacity = (struct amounts){row->cpu_milli, row->memory_mib};
    return room_take(request, row, view, err);
}

bool node_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct node_views views = {0};
    struct node_row *rows;

    if (!tx || !store_node_list(tx, request->arena, &rows, &views.value_count, err))
        return false;
    views.value = arena_array(request->arena, views.value_count + 1, sizeof *views.value);
    if (!views.value)
        return request_full(err);
    for (size_t i = 0; i < views.value_count; i++) {
        if (!view_take(request, &rows[i], &views.value[i], err))
            return false;
    }
    return reply_value(request, 200, &nodes_schema, &views);
}

static struct node_row *find(struct request *request, struct tx *tx, struct err *err)
{
    struct node_row *row = store_node_find(tx, request->names[0], request->arena, err);

    if (!row && (err->code == ERR_OK || err->code == ERR_NOT_FOUND))
        err_set(err, ERR_NODE_UNKNOWN, "There is no node '%.63s'.", request->names[0]);
    return row;
}

bool node_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    const struct node_row *row = tx ? find(request, tx, err) : NULL;
    struct node_view view;

    return row && view_take(request, row, &view, err) &&
           store_node_groups(tx, row->key, request->arena, &view.held.items, &view.held.count,
                             err) &&
           reply_value(request, 200, &node_schema, &view);
}

/* ---- changing ---- */

static bool changed(struct request *request, struct err *err)
{
    return wait_committed(request, err) && node_show(request, err);
}

/* The scheduler is told before the client is: what the client puts next does not go there. */
static bool cordoned(struct request *request, struct err *err)
{
    const struct api_hooks *hooks = &request->api->hooks;
    AUTO(tx) *tx = NULL;
    const struct node_row *row;

    if (!wait_committed(request, err))
        return false;
    tx = store_read(request->api->store, err);
    row = tx ? find(request, tx, err) : NULL;
    if (row && hooks->node_cordoned)
        hooks->node_cordoned(hooks->context, row->key);
    return row && node_show(request, err);
}

static bool cordon(struct tx *tx, struct request *request, bool cordoned, struct err *err)
{
    const struct node_row *row = find(request, tx, err);

    return row && store_node_cordon(tx, row->key, cordoned, err);
}

static bool cordon_work(struct tx *tx, void *request, struct err *err)
{
    return cordon(tx, request, true, err);
}

static bool uncordon_work(struct tx *tx, void *request, struct err *err)
{
    return cordon(tx, request, false, err);
}

bool node_cordon(struct request *request, struct err *err UNUSED)
{
    return wait_commit(request, cordon_work, cordoned);
}

static bool drain_work(struct tx *tx, void *request, struct err *err)
{
    const struct node_row *row = find(request, tx, err);

    return row && store_node_drain(tx, row->key, err);
}

bool node_drain(struct request *request, struct err *err UNUSED)
{
    return wait_commit(request, drain_work, cordoned);
}

bool node_uncordon(struct request *request, struct err *err UNUSED)
{
    return wait_commit(request, uncordon_work, changed);
}

static bool delete_work(struct tx *tx, void *data, struct err *err)
{
    const struct node_row *row = find(data, tx, err);

    return row && store_node_remove(tx, row->key, err);
}

static bool deleted(struct request *request, struct err *err)
{
    return wait_committed(request, err) && reply_empty(request, 204);
}

bool node_delete(struct request *request, struct err *err UNUSED)
{
    return wait_commit(request, delete_work, deleted);
}
