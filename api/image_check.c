/* Which images of a group are to be looked at, and what clients are told of the bad ones. */
#include "api/image_check.h"

#include "api/handlers/group.h"
#include "api/image_looks.h"
#include "api/inside.h"

#include <string.h>

struct asked {
    struct image_look_key key;
    struct image_reference reference;
    const struct image_credential *credential;
    const char *image; /* as written */
    const char *list;  /* "containers" or "initContainers" */
    size_t index;
    bool settled;
    bool stands;               /* the group uses it already, with this credential */
    const struct err *failure; /* when settled and bad */
    char digest[DIGEST_SIZE];  /* what it means; "": not looked at */
};

struct image_check {
    const struct container_group *group;
    handler_fn then;
    struct asked *asked;
    size_t count;
    int64_t since_ns;
    bool anew; /* what is known from before since_ns does not count */
    const struct asked *awaited;
};

/* ---- what is asked ---- */

static const struct image_credential *credentials_of(const struct container_group *group,
                                                     struct arena *arena, size_t *count)
{
    const struct group_properties *properties = group->properties;
    struct image_credential *out =
        arena_array(arena, properties->credentials_count + 1, sizeof *out);

    *count = out ? properties->credentials_count : 0;
    for (size_t i = 0; i < *count; i++) {
        const struct registry_credential *sent = &properties->credentials[i];
        out[i] = (struct image_credential){sent->server, sent->username, sent->password};
    }
    return out;
}

static bool take_list(struct request *request, struct image_check *check, const char *list,
                      const struct container *containers, size_t count, struct err *err)
{
    size_t credentials_count;
    const struct image_credential *credentials =
        credentials_of(check->group, request->arena, &credentials_count);

    if (!credentials)
        return request_full(err);
    for (size_t i = 0; i < count; i++) {
        struct asked *asked = &check->asked[check->count];
        asked->image = containers[i].properties->image;
        asked->list = list;
        asked->index = i;
        if (!asked->image)
            continue;
        if (!image_reference_parse(asked->image, &asked->reference, err))
            return false;
        asked->credential =
            image_credential_find(credentials, credentials_count, &asked->reference);
        image_look_key(request->api->looks, &asked->reference, check->group->location,
                       asked->credential, &asked->key);
        check->count++;
    }
    return true;
}

static bool take(struct request *request, struct image_check *check, struct err *err)
{
    const struct group_properties *properties = check->group->properties;

    check->asked =
        arena_array(request->arena, group_containers_total(properties) + 1, sizeof *check->asked);
    if (!check->asked)
        return request_full(err);
    return take_list(request, check, "containers", properties->containers,
                     properties->containers_count, err) &&
           take_list(request, check, "initContainers", properties->init_containers,
                     properties->init_containers_count, err);
}

static enum image_known find(struct request *request, const struct image_check *check,
                             const struct asked *asked, struct image_found *found)
{
    return image_look_find(request->api->looks, &asked->key, check->since_ns, check->anew, found);
}

static void settle_as_good(struct asked *asked, const struct image_found *found)
{
    asked->settled = true;
    memcpy(asked->digest, found->digest, sizeof asked->digest);
}

static bool settle_good(struct request *request, struct image_check *check)
{
    struct image_found found;
    bool all = true;

    for (size_t i = 0; i < check->count; i++) {
        struct asked *asked = &check->asked[i];
        if (find(request, check, asked, &found) == IMAGE_KNOWN_GOOD)
            settle_as_good(asked, &found);
        all &= asked->settled;
    }
    return all;
}

/* ---- what need not be looked at: only asked when something is not known ---- */

static bool lists_image(const struct container *containers, size_t count, const char *image)
{
    for (size_t i = 0; i < count; i++) {
        const char *used = containers[i].properties ? containers[i].properties->image : NULL;
        if (used && strcmp(used, image) == 0)
            return true;
    }
    return false;
}

static bool text_same(const char *one, const char *other)
{
    return strcmp(one ? one : "", other ? other : "") == 0;
}

static bool credential_same(const struct image_credential *one,
                            const struct image_credential *other)
{
    if (!one || !other)
        return one == other;
    return text_same(one->server, other->server) && text_same(one->username, other->username) &&
           text_equal_secret(one->password, other->password);
}

static void settle_used(struct request *request, struct image_check *check,
                        const struct container_group *stands)
{
    const struct group_properties *properties = stands->properties;
    size_t count;
    const struct image_credential *credentials = credentials_of(stands, request->arena, &count);

    for (size_t i = 0; credentials && i < check->count; i++) {
        struct asked *asked = &check->asked[i];
        bool used =
            lists_image(properties->containers, properties->containers_count, asked->image) ||
            lists_image(properties->init_containers, properties->init_containers_count,
                        asked->image);
        if (used && credential_same(asked->credential,
                                    image_credential_find(credentials, count, &asked->reference)))
            asked->settled = asked->stands = true;
    }
}

static bool settle_standing(struct request *request, struct image_check *check, struct tx *tx,
                            const struct group_row *row, struct err *err)
{
    struct container_group *stands = ARENA_NEW(request->arena, struct container_group);
    const char *secrets = store_group_secrets(tx, row->key, request->arena, err);

    if (!stands)
        return request_full(err);
    if (!secrets || !group_spec_read(request, row, stands, err) ||
        !fields_fill_secrets(&container_group_schema, stands, secrets, strlen(secrets),
                             request->arena, err))
        return false;
    settle_used(request, check, stands);
    return true;
}

/* A new group that finds no room is told so at once. */
static bool has_room(struct request *request, const struct container_group *group)
{
    struct err refusal;
    struct group_row row = {
        .subscription = request->names[0],
        .resource_group = request->names[1],
        .location = group->location,
        .os = (enum os_type)group->properties->os_type,
        .shape = group_shape(group),
    };

    if (!group_disks(request, group, &row, &refusal) || !group_admit(request, &row, &refusal))
        return false;
    group_admit_undo(request, &row);
    return true;
}

/* False without a failure in err: `then` will refuse it. */
static bool is_worth_a_look(struct request *request, struct image_check *check, struct err *err)
{
    AUTO(tx) *tx = store_read(request->api->store, err);
    struct resource_id id = group_id_of(request);
    struct group_row *row;

    if (!tx ||
        (!store_resource_group_find(tx, request->names[0], request->names[1], request->arena, err)))
        return false;
    row = store_group_find(tx, &id, true, request->arena, err);
    if (!row)
        return err->code == ERR_OK && has_room(request, check->group);
    return settle_standing(request, check, tx, row, err);
}

/* ---- what clients are told ---- */

static const char *server_shown(const struct image_reference *reference)
{
    return strcmp(reference->registry, "docker.io") == 0 ? "index.docker.io" : reference->registry;
}

static void tell(struct request *request, const struct asked *asked)
{
    const struct err *why = asked->failure;
    const char *field = arena_format(request->arena, "properties.%s[%zu].properties.image",
                                     asked->list, asked->index);

    if (why->code == ERR_IMAGE_INACCESSIBLE)
        problem_add(&request->problems, why->code, field,
                    "The image '%.200s' in container group '%.63s' is not accessible. Please check "
                    "the image and registry credential. %s",
                    asked->image, request->names[2], why->text);
    else if (why->code == ERR_IMAGE_PLATFORM)
        problem_add(&request->problems, why->code, field,
                    "The OS version of image '%.200s' is not supported. %s", asked->image,
                    why->text);
    else if (why->code == ERR_REGISTRY_RESPONSE)
        problem_add(&request->problems, why->code, field,
                    "An error response is received from the docker registry '%.200s'. Please retry "
                    "later. %s",
                    server_shown(&asked->reference), why->text);
    else
        problem_add(&request->problems, why->code == ERR_CLOSED ? ERR_CLOSED : ERR_BUSY, field,
                    "The image '%.200s' in container group '%.63s' cannot be looked at now. %s",
                    asked->image, request->names[2], why->text);
}

/* First those that trying again does not repair: the first one is the answer's own. */
static bool refuse(struct request *request, const struct image_check *check, struct err *err)
{
    for (int retry = 0; retry <= 1; retry++) {
        for (size_t i = 0; i < check->count; i++) {
            const struct err *failure = check->asked[i].failure;
            if (failure && err_code_retry(failure->code) == (retry == 1))
                tell(request, &check->asked[i]);
        }
    }
    return problems_to_err(&request->problems, err);
}

/* ---- looking ---- */

static bool settle(struct request *request, struct asked *asked, struct err *err)
{
    struct image_found found;
    struct err *kept;

    switch (find(request, request->check, asked, &found)) {
    case IMAGE_NOT_KNOWN:
        return true;
    case IMAGE_KNOWN_GOOD:
        settle_as_good(asked, &found);
        return true;
    case IMAGE_KNOWN_BAD:
        asked->settled = true;
        if (asked->stands)
            return true; /* it goes on meaning what it meant */
        kept = ARENA_NEW(request->arena, struct err);
        if (!kept)
            return request_full(err);
        *kept = found.outcome;
        asked->failure = kept;
        return true;
    }
    return true;
}

static bool is_known(struct request *request)
{
    struct image_found unused;
    const struct image_check *check = request->check;

    return find(request, check, check->awaited, &unused) != IMAGE_NOT_KNOWN;
}

/* False when it cannot be begun. What stands is not kept waiting for ever. */
static bool begin_look(struct request *request, struct asked *asked, int64_t left_ms,
                       int64_t *number, struct err *err)
{
    struct err failure = {0};

    if (asked->stands && left_ms <= 0) {
        asked->settled = true;
        return true;
    }
    if (image_look_begin(request->api->looks, &asked->key, &asked->reference, asked->credential,
                         number, &failure))
        return true;
    asked->settled = asked->stands && failure.code == ERR_BUSY;
    if (!asked->settled)
        *err = failure;
    return asked->settled;
}

static bool go_on(struct request *request, struct err *err);

static bool waited(struct request *request, struct err *err)
{
    if (request->wait.end == WAIT_STOPPING)
        return err_set(err, ERR_CLOSED, "the server is stopping");
    return go_on(request, err);
}

/* All looks begin before the first one is waited for. */
static bool go_on(struct request *request, struct err *err)
{
    struct image_check *check = request->check;
    int64_t left_ms = LIMIT_IMAGE_CHECK_MS - (clock_boot_ns() - request->begun_ns) / 1000000;
    int64_t number = 0;
    bool bad = false;

    check->awaited = NULL;
    for (size_t i = 0; i < check->count; i++) {
        struct asked *asked = &check->asked[i];
        if (!asked->settled && !settle(request, asked, err))
            return false;
        bad |= asked->failure != NULL;
        if (asked->settled)
            continue;
        if (!begin_look(request, asked, left_ms, &number, err))
            return false;
        if (!asked->settled)
            check->awaited = asked;
    }
    if (!check->awaited)
        return bad ? refuse(request, check, err) : check->then(request, err);
    if (left_ms <= 0)
        return err_set(err, ERR_BUSY,
                       "the images of container group '%.63s' wait too long to be looked at in "
                       "their registries; retry later",
                       request->names[2]);
    return wait_for(request, WAIT_IMAGE, number, left_ms, is_known, waited);
}

bool image_check(struct request *request, const struct container_group *group, handler_fn then,
                 struct err *err)
{
    struct image_check *check;

    if (!request->api->looks)
        return then(request, err);
    check = ARENA_NEW(request->arena, struct image_check);
    if (!check)
        return request_full(err);
    *check = (struct image_check){.group = group, .then = then, .since_ns = request->begun_ns};
    request->check = check;
    if (!take(request, check, err))
        return false;
    if (settle_good(request, check))
        return then(request, err);
    if (is_worth_a_look(request, check, err))
        return go_on(request, err);
    return err->code == ERR_OK ? then(request, err) : false;
}

/* ---- what names mean ---- */

bool image_check_is_due_anew(const struct request *request)
{
    return request->check && !request->check->anew;
}

bool image_check_anew(struct request *request, struct tx *tx, const struct group_row *row,
                      handler_fn then, struct err *err)
{
    struct image_check *check = request->check;

    check->anew = true;
    check->since_ns = clock_boot_ns();
    check->then = then;
    if (!settle_standing(request, check, tx, row, err))
        return false;
    for (size_t i = 0; i < check->count; i++) {
        struct asked *asked = &check->asked[i];
        asked->settled = *asked->reference.digest != '\0'; /* that means itself for ever */
        asked->digest[0] = '\0';
    }
    return go_on(request, err);
}

bool image_check_pins(struct request *request, const struct image_pin **pins, size_t *count,
                      struct err *err)
{
    const struct image_check *check = request->check;
    struct image_pin *out;

    if (!check)
        return true;
    out = arena_array(request->arena, check->count + 1, sizeof *out);
    if (!out)
        return request_full(err);
    *count = 0;
    for (size_t i = 0; i < check->count; i++) {
        const struct asked *asked = &check->asked[i];
        if (!*asked->reference.digest)
            out[(*count)++] =
                (struct image_pin){asked->image, *asked->digest ? asked->digest : NULL};
    }
    *pins = out;
    return true;
}
