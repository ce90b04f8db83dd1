#include "node-agent/config.h"

#include "base/limits.h"
#include "model/container_group.h"
#include "model/runtime_class.h"

/* clang-format off */
static const struct field config_fields[] = {
    FIELD(struct agent_config, plane_url, "plane_url", .flags = FIELD_HAS_FALLBACK, .fallback_text = "https://127.0.0.1:8700", .doc = "Where berthd listens."),
    FIELD(struct agent_config, plane_ca_file, "plane_ca_file", .doc = "CA that the plane's certificate is checked with, in PEM: a copy of ca.pem of berthd's state_dir; what the system trusts when absent."),
    FIELD(struct agent_config, join_token, "join_token", .flags = FIELD_SECRET, .doc = "Proof that this machine may join; better in a file."),
    FIELD(struct agent_config, join_token_file, "join_token_file", .doc = "File that holds the join token."),
    FIELD(struct agent_config, name, "name", .max = 63, .doc = "The node's name; the machine's host name when absent."),
    FIELD(struct agent_config, location, "location", .max = 63, .doc = "Location the node serves; the plane's default when absent."),
    FIELD(struct agent_config, zone, "zone", .max = ZONE_SIZE - 1, .doc = "Availability zone the node stands in, as \"1\": groups that name it run on nodes of it alone; none when absent."),
    FIELD(struct agent_config, address, "address", .max = 255, .doc = "The machine's own address, shown to people."),
    FIELD(struct agent_config, state_dir, "state_dir", .flags = FIELD_HAS_FALLBACK, .fallback_text = "/var/lib/berth-agent", .doc = "Folder on disk: images, logs, records, the usage journal."),
    FIELD(struct agent_config, run_dir, "run_dir", .flags = FIELD_HAS_FALLBACK, .fallback_text = "/run/berth-agent", .doc = "Folder in memory (a tmpfs is mounted when it is not on one): specs with secrets, sockets."),
    FIELD(struct agent_config, runtime, "runtime", .flags = FIELD_HAS_FALLBACK, .fallback_text = "crun", .doc = "OCI runtime: crun, runc, or a path."),
    FIELD(struct agent_config, runtime_classes, "runtime_classes", .max = RUNTIME_CLASSES_MAX - 1, .doc = "Other OCI runtimes that groups may ask for by name: NAME or NAME=PROGRAM; those of crun, runc and runsc that are installed when absent."),
    FIELD(struct agent_config, cdi_dirs, "cdi_dirs", .max = 16, .doc = "Folders of CDI files (JSON), which name devices that groups hold alone; /etc/cdi and /var/run/cdi when absent."),
    FIELD(struct agent_config, gpu_kinds, "gpu_kinds", .max = 8, .doc = "SKU=KIND: which kind of device a GPU sku is here, as K80=nvidia.com/gpu; GPUs are offered for these alone."),
    FIELD(struct agent_config, conmon, "conmon", .flags = FIELD_HAS_FALLBACK, .fallback_text = "conmon", .doc = "Supervisor of each container."),
    FIELD(struct agent_config, skopeo, "skopeo", .flags = FIELD_HAS_FALLBACK, .fallback_text = "skopeo", .doc = "Program that fetches images."),
    FIELD(struct agent_config, unpacker, "unpacker", .doc = "The program that unpacks images; berth-unpack beside this program when absent."),
    FIELD(struct agent_config, git, "git", .flags = FIELD_HAS_FALLBACK, .fallback_text = "git", .doc = "Program that clones gitRepo volumes."),
    FIELD(struct agent_config, git_protocols, "git_protocols", .max = 8, .doc = "What gitRepo volumes may be cloned by; https, http and git when absent."),
    FIELD(struct agent_config, rclone, "rclone", .flags = FIELD_HAS_FALLBACK, .fallback_text = "rclone", .doc = "Program that mounts azureFile volumes where the kernel has no CIFS."),
    FIELD(struct agent_config, azure_file_suffix, "azure_file_suffix", .flags = FIELD_HAS_FALLBACK, .fallback_text = "file.core.windows.net", .max = 200, .doc = "What follows a storage account's name in the name of its SMB server."),
    FIELD(struct agent_config, azure_file_servers, "azure_file_servers", .max = 1024, .doc = "SMB servers of storage accounts that are elsewhere: account to host or host:port."),
    FIELD(struct agent_config, fence, "fence", .doc = "The fence program; berth-fence beside this program when absent."),
    FIELD(struct agent_config, cgroup, "cgroup", .doc = "Parent of all containers' cgroups; berth/<name> when absent."),
    FIELD(struct agent_config, bridge, "bridge", .flags = FIELD_HAS_FALLBACK, .fallback_text = "berth0", .max = 15, .doc = "Bridge that connects the groups of this node."),
    FIELD(struct agent_config, range, "range", .flags = FIELD_HAS_FALLBACK, .fallback_text = "10.101.0.0/24", .doc = "Addresses of the groups; the first is the bridge's."),
    FIELD(struct agent_config, nat, "nat", .flags = FIELD_HAS_FALLBACK, .fallback = 1, .doc = "Groups reach the outside under the node's address."),
    FIELD(struct agent_config, public_link, "public_link", .max = 15, .doc = "Network link that the public addresses of groups are put on; that of the default route when absent."),
    FIELD(struct agent_config, public_address, "public_address", .max = 15, .doc = "IPv4 address of this machine that its public groups share where their location has no pool; `address` when absent."),
    FIELD(struct agent_config, outbound, "outbound", .max = 256, .doc = "Where groups may connect to: ranges as 10.0.0.0/8 (those alone), !10.1.0.0/16 (not there), or none; anywhere when absent."),
    FIELD(struct agent_config, outbound_closed_ports, "outbound_closed_ports", .max = 64, .doc = "TCP ports that no group connects to; 25 when absent."),
    FIELD(struct agent_config, user_namespaces, "user_namespaces", .flags = FIELD_HAS_FALLBACK, .fallback_text = "auto", .max = 8, .doc = "Whether groups have users of their own, so that root in one is nobody here: auto (where kernel, file system and runtime can), on (else refuse to start), off."),
    FIELD(struct agent_config, user_ids_first, "user_ids_first", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_USERS_FIRST, .min = LIMIT_GROUP_USERS, .max = LIMIT_USERS_END - LIMIT_GROUP_USERS, .doc = "First of the user and group ids of this machine that groups are given, 65536 for each address of `range` up to 2147483647: a multiple of 65536, whose ids nobody else has."),
    FIELD(struct agent_config, cpu_overcommit, "cpu_overcommit", .min = 100, .max = 100000, .doc = "CPU offered for each that the machine has; 1 when absent."),
    FIELD(struct agent_config, cpu_reserve_milli, "cpu_reserve_milli", .min = 0, .max = 1000000, .doc = "CPU kept for the machine itself, in thousandths."),
    FIELD(struct agent_config, memory_reserve_mib, "memory_reserve_mib", .flags = FIELD_HAS_FALLBACK, .fallback = 256, .min = 0, .max = 16777216, .doc = "Memory kept for the machine itself."),
    FIELD(struct agent_config, cpu_milli, "cpu_milli", .min = 0, .max = 10000000, .doc = "CPU to count with instead of what the machine has."),
    FIELD(struct agent_config, memory_mib, "memory_mib", .min = 0, .max = 268435456, .doc = "Memory to count with instead of what the machine has."),
    FIELD(struct agent_config, insecure_registries, "insecure_registries", .max = 64, .doc = "Registries spoken to without TLS: host:port."),
    FIELD(struct agent_config, registry_certs_dir, "registry_certs_dir", .max = 3000, .doc = "Folder of CAs in PEM that registries' certificates are checked with beside those the system trusts: host:port/ca.crt for each registry."),
    FIELD(struct agent_config, image_bytes_max, "image_bytes_max", .flags = FIELD_HAS_FALLBACK, .fallback = -1, .min = -1, .max = INT64_MAX, .doc = "What images may hold on disk: unused ones make room for new ones, which wait when all are in use; 0: no ceiling; -1: 70 % of the disk."),
    FIELD(struct agent_config, image_keep_hours, "image_keep_hours", .flags = FIELD_HAS_FALLBACK, .fallback = 168, .min = 0, .max = 87600, .doc = "Unused images are removed after this; 0: never by age."),
    FIELD(struct agent_config, image_stall_ms, "image_stall_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_PULL_STALL_MS, .min = 1000, .max = LIMIT_PULL_MS, .doc = "A registry that sends nothing of a layer this long is given up, and asked again later."),
    FIELD(struct agent_config, networks_prepared, "networks_prepared", .flags = FIELD_HAS_FALLBACK, .fallback = 16, .min = 0, .max = LIMIT_NETWORK_PREPARED_MAX, .doc = "Sets of namespaces kept ready for groups to come."),
    FIELD(struct agent_config, stop_grace_ms, "stop_grace_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_STOP_GRACE_MS, .min = 0, .max = LIMIT_STOP_GRACE_MAX_MS, .doc = "What a container has between its stop signal and SIGKILL."),
    FIELD(struct agent_config, restart_backoff_ms, "restart_backoff_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_RESTART_BACKOFF_MIN_MS, .min = 1, .max = 3600000, .doc = "First wait of a crash loop, and after a pull that failed; each further one is twice as long."),
    FIELD(struct agent_config, restart_backoff_max_ms, "restart_backoff_max_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_RESTART_BACKOFF_MAX_MS, .min = 1, .max = 3600000, .doc = "Longest wait of a crash loop."),
    FIELD(struct agent_config, restart_backoff_reset_ms, "restart_backoff_reset_ms", .flags = FIELD_HAS_FALLBACK, .fallback = LIMIT_RESTART_BACKOFF_RESET_MS, .min = 1, .max = 86400000, .doc = "A container that ran this long is in no crash loop any more."),
    FIELD(struct agent_config, workers, "workers", .flags = FIELD_HAS_FALLBACK, .fallback = 16, .min = 2, .max = 256, .doc = "Blocking steps done at the same time, at most."),
    FIELD(struct agent_config, log_level, "log_level", .flags = FIELD_HAS_FALLBACK, .fallback_text = "info", .doc = "debug, info, warn or error."),
    FIELD(struct agent_config, log_json, "log_json", .doc = "Log lines as JSON."),
    FIELD(struct agent_config, clean, "clean", .doc = "Take down everything this node's agent ever made outside its state folder, then exit."),
};
/* clang-format on */

static const struct schema config_schema =
    SCHEMA("AgentConfig", struct agent_config, config_fields, "Configuration of berth-agent.");

const struct options agent_options = {
    .program = "berth-agent",
    .summary = "Runs container groups on this machine for a Berth plane.",
    .usage = "  berth-agent --plane-url https://127.0.0.1:8700 --plane-ca-file ca.pem "
             "--join-token-file join.token\n"
             "  berth-agent --clean        leave nothing behind (stop the agent first)\n",
    .prefix = "BERTH_AGENT_",
    .schema = &config_schema,
};
