/* Folders, ceilings and numbers of a cgroup. */
#include "node-agent/runtime/cgroup/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool cgroup_write(const char *path, const char *value)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, value, strlen(value)) >= 0;
}

/* As a rule these files fit one read; memory.stat, the longest, has 2 KiB. */
bool cgroup_read_number(const char *path, const char *key, int64_t *out)
{
    char bytes[8192];
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, bytes, sizeof bytes - 1) : -1;
    if (got <= 0)
        return false;
    bytes[got] = '\0';
    for (char *line = bytes; *line;) {
        size_t length = strcspn(line, "\n"), key_size = key ? strlen(key) : 0;
        bool more = line[length] != '\0';
        line[length] = '\0';
        if (!key)
            return text_to_int(line, out);
        if (strncmp(line, key, key_size) == 0 && line[key_size] == ' ')
            return text_to_int(line + key_size + 1, out);
        line += length + (more ? 1 : 0);
    }
    return false;
}

/* ---- making ---- */

/* "" when it cannot be read. */
static void read_line(const char *path, char *value, size_t size)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, value, size - 1) : -1;
    value[got > 0 ? got : 0] = '\0';
    value[strcspn(value, "\n")] = '\0';
}

/* A v1 cpuset takes no process before it has cpus and memory nodes; it begins with its parent's. One that has some
 * keeps them; one that has none was made by an agent that died before it could fill it. */
static void fill_cpuset(const char *folder)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        char ours[CGROUP_PATH_SIZE + 32], above[CGROUP_PATH_SIZE + 32], value[1024];
        text_format(ours, sizeof ours, "%s/%s", folder, files[i]);
        text_format(above, sizeof above, "%s/../%s", folder, files[i]);
        read_line(ours, value, sizeof value);
        if (*value)
            continue;
        read_line(above, value, sizeof value);
        if (*value)
            cgroup_write(ours, value);
    }
}

/* On v2 a folder offers its controllers to those below it. */
static bool offer_controllers(const char *folder, struct err *err)
{
    char path[CGROUP_PATH_SIZE + 32];
    text_format(path, sizeof path, "%s/cgroup.subtree_control", folder);
    if (cgroup_write(path, "+cpu +memory +pids"))
        return true;
    if (errno == EBUSY)
        return err_set(err, ERR_CONFLICT,
                       "cgroup %s holds processes of its own, so its containers cannot be limited: "
                       "give the agent a cgroup name in which nothing else runs",
                       folder);
    return err_set_os(err, ERR_IO, errno, "cannot offer cpu, memory and pids below cgroup %s",
                      folder);
}

/* What a v1 folder needs before it is of use. */
static void prepare(const struct cgroup_mount *mount, const char *folder, bool fresh)
{
    char path[CGROUP_PATH_SIZE + 32];
    if (mount->controllers & CGROUP_UNIFIED)
        return;
    if (mount->controllers & CGROUP_CPUSET)
        fill_cpuset(folder);
    if (fresh && mount->controllers & CGROUP_MEMORY) {
        /* Kernels before 5.11 count a group's containers only when asked to. */
        text_format(path, sizeof path, "%s/memory.use_hierarchy", folder);
        cgroup_write(path, "1");
    }
}

/* Each folder on the way down from the hierarchy's root; those that exist are taken as they are. */
static bool make_in(const struct cgroup_mount *mount, char *folder, struct err *err)
{
    bool offers = mount->controllers & CGROUP_UNIFIED && mount->controllers & CGROUP_MEMORY;
    size_t at = strlen(mount->path);
    for (;;) {
        folder[at] = '\0';
        if (offers && !offer_controllers(folder, err))
            return false;
        folder[at] = '/';
        size_t end = at + 1 + strcspn(folder + at + 1, "/");
        bool last = folder[end] == '\0';
        folder[end] = '\0';
        bool fresh = mkdir(folder, 0755) == 0;
        if (!fresh && errno != EEXIST)
            return err_set_os(err, ERR_IO, errno, "cannot make cgroup %s", folder);
        prepare(mount, folder, fresh);
        if (last)
            return true;
        folder[end] = '/';
        at = end;
    }
}

static bool too_long(const struct cgroups *cgroups, const char *path, struct err *err)
{
    return err_set(err, ERR_INVALID, "the path of cgroup %s/%s is too long", cgroups->name, path);
}

bool cgroup_make(const struct cgroups *cgroups, const char *path, struct err *err)
{
    for (size_t i = 0; i < cgroups->count; i++) {
        const struct cgroup_mount *mount = &cgroups->mounts[i];
        char folder[CGROUP_PATH_SIZE];
        if (cgroups->layout == CGROUP_MIXED && mount->controllers & CGROUP_UNIFIED)
            continue; /* nothing to limit there */
        if (!cgroup_path(cgroups, mount, path, NULL, folder))
            return too_long(cgroups, path, err);
        if (!make_in(mount, folder, err))
            return false;
    }
    return true;
}

/* ---- ceilings ---- */

int64_t cgroup_cpu_quota_us(int64_t cpu_milli)
{
    int64_t quota = cpu_milli * CGROUP_CPU_PERIOD_US / 1000;
    return quota < 1000 ? 1000 : quota; /* the kernel's least */
}

int64_t cgroup_cpu_shares(int64_t cpu_milli)
{
    int64_t shares = cpu_milli * 1024 / 1000;
    return shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
}

/* v2 counts 1 to 10,000 what v1 counts 2 to 262,144; the runtimes convert alike. */
static int64_t weight_of(int64_t shares)
{
    return 1 + (shares - 2) * 9999 / 262142;
}

enum setting_mood { MUST, MAY_LACK, MAY_FAIL };
struct setting {
    enum cgroup_controller controller;
    const char *file;
    char value[48];
    enum setting_mood mood;
};

static bool apply(const struct cgroups *cgroups, const char *path, const struct setting *setting,
                  struct err *err)
{
    char file[CGROUP_PATH_SIZE];
    const struct cgroup_mount *mount = cgroup_mount_of(cgroups, setting->controller);
    if (!mount || !cgroup_path(cgroups, mount, path, setting->file, file))
        return too_long(cgroups, path, err);
    if (cgroup_write(file, setting->value) || setting->mood == MAY_FAIL ||
        (setting->mood == MAY_LACK && (errno == ENOENT || errno == EACCES)))
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot write %s to %s", setting->value, file);
}

static int64_t weight_milli(const struct cgroup_limits *limits)
{
    return limits->cpu_weight_milli > 0 ? limits->cpu_weight_milli : limits->cpu_milli;
}

static size_t settings_v1(const struct cgroup_limits *limits, struct setting *out)
{
    size_t count = 0;
    if (limits->cpu_milli > 0) {
        out[count++] = (struct setting){CGROUP_CPU, "cpu.cfs_period_us", "100000", MUST};
        out[count] = (struct setting){CGROUP_CPU, "cpu.cfs_quota_us", "", MUST};
        text_format(out[count++].value, sizeof out->value, "%lld",
                    (long long)cgroup_cpu_quota_us(limits->cpu_milli));
        out[count] = (struct setting){CGROUP_CPU, "cpu.shares", "", MUST};
        text_format(out[count++].value, sizeof out->value, "%lld",
                    (long long)cgroup_cpu_shares(weight_milli(limits)));
    }
    if (limits->memory_bytes > 0) {
        /* Memory and swap together: nobody buys room by swapping. Absent where swap is not
         * counted; never below memory alone, so it goes first when the ceiling rises and last
         * when it falls. */
        static const char *const files[] = {"memory.memsw.limit_in_bytes", "memory.limit_in_bytes",
                                            "memory.memsw.limit_in_bytes"};
        static const enum setting_mood moods[] = {MAY_FAIL, MUST, MAY_LACK};
        for (size_t i = 0; i < COUNT_OF(files); i++) {
            out[count] = (struct setting){CGROUP_MEMORY, files[i], "", moods[i]};
            text_format(out[count++].value, sizeof out->value, "%lld",
                        (long long)limits->memory_bytes);
        }
    }
    return count;
}

static size_t settings_v2(const struct cgroup_limits *limits, struct setting *out)
{
    size_t count = 0;
    if (limits->cpu_milli > 0) {
        out[count] = (struct setting){CGROUP_CPU, "cpu.max", "", MUST};
        text_format(out[count].value, sizeof out->value, "%lld %d",
                    (long long)cgroup_cpu_quota_us(limits->cpu_milli), CGROUP_CPU_PERIOD_US);
        out[++count] = (struct setting){CGROUP_CPU, "cpu.weight", "", MUST};
        text_format(out[count++].value, sizeof out->value, "%lld",
                    (long long)weight_of(cgroup_cpu_shares(weight_milli(limits))));
    }
    if (limits->memory_bytes > 0) {
        out[count] = (struct setting){CGROUP_MEMORY, "memory.max", "", MUST};
        text_format(out[count++].value, sizeof out->value, "%lld", (long long)limits->memory_bytes);
        out[count++] = (struct setting){CGROUP_MEMORY, "memory.swap.max", "0", MAY_LACK};
    }
    return count;
}

bool cgroup_limit(const struct cgroups *cgroups, const char *path,
                  const struct cgroup_limits *limits, struct err *err)
{
    struct setting settings[8];
    size_t count = cgroups->layout == CGROUP_V2 ? settings_v2(limits, settings)
                                                : settings_v1(limits, settings);
    if (limits->pids_max > 0) {
        settings[count] = (struct setting){CGROUP_PIDS, "pids.max", "", MUST};
        text_format(settings[count++].value, sizeof settings->value, "%lld",
                    (long long)limits->pids_max);
    }
    for (size_t i = 0; i < count; i++)
        if (!apply(cgroups, path, &settings[i], err))
            return false;
    return true;
}

bool cgroup_weigh(const struct cgroups *cgroups, const char *path, int64_t cpu_milli,
                  struct err *err)
{
    bool v2 = cgroups->layout == CGROUP_V2;
    int64_t shares = cgroup_cpu_shares(cpu_milli);
    struct setting setting = {CGROUP_CPU, v2 ? "cpu.weight" : "cpu.shares", "", MUST};
    text_format(setting.value, sizeof setting.value, "%lld",
                (long long)(v2 ? weight_of(shares) : shares));
    return apply(cgroups, path, &setting, err);
}

/* null, zero, full, random, urandom, tty, ptmx, pts/N; and making any device file, which gives
 * no access to it. */
bool cgroup_limit_devices(const struct cgroups *cgroups, const char *path,
                          const struct runtime_device *devices, size_t count, struct err *err)
{
    static const char *const allowed[] = {"c *:* m",   "b *:* m",    "c 1:3 rwm", "c 1:5 rwm",
                                          "c 1:7 rwm", "c 1:8 rwm",  "c 1:9 rwm", "c 5:0 rwm",
                                          "c 5:2 rwm", "c 136:* rwm"};
    if (cgroups->layout == CGROUP_V2)
        return true;
    struct setting setting = {CGROUP_DEVICES, "devices.deny", "a", MUST};
    if (!apply(cgroups, path, &setting, err))
        return false;
    setting.file = "devices.allow";
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        text_copy(setting.value, sizeof setting.value, allowed[i]);
        if (!apply(cgroups, path, &setting, err))
            return false;
    }
    for (size_t i = 0; i < count; i++) {
        text_format(setting.value, sizeof setting.value, "%c %u:%u %s", devices[i].type,
                    devices[i].major, devices[i].minor, devices[i].access);
        if (devices[i].type != 'p' && !apply(cgroups, path, &setting, err))
            return false;
    }
    return true;
}

/* ---- numbers ---- */

static bool number(const struct cgroups *cgroups, const char *path,
                   enum cgroup_controller controller, const char *file, const char *key,
                   int64_t *out)
{
    char name[CGROUP_PATH_SIZE];
    const struct cgroup_mount *mount = cgroup_mount_of(cgroups, controller);
    return mount && cgroup_path(cgroups, mount, path, file, name) &&
           cgroup_read_number(name, key, out);
}

bool cgroup_use(const struct cgroups *cgroups, const char *path, struct runtime_use *out,
                struct err *err)
{
    struct runtime_use use = {0};
    bool v2 = cgroups->layout == CGROUP_V2;
    bool read = number(cgroups, path, CGROUP_PIDS, "pids.current", NULL, &use.tasks) &&
                number(cgroups, path, CGROUP_MEMORY,
                       v2 ? "memory.current" : "memory.usage_in_bytes", NULL, &use.memory_bytes) &&
                (v2 ? number(cgroups, path, CGROUP_CPU, "cpu.stat", "usage_usec", &use.cpu_ns)
                    : number(cgroups, path, CGROUP_CPUACCT, "cpuacct.usage", NULL, &use.cpu_ns));
    if (!read)
        return err_set(err, ERR_NOT_FOUND, "there is no cgroup %s/%s", cgroups->name, path);
    use.cpu_ns *= v2 ? 1000 : 1;
    *out = use;
    return true;
}

int64_t cgroup_oom_kills(const struct cgroups *cgroups, const char *path)
{
    int64_t kills = 0;
    const char *file = cgroups->layout == CGROUP_V2 ? "memory.events" : "memory.oom_control";
    return number(cgroups, path, CGROUP_MEMORY, file, "oom_kill", &kills) ? kills : 0;
}
