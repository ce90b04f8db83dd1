#include "daemon/wiring.h"

#include "api/api.h"
#include "base/file.h"
#include "daemon/sweeper.h"
#include "dns/dns.h"
#include "scheduler/scheduler.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, OPTIONS_ARENA_MAX = 1 << 20 };

struct wiring {
    struct store *store;
    struct scheduler *scheduler;
    struct dns *dns;
    struct auth *auth;
    struct api *api;
    struct sweeper sweeper;
};

/* ---- what the api asks the scheduler ---- */

static bool hook_admit(void *context, const struct shape *shape, enum os_type os,
                       const char *location, int64_t node_key, struct promised_place *place,
                       char *why, size_t size)
{
    return scheduler_admit(context, shape, os, location, node_key, place, why, size);
}

static void hook_admit_undo(void *context, int64_t promise)
{
    scheduler_admit_undo(context, promise);
}

static void hook_node_seen(void *context, int64_t node_key, int64_t epoch)
{
    scheduler_node_seen(context, node_key, epoch);
}

static void hook_node_cordoned(void *context, int64_t node_key)
{
    scheduler_node_cordoned(context, node_key);
}

static bool hook_node_room(void *context, int64_t node_key, struct api_node_room *room)
{
    struct node_room found;
    if (!scheduler_node_room(context, node_key, &found))
        return false;
    *room =
        (struct api_node_room){found.cpu_milli, found.memory_mib, found.groups, found.silent_ms};
    return true;
}

static bool hook_ready(void *context)
{
    return scheduler_ready(context);
}

/* ---- the configuration as each room wants it ---- */

static bool api_lists(const struct config *config, struct arena *arena, struct api_options *options)
{
    struct api_subscription *subscriptions =
        arena_array(arena, config->subscriptions.count, sizeof *subscriptions);
    struct api_location *locations = arena_array(arena, config->locations.count, sizeof *locations);
    if (!subscriptions || !locations)
        return false;
    for (size_t i = 0; i < config->subscriptions.count; i++) {
        const char *id = config->subscriptions.items[i];
        subscriptions[i] =
            (struct api_subscription){id, config_name(&config->subscription_names, id)};
    }
    for (size_t i = 0; i < config->locations.count; i++) {
        const char *name = config->locations.items[i];
        locations[i] = (struct api_location){name, config_name(&config->location_names, name),
                                             config_lists(&config->privileged_locations, name),
                                             config_class(config, name)};
    }
    options->subscriptions = subscriptions;
    options->subscriptions_count = config->subscriptions.count;
    options->locations = locations;
    options->locations_count = config->locations.count;
    return true;
}

static struct auth_options auth_options_from(const struct config *config)
{
    return (struct auth_options){
        .state_dir = config->state_dir,
        .tenant_id = config->tenant_id,
        .tls = config->tls,
        .principals_file = config->principals_file,
        .listen_address = config->listen_address,
        .base_url = config->base_url,
        .names = config->tls_names,
        .certificate_file = config->tls_cert_file,
        .key_file = config->tls_key_file,
    };
}

static bool api_options_from(const struct wiring *wiring, const struct config *config,
                             const struct tokens *tokens, struct arena *arena,
                             struct api_options *options, struct err *err)
{
    *options = (struct api_options){
        .store = wiring->store,
        .hooks = {.context = wiring->scheduler,
                  .admit = hook_admit,
                  .admit_undo = hook_admit_undo,
                  .node_seen = hook_node_seen,
                  .node_cordoned = hook_node_cordoned,
                  .node_room = hook_node_room,
                  .ready = hook_ready},
        .listen_address = config->listen_address,
        .listen_port = (int)config->listen_port,
        .threads = (int)config->threads,
        .docs_dir = config->docs_dir,
        .dns_zone = config->dns_zone,
        .auth = wiring->auth,
        .tls = config->tls,
        .tenant_id = auth_tenant(wiring->auth),
        .image_check = {.on = strcmp(config->image_check, "on") == 0,
                        .skopeo = config->skopeo,
                        .certs = config->registry_certs_dir,
                        .insecure = config->insecure_registries,
                        .workers = (int)config->image_check_workers,
                        .cache_ms = config->image_check_cache_s * 1000},
        .stream_idle_ms = config->stream_idle_minutes * 60000,
        .token = tokens->token,
        .join_token = tokens->join_token,
        .default_location = config->default_location,
        .quotas = config->quota_rules,
        .quotas_count = config->quotas.count,
        .pools = config->pools,
        .pools_count = config->address_pools.count,
        .beat_ms = config->beat_ms,
        .fence_ms = config->fence_ms,
        .lost_ms = config->lost_ms,
        .base_url = config->base_url,
    };
    return api_lists(config, arena, options) ||
           err_set(err, ERR_BUSY, "out of memory for the configuration");
}

static struct scheduler *scheduler_begin(struct store *store, const struct config *config,
                                         struct arena *arena, struct err *err)
{
    struct scheduler_location *locations =
        arena_array(arena, config->locations.count, sizeof *locations);
    if (!locations) {
        err_set(err, ERR_BUSY, "out of memory for the configuration");
        return NULL;
    }
    for (size_t i = 0; i < config->locations.count; i++) {
        const char *name = config->locations.items[i];
        locations[i] =
            (struct scheduler_location){name, config_lists(&config->queue_locations, name)};
    }
    struct scheduler_options options = {
        .store = store,
        .locations = locations,
        .locations_count = config->locations.count,
        .default_location = config->default_location,
        .beat_ms = config->beat_ms,
        .fence_ms = config->fence_ms,
        .lost_ms = config->lost_ms,
    };
    return scheduler_start(&options, err);
}

static struct dns *dns_make(struct store *store, const struct config *config, struct err *err)
{
    struct dns_options options = {
        .store = store,
        .zone = config->dns_zone,
        .listen = config->dns_listen,
        .name_server = config->dns_name_server,
        .ttl_s = config->dns_ttl_s,
        .update = {.server = config->dns_update_server,
                   .zone = config->dns_update_zone,
                   .key_name = config->dns_update_key,
                   .algorithm = config->dns_update_algorithm,
                   .secret_file = config->dns_update_secret_file},
    };
    return dns_new(&options, err);
}

/* ---- beginning ---- */

static struct store *store_begin(const char *state_dir, struct err *err)
{
    char path[PATH_SIZE], key_path[PATH_SIZE];
    text_format(path, sizeof path, "%s/berth.db", state_dir);
    text_format(key_path, sizeof key_path, "%s/berth.key", state_dir);
    return store_open(&(struct store_options){.path = path, .key_path = key_path}, err);
}

/* Rooms that listen to the store come before anything works on it. */
static bool rooms_begin(struct wiring *wiring, const struct config *config,
                        const struct tokens *tokens, struct arena *arena, struct err *err)
{
    struct api_options options;
    struct auth_options auth_options = auth_options_from(config);
    if (!(wiring->store = store_begin(config->state_dir, err)) ||
        !(wiring->dns = dns_make(wiring->store, config, err)) ||
        !(wiring->auth = auth_open(&auth_options, err)) ||
        !(wiring->scheduler = scheduler_begin(wiring->store, config, arena, err)) ||
        !api_options_from(wiring, config, tokens, arena, &options, err) ||
        !(wiring->api = api_new(&options, err)) || !dns_start(wiring->dns, err))
        return false;
    int64_t keep_ms = config->operation_keep_hours * 3600 * 1000;
    return sweeper_start(&wiring->sweeper, wiring->store, wiring->auth, keep_ms, err) &&
           api_start(wiring->api, err);
}

struct wiring *wiring_start(const struct config *config, const struct tokens *tokens,
                            struct err *err)
{
    AUTO(arena) *arena = arena_new(OPTIONS_ARENA_MAX);
    struct wiring *wiring = calloc(1, sizeof *wiring);
    if (!arena || !wiring) {
        free(wiring);
        err_set(err, ERR_BUSY, "out of memory at the start");
        return NULL;
    }
    if (rooms_begin(wiring, config, tokens, arena, err))
        return wiring;
    wiring_stop(wiring);
    return NULL;
}

int wiring_dns_port(const struct wiring *wiring)
{
    return dns_port(wiring->dns);
}

int wiring_port(const struct wiring *wiring)
{
    return api_port(wiring->api);
}

bool wiring_reload(struct wiring *wiring, const struct config *config, const struct tokens *tokens,
                   struct err *err)
{
    struct api_options options;
    AUTO(arena) *arena = arena_new(OPTIONS_ARENA_MAX);
    if (!arena)
        return err_set(err, ERR_BUSY, "out of memory for the configuration");
    struct auth_options auth_options = auth_options_from(config);
    if (!api_options_from(wiring, config, tokens, arena, &options, err) ||
        !auth_reload(wiring->auth, &auth_options, err) || !api_reload(wiring->api, &options, err))
        return false;
    for (size_t i = 0; i < config->locations.count; i++) {
        const char *name = config->locations.items[i];
        if (!scheduler_set_queue(wiring->scheduler, name,
                                 config_lists(&config->queue_locations, name)))
            return err_set(err, ERR_BUSY, "out of memory for location %s", name);
    }
    return true;
}

/* The store tells its changes until it is closed, so those that listen end after it. */
void wiring_stop(struct wiring *wiring)
{
    if (!wiring)
        return;
    if (wiring->api)
        api_stop(wiring->api);
    sweeper_stop(&wiring->sweeper);
    scheduler_stop(wiring->scheduler);
    dns_stop(wiring->dns);
    if (wiring->store)
        store_close(wiring->store);
    api_free(wiring->api);
    auth_free(wiring->auth);
    scheduler_free(wiring->scheduler);
    dns_free(wiring->dns);
    free(wiring);
}
