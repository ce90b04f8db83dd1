/* Programs that serve a mount point are found by their arguments: that holds whichever agent started them, and no
 * number of a process that is gone is ever believed. */
#include "base/file.h"
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

enum { ARGUMENTS_MAX = 16 << 10, SERVERS_MAX = 8, TRIES = 3 };

/* "rclone\0mount\0:smb:docs\0<data>\0…" */
static bool serves(const char *arguments, size_t size, const char *data)
{
    const char *end = arguments + size;
    bool mounts = false;

    for (const char *word = arguments; word < end; word += strlen(word) + 1) {
        if (word == arguments && !strstr(word, "rclone"))
            return false;
        mounts = mounts || strcmp(word, "mount") == 0;
        if (mounts && strcmp(word, data) == 0)
            return true;
    }
    return false;
}

size_t served_find(const char *data, pid_t *pids, size_t max)
{
    DIR *processes = opendir("/proc");
    size_t found = 0;

    if (!processes)
        return 0;
    for (struct dirent *entry; found < max && (entry = readdir(processes));) {
        AUTO_FREE char *arguments = NULL;
        char path[64];
        struct err gone = {0};
        size_t size;
        int64_t pid;
        if (text_to_int(entry->d_name, &pid) && pid > 0 &&
            text_format(path, sizeof path, "/proc/%s/cmdline", entry->d_name) &&
            file_read(path, ARGUMENTS_MAX, &arguments, &size, &gone) &&
            serves(arguments, size, data))
            pids[found++] = (pid_t)pid;
    }
    closedir(processes);
    return found;
}

/* Asked first, then told. The descriptor names the process for ever; its arguments are read again through it. */
static void end_one(pid_t pid, const char *data)
{
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    pid_t again[SERVERS_MAX];
    size_t count = served_find(data, again, SERVERS_MAX);
    bool still = false;

    for (size_t i = 0; i < count; i++)
        still = still || again[i] == pid;
    if (fd < 0 || !still)
        return;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
    if (poll(&ended, 1, (int)LIMIT_VOLUME_END_MS) > 0)
        return;
    syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    poll(&ended, 1, (int)LIMIT_VOLUME_END_MS);
}

void served_end(const char *data)
{
    pid_t pids[SERVERS_MAX];

    for (int i = 0; i < TRIES; i++) {
        size_t count = served_find(data, pids, SERVERS_MAX);
        if (count == 0)
            return;
        for (size_t j = 0; j < count; j++)
            end_one(pids[j], data);
    }
}
