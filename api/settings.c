/* Checking and copying the options that may change. */
#include "api/settings.h"

#include "base/id.h"
#include "base/text.h"
#include "model/resource_id.h"

#include <string.h>

enum { TOKEN_SIZE_MIN = 16, SETTINGS_BYTES_MAX = 1024 * 1024 };

static bool token_take(const char *what, const char *token, char hash[65], struct err *err)
{
    if (!token || strnlen(token, TOKEN_SIZE_MIN) < TOKEN_SIZE_MIN)
        return err_set_field(err, ERR_INVALID, what, "the %s needs at least %d characters", what,
                             TOKEN_SIZE_MIN);
    id_hash(token, hash);
    return true;
}

static bool too_many(struct err *err)
{
    return err_set(err, ERR_INVALID, "there are too many subscriptions or locations");
}

static bool subscriptions_take(struct settings *settings, const struct api_options *options,
                               struct err *err)
{
    struct api_subscription *copies =
        arena_array(settings->arena, options->subscriptions_count, sizeof *copies);

    for (size_t i = 0; copies && i < options->subscriptions_count; i++) {
        const struct api_subscription *given = &options->subscriptions[i];
        if (!given->id || !id_valid(given->id))
            return err_set_field(err, ERR_INVALID, "subscriptions",
                                 "the subscription id '%.60s' is no UUID",
                                 given->id ? given->id : "");
        copies[i].id = arena_text(settings->arena, given->id);
        copies[i].display_name =
            arena_text(settings->arena, given->display_name ? given->display_name : given->id);
        if (!copies[i].id || !copies[i].display_name)
            return too_many(err);
    }
    if (!copies)
        return too_many(err);
    settings->subscriptions = copies;
    settings->subscriptions_count = options->subscriptions_count;
    return true;
}

static bool locations_take(struct settings *settings, const struct api_options *options,
                           struct err *err)
{
    struct api_location *copies =
        arena_array(settings->arena, options->locations_count, sizeof *copies);

    for (size_t i = 0; copies && i < options->locations_count; i++) {
        const struct api_location *given = &options->locations[i];
        if (!given->name || !given->name[0])
            return err_set_field(err, ERR_INVALID, "locations", "a location has no name");
        copies[i].name = location_normal(given->name, settings->arena);
        copies[i].display_name =
            arena_text(settings->arena, given->display_name ? given->display_name : given->name);
        copies[i].privileged = given->privileged;
        copies[i].runtime_class =
            given->runtime_class ? arena_text(settings->arena, given->runtime_class) : NULL;
        if (!copies[i].name || !copies[i].display_name)
            return too_many(err);
    }
    if (!copies)
        return too_many(err);
    settings->locations = copies;
    settings->locations_count = options->locations_count;
    settings->default_location = options->default_location
                                     ? location_normal(options->default_location, settings->arena)
                                     : NULL;
    if (settings->default_location && !settings_location(settings, settings->default_location))
        return err_set_field(err, ERR_INVALID, "default_location",
                             "'%.60s' is none of the locations", options->default_location);
    return true;
}

static bool quotas_take(struct settings *settings, const struct api_options *options,
                        struct err *err)
{
    struct quota_rule *copies =
        arena_array(settings->arena, options->quotas_count + 1, sizeof *copies);

    for (size_t i = 0; copies && i < options->quotas_count; i++) {
        const struct quota_rule *given = &options->quotas[i];
        copies[i] = *given;
        copies[i].subscription = arena_text(settings->arena, given->subscription);
        copies[i].location = arena_text(settings->arena, given->location);
        if ((given->subscription && !copies[i].subscription) ||
            (given->location && !copies[i].location))
            copies = NULL;
    }
    if (!copies)
        return err_set(err, ERR_INVALID, "there are too many quotas");
    settings->quotas = copies;
    settings->quotas_count = options->quotas_count;
    return true;
}

void settings_quotas(const struct settings *settings, const char *subscription,
                     const char *location, struct quota_limits *found)
{
    quota_limits_fill(settings->quotas, settings->quotas_count, subscription, location, found);
}

static bool pools_take(struct settings *settings, const struct api_options *options,
                       struct err *err)
{
    const struct address_pool **copies =
        arena_array(settings->arena, options->pools_count + 1, sizeof *copies);

    for (size_t i = 0; copies && i < options->pools_count; i++) {
        copies[i] = address_pool_copy(&options->pools[i], settings->arena);
        if (!copies[i])
            copies = NULL;
    }
    if (!copies)
        return err_set(err, ERR_INVALID, "there are too many address_pools");
    settings->pools = copies;
    settings->pools_count = options->pools_count;
    return true;
}

const struct address_pool *settings_pool(const struct settings *settings, const char *location)
{
    for (size_t i = 0; i < settings->pools_count; i++) {
        if (strcmp(settings->pools[i]->location, location) == 0)
            return settings->pools[i];
    }
    return NULL;
}

static const char *tenant_take(struct settings *settings, const struct api_options *options)
{
    return arena_text(settings->arena, options->tenant_id ? options->tenant_id
                                                          : "00000000-0000-0000-0000-000000000000");
}

static bool settings_fill(struct settings *settings, const struct api_options *options,
                          struct err *err)
{
    if (options->subscriptions_count == 0)
        return err_set_field(err, ERR_INVALID, "subscriptions", "there is no subscription");
    if (options->locations_count == 0)
        return err_set_field(err, ERR_INVALID, "locations", "there is no location");
    settings->beat_ms = options->beat_ms;
    settings->fence_ms = options->fence_ms;
    settings->lost_ms = options->lost_ms;
    settings->base_url = arena_text(settings->arena, options->base_url);
    settings->tenant_id = tenant_take(settings, options);
    if (!settings->tenant_id)
        return too_many(err);
    return token_take("token", options->token, settings->token_hash, err) &&
           token_take("join_token", options->join_token, settings->join_token_hash, err) &&
           subscriptions_take(settings, options, err) && locations_take(settings, options, err) &&
           quotas_take(settings, options, err) && pools_take(settings, options, err);
}

struct settings *settings_new(const struct api_options *options, struct err *err)
{
    AUTO(arena) *arena = arena_new(SETTINGS_BYTES_MAX);
    struct settings *settings = arena ? ARENA_NEW(arena, struct settings) : NULL;

    if (!settings) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    settings->arena = arena;
    if (!settings_fill(settings, options, err))
        return NULL;
    (void)TAKE(arena);
    return settings;
}

void settings_free(struct settings *settings)
{
    while (settings) {
        struct settings *older = settings->older;
        arena_free(settings->arena);
        settings = older;
    }
}

const struct api_subscription *settings_subscription(const struct settings *settings,
                                                     const char *id)
{
    for (size_t i = 0; i < settings->subscriptions_count; i++) {
        if (text_equal_nocase(settings->subscriptions[i].id, id))
            return &settings->subscriptions[i];
    }
    return NULL;
}

/* Blanks and case do not count: "West US" is "westus". */
static bool location_is(const char *normal, const char *name)
{
    for (; *name; name++) {
        char letter = *name >= 'A' && *name <= 'Z' ? (char)(*name | 0x20) : *name;
        if (letter == ' ')
            continue;
        if (letter != *normal++)
            return false;
    }
    return *normal == '\0';
}

const struct api_location *settings_location(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->locations_count; i++) {
        if (location_is(settings->locations[i].name, name))
            return &settings->locations[i];
    }
    return NULL;
}
