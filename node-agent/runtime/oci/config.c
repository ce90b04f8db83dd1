/* Writes config.json. Rights, paths and mounts are those that container engines agree on. */
#include "node-agent/runtime/oci/config.h"

#include "base/limits.h"
#include "node-agent/runtime/cgroup/cgroup.h"
#include "node-agent/runtime/oci/rights.h"

#include <string.h>
#include <sys/statvfs.h>

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
    bool shows_kernel; /* read-only, unless the container is privileged */
};

/* clang-format off */
static const struct fixed_mount fixed_mounts[] = {
    {"/proc", "proc", "proc", "\"nosuid\",\"noexec\",\"nodev\""},
    {"/dev", "tmpfs", "tmpfs", "\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\""},
    {"/dev/pts", "devpts", "devpts",
     "\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\""},
    {"/dev/mqueue", "mqueue", "mqueue", "\"nosuid\",\"noexec\",\"nodev\""},
    {"/sys", "sysfs", "sysfs", "\"nosuid\",\"noexec\",\"nodev\"", true},
    {"/sys/fs/cgroup", "cgroup", "cgroup", "\"nosuid\",\"noexec\",\"nodev\",\"relatime\"", true},
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

static void add_user(struct text *out, const struct runtime_container *container)
{
    text_addf(out, "{\"uid\":%u,\"gid\":%u,\"additionalGids\":[", container->user,
              container->user_group);
    for (size_t i = 0; i < container->groups_count; i++)
        text_addf(out, "%s%u", i > 0 ? "," : "", container->groups[i]);
    text_add(out, "]}");
}

void config_add_process(struct text *out, const struct runtime_container *container,
                        const struct config_node *node)
{
    text_add(out, "\"terminal\":false,\"user\":");
    add_user(out, container);
    text_add_char(out, ',');
    add_list(out, "env", &container->env);
    text_add(out, ",\"cwd\":");
    text_add_json(out, container->working_dir ? container->working_dir : "/");
    text_add_char(out, ',');
    rights_add_capabilities(out, container, node);
    text_addf(out, ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":%lld,\"soft\":%lld}]",
              (long long)node->files_max, (long long)node->files_max);
    text_addf(out, ",\"noNewPrivileges\":%s,\"oomScoreAdj\":%d",
              rights_of(container)->may_gain ? "false" : "true", CONFIG_OOM_SCORE);
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

static void add_fixed_mounts(struct text *out, bool privileged)
{
    for (size_t i = 0; i < COUNT_OF(fixed_mounts); i++) {
        const struct fixed_mount *one = &fixed_mounts[i];
        text_addf(out,
                  "%s{\"destination\":\"%s\",\"type\":\"%s\",\"source\":\"%s\",\"options\":[%s%s]}",
                  i > 0 ? "," : "", one->target, one->type, one->source, one->options,
                  one->shows_kernel && !privileged ? ",\"ro\"" : "");
    }
}

/* Users of their own cannot take that away: a runtime that tries to is refused. */
static bool is_noexec(const char *source)
{
    struct statvfs found;
    return statvfs(source, &found) == 0 && (found.f_flag & ST_NOEXEC);
}

static void add_device_mounts(struct text *out, const struct runtime_container *container,
                              const struct config_node *node)
{
    for (size_t i = 0; i < container->devices_count; i++) {
        char source[512];
        CHECK(text_format(source, sizeof source, "%s/%zu", node->devices_path, i));
        add_bind(out, source, container->devices[i].path, "\"rw\",\"nosuid\",\"noexec\"");
    }
}

static void add_mounts(struct text *out, const struct runtime_container *container,
                       const struct config_node *node)
{
    char options[64];
    text_add(out, "\"mounts\":[");
    add_fixed_mounts(out, rights_of(container)->privileged);
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
        text_format(options, sizeof options, "\"%s\",\"nosuid\",\"nodev\"%s",
                    mount->read_only ? "ro" : "rw",
                    container->users.path && is_noexec(mount->source) ? ",\"noexec\"" : "");
        add_bind(out, mount->source, mount->target, options);
    }
    if (container->users.path)
        add_device_mounts(out, container, node);
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

static void add_user_ids(struct text *out, uint32_t first)
{
    static const char *const names[] = {"uidMappings", "gidMappings"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        text_addf(out, "\"%s\":[{\"containerID\":0,\"hostID\":%u,\"size\":%d}],", names[i], first,
                  (int)LIMIT_GROUP_USERS);
}

static void add_resources(struct text *out, const struct runtime_container *container)
{
    int64_t weight_milli =
        container->cpu_weight_milli > 0 ? container->cpu_weight_milli : container->cpu_milli;
    text_add(out, "\"resources\":{\"devices\":[");
    rights_add_device_rules(out, container);
    text_add_char(out, ']');
    if (container->cpu_milli > 0)
        text_addf(out, ",\"cpu\":{\"quota\":%lld,\"period\":%d,\"shares\":%lld}",
                  (long long)cgroup_cpu_quota_us(container->cpu_milli), CGROUP_CPU_PERIOD_US,
                  (long long)cgroup_cpu_shares(weight_milli));
    if (container->memory_bytes > 0)
        text_addf(out, ",\"memory\":{\"limit\":%lld}", (long long)container->memory_bytes);
    text_addf(
        out, ",\"pids\":{\"limit\":%lld}},",
        (long long)(container->pids_max > 0 ? container->pids_max : LIMIT_CONTAINER_PIDS_MAX));
}

/* A client's profile takes the place of the usual one; a privileged container has none but its own. */
static void add_seccomp(struct text *out, const struct runtime_container *container,
                        const struct config_node *node)
{
    const struct runtime_rights *rights = rights_of(container);
    if (rights->profile) {
        text_add(out, "\"seccomp\":");
        rights_add_profile(out, rights->profile, rights->capabilities);
        text_add_char(out, ',');
    } else if (!rights->privileged && node->seccomp_json) {
        text_addf(out, "\"seccomp\":%s,", node->seccomp_json);
    }
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
    if (container->users.path)
        add_namespace(out, "user", container->users.path);
    text_add(out, "],");
    if (container->users.path && node->maps_users)
        add_user_ids(out, container->users.first);
    text_add(out, "\"cgroupsPath\":");
    text_add_json(out, node->cgroup_path);
    text_add_char(out, ',');
    if (node->with_limits)
        add_resources(out, container);
    rights_add_devices(out, container);
    add_seccomp(out, container, node);
    bool privileged = rights_of(container)->privileged;
    text_add(out, "\"maskedPaths\":");
    add_texts(out, masked_paths, privileged ? 0 : COUNT_OF(masked_paths));
    text_add(out, ",\"readonlyPaths\":");
    add_texts(out, read_only_paths, privileged ? 0 : COUNT_OF(read_only_paths));
    text_add_char(out, '}');
}

static void add_hook(struct text *out, const struct runtime_hook *hook)
{
    text_add(out, "{\"path\":");
    text_add_json(out, hook->path);
    text_add_char(out, ',');
    add_list(out, "args", &hook->args);
    text_add_char(out, ',');
    add_list(out, "env", &hook->env);
    if (hook->timeout_s > 0)
        text_addf(out, ",\"timeout\":%lld", (long long)hook->timeout_s);
    text_add_char(out, '}');
}

/* By moment, each once. */
static void add_hooks(struct text *out, const struct runtime_container *container)
{
    const struct runtime_hook *hooks = container->hooks;
    const char *between = "";
    if (container->hooks_count == 0)
        return;
    text_add(out, ",\"hooks\":{");
    for (size_t i = 0; i < container->hooks_count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= strcmp(hooks[k].moment, hooks[i].moment) == 0;
        if (seen)
            continue;
        text_addf(out, "%s\"%s\":[", between, hooks[i].moment);
        add_hook(out, &hooks[i]);
        for (size_t k = i + 1; k < container->hooks_count; k++) {
            if (strcmp(hooks[k].moment, hooks[i].moment) != 0)
                continue;
            text_add_char(out, ',');
            add_hook(out, &hooks[k]);
        }
        text_add_char(out, ']');
        between = ",";
    }
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
    text_add_json(out, node->root_path ? node->root_path : container->root);
    text_add(out, ",\"readonly\":false},");
    if (container->hostname && !container->uts_path) {
        text_add(out, "\"hostname\":");
        text_add_json(out, container->hostname);
        text_add_char(out, ',');
    }
    add_mounts(out, container, node);
    text_add_char(out, ',');
    add_linux(out, container, node);
    add_hooks(out, container);
    if (node->seccomp_bpf && !rights_of(container)->profile && !rights_of(container)->privileged)
        text_addf(out, ",\"annotations\":{\"run.oci.seccomp_bpf_data\":\"%s\"}", node->seccomp_bpf);
    text_add_char(out, '}');
}
