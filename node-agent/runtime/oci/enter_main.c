/* berth-enter: puts itself into the cgroups of a container, takes a mixed layout out of sight, and becomes the OCI
 * runtime, which then need not move anything. conmon starts it in place of the runtime.
 *
 *     berth-enter <v2 mount or -> <cgroup> <v1 mount>... -- <program> <argument>...
 *
 * Why not the runtime itself: moving another process into a v1 cgroup waits for an RCU grace period, 4 to 15 ms; a thread
 * that moves itself (by writing 0 to `tasks`) does not. And crun refuses to run where v1 and v2 are both mounted; it sees
 * only v1 in a mount namespace of its own, which ends with it: conmon stays outside, so that no old mount is kept alive.
 * Linked statically, without anything of ours, because it is started for each container. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

static int fail(const char *what, const char *where)
{
    (void)dprintf(STDERR_FILENO, "berth-enter: cannot %s %s: %s\n", what, where, strerror(errno));
    return 1;
}

/* "<mount>/<cgroup>/tasks"; 0 when it does not fit. */
static int join_path(char out[PATH_SIZE], const char *mount, const char *cgroup)
{
    const char *const parts[] = {mount, "/", cgroup, "/tasks"};
    size_t size = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t length = strlen(parts[i]);
        if (length >= PATH_SIZE - size)
            return 0;
        memcpy(out + size, parts[i], length + 1);
        size += length;
    }
    return 1;
}

static int join(const char *mount, const char *cgroup)
{
    char path[PATH_SIZE];
    errno = ENAMETOOLONG;
    int fd = join_path(path, mount, cgroup) ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0 || write(fd, "0", 1) != 1)
        return fail("join", mount);
    close(fd);
    return 0;
}

/* Slave, so that what the machine unmounts meanwhile is unmounted here too. */
static int hide(const char *unified)
{
    if (strcmp(unified, "-") == 0)
        return 0;
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0 ||
        umount2(unified, MNT_DETACH) != 0)
        return fail("hide", unified);
    return 0;
}

int main(int argc, char **argv)
{
    int at = 3;
    if (argc < 5)
        return fail("understand", "its arguments");
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (join(argv[at], argv[2]) != 0)
            return 1;
    if (at + 1 >= argc || hide(argv[1]) != 0)
        return 1;
    execv(argv[at + 1], argv + at + 1);
    return fail("run", argv[at + 1]);
}
