/* The agent's configuration: one table for file, environment (BERTH_AGENT_…) and flags.   Threads: start-up. */
#ifndef NODE_AGENT_CONFIG_H
#define NODE_AGENT_CONFIG_H

#include "base/options.h"

struct agent_config {
    const char *plane_url, *plane_ca_file, *join_token, *join_token_file;
    const char *name, *location, *zone, *address;
    const char *state_dir, *run_dir;
    struct text_list runtime_classes, cdi_dirs;
    struct text_map gpu_kinds;
    const char *runtime, *conmon, *skopeo, *unpacker, *fence, *git, *rclone, *registry_certs_dir;
    const char *cgroup;
    const char *bridge, *range;
    bool nat;
    const char *user_namespaces;
    int64_t user_ids_first;
    const char *public_link, *public_address;
    struct text_list outbound, outbound_closed_ports;
    struct opt_decimal cpu_overcommit;
    int64_t cpu_reserve_milli, memory_reserve_mib;
    int64_t cpu_milli, memory_mib; /* 0: what the machine has */
    struct text_list insecure_registries;
    struct text_list git_protocols;
    const char *azure_file_suffix;
    struct text_map azure_file_servers;
    int64_t image_bytes_max, image_keep_hours, image_stall_ms;
    int64_t networks_prepared;
    int64_t stop_grace_ms, restart_backoff_ms, restart_backoff_max_ms, restart_backoff_reset_ms;
    int64_t workers;
    const char *log_level;
    bool log_json;
    bool clean;
};

extern const struct options agent_options;

#endif
