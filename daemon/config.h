/* What berthd can be told: one table for file, environment (BERTH_…), flags, --help and the manual.
 *
 * Not for: what is made at the first start (tokens.h).
 * Threads: start-up and reload.   Values live in the arena given. */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include "base/log.h"
#include "base/options.h"
#include "model/address_pool.h"
#include "model/quota.h"

struct config {
    const char *listen_address;
    int64_t listen_port, threads;
    const char *base_url;
    const char *docs_dir;
    const char *dns_zone, *dns_listen, *dns_name_server;
    int64_t dns_ttl_s;
    const char *dns_update_server, *dns_update_zone, *dns_update_key, *dns_update_secret_file;
    const char *dns_update_algorithm;
    const char *state_dir;
    bool tls, plain_http_anywhere;
    const char *tls_cert_file, *tls_key_file;
    struct text_list tls_names;
    const char *tenant_id, *principals_file;
    const char *token, *token_file, *join_token, *join_token_file;
    struct text_list subscriptions;
    struct text_map subscription_names;
    struct text_list locations, queue_locations, privileged_locations;
    struct text_map location_names, runtime_classes;
    const char *default_location;
    struct text_map quotas;
    struct quota_rule *quota_rules; /* the same, read; the general ones first */
    struct text_map address_pools;
    struct address_pool *pools; /* the same, read */
    int64_t beat_ms, fence_ms, lost_ms;
    int64_t operation_keep_hours;
    const char *image_check; /* "on" or "off" */
    int64_t image_check_workers, image_check_cache_s;
    int64_t stream_idle_minutes;
    struct text_list insecure_registries;
    const char *skopeo, *registry_certs_dir;
    const char *log_level;
    bool log_json;
};

/* Reads it from everywhere and checks what the table cannot. The locations are complete and in their normal form
 * afterwards. */
enum options_outcome config_load(int argc, char **argv, struct arena *arena, struct config *config,
                                 struct err *err) MUST_CHECK;

enum log_level config_log_level(const struct config *config);
/* The name for people: from the map, or the thing itself. */
const char *config_name(const struct text_map *names, const char *of);
/* The runtime class of a location; NULL: that of the node. */
const char *config_class(const struct config *config, const char *location);
bool config_lists(const struct text_list *list, const char *text);

/* Names of the settings that differ: those that a reload takes over, and those that need a restart. */
void config_differences(const struct config *was, const struct config *now, struct text *reloaded,
                        struct text *restart);

#endif
