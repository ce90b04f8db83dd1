/* What a PUT would do, said without doing it: takes the body of the PUT, its If-Match and its
 * x-berth-keep-secrets. A document that is wrong in itself is refused as the PUT refuses it; what
 * would stand in the way at this moment is in `errors`. */
#include "api/handlers/group_put.h"
#include "api/handlers/handlers.h"
#include "api/inside.h"

#include <string.h>

struct what_if_property {
    const char *path;
    struct raw_json old, now;
    bool secret;
};
struct what_if_error {
    const char *code, *message, *target;
};
struct what_if {
    int change;
    struct what_if_property *properties;
    size_t properties_count;
    struct what_if_error *errors;
    size_t errors_count;
};

/* clang-format off */

/* In the order of enum put_change. */
static const char *const change_words[] = {"none", "tagsOnly", "filesOnly", "inPlace", "replace", "create", NULL};

static const struct field property_fields[] = {
    FIELD(struct what_if_property, path, "path", .doc = "Like properties.containers[0].properties.image."),
    FIELD(struct what_if_property, old, "old", .doc = "As it stands; absent when it is not there."),
    FIELD(struct what_if_property, now, "new", .doc = "As it would be; absent when it would go."),
    FIELD(struct what_if_property, secret, "secret", .doc = "It differs, and is not shown."),
};
static const struct schema property_schema =
    SCHEMA("WhatIfProperty", struct what_if_property, property_fields, "A property that would change.");

static const struct field error_fields[] = {
    FIELD(struct what_if_error, code, "code"),
    FIELD(struct what_if_error, message, "message"),
    FIELD(struct what_if_error, target, "target", .doc = "The property it is about, if it is about one."),
};
static const struct schema error_schema =
    SCHEMA("WhatIfError", struct what_if_error, error_fields, "Why a PUT would be refused now.");

static const struct field what_if_fields[] = {
    FIELD_ENUM(struct what_if, change, "change", change_words,
        .doc = "none; tagsOnly: nothing but tags or the DNS label, and it keeps running; filesOnly: it keeps running and sees other files of its configMaps; inPlace: its containers are started again where they are; replace: "
               "it would have to be deleted first; create: a new deployment, since there is none, or it is stopped or has ended."),
    FIELD_ITEMS(struct what_if, properties, "properties", &property_schema, .flags = FIELD_PRINT_EMPTY),
    FIELD_ITEMS(struct what_if, errors, "errors", &error_schema, .flags = FIELD_PRINT_EMPTY),
};
const struct schema what_if_schema = SCHEMA("WhatIf", struct what_if, what_if_fields, "What a PUT would do.");

/* clang-format on */

enum { ERRORS_MAX = 64 };

static void add_error(struct what_if *what, enum err_code code, const char *message,
                      const char *target)
{
    if (what->errors_count < ERRORS_MAX)
        what->errors[what->errors_count++] =
            (struct what_if_error){err_code_name(code), message, target};
}

/* Takes a refusal as one of the errors; false when it is a failure of ours. */
static bool took(struct request *request, struct what_if *what, struct err *err)
{
    const char *message = arena_text(request->arena, err->text);

    if (err->code != ERR_TRANSITIONING && err->code != ERR_PRECONDITION &&
        err->code != ERR_NO_CAPACITY)
        return false;
    if (!message)
        return request_full(err);
    add_error(what, err->code, message, NULL);
    *err = (struct err){0};
    return true;
}

static void add_problems(struct request *request, struct what_if *what)
{
    for (size_t i = 0; i < request->problems.count; i++)
        add_error(what, request->problems.items[i].code, request->problems.items[i].text,
                  request->problems.items[i].field);
}

/* Room is asked for and given back. */
static bool check_room(struct request *request, struct putting *putting, struct what_if *what,
                       struct err *err)
{
    if (putting->change != PUT_CREATE)
        return true;
    if (!group_admit(request, &putting->row, err))
        return took(request, what, err);
    group_admit_undo(request, &putting->row);
    return true;
}

static bool differences_take(struct request *request, const struct putting *putting,
                             struct what_if *what, struct err *err)
{
    struct difference *found;
    size_t count;

    if (!fields_compare(&container_group_schema, putting->stands, &putting->group,
                        (size_t)LIMIT_WHAT_IF_PROPERTIES, request->arena, &found, &count))
        return request_full(err);
    what->properties = arena_array(request->arena, count + 1, sizeof *what->properties);
    if (!what->properties)
        return request_full(err);
    for (size_t i = 0; i < count; i++)
        what->properties[i] = (struct what_if_property){
            found[i].path, {found[i].old}, {found[i].now}, found[i].secret};
    what->properties_count = count;
    return true;
}

/* The secrets that stand, so that one that differs is told. */
static bool secrets_fill(struct request *request, struct tx *tx, struct putting *putting,
                         struct err *err)
{
    const char *secrets = store_group_secrets(tx, putting->old->key, request->arena, err);

    return secrets && fields_fill_secrets(&container_group_schema, putting->stands, secrets,
                                          strlen(secrets), request->arena, err);
}

static bool look_at_standing(struct request *request, struct tx *tx, struct putting *putting,
                             struct what_if *what, struct err *err)
{
    struct operation_row *joined;

    if (!put_read(request, tx, putting, err))
        return false;
    putting->change = put_weigh(request, putting);
    add_problems(request, what);
    if (putting->change != PUT_NONE &&
        !group_settled(request, tx, putting->old, JOINS_NONE, &joined, err) &&
        !took(request, what, err))
        return false;
    return secrets_fill(request, tx, putting, err) && differences_take(request, putting, what, err);
}

/* Whether another group has its DNS label. */
static bool check_label(struct request *request, struct tx *tx, const struct putting *putting,
                        struct what_if *what, struct err *err)
{
    const char *name = putting->row.dns_name;
    int64_t own_key = putting->old ? putting->old->key : 0;
    struct dns_found found;
    struct err taken = {0};

    if (!name || (putting->stands && put_keeps_label(putting)))
        return true;
    if (!store_dns_find(tx, name, request->arena, &found, err))
        return false;
    if (found.group_key == 0 || found.group_key == own_key)
        return true;
    (void)dns_name_taken(name, request->names[2], &taken);
    const char *message = arena_text(request->arena, taken.text);
    if (!message)
        return request_full(err);
    add_error(what, taken.code, message, "properties.ipAddress.dnsNameLabel");
    return true;
}

static bool look(struct request *request, struct putting *putting, struct what_if *what,
                 struct err *err)
{
    struct resource_id id = group_id_of(request);
    AUTO(tx) *tx = store_read(request->api->store, err);

    if (!tx)
        return false;
    putting->change = PUT_CREATE;
    putting->old = store_group_find(tx, &id, true, request->arena, err);
    if (!putting->old && err->code != ERR_OK)
        return false;
    if (!putting->old && !group_missing(request, tx, err) && err->code != ERR_NOT_FOUND)
        return false; /* nor is there a resource group for it */
    *err = (struct err){0};
    if (!group_precondition(request, putting->old, err) && !took(request, what, err))
        return false;
    return (!putting->old || look_at_standing(request, tx, putting, what, err)) &&
           check_label(request, tx, putting, what, err);
}

bool group_what_if(struct request *request, struct err *err)
{
    struct putting *putting = ARENA_NEW(request->arena, struct putting);
    struct what_if what = {.errors = arena_array(request->arena, ERRORS_MAX, sizeof *what.errors)};

    if (!putting || !what.errors)
        return request_full(err);
    if (!put_take(request, putting, err) || !look(request, putting, &what, err) ||
        !check_room(request, putting, &what, err))
        return false;
    what.change = (int)putting->change;
    return reply_value(request, 200, &what_if_schema, &what);
}
