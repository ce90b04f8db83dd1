/* Finds the machine's cgroup hierarchies in mountinfo, and says what to do when they are of no
 * use to us. */
#include "node-agent/runtime/cgroup/cgroup.h"

#include "base/file.h"

#include <string.h>

enum { MOUNTINFO_MAX = 4 * 1024 * 1024 };

static const struct {
    const char *name;
    enum cgroup_controller controller;
} controllers[] = {
    {"cpu", CGROUP_CPU},         {"cpuacct", CGROUP_CPUACCT}, {"memory", CGROUP_MEMORY},
    {"pids", CGROUP_PIDS},       {"freezer", CGROUP_FREEZER}, {"cpuset", CGROUP_CPUSET},
    {"devices", CGROUP_DEVICES},
};

/* What a container cannot be held to its limits without. On v2 "cpu" counts too. */
static const unsigned needed_v1 =
    CGROUP_CPU | CGROUP_CPUACCT | CGROUP_MEMORY | CGROUP_PIDS | CGROUP_DEVICES;
static const unsigned needed_v2 = CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS;

const char *cgroup_layout_name(enum cgroup_layout layout)
{
    static const char *const names[] = {"v1", "v2", "mixed"};
    return names[layout];
}

/* Names of controllers in "rw,cpu,cpuacct" or "cpu memory pids". */
static unsigned controllers_in(const char *list)
{
    unsigned found = 0;
    while (*list) {
        size_t length = strcspn(list, ", \n");
        for (size_t i = 0; i < COUNT_OF(controllers); i++)
            if (strlen(controllers[i].name) == length &&
                strncmp(list, controllers[i].name, length) == 0)
                found |= controllers[i].controller;
        list += length;
        list += *list ? 1 : 0;
    }
    return found;
}

static unsigned controllers_of_unified(const char *mount)
{
    char path[CGROUP_MOUNT_SIZE + 32];
    AUTO_FREE char *list = NULL;
    size_t size;
    struct err ignored;
    if (!text_format(path, sizeof path, "%s/cgroup.controllers", mount) ||
        !file_read(path, 4096, &list, &size, &ignored))
        return 0;
    return controllers_in(list);
}

/* Up to the next blank; both move on. */
static char *next_word(char **line)
{
    char *word = *line;
    size_t length = strcspn(word, " ");
    *line = word + length + (word[length] ? 1 : 0);
    word[length] = '\0';
    return word;
}

/* "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw,mode=755" */
static void take_line(struct cgroups *out, char *line)
{
    char *tail = strstr(line, " - ");
    if (!tail)
        return;
    *tail = '\0';
    tail += 3;
    const char *type = next_word(&tail);
    next_word(&tail);
    bool unified = strcmp(type, "cgroup2") == 0;
    if (!unified && strcmp(type, "cgroup") != 0)
        return;
    for (int skipped = 0; skipped < 4; skipped++)
        next_word(&line);
    const char *path = next_word(&line);
    struct cgroup_mount *mount = &out->mounts[out->count];
    if (out->count == CGROUP_MOUNTS_MAX || strchr(path, '\\') ||
        !text_copy(mount->path, sizeof mount->path, path))
        return;
    mount->controllers =
        unified ? CGROUP_UNIFIED | controllers_of_unified(path) : controllers_in(tail);
    /* The same hierarchy mounted twice: the first is the machine's own. */
    for (size_t i = 0; i < out->count; i++)
        if (out->mounts[i].controllers == mount->controllers && mount->controllers != 0)
            return;
    out->count++;
}

static bool missing(unsigned lacking, const char *layout, struct err *err)
{
    char names[64] = "";
    for (size_t i = 0; i < COUNT_OF(controllers); i++)
        if (lacking & controllers[i].controller) {
            char before[64];
            text_copy(before, sizeof before, names);
            text_format(names, sizeof names, "%s%s%s", before, *before ? ", " : "",
                        controllers[i].name);
        }
    return err_set(
        err, ERR_NOT_IMPLEMENTED,
        "this machine's cgroups (%s) have no controller for %s: mount it, or start the kernel with "
        "cgroup_enable=memory, or with systemd.unified_cgroup_hierarchy=1 for plain v2",
        layout, names);
}

static bool decide(struct cgroups *out, struct err *err)
{
    unsigned v1 = 0, v2 = 0;
    bool unified = false, legacy = false;
    for (size_t i = 0; i < out->count; i++) {
        bool is_unified = out->mounts[i].controllers & CGROUP_UNIFIED;
        unified |= is_unified;
        legacy |= !is_unified;
        *(is_unified ? &v2 : &v1) |= out->mounts[i].controllers;
    }
    if (!unified && !legacy)
        return err_set(err, ERR_NOT_IMPLEMENTED,
                       "no cgroups are mounted on this machine: mount cgroup2 on /sys/fs/cgroup");
    out->layout = !legacy ? CGROUP_V2 : unified ? CGROUP_MIXED : CGROUP_V1;
    if (out->layout == CGROUP_V2)
        return (v2 & needed_v2) == needed_v2 || missing(needed_v2 & ~v2, "v2", err);
    if (unified && (v2 & needed_v2 & ~v1))
        return err_set(
            err, ERR_NOT_IMPLEMENTED,
            "this machine has some controllers on cgroup v1 and some on v2, which no runtime "
            "supports: start the kernel with systemd.unified_cgroup_hierarchy=1 or "
            "cgroup_no_v1=all");
    return (v1 & needed_v1) == needed_v1 ||
           missing(needed_v1 & ~v1, cgroup_layout_name(out->layout), err);
}

/* "berth/<node>" or "a.slice/berth": plain segments, so that no path leads elsewhere. */
static bool name_is_plain(const char *name)
{
    const char *segment = name;
    for (const char *at = name;; at++) {
        if (*at == '/' || *at == '\0') {
            size_t length = (size_t)(at - segment);
            if (length == 0 || strncmp(segment, ".", length) == 0 ||
                strncmp(segment, "..", length) == 0)
                return false;
            segment = at + 1;
        } else if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-",
                           *at)) {
            return false;
        }
        if (*at == '\0')
            return true;
    }
}

bool cgroups_find(struct cgroups *out, const char *mountinfo, const char *name, struct err *err)
{
    AUTO_FREE char *table = NULL;
    size_t size;
    struct cgroups found = {0};
    if (!name_is_plain(name) || !text_copy(found.name, sizeof found.name, name))
        return err_set(err, ERR_INVALID,
                       "the cgroup name \"%s\" is not a plain path like berth/node", name);
    if (!file_read(mountinfo, MOUNTINFO_MAX, &table, &size, err))
        return false;
    for (char *line = table, *next; *line; line = next) {
        size_t length = strcspn(line, "\n");
        next = line + length + (line[length] ? 1 : 0);
        line[length] = '\0';
        take_line(&found, line);
    }
    if (!decide(&found, err))
        return false;
    *out = found;
    return true;
}

const struct cgroup_mount *cgroup_mount_of(const struct cgroups *cgroups,
                                           enum cgroup_controller controller)
{
    bool unified = cgroups->layout == CGROUP_V2;
    for (size_t i = 0; i < cgroups->count; i++) {
        unsigned has = cgroups->mounts[i].controllers;
        if (unified ? has & CGROUP_UNIFIED : (has & controller) && !(has & CGROUP_UNIFIED))
            return &cgroups->mounts[i];
    }
    return NULL;
}

const struct cgroup_mount *cgroup_mount_of_processes(const struct cgroups *cgroups)
{
    const struct cgroup_mount *mount = cgroup_mount_of(cgroups, CGROUP_FREEZER);
    return mount ? mount : cgroup_mount_of(cgroups, CGROUP_MEMORY);
}

bool cgroup_path(const struct cgroups *cgroups, const struct cgroup_mount *mount, const char *path,
                 const char *file, char out[CGROUP_PATH_SIZE])
{
    return text_format(out, CGROUP_PATH_SIZE, "%s/%s%s%s%s%s", mount->path, cgroups->name,
                       *path ? "/" : "", path, file ? "/" : "", file ? file : "");
}
