/* berth-enter: prepares the ground for an OCI runtime and becomes it. conmon starts it in place of
 * the runtime.
 *
 *     berth-enter <user or -> <root or -> <stage> <v2 mount to hide or -> <cgroup or -> <v1 mount>... -- <program>
 *                 <argument>...
 *
 * What it does, and what it saves, measured with crun 1.8:
 * - It puts itself into the container's v1 cgroups, so that crun need not. Moving another process
 *   there waits for an RCU grace period, 4 to 15 ms; a thread that moves itself (by writing 0 to
 *   `tasks`) does not.
 * - It makes a mount namespace and takes the v2 mount of a mixed layout out of sight, with which
 *   crun refuses to run. The namespace ends with crun: conmon stays outside, so that no old mount
 *   is kept alive by it.
 * - There it mounts crun's program read-only over itself. crun protects its program from containers
 *   by starting itself again from a read-only copy, 3 ms, unless it finds that it is one.
 * - It gives the pipes that the container writes to to its root user, where that is not the node's: crun cannot from
 *   inside, and a program may open its output a second time.
 * - It mounts the root of a container with users of its own where they have a way to, for the runtime to find.
 * Linked statically, without anything of ours, because it is started for each container. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
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

/* In a chroot the root folder need not be a mount, and runtimes cannot do without: here it becomes one. Any folder will
 * do to hang it up; the tree is copied before it hangs there. */
static int root_mount(void)
{
    static const char place[] = "/tmp";
    char folder[PATH_SIZE];
    return getcwd(folder, sizeof folder) && mount("/", place, NULL, MS_BIND | MS_REC, NULL) == 0 &&
           chroot(place) == 0 && chdir(folder) == 0;
}

/* Slave, so that what the machine unmounts meanwhile is unmounted here too. */
static int root_follow(void)
{
    return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

static int hide(const char *unified)
{
    if (unshare(CLONE_NEWNS) != 0 ||
        (!root_follow() && (errno != EINVAL || !root_mount() || !root_follow())))
        return fail("make a mount namespace for", "the runtime");
    if (strcmp(unified, "-") != 0 && umount2(unified, MNT_DETACH) != 0)
        return fail("hide", unified);
    return 0;
}

/* Without it the runtime makes a copy of itself: not a failure. */
static void protect(const char *program)
{
    if (mount(program, program, NULL, MS_BIND, NULL) == 0)
        (void)mount(NULL, program, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
}

/* Pipes alone: the node's own files and devices are nobody's here. */
static int give_outputs(const char *user)
{
    struct stat seen;
    unsigned long id = strtoul(user, NULL, 10);
    for (int fd = STDIN_FILENO; id > 0 && fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &seen) == 0 && (S_ISFIFO(seen.st_mode) || S_ISSOCK(seen.st_mode)) &&
            fchown(fd, (uid_t)id, (gid_t)id) != 0)
            return fail("give its outputs to user", user);
    return 0;
}

static int stage(const char *root, const char *place)
{
    if (strcmp(root, "-") == 0 || mount(root, place, NULL, MS_BIND, NULL) == 0)
        return 0;
    return fail("mount", root);
}

enum { USER = 1, ROOT, STAGE, HIDDEN, CGROUP, MOUNTS };

int main(int argc, char **argv)
{
    int at = MOUNTS;
    errno = EINVAL;
    if (argc < MOUNTS + 2)
        return fail("understand", "its arguments");
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        if (join(argv[at], argv[CGROUP]) != 0)
            return 1;
    if (at + 1 >= argc || give_outputs(argv[USER]) != 0 || hide(argv[HIDDEN]) != 0 ||
        stage(argv[ROOT], argv[STAGE]) != 0)
        return 1;
    protect(argv[at + 1]);
    execv(argv[at + 1], argv + at + 1);
    return fail("run", argv[at + 1]);
}
