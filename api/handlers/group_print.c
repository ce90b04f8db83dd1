/* A group as clients see it. */
#include "api/handlers/group.h"
#include "api/inside.h"

#include <string.h>

static const char spec_begin[] = "\"properties\":{";

static void print_names(const struct group_row *row, struct text *out)
{
    text_addf(out, ",\"id\":\"/subscriptions/%s/resourceGroups/", row->subscription);
    text_add(out, row->resource_group);
    text_add(out, "/providers/" RESOURCE_TYPE_GROUP "/");
    text_add(out, row->name);
    text_add(out, "\",\"name\":\"");
    text_add(out, row->name);
    text_add(out, "\",\"type\":\"" RESOURCE_TYPE_GROUP "\"");
}

/* A public one is the group's from its creation on, a node's own while it runs there. */
static const char *group_ip(const struct group_row *row)
{
    return row->public_address ? row->public_address : row->address;
}

/* The spec behind its first brace, with the address put into it where there is one. */
static void print_spec(const struct group_row *row, const char *dns_zone, size_t from,
                       struct text *out)
{
    size_t size = strlen(row->spec), at = (size_t)row->address_at;

    const char *ip = group_ip(row);

    if ((!ip && !row->dns_name) || at <= from || at >= size) {
        text_add_n(out, row->spec + from, size - from);
        return;
    }
    text_add_n(out, row->spec + from, at - from);
    if (ip) {
        text_add(out, "\"ip\":");
        text_add_json(out, ip);
    }
    if (row->dns_name)
        text_addf(out, "%s\"fqdn\":\"%s.%s\"", ip ? "," : "", row->dns_name, dns_zone);
    if (row->spec[at] != '}')
        text_add_char(out, ',');
    text_add_n(out, row->spec + at, size - at);
}

void group_print(const struct group_row *row, const char *dns_zone, bool with_view,
                 struct text *out)
{
    size_t from = sizeof spec_begin - 1;

    CHECK(strncmp(row->spec, spec_begin, from) == 0);
    text_add(out, "{\"properties\":{\"provisioningState\":\"");
    text_add(out, provisioning_words[row->provisioning]);
    text_add(out, "\",\"provisioningTimeoutInSeconds\":");
    text_add_int(out, LIMIT_PROVISIONING_TIMEOUT_S);
    text_add(out, ",\"isCustomProvisioningTimeout\":false,");
    if (with_view) {
        text_add(out, "\"instanceView\":{\"events\":[],\"state\":\"");
        text_add(out, group_state_words[row->state]);
        text_add(out, "\"},");
    }
    print_spec(row, dns_zone, from, out);
    print_names(row, out);
    text_add_char(out, '}');
}

/* ---- with what its node says ---- */

bool group_spec_read(struct request *request, const struct group_row *row,
                     struct container_group *group, struct err *err)
{
    char *json = arena_format(request->arena, "{%s}", row->spec);

    if (!json)
        return request_full(err);
    bool read =
        fields_read(&container_group_schema, json, strlen(json), request->arena, group, err);
    if (!read)
        err_add(err, "while reading the stored group");
    else if (!group->properties)
        err_set(err, ERR_INTERNAL, "the stored group has no properties");
    return read && group->properties;
}

bool group_status_take(struct request *request, const struct group_row *row,
                       struct group_status **status, struct err *err)
{
    struct group_status *read;

    *status = NULL;
    if (!row->status)
        return true;
    read = ARENA_NEW(request->arena, struct group_status);
    if (!read)
        return request_full(err);
    if (!fields_read(&group_status_schema, row->status, strlen(row->status), request->arena, read,
                     err))
        return err_add(err, "while reading the stored status");
    if (read->incarnation == row->incarnation)
        *status = read;
    return true;
}

struct own_events {
    struct event *events;
    size_t events_count;
};

/* clang-format off */
static const struct field own_events_fields[] = {
    FIELD_ITEMS(struct own_events, events, "events", &event_schema),
};
static const struct schema own_events_schema = SCHEMA("OwnEvents", struct own_events, own_events_fields, "Events the plane saw.");
/* clang-format on */

bool group_events_take(struct request *request, const struct group_row *row,
                       const struct group_status *status, struct event **events, size_t *count,
                       struct err *err)
{
    struct own_events own = {0};
    size_t told = status ? status->events_count : 0;
    char *json = row->events ? arena_format(request->arena, "{\"events\":%s}", row->events) : NULL;

    if (row->events &&
        (!json || !fields_read(&own_events_schema, json, strlen(json), request->arena, &own, err)))
        return json ? err_add(err, "while reading the stored events") : request_full(err);
    *events = arena_array(request->arena, own.events_count + told + 1, sizeof **events);
    if (!*events)
        return request_full(err);
    for (size_t i = 0; i < own.events_count; i++)
        (*events)[i] = own.events[i];
    for (size_t i = 0; i < told; i++)
        (*events)[own.events_count + i] = status->events[i];
    *count = own.events_count + told;
    return true;
}

static void views_put(struct container *containers, size_t count, const struct group_status *status)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < status->containers_count; j++) {
            if (strcmp(containers[i].name, status->containers[j].name) == 0)
                containers[i].properties->view = status->containers[j].view;
        }
    }
}

static bool group_fill(struct request *request, struct container_group *group,
                       const struct group_row *row, struct group_view *view)
{
    struct group_properties *properties = group->properties;

    group->name = row->name;
    group->type = RESOURCE_TYPE_GROUP;
    view->state = group_state_words[row->state];
    properties->view = view;
    properties->provisioning_state = provisioning_words[row->provisioning];
    properties->provisioning_timeout_s =
        (struct opt_int){GIVEN_VALUE, LIMIT_PROVISIONING_TIMEOUT_S};
    properties->custom_provisioning_timeout = (struct opt_bool){GIVEN_VALUE, false};
    if (!properties->address)
        return true;
    properties->address->ip = group_ip(row);
    properties->address->fqdn =
        row->dns_name ? arena_format(request->arena, "%s.%s", row->dns_name, request->api->dns_zone)
                      : NULL;
    return properties->address->fqdn || !row->dns_name;
}

bool group_print_whole(struct request *request, const struct group_row *row, struct text *out,
                       struct err *err)
{
    struct group_status *status = NULL;
    struct container_group group = {0};
    struct group_view view = {0};

    if (!row->status && !row->events) {
        group_print(row, request->api->dns_zone, true, out);
        return true;
    }
    if (!group_spec_read(request, row, &group, err) ||
        !group_status_take(request, row, &status, err) ||
        !group_events_take(request, row, status, &view.events, &view.events_count, err))
        return false;
    if (status) {
        views_put(group.properties->containers, group.properties->containers_count, status);
        views_put(group.properties->init_containers, group.properties->init_containers_count,
                  status);
    }
    bool filled = group_fill(request, &group, row, &view);
    group.id = arena_format(
        request->arena, "/subscriptions/%s/resourceGroups/%s/providers/" RESOURCE_TYPE_GROUP "/%s",
        row->subscription, row->resource_group, row->name);
    if (!filled || !group.id)
        return request_full(err);
    fields_print(&container_group_schema, &group, FIELDS_ALL, out, NULL);
    return true;
}
