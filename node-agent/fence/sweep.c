/* cgroup v2 kills a whole tree in one write. Elsewhere the tree is frozen first where it can be, so that nothing is
 * born while the list is read; a frozen process dies when it thaws. */
#include "node-agent/fence/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 12,
    FOLDER_BYTES = 2048,
    LIST_BYTES = 4096,
    FREEZE_TRIES = 20,
    FREEZE_WAIT_US = 500
};

static bool put(int folder, const char *name, const char *value)
{
    int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool done = write(fd, value, strlen(value)) > 0;
    close(fd);
    return done;
}

static bool is(int folder, const char *name, const char *value)
{
    char found[32] = {0};
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = read(fd, found, sizeof found - 1) > 0 && strncmp(found, value, strlen(value)) == 0;
    close(fd);
    return same;
}

/* ---- the processes of one folder ---- */

static int kill_one(pid_t pid)
{
    if (pid <= 1 || pid == getpid()) /* 0 stands for a process outside our pid namespace */
        return 0;
    return kill(pid, SIGKILL) == 0 || errno == EPERM;
}

static int kill_listed(int fd)
{
    char bytes[LIST_BYTES];
    int killed = 0;
    int64_t pid = 0;
    for (ssize_t size; (size = read(fd, bytes, sizeof bytes)) > 0;) {
        for (ssize_t i = 0; i < size; i++) {
            if (bytes[i] >= '0' && bytes[i] <= '9') {
                pid = pid * 10 + (bytes[i] - '0');
                continue;
            }
            killed += kill_one((pid_t)pid);
            pid = 0;
        }
    }
    return killed;
}

static int kill_folder(int folder)
{
    int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int killed = kill_listed(fd);
    close(fd);
    return killed;
}

/* ---- the tree ---- */

struct entry { /* as getdents64 tells it */
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static int kill_tree(int folder, int depth);

static int kill_below(int folder, const struct entry *entry, int depth)
{
    if (entry->type != DT_DIR || strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0)
        return 0;
    int below = openat(folder, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return 0;
    int killed = kill_tree(below, depth + 1);
    close(below);
    return killed;
}

static int kill_tree(int folder, int depth)
{
    _Alignas(struct entry) char bytes[FOLDER_BYTES];
    int killed = kill_folder(folder);
    if (depth == DEPTH_MAX)
        return killed;
    for (long size; (size = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0;) {
        for (long at = 0; at < size;) {
            const struct entry *entry = (const struct entry *)(const void *)(bytes + at);
            killed += kill_below(folder, entry, depth);
            at += entry->size;
        }
    }
    return killed;
}

static void freeze(int folder)
{
    if (put(folder, "freezer.state", "FROZEN")) { /* v1 */
        for (int i = 0; i < FREEZE_TRIES && !is(folder, "freezer.state", "FROZEN"); i++)
            usleep(FREEZE_WAIT_US);
        return;
    }
    put(folder, "cgroup.freeze", "1"); /* v2 */
}

static void thaw(int folder)
{
    if (!put(folder, "freezer.state", "THAWED"))
        put(folder, "cgroup.freeze", "0");
}

int sweep(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool at_once = put(fd, "cgroup.kill", "1");
    if (!at_once)
        freeze(fd);
    int killed = kill_tree(fd, 0);
    if (!at_once)
        thaw(fd);
    close(fd);
    return killed;
}
