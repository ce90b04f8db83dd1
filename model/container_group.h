/* The container group as clients write it: the whole type of api-version 2025-09-01, one struct and one
 * field table (container_group.c) per swagger definition. Members that only the service writes are read-only
 * in the table; those that 2023-05-01 does not have say so there. Open structs: plain data that lives in an
 * arena.
 * What a group may look like: group_check.h. What it does over time: lifecycle.h.
 * Source: aci/stable-2023-05-01 and -2025-09-01/containerInstance.json, aci/features.md §3, §5-§19, §27.   Threads: any. */
#ifndef MODEL_CONTAINER_GROUP_H
#define MODEL_CONTAINER_GROUP_H

#include "base/fields.h"

/* ---- words, in the order of the enums ---- */

enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };
enum os_type { OS_WINDOWS, OS_LINUX };
enum protocol { PROTOCOL_TCP, PROTOCOL_UDP };
enum address_type { ADDRESS_PUBLIC, ADDRESS_PRIVATE };
enum group_sku { SKU_NOT_SPECIFIED, SKU_STANDARD, SKU_DEDICATED, SKU_CONFIDENTIAL };
enum group_priority { PRIORITY_REGULAR, PRIORITY_SPOT };
enum label_scope {
    LABEL_UNSECURE,
    LABEL_TENANT,
    LABEL_SUBSCRIPTION,
    LABEL_RESOURCE_GROUP,
    LABEL_NO_REUSE
};
enum identity_type { IDENTITY_SYSTEM, IDENTITY_USER, IDENTITY_BOTH, IDENTITY_NONE };

extern const char *const restart_policy_words[],
    *const os_type_words[], *const protocol_words[],
                                *const address_type_words[],
                                    *const group_sku_words[],
                                        *const group_priority_words[],
                                            *const probe_scheme_words[],
                                                *const gpu_sku_words[],
                                                    *const identity_type_words[],
                                                        *const label_scope_words[],
                                                            *const log_type_words[],
                                                                *const identity_access_words[];

/* ---- what the service reports ---- */

struct event { /* §19.1 */
    int64_t count;
    const char *first_timestamp, *last_timestamp; /* RFC 3339 */
    const char *name, *message;
    const char *type; /* "Normal" or "Warning" */
};

struct container_state { /* §6.6 */
    const char *state;   /* container_state_words of lifecycle.h */
    const char *start_time;
    struct opt_int exit_code;
    const char *finish_time;
    const char *detail_status;
};

struct container_view {
    int64_t restart_count;
    struct container_state *current_state, *previous_state;
    struct event *events;
    size_t events_count;
};

struct group_view {
    struct event *events;
    size_t events_count;
    const char *state; /* group_state_words of lifecycle.h */
};

/* ---- container ---- */

struct container_port {
    int protocol;
    int64_t port;
};

struct environment_variable {
    const char *name, *value;
    const char *secure_value;           /* secret */
    const char *secure_value_reference; /* name of a secret_reference */
};

struct gpu {
    struct opt_int count;
    int sku;
};
struct resource_amounts {
    struct opt_decimal memory_gb, cpu;
    struct gpu *gpu;
};
struct resource_requirements {
    struct resource_amounts *requests, *limits;
};

struct volume_mount {
    const char *name, *mount_path;
    struct opt_bool read_only;
};

struct http_header {
    const char *name, *value;
};
enum probe_scheme { PROBE_HTTP, PROBE_HTTPS };
struct probe_http_get {
    const char *path;
    struct opt_int port;
    int scheme;
    struct http_header *headers;
    size_t headers_count;
};
struct probe_exec {
    struct text_list command;
};
struct probe {
    struct probe_exec *exec;
    struct probe_http_get *http_get;
    struct opt_int initial_delay_s, period_s, failure_threshold, success_threshold, timeout_s;
};

struct capability_changes {
    struct text_list add, drop;
};
struct security_context {
    struct opt_bool privileged, allow_privilege_escalation;
    struct capability_changes *capabilities;
    struct opt_int run_as_group, run_as_user;
    const char *seccomp_profile; /* base64 */
};

struct config_map {
    struct text_map pairs;
};

struct container_properties { /* init containers use the same, with fewer fields in their table */
    const char *image;
    struct text_list command;
    struct container_port *ports;
    size_t ports_count;
    struct environment_variable *environment;
    size_t environment_count;
    struct container_view *view;
    struct resource_requirements *resources;
    struct volume_mount *mounts;
    size_t mounts_count;
    struct probe *liveness, *readiness;
    struct security_context *security;
    struct config_map *config_map;
};

struct container {
    const char *name;
    struct container_properties *properties;
};

/* ---- volumes ---- */

struct azure_file_volume {
    const char *share_name;
    struct opt_bool read_only;
    const char *account_name;
    const char *account_key;           /* secret */
    const char *account_key_reference; /* name of a secret_reference */
};
struct git_volume {
    const char *directory, *repository, *revision;
};
struct local_disk_volume { /* Berth's own: a named folder on a node that outlives the group */
    const char *name;
    const char *size_limit; /* NULL: not said */
};
struct volume { /* exactly one kind */
    const char *name;
    struct azure_file_volume *azure_file;
    struct raw_json empty_dir;
    struct text_map secret;           /* secret: file name to base64 */
    struct text_map secret_reference; /* file name to name of a secret_reference */
    struct git_volume *git;
    struct local_disk_volume *local_disk;
};

/* ---- group ---- */

struct registry_credential {
    const char *server, *username;
    const char *password;           /* secret */
    const char *password_reference; /* name of a secret_reference */
    const char *identity, *identity_url;
};

struct group_address {
    struct container_port *ports;
    size_t ports_count;
    int type;
    const char *ip; /* ignored in requests, §3.11 */
    const char *dns_name_label;
    int label_scope; /* -1 when absent */
    const char *fqdn;
};

struct log_analytics {
    const char *workspace_id, *workspace_key; /* key: secret */
    int log_type;
    struct text_map metadata;
    const char *workspace_resource_id; /* secret by the swagger */
};
struct diagnostics {
    struct log_analytics *log_analytics;
};
struct subnet_id {
    const char *id, *name;
};
struct dns_config {
    struct text_list name_servers;
    const char *search_domains, *options;
};
struct encryption {
    const char *vault_base_url, *key_name, *key_version, *identity;
};
struct extension_properties {
    const char *extension_type, *version;
    struct raw_json settings, protected_settings; /* protected: secret */
};
struct extension {
    const char *name;
    struct extension_properties *properties;
};
struct confidential {
    const char *cce_policy;
};
struct identity {
    const char *principal_id, *tenant_id;
    int type; /* -1 when absent */
    struct raw_json user_assigned;
};
struct identity_access { /* who may use an identity */
    int access;          /* -1 when absent */
    const char *identity;
};
struct identity_acls {
    int default_access; /* -1 when absent */
    struct identity_access *acls;
    size_t acls_count;
};
struct secret_reference {
    const char *name, *identity, *uri;
};
struct profile_reference {
    const char *id;
    struct opt_int revision;
};
struct standby_pool {
    const char *id;
    struct opt_bool fail_on_reuse_failure;
};

struct group_properties {
    const char *provisioning_state; /* provisioning_words of lifecycle.h */
    struct opt_int provisioning_timeout_s;
    struct opt_bool custom_provisioning_timeout;
    struct container *containers;
    size_t containers_count;
    struct registry_credential *credentials;
    size_t credentials_count;
    int restart_policy;
    struct group_address *address;
    int os_type; /* -1 when absent */
    struct volume *volumes;
    size_t volumes_count;
    struct group_view *view;
    struct diagnostics *diagnostics;
    struct subnet_id *subnets;
    size_t subnets_count;
    struct dns_config *dns;
    int sku;
    struct encryption *encryption;
    struct container *init_containers;
    size_t init_containers_count;
    struct extension *extensions;
    size_t extensions_count;
    struct confidential *confidential;
    int priority; /* -1 when absent */
    struct secret_reference *secret_references;
    size_t secret_references_count;
    struct identity_acls *identity_acls;
    struct profile_reference *profile;
    struct standby_pool *standby_pool;
    struct opt_bool from_standby_pool;
};

struct container_group {
    const char *id, *name, *type;
    const char *location;
    struct text_map tags;
    struct text_list zones;
    struct identity *identity;
    struct group_properties *properties;
};

/* The contract that serves `api_version` (any that is well-formed): the nearest of those there are. */
const char *group_contract(const char *api_version);

/* Every container of a group, in the order in which they begin: the init containers, then the others (§9.2). An init
 * container has no resources of its own: they are NULL. */
size_t group_containers_total(const struct group_properties *properties);
struct container *group_container_at(const struct group_properties *properties, size_t index);

/* Every table is reachable from these. */
extern const struct schema container_group_schema, event_schema, container_view_schema,
    group_view_schema, container_schema, requirements_schema;

/* ---- what a group holds ---- */

/* Sums of the containers' requests (§8.6). One GB is 1,024 MiB; the group's total is rounded up to a whole
 * MiB once, not per container, so that ten times 0.1 GB is 1 GB. */
enum { PORT_SET_MAX = 5, PORT_SET_UDP = 1 << 16 };
struct port_set {
    uint32_t items[PORT_SET_MAX]; /* the port, and PORT_SET_UDP */
    uint32_t count;
};

enum { RUNTIME_CLASS_SIZE = 16, ZONE_SIZE = 32 };
struct shape {
    int64_t cpu_milli;
    int64_t memory_mib;
    int64_t gpus;                           /* of each sku, see below */
    struct port_set ports;                  /* of its node's own address (address_pool.h) */
    char runtime_class[RUNTIME_CLASS_SIZE]; /* not held, but needed; "": any */
    char zone[ZONE_SIZE];                   /* the same */
    bool alone;                             /* with its node to itself (sku Dedicated) */
    bool spot;                              /* gives way to others (priority Spot) */
};
bool shape_equal(const struct shape *left, const struct shape *right);

/* How many graphics processors of each sku, in 16 bits each, so that they are added and taken away as one
 * number. */
enum { GPU_SKUS = 3, GPU_COUNT_MAX = 4096 };
static inline int64_t gpus_of(int sku, int64_t count)
{
    return count << 16 * sku;
}
static inline int64_t gpus_count(int64_t gpus, int sku)
{
    return gpus >> 16 * sku & 0xFFFF;
}
/* Whether that many are left of those there are. */
bool gpus_fit(int64_t wanted, int64_t capacity, int64_t used);
struct shape group_shape(const struct container_group *group);
int64_t memory_mib_from_milli_gb(int64_t milli_gb);
/* What was asked for: the inverse. */
int64_t memory_milli_gb_from_mib(int64_t mib);

#endif
