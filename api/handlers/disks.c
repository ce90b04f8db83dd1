/* Local disks, for who operates nodes: where they are, who names them, taking them away with all that is in them. */
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

struct disk_view {
    const char *id, *name, *subscription, *resource_group, *node, *node_state, *created_time;
    struct opt_int size_bytes;
    bool removing;
    struct text_list groups;
};

/* clang-format off */
static const struct field disk_fields[] = {
    FIELD(struct disk_view, id, "id"),
    FIELD(struct disk_view, name, "name"),
    FIELD(struct disk_view, subscription, "subscription"),
    FIELD(struct disk_view, resource_group, "resourceGroup"),
    FIELD(struct disk_view, node, "node", .doc = "Where it is: groups that name it run there alone."),
    FIELD(struct disk_view, node_state, "nodeState", .doc = "Ready, Lost or Left."),
    FIELD(struct disk_view, created_time, "createdTime"),
    FIELD(struct disk_view, size_bytes, "sizeLimit", .doc = "Bytes; absent: the first group that named it said none."),
    FIELD(struct disk_view, removing, "removing", .doc = "Its node is to remove it, and has not said yet that it did."),
    FIELD(struct disk_view, groups, "groups", .flags = FIELD_PRINT_EMPTY, .doc = "Names of container groups that name it, 100 at most."),
};
const struct schema disk_schema = SCHEMA("LocalDisk", struct disk_view, disk_fields, "A folder on a node that outlives container groups.");
/* clang-format on */

static bool view_take(struct request *request, const struct disk_row *row, struct disk_view *view,
                      struct err *err)
{
    char created[CLOCK_TEXT_SIZE];

    clock_text(row->created_ms, created);
    *view = (struct disk_view){
        .id = row->id,
        .name = row->name,
        .subscription = row->subscription,
        .resource_group = row->resource_group,
        .node = row->node,
        .node_state = node_state_words[row->node_state],
        .created_time = arena_text(request->arena, created),
        .size_bytes = {row->size_bytes ? GIVEN_VALUE : GIVEN_ABSENT, row->size_bytes},
        .removing = row->removing,
        .groups = row->groups,
    };
    return view->created_time || request_full(err);
}

static bool question_take(struct request *request, struct disk_question *question, struct err *err)
{
    question->subscription = request_query(request, "subscription");
    question->resource_group = request_query(request, "resourceGroup");
    return !question->resource_group || question->subscription ||
           err_set_field(err, ERR_BAD_QUERY, "subscription",
                         "'resourceGroup' is given without its 'subscription'");
}

bool disk_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = NULL;
    struct disk_question question;
    struct disk_page found;
    struct page page;

    if (!question_take(request, &question, err) || !page_take(request, 'd', &page, err) ||
        !(tx = store_read(request->api->store, err)) ||
        !store_disk_list(tx, &question, page.after_key, page.rows_max, request->arena, &found, err))
        return false;
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < found.count; i++) {
        struct disk_view view;
        if (!view_take(request, &found.rows[i], &view, err))
            return false;
        text_add(request->out, i > 0 ? "," : "");
        fields_print(&disk_schema, &view, FIELDS_ALL, request->out, NULL);
    }
    text_add(request->out, "]");
    page_link(request, 'd', found.next_key);
    text_add(request->out, "}");
    return reply_json(request, 200);
}

/* ---- removing ---- */

static bool delete_work(struct tx *tx, void *data, struct err *err)
{
    const struct request *request = data;

    return store_disk_remove(tx, request->names[0], err);
}

static bool deleted(struct request *request, struct err *err)
{
    return wait_committed(request, err) && reply_empty(request, 202);
}

bool disk_delete(struct request *request, struct err *err UNUSED)
{
    return wait_commit(request, delete_work, deleted);
}
