/* Writes config.json. Rights, paths and mounts are those that container engines agree on. */
#include "node-agent/runtime/oci/config.h"

#include "base/limits.h"
#include "node-agent/runtime/cgroup/cgroup.h"

#include <string.h>

static const char capabilities[] = "[\"CAP_CHOWN\",\"CAP_DAC_OVERRIDE\",\"CAP_FSETID\",\"CAP_"
                                   "FOWNER\",\"CAP_MKNOD\",\"CAP_NET_RAW\",\"CAP_SETGID\","
                                   "\"CAP_SETUID\",\"CAP_SETFCAP\",\"CAP_SETPCAP\",\"CAP_NET_BIND_"
                                   "SERVICE\",\"CAP_SYS_CHROOT\",\"CAP_KILL\","
                                   "\"CAP_AUDIT_WRITE\"]";

static const char *const masked_paths[] = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/scsi",
    "/sys/firmware",
    "/proc/sched_debug",
    "/sys/devices/virtual/powercap",
};

static const char *const read_only_paths[] = {
    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

struct fixed_mount {
    const char *target, *type, *source, *options;
};

/* clang-format off */
static const struct fixed_mount fixed_mounts[] = {
    {"/proc", "proc", "proc", "\"nosuid\",\"noexec\",\"nodev\""},
    {"/dev", "tmpfs", "tmpfs", "\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\""},
    {"/dev/pts", "devpts", "devpts",
     "\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\""},
    {"/dev/mqueue", "mqueue", "mqueue", "\"nosuid\",\"noexec\",\"nodev\""},
    {"/sys", "sysfs", "sysfs", "\"nosuid\",\"noexec\",\"nodev\",\"ro\""},
    {"/sys/fs/cgroup", "cgroup", "cgroup", "\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\""},
};
/* clang-format on */

static void add_texts(struct text *out, const char *const *items, size_t count)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        text_add(out, i > 0 ? "," : "");
        text_add_json(out, items[i]);
    }
    text_add_char(out, ']');
}

static void add_list(struct text *out, const char *name, const struct text_list *list)
{
    text_addf(out, "\"%s\":", name);
    add_texts(out, list->items, list->count);
}

/* ---- process ---- */

void config_add_user(struct text *out, const struct runtime_container *container)
{
    text_addf(out, "{\"uid\":%u,\"gid\":%u,\"additionalGids\":[", container->user,
              container->user_group);
    for (size_t i = 0; i < container->groups_count; i++)
        text_addf(out, "%s%u", i > 0 ? "," : "", container->groups[i]);
    text_add(out, "]}");
}

/* Others than root have none of them, but may gain them in no way other than root's programs
 * would: not at all. */
static void add_capabilities(struct text *out, bool is_root)
{
    text_addf(out, "\"capabilities\":{\"bounding\":%s", capabilities);
    if (is_root)
        text_addf(out, ",\"effective\":%s,\"permitted\":%s", capabilities, capabilities);
    text_add_char(out, '}');
}

void config_add_process(struct text *out, const struct runtime_container *container,
                        const struct config_node *node)
{
    text_add(out, "\"terminal\":false,\"user\":");
    config_add_user(out, container);
    text_add_char(out, ',');
    add_list(out, "env", &container->env);
    text_add(out, ",\"cwd\":");
    text_add_json(out, container->working_dir ? container->working_dir : "/");
    text_add_char(out, ',');
    add_capabilities(out, container->user == 0);
    text_addf(out, ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":%lld,\"soft\":%lld}]",
              (long long)node->files_max, (long long)node->files_max);
    text_addf(out, ",\"noNewPrivileges\":true,\"oomScoreAdj\":%d", CONFIG_OOM_SCORE);
}

void config_add_args(struct text *out, const struct text_list *args)
{
    add_list(out, "args", args);
}

/* ---- mounts ---- */

static void add_bind(struct text *out, const char *source, const char *target, const char *options)
{
    text_add(out, ",{\"type\":\"bind\",\"source\":");
    text_add_json(out, source);
    text_add(out, ",\"destination\":");
    text_add_json(out, target);
    text_addf(out, ",\"options\":[\"rbind\",\"rprivate\",%s]}", options);
}

static void add_mounts(struct text *out, const struct runtime_container *container,
                       const struct config_node *node)
{
    text_add(out, "\"mounts\":[");
    for (size_t i = 0; i < COUNT_OF(fixed_mounts); i++)
        text_addf(out,
                  "%s{\"destination\":\"%s\",\"type\":\"%s\",\"source\":\"%s\",\"options\":[%s]}",
                  i > 0 ? "," : "", fixed_mounts[i].target, fixed_mounts[i].type,
                  fixed_mounts[i].source, fixed_mounts[i].options);
    if (node->shm_path)
        add_bind(out, node->shm_path, "/dev/shm", "\"nosuid\",\"noexec\",\"nodev\"");
    else
        text_addf(out,
                  ",{\"destination\":\"/dev/"
                  "shm\",\"type\":\"tmpfs\",\"source\":\"shm\",\"options\":[\"nosuid\","
                  "\"noexec\",\"nodev\",\"mode=1777\",\"size=%lld\"]}",
                  (long long)LIMIT_CONTAINER_SHM_BYTES);
    for (size_t i = 0; i < container->mounts_count; i++) {
        const struct runtime_mount *mount = &container->mounts[i];
        add_bind(out, mount->source, mount->target,
                 mount->read_only ? "\"ro\",\"nosuid\",\"nodev\"" : "\"rw\",\"nosuid\",\"nodev\"");
    }
    text_add_char(out, ']');
}

/* ---- linux ---- */

static void add_namespace(struct text *out, const char *type, const char *path)
{
    text_addf(out, ",{\"type\":\"%s\"", type);
    if (path) {
        text_add(out, ",\"path\":");
        text_add_json(out, path);
    }
    text_add_char(out, '}');
}

static void add_resources(struct text *out, const struct runtime_container *container)
{
    text_add(out, "\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]");
    if (container->cpu_milli > 0)
        text_addf(out, ",\"cpu\":{\"quota\":%lld,\"period\":%d,\"shares\":%lld}",
                  (long long)cgroup_cpu_quota_us(container->cpu_milli), CGROUP_CPU_PERIOD_US,
                  (long long)cgroup_cpu_shares(container->cpu_milli));
    if (container->memory_bytes > 0)
        text_addf(out, ",\"memory\":{\"limit\":%lld}", (long long)container->memory_bytes);
    text_addf(
        out, ",\"pids\":{\"limit\":%lld}},",
        (long long)(container->pids_max > 0 ? container->pids_max : LIMIT_CONTAINER_PIDS_MAX));
}

static void add_linux(struct text *out, const struct runtime_container *container,
                      const struct config_node *node)
{
    text_add(
        out,
        "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"cgroup\"}");
    add_namespace(out, "network", container->net_path);
    add_namespace(out, "ipc", container->ipc_path);
    add_namespace(out, "uts", container->uts_path);
    text_add(out, "],\"cgroupsPath\":");
    text_add_json(out, node->cgroup_path);
    text_add_char(out, ',');
    if (node->with_limits)
        add_resources(out, container);
    if (node->seccomp_json)
        text_addf(out, "\"seccomp\":%s,", node->seccomp_json);
    text_add(out, "\"maskedPaths\":");
    add_texts(out, masked_paths, COUNT_OF(masked_paths));
    text_add(out, ",\"readonlyPaths\":");
    add_texts(out, read_only_paths, COUNT_OF(read_only_paths));
    text_add_char(out, '}');
}

void config_add(struct text *out, const struct runtime_container *container,
                const struct config_node *node)
{
    text_add(out, "{\"ociVersion\":\"1.0.0\",");
    text_add(out, "\"process\":{");
    config_add_args(out, &container->args);
    text_add_char(out, ',');
    config_add_process(out, container, node);
    text_add_char(out, '}');
    text_add(out, ",\"root\":{\"path\":");
    text_add_json(out, container->root);
    text_add(out, ",\"readonly\":false},");
    if (container->hostname && !container->uts_path) {
        text_add(out, "\"hostname\":");
        text_add_json(out, container->hostname);
        text_add_char(out, ',');
    }
    add_mounts(out, container, node);
    text_add_char(out, ',');
    add_linux(out, container, node);
    if (node->seccomp_bpf)
        text_addf(out, ",\"annotations\":{\"run.oci.seccomp_bpf_data\":\"%s\"}", node->seccomp_bpf);
    text_add_char(out, '}');
}
