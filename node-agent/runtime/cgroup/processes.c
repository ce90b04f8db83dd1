/* Ending what is in a cgroup, and the folders it leaves. Both loop until it is so or the time is
 * up. */
#include "node-agent/runtime/cgroup/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { DEPTH_MAX = 16 }; /* node, group, container, and what a runtime may make below */

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* 1, 2, 4 … 32 ms: a killed process is gone at once, as a rule. */
static void pause_for(int round)
{
    struct timespec wait = {.tv_nsec = 1000000L << (round < 5 ? round : 5)};
    nanosleep(&wait, NULL);
}

/* ---- killing ---- */

static int64_t kill_listed(int folder)
{
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *list = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!list) {
        auto_close_fd(&fd);
        return 0;
    }
    int64_t count = 0, pid;
    char line[32];
    while (fgets(line, sizeof line, list)) {
        line[strcspn(line, "\n")] = '\0';
        if (!text_to_int(line, &pid) || pid <= 1 || pid == getpid())
            continue;
        kill((pid_t)pid, SIGKILL);
        count++;
    }
    fclose(list);
    return count;
}

/* How many processes were found at any depth; each was sent SIGKILL. */
static int64_t kill_tree(int parent, const char *name, int depth)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *entries = folder >= 0 ? fdopendir(folder) : NULL;
    if (!entries) {
        auto_close_fd(&folder);
        return 0;
    }
    int64_t count = kill_listed(folder);
    const struct dirent *entry;
    while (depth < DEPTH_MAX && (entry = readdir(entries)))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            count += kill_tree(folder, entry->d_name, depth + 1);
    closedir(entries);
    return count;
}

static void set_frozen(const struct cgroups *cgroups, const char *path, bool frozen)
{
    char file[CGROUP_PATH_SIZE];
    const struct cgroup_mount *mount = cgroup_mount_of(cgroups, CGROUP_FREEZER);
    if (mount && cgroups->layout != CGROUP_V2 &&
        cgroup_path(cgroups, mount, path, "freezer.state", file))
        cgroup_write(file, frozen ? "FROZEN" : "THAWED");
}

/* From the second round on it is frozen meanwhile, so that a fork bomb cannot outrun us; v2 has
 * a word for it all. */
static int64_t kill_once(const struct cgroups *cgroups, const char *path, const char *folder,
                         int round)
{
    char file[CGROUP_PATH_SIZE];
    if (cgroups->layout == CGROUP_V2 &&
        cgroup_path(cgroups, &cgroups->mounts[0], path, "cgroup.kill", file))
        cgroup_write(file, "1");
    if (round > 0)
        set_frozen(cgroups, path, true);
    int64_t count = kill_tree(AT_FDCWD, folder, 0);
    if (round > 0)
        set_frozen(cgroups, path, false);
    return count;
}

bool cgroup_kill(const struct cgroups *cgroups, const char *path, int64_t timeout_ms,
                 struct err *err)
{
    char folder[CGROUP_PATH_SIZE];
    if (!cgroup_path(cgroups, cgroup_mount_of_processes(cgroups), path, NULL, folder))
        return err_set(err, ERR_INVALID, "the path of cgroup %s/%s is too long", cgroups->name,
                       path);
    int64_t until = steady_ms() + timeout_ms;
    for (int round = 0;; round++) {
        int64_t count = kill_once(cgroups, path, folder, round);
        if (count == 0 || timeout_ms == 0)
            return true;
        if (steady_ms() >= until)
            return err_set(err, ERR_TIMEOUT,
                           "%lld processes in cgroup %s do not end within %lld ms of SIGKILL",
                           (long long)count, folder, (long long)timeout_ms);
        pause_for(round);
    }
}

/* ---- removing ---- */

static bool remove_tree(int parent, const char *name, int depth)
{
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return errno == ENOENT;
    DIR *entries = fdopendir(folder);
    if (!entries) {
        close(folder);
        return false;
    }
    const struct dirent *entry;
    while (depth < DEPTH_MAX && (entry = readdir(entries)))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            remove_tree(folder, entry->d_name, depth + 1); /* what stays makes ours stay too */
    closedir(entries);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* What came to run in it after the last look is killed too. */
static bool remove_in(const char *folder, int64_t until, struct err *err)
{
    for (int round = 0; !remove_tree(AT_FDCWD, folder, 0); round++) {
        if (errno != EBUSY && errno != ENOTEMPTY)
            return err_set_os(err, ERR_IO, errno, "cannot remove cgroup %s", folder);
        if (steady_ms() >= until)
            return err_set(err, ERR_TIMEOUT,
                           "cgroup %s cannot be removed: something still runs in it", folder);
        kill_tree(AT_FDCWD, folder, 0);
        pause_for(round);
    }
    return true;
}

bool cgroup_remove(const struct cgroups *cgroups, const char *path, int64_t timeout_ms,
                   struct err *err)
{
    int64_t until = steady_ms() + timeout_ms;
    bool removed = true;
    for (size_t i = 0; i < cgroups->count; i++) {
        char folder[CGROUP_PATH_SIZE];
        if (!cgroup_path(cgroups, &cgroups->mounts[i], path, NULL, folder))
            return err_set(err, ERR_INVALID, "the path of cgroup %s/%s is too long", cgroups->name,
                           path);
        removed &= remove_in(folder, until, err);
    }
    return removed;
}
