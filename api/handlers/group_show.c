/* Showing and listing container groups. */
#include "api/handlers/group.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"
#include "api/page.h"

bool group_show(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct group_row *row = tx ? group_find(request, tx, true, err) : NULL;

    if (!row)
        return false;
    if (group_not_modified(request, row))
        return true;
    if (!group_print_whole(request, row, request->out, err))
        return false;
    if (row->provisioning != PROVISIONING_SUCCEEDED && row->provisioning != PROVISIONING_FAILED)
        reply_header_kept(request, "Retry-After", "1"); /* for those who poll the group itself */
    return reply_json(request, 200);
}

static bool check_resource_group(struct request *request, struct tx *tx, const char *name,
                                 struct err *err)
{
    if (store_resource_group_find(tx, request->names[0], name, request->arena, err))
        return true;
    return err->code != ERR_OK ? false
                               : err_set(err, ERR_RESOURCE_GROUP_NOT_FOUND,
                                         "Resource group '%.90s' could not be found.", name);
}

bool group_list(struct request *request, struct err *err)
{
    const char *resource_group = request->names_count > 1 ? request->names[1] : NULL;
    AUTO(tx) *tx = NULL;
    struct group_page rows = {0};
    struct page page;

    if (!page_take(request, 'g', &page, err))
        return false;
    tx = store_read(request->api->store, err);
    if (!tx || (resource_group && !check_resource_group(request, tx, resource_group, err)))
        return false;
    if (list_not_modified(request, tx_revision(tx)))
        return true;
    if (!store_group_list(tx, request->names[0], resource_group, page.after_key, page.rows_max,
                          request->arena, &rows, err))
        return false;
    text_add(request->out, "{\"value\":[");
    for (size_t i = 0; i < rows.count; i++) {
        if (i > 0)
            text_add_char(request->out, ',');
        group_print(&rows.rows[i], request->api->dns_zone, false, request->out);
    }
    text_add_char(request->out, ']');
    page_link(request, 'g', rows.next_key);
    text_add_char(request->out, '}');
    return reply_json(request, 200);
}

/* Documented as always empty: nothing outside has to be reachable for a group to work. */
bool group_dependencies_list(struct request *request, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx || !group_find(request, tx, false, err))
        return false;
    text_add(request->out, "[]");
    return reply_json(request, 200);
}
