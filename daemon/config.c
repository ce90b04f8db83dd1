#include "daemon/config.h"

#include "base/id.h"
#include "base/limits.h"
#include "dns/dns.h"
#include "model/dns_name.h"
#include "model/resource_id.h"
#include "model/runtime_class.h"
#include "scheduler/scheduler.h"

#include <string.h>

#define QUOTAS_DOC                                                                                 \
    "Limits, as [SUBSCRIPTION/][LOCATION/]NAME=NUMBER, the most specific one counts: what each "   \
    "subscription may hold in each location (ContainerGroups, StandardCores, StandardSpotCores), " \
    "and how often it may create and delete (CreatesPerHour, CreatesPer5Minutes, "                 \
    "DeletesPerHour, DeletesPer5Minutes: of a subscription, in no location). Practically none "    \
    "when absent; a lower limit refuses new groups, never those that are there."

/* clang-format off */
static const struct field config_fields[] = {
    FIELD(struct config, listen_address, "listen_address", .flags = FIELD_HAS_FALLBACK, .fallback_text = "127.0.0.1", .max = 255, .doc = "Address to listen on."),
    FIELD(struct config, listen_port, "listen_port", .flags = FIELD_HAS_FALLBACK, .fallback = 8700, .min = 0, .max = 65535, .doc = "Port to listen on; 0: any free one, told in STATE_DIR/berthd.json."),
    FIELD(struct config, tls, "tls", .flags = FIELD_HAS_FALLBACK, .fallback = 1, .doc = "Speak TLS; false is for loopback, or behind a proxy that does."),
    FIELD(struct config, plain_http_anywhere, "plain_http_anywhere", .doc = "Without TLS, listen on other addresses than loopback too: tokens and secrets are then read by whoever listens."),
    FIELD(struct config, tls_cert_file, "tls_cert_file", .max = 4000, .doc = "Certificate chain in PEM; when absent, one of the private CA in STATE_DIR/ca.pem."),
    FIELD(struct config, tls_key_file, "tls_key_file", .max = 4000, .doc = "Its key in PEM."),
    FIELD(struct config, tls_names, "tls_names", .max = 50, .doc = "Further host names and addresses under which clients reach it; loopback, listen_address, the host's name and that of base_url are known."),
    FIELD(struct config, tenant_id, "tenant_id", .max = 36, .doc = "UUID of the tenant; STATE_DIR/tenant-id, made at the first start, when absent."),
    FIELD(struct config, principals_file, "principals_file", .max = 4000, .doc = "Who may sign in, client ids and secrets (api/auth/README.md); STATE_DIR/principals.json, made with one at the first start, when absent."),
    FIELD(struct config, threads, "threads", .flags = FIELD_HAS_FALLBACK, .fallback = 0, .min = 0, .max = 64, .doc = "HTTP threads; 0: one for each core."),
    FIELD(struct config, base_url, "base_url", .max = 1024, .doc = "URL under which clients reach it, for links in answers; the Host header when absent."),
    FIELD(struct config, docs_dir, "docs_dir", .max = 3000, .doc = "Folder made by portal/make: the page that shows the contract, under /docs."),
    FIELD(struct config, dns_zone, "dns_zone", .flags = FIELD_HAS_FALLBACK, .fallback_text = "berth.internal", .max = DNS_ZONE_MAX, .doc = "DNS zone in which groups with a dnsNameLabel are named, as LABEL.LOCATION.ZONE."),
    FIELD(struct config, dns_listen, "dns_listen", .max = 60, .doc = "ADDRESS:PORT, [ADDRESS]:PORT for IPv6, to answer questions about that zone on, UDP and TCP; when absent, nothing is answered."),
    FIELD(struct config, dns_name_server, "dns_name_server", .max = DNS_ZONE_MAX, .doc = "Name of the zone's name server, as whoever delegates it says; ns.ZONE with the address of dns_listen when absent."),
    FIELD(struct config, dns_ttl_s, "dns_ttl_s", .flags = FIELD_HAS_FALLBACK, .fallback = 10, .min = 0, .max = 86400, .doc = "How long others may keep an answer."),
    FIELD(struct config, dns_update_server, "dns_update_server", .max = 60, .doc = "ADDRESS:PORT of a DNS server that is told each change (RFC 2136, over TCP, signed)."),
    FIELD(struct config, dns_update_zone, "dns_update_zone", .max = DNS_ZONE_MAX, .doc = "Its zone that holds dns_zone; the same when absent."),
    FIELD(struct config, dns_update_key, "dns_update_key", .max = DNS_ZONE_MAX, .doc = "Name of the key that signs updates."),
    FIELD(struct config, dns_update_algorithm, "dns_update_algorithm", .flags = FIELD_HAS_FALLBACK, .fallback_text = "hmac-sha256", .max = 20, .doc = "hmac-sha256 or hmac-sha512."),
    FIELD(struct config, dns_update_secret_file, "dns_update_secret_file", .max = 4000, .doc = "File that holds the key in base64."),
    FIELD(struct config, state_dir, "state_dir", .flags = FIELD_HAS_FALLBACK, .fallback_text = "/var/lib/berth", .max = 3000, .doc = "Folder for the database, its key and tokens; made when absent."),
    FIELD(struct config, token, "token", .flags = FIELD_SECRET, .max = 1024, .doc = "Bearer token that guards every call; better in a file."),
    FIELD(struct config, token_file, "token_file", .max = 4000, .doc = "File that holds the token; STATE_DIR/token, made at the first start, when neither is given."),
    FIELD(struct config, join_token, "join_token", .flags = FIELD_SECRET, .max = 1024, .doc = "Token with which nodes join; better in a file."),
    FIELD(struct config, join_token_file, "join_token_file", .max = 4000, .doc = "File that holds it; STATE_DIR/join-token, made at the first start, when neither is given."),
    FIELD(struct config, subscriptions, "subscriptions", .flags = FIELD_REQUIRED, .min = 1, .max = 1000, .doc = "Subscriptions served: UUIDs."),
    FIELD(struct config, subscription_names, "subscription_names", .max = 1000, .doc = "Names of subscriptions for people."),
    FIELD(struct config, locations, "locations", .max = 256, .doc = "Locations served; \"local\" when absent."),
    FIELD(struct config, location_names, "location_names", .max = 256, .doc = "Names of locations for people."),
    FIELD(struct config, queue_locations, "queue_locations", .max = 256, .doc = "Those of them where groups that find no room wait instead of being refused."),
    FIELD(struct config, privileged_locations, "privileged_locations", .max = 256, .doc = "Those of them where containers may be privileged, or have capabilities that reach beyond the container: whoever may create groups there rules their nodes."),
    FIELD(struct config, runtime_classes, "runtime_classes", .max = 256, .doc = "LOCATION=CLASS: the runtime (crun, runc, runsc, …) of groups there that name none in their tag berth.runtimeClass; the node's usual one when absent."),
    FIELD(struct config, default_location, "default_location", .max = 90, .doc = "Location of nodes that name none; the first one when absent."),
    FIELD(struct config, quotas, "quotas", .max = LIMIT_QUOTA_RULES_MAX, .doc = QUOTAS_DOC),
    FIELD(struct config, address_pools, "address_pools", .max = LIMIT_ADDRESS_POOLS_MAX, .doc = "Public addresses of locations, for groups to keep for life: {\"westus\": \"198.51.100.0/28, 203.0.113.5-203.0.113.9\"}. Public groups of a location without a pool share the address of their node."),
    FIELD(struct config, beat_ms, "beat_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_NODE_BEAT_MS, .min = 100, .max = 60000, .doc = "How often nodes report."),
    FIELD(struct config, fence_ms, "fence_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_NODE_FENCE_MS, .min = 0, .max = 3600000, .doc = "A node without the plane for this long stops its groups; 0: never, and its groups are not placed elsewhere."),
    FIELD(struct config, lost_ms, "lost_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_NODE_LOST_MS, .min = 200, .max = 86400000, .doc = "A node silent for this long is lost and its groups run elsewhere; more than fence_ms."),
    FIELD(struct config, operation_keep_hours, "operation_keep_hours", .flags = FIELD_HAS_FALLBACK, .fallback = 24, .min = 1, .max = 8760, .doc = "How long the operation of an order can be asked about after it ended."),
    FIELD(struct config, image_check, "image_check", .flags = FIELD_HAS_FALLBACK, .fallback_text = "on", .doc = "on: a group's images are looked at in their registries before it is accepted; off: for a plane that cannot reach them."),
    FIELD(struct config, image_check_workers, "image_check_workers", .flags = FIELD_HAS_FALLBACK, .fallback = 4, .min = 1, .max = 64, .doc = "Looks at the same time."),
    FIELD(struct config, image_check_cache_s, "image_check_cache_s", .flags = FIELD_HAS_FALLBACK, .fallback = 60, .min = 0, .max = 86400, .doc = "How long a look counts for the next groups with that image and credential."),
    FIELD(struct config, stream_idle_minutes, "stream_idle_minutes", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_STREAM_IDLE_MINUTES, .min = 0, .max = 525600, .doc = "Sessions of exec and attach end when nothing is said this long; 0: never."),
    FIELD(struct config, insecure_registries, "insecure_registries", .max = 64, .doc = "Registries that the plane speaks to without TLS: host:port."),
    FIELD(struct config, registry_certs_dir, "registry_certs_dir", .max = 3000, .doc = "Folder of CAs in PEM that registries' certificates are checked with beside those the system trusts: host:port/ca.crt for each registry."),
    FIELD(struct config, skopeo, "skopeo", .flags = FIELD_HAS_FALLBACK, .fallback_text = "skopeo", .max = 4000, .doc = "Program that looks at images."),
    FIELD(struct config, log_level, "log_level", .flags = FIELD_HAS_FALLBACK, .fallback_text = "info", .doc = "debug, info, warn or error."),
    FIELD(struct config, log_json, "log_json", .doc = "Log lines as JSON."),
};
/* clang-format on */

static const struct schema config_schema =
    SCHEMA("DaemonConfig", struct config, config_fields, "Configuration of berthd.");

static const struct options berthd_options = {
    .program = "berthd",
    .summary = "The control plane of Berth: container groups on machines you own.",
    .usage =
        "  berthd --subscriptions 6f1a1f4e-0000-4000-8000-000000000001 --state-dir /var/lib/berth\n"
        "  berthd --config /etc/berth/berthd.json\n"
        "\nSIGTERM ends it after what was accepted; SIGHUP reads tokens, principals, certificates, "
        "locations, quotas and log settings anew.",
    .prefix = "BERTH_",
    .schema = &config_schema,
};

/* Taken over by a reload; all others need a restart. */
static const char *const reloadable[] = {
    "base_url",
    "token",
    "token_file",
    "join_token",
    "join_token_file",
    "subscriptions",
    "subscription_names",
    "locations",
    "location_names",
    "queue_locations",
    "quotas",
    "log_level",
    "address_pools",
    "log_json",
    "tls_cert_file",
    "tls_key_file",
    "tls_names",
    "principals_file",
    "privileged_locations",
    "runtime_classes",
};

enum log_level config_log_level(const struct config *config)
{
    enum log_level level = LOG_INFO;
    CHECK(log_level_parse(config->log_level, &level)); /* config_load() looked */
    return level;
}

const char *config_name(const struct text_map *names, const char *of)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal_nocase(names->items[i].key, of))
            return names->items[i].value;
    return of;
}

const char *config_class(const struct config *config, const char *location)
{
    const char *named = config_name(&config->runtime_classes, location);
    return named == location ? NULL : named;
}

bool config_lists(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal_nocase(list->items[i], text))
            return true;
    return false;
}

/* ---- checks ---- */

static bool subscriptions_check(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->subscriptions.count; i++)
        if (!id_valid(config->subscriptions.items[i]))
            return err_set_field(err, ERR_INVALID, "subscriptions",
                                 "subscription '%.80s' is not a UUID",
                                 config->subscriptions.items[i]);
    return true;
}

static bool location_check(const char *location, const char *field, struct err *err)
{
    size_t size = strlen(location);
    bool good =
        size > 0 && size <= 63 && strspn(location, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
    return good || err_set_field(err, ERR_INVALID, field,
                                 "location '%.80s' is not made of letters and digits", location);
}

static bool list_normalize(struct text_list *list, const char *field, struct arena *arena,
                           struct err *err)
{
    for (size_t i = 0; i < list->count; i++) {
        list->items[i] = location_normal(list->items[i], arena);
        if (!list->items[i])
            return err_set(err, ERR_BUSY, "out of memory reading %s", field);
        if (!location_check(list->items[i], field, err))
            return false;
    }
    return true;
}

static bool locations_complete(struct config *config, struct arena *arena, struct err *err)
{
    if (config->locations.count == 0) {
        const char **one = arena_array(arena, 1, sizeof *one);
        if (!one)
            return err_set(err, ERR_BUSY, "out of memory reading locations");
        one[0] = "local";
        config->locations = (struct text_list){.given = true, .items = one, .count = 1};
    }
    if (!list_normalize(&config->locations, "locations", arena, err) ||
        !list_normalize(&config->queue_locations, "queue_locations", arena, err) ||
        !list_normalize(&config->privileged_locations, "privileged_locations", arena, err))
        return false;
    if (!config->default_location)
        config->default_location = config->locations.items[0];
    config->default_location = location_normal(config->default_location, arena);
    return config->default_location != NULL ||
           err_set(err, ERR_BUSY, "out of memory reading default_location");
}

static bool are_locations(const struct config *config, const struct text_list *some,
                          const char *field, struct err *err)
{
    for (size_t i = 0; i < some->count; i++)
        if (!config_lists(&config->locations, some->items[i]))
            return err_set_field(err, ERR_INVALID, field, "'%s' is not one of the locations",
                                 some->items[i]);
    return true;
}

static bool classes_check(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->runtime_classes.count; i++) {
        const struct text_pair *pair = &config->runtime_classes.items[i];
        if (!config_lists(&config->locations, pair->key))
            return err_set_field(err, ERR_INVALID, "runtime_classes",
                                 "'%s' is not one of the locations", pair->key);
        if (!runtime_class_valid(pair->value))
            return err_set_field(err, ERR_INVALID, "runtime_classes",
                                 "'%s' is no name of a runtime class", pair->value);
    }
    return true;
}

static bool locations_check(const struct config *config, struct err *err)
{
    if (!are_locations(config, &config->queue_locations, "queue_locations", err) ||
        !are_locations(config, &config->privileged_locations, "privileged_locations", err))
        return false;
    if (!classes_check(config, err))
        return false;
    return config_lists(&config->locations, config->default_location) ||
           err_set_field(err, ERR_INVALID, "default_location", "'%s' is not one of the locations",
                         config->default_location);
}

/* A limit for what is not served would never hold: most likely it is misspelt. */
static bool quota_place_check(const struct config *config, const char *key,
                              const struct quota_rule *rule, struct err *err)
{
    if (rule->subscription && !config_lists(&config->subscriptions, rule->subscription))
        return err_set_field(err, ERR_INVALID, "quotas",
                             "'%.120s': there is no subscription '%.40s'", key, rule->subscription);
    return !rule->location || config_lists(&config->locations, rule->location) ||
           err_set_field(err, ERR_INVALID, "quotas",
                         "'%.120s': '%.63s' is not one of the locations", key, rule->location);
}

static bool quotas_read(struct config *config, struct arena *arena, struct err *err)
{
    size_t count = config->quotas.count;
    config->quota_rules = arena_array(arena, count + 1, sizeof *config->quota_rules);
    if (!config->quota_rules)
        return err_set(err, ERR_BUSY, "out of memory reading quotas");
    for (size_t i = 0; i < count; i++) {
        const struct text_pair *pair = &config->quotas.items[i];
        if (!quota_rule_parse(pair->key, pair->value, arena, &config->quota_rules[i], err) ||
            !quota_place_check(config, pair->key, &config->quota_rules[i], err))
            return false;
    }
    quota_rules_sort(config->quota_rules, count);
    return true;
}

static bool pool_is_second(const struct config *config, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(config->pools[i].location, config->pools[index].location) == 0)
            return true;
    }
    return false;
}

static bool pools_read(struct config *config, struct arena *arena, struct err *err)
{
    size_t count = config->address_pools.count;
    config->pools = arena_array(arena, count + 1, sizeof *config->pools);
    if (!config->pools)
        return err_set(err, ERR_BUSY, "out of memory reading address_pools");
    for (size_t i = 0; i < count; i++) {
        const struct text_pair *pair = &config->address_pools.items[i];
        const char *location = location_normal(pair->key, arena);
        if (!location || !config_lists(&config->locations, location))
            return err_set_field(err, ERR_INVALID, "address_pools",
                                 "'%.63s' is not one of the locations", pair->key);
        if (!address_pool_parse(location, pair->value, arena, &config->pools[i], err))
            return false;
        if (pool_is_second(config, i))
            return err_set_field(err, ERR_INVALID, "address_pools",
                                 "location '%.63s' has two pools", location);
    }
    return true;
}

static bool is_loopback(const char *address)
{
    return text_has_prefix(address, "127.") || strcmp(address, "::1") == 0;
}

static bool tls_check(const struct config *config, struct err *err)
{
    if (!config->tls_cert_file != !config->tls_key_file)
        return err_set_field(err, ERR_INVALID,
                             config->tls_cert_file ? "tls_key_file" : "tls_cert_file",
                             "tls_cert_file and tls_key_file are given together, or neither");
    if (config->tenant_id && !id_valid(config->tenant_id))
        return err_set_field(err, ERR_INVALID, "tenant_id", "'%.60s' is not a UUID",
                             config->tenant_id);
    return config->tls || config->plain_http_anywhere || is_loopback(config->listen_address) ||
           err_set_field(err, ERR_INVALID, "tls",
                         "without TLS it listens on loopback only, and %.60s is not: everybody on "
                         "the way would read tokens and secrets (plain_http_anywhere says that "
                         "this is wanted)",
                         config->listen_address);
}

static bool dns_name_check(const char *name, const char *field, struct err *err)
{
    return !name || dns_zone_valid(name) ||
           err_set_field(err, ERR_INVALID, field,
                         "'%.100s' is no name of DNS: lower-case letters, digits and hyphens "
                         "between dots",
                         name);
}

static bool dns_address_check(const char *address, const char *field, struct err *err)
{
    return !address || dns_address_valid(address) ||
           err_set_field(err, ERR_INVALID, field, "'%.60s' is no IP address with a port", address);
}

/* dns_zone is the zone of the updates, or below it. */
static bool dns_zones_check(const struct config *config, struct err *err)
{
    size_t size = strlen(config->dns_zone);
    size_t above_size = config->dns_update_zone ? strlen(config->dns_update_zone) : size;
    const char *end = size >= above_size ? config->dns_zone + size - above_size : NULL;
    if (!config->dns_update_zone || (end && strcmp(end, config->dns_update_zone) == 0 &&
                                     (end == config->dns_zone || end[-1] == '.')))
        return true;
    return err_set_field(err, ERR_INVALID, "dns_update_zone", "'%.100s' does not hold '%.100s'",
                         config->dns_update_zone, config->dns_zone);
}

static bool dns_update_check(const struct config *config, struct err *err)
{
    bool known = false;
    if (!config->dns_update_server)
        return true;
    if (!config->dns_update_key || !config->dns_update_secret_file)
        return err_set_field(
            err, ERR_INVALID, config->dns_update_key ? "dns_update_secret_file" : "dns_update_key",
            "updates are signed: dns_update_key and dns_update_secret_file are needed");
    for (size_t i = 0; dns_algorithms[i]; i++)
        known |= strcmp(dns_algorithms[i], config->dns_update_algorithm) == 0;
    return known ||
           err_set_field(err, ERR_INVALID, "dns_update_algorithm",
                         "'%.20s' is not hmac-sha256 or hmac-sha512", config->dns_update_algorithm);
}

static bool dns_check(const struct config *config, struct err *err)
{
    return dns_name_check(config->dns_zone, "dns_zone", err) &&
           dns_name_check(config->dns_name_server, "dns_name_server", err) &&
           dns_name_check(config->dns_update_zone, "dns_update_zone", err) &&
           dns_name_check(config->dns_update_key, "dns_update_key", err) &&
           dns_address_check(config->dns_listen, "dns_listen", err) &&
           dns_address_check(config->dns_update_server, "dns_update_server", err) &&
           dns_zones_check(config, err) && dns_update_check(config, err);
}

static bool rest_check(const struct config *config, struct err *err)
{
    enum log_level level;
    if (!log_level_parse(config->log_level, &level))
        return err_set_field(err, ERR_INVALID, "log_level",
                             "'%.40s' is not debug, info, warn or error", config->log_level);
    if (config->token && config->token_file)
        return err_set_field(err, ERR_INVALID, "token_file",
                             "token and token_file are both given; one is enough");
    if (config->join_token && config->join_token_file)
        return err_set_field(err, ERR_INVALID, "join_token_file",
                             "join_token and join_token_file are both given; one is enough");
    if (strcmp(config->image_check, "on") != 0 && strcmp(config->image_check, "off") != 0)
        return err_set_field(err, ERR_INVALID, "image_check", "'%.40s' is not on or off",
                             config->image_check);
    return scheduler_timings_check(config->beat_ms, config->fence_ms, config->lost_ms, err);
}

enum options_outcome config_load(int argc, char **argv, struct arena *arena, struct config *config,
                                 struct err *err)
{
    struct config loaded;
    enum options_outcome outcome = options_load(&berthd_options, argc, argv, arena, &loaded, err);
    if (outcome != OPTIONS_RUN)
        return outcome;
    if (!subscriptions_check(&loaded, err) || !locations_complete(&loaded, arena, err) ||
        !locations_check(&loaded, err) || !quotas_read(&loaded, arena, err) ||
        !pools_read(&loaded, arena, err) || !tls_check(&loaded, err) || !dns_check(&loaded, err) ||
        !rest_check(&loaded, err))
        return OPTIONS_WRONG;
    *config = loaded;
    return OPTIONS_RUN;
}

/* ---- what changed ---- */

/* One setting as JSON, secrets too: to compare, never to show. */
static struct text *setting_print(const struct field *field, const struct config *config)
{
    struct schema one = config_schema;
    one.fields = field;
    one.count = 1;
    struct text *out = text_new(LIMIT_CONFIG_FILE_MAX);
    fields_print(&one, config, FIELDS_WITH_SECRETS, out, NULL);
    return out;
}

static bool setting_differs(const struct field *field, const struct config *was,
                            const struct config *now)
{
    AUTO(text) *old = setting_print(field, was);
    AUTO(text) *new = setting_print(field, now);
    return text_ok(old) && text_ok(new) && strcmp(old->bytes, new->bytes) != 0;
}

static bool is_reloadable(const struct field *field)
{
    for (size_t i = 0; i < COUNT_OF(reloadable); i++)
        if (strcmp(reloadable[i], field->name) == 0)
            return true;
    return false;
}

void config_differences(const struct config *was, const struct config *now, struct text *reloaded,
                        struct text *restart)
{
    for (size_t i = 0; i < COUNT_OF(config_fields); i++) {
        if (!setting_differs(&config_fields[i], was, now))
            continue;
        struct text *out = is_reloadable(&config_fields[i]) ? reloaded : restart;
        text_addf(out, "%s%s", out->size > 0 ? "," : "", config_fields[i].name);
    }
}
