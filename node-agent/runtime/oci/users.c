/* Containers with users of their own: which runtimes can run them, and what is remembered of them. */
#include "node-agent/runtime/oci/oci.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { CHILD_STACK = 64 << 10 };

/* ---- whether they can be ---- */

/* All folders on the way, and the stage itself, may be gone through by anybody. */
static bool way_is_open(const char *stage)
{
    char path[OCI_PATH_SIZE];
    struct stat seen;
    CHECK(text_copy(path, sizeof path, stage));
    for (char *slash = strrchr(path, '/'); slash && slash > path; slash = strrchr(path, '/')) {
        if (stat(path, &seen) != 0 || !(seen.st_mode & S_IXOTH))
            return false;
        *slash = '\0';
    }
    return true;
}

/* The run folder may be gone through, and not be looked into: what is in it says for itself who may see it. */
static bool make_stage(const struct oci *oci)
{
    char parent[OCI_PATH_SIZE];
    oci_file(oci->stage, "..", parent);
    return (mkdir(oci->stage, 0755) == 0 || errno == EEXIST) && chmod(parent, 0711) == 0 &&
           way_is_open(oci->stage);
}

/* The kernel lets nobody see in a new /proc what is covered in this one: then there can be none. */
static int mount_kernel(void *context)
{
    int *failed = context;
    *failed = mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 &&
                      mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
                            NULL) == 0
                  ? 0
                  : errno;
    return *failed != 0;
}

/* In a process that is born there and shares our memory, while we wait. What it mounts ends with it. */
static bool try_mounts(struct err *err)
{
    int flags = CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET;
    int failed = 0;
    AUTO_FREE char *stack = malloc(CHILD_STACK);
    pid_t pid = stack ? clone(mount_kernel, stack + CHILD_STACK, flags | SIGCHLD, &failed) : -1;
    if (pid < 0)
        return err_set_os(err, ERR_NOT_IMPLEMENTED, errno, "cannot make a user namespace");
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return failed == 0 ||
           err_set_os(err, ERR_NOT_IMPLEMENTED, failed,
                      "other users cannot mount proc and sysfs here (is something mounted over a "
                      "part of /proc or /sys?)");
}

bool oci_takes_users(const struct runtime *runtime, const char *class_name)
{
    const struct oci *oci = (const struct oci *)runtime;
    const struct oci_class *class =
        class_name ? oci_class_named(oci, class_name) : &oci->classes[0];
    return class && class->traits->joins_users;
}

bool oci_users_try(const struct runtime *runtime, struct err *err)
{
    if (!oci_takes_users(runtime, NULL))
        return err_set(err, ERR_NOT_IMPLEMENTED, "the OCI runtime is neither crun nor runc");
    if (!make_stage((const struct oci *)runtime))
        return err_set(err, ERR_NOT_IMPLEMENTED,
                       "the folders above run_dir are closed to other users");
    return try_mounts(err);
}

/* ---- of one container ---- */

uint32_t oci_users_of(const char *folder)
{
    char path[OCI_PATH_SIZE], number[16];
    int64_t first;
    oci_file(folder, "users", path);
    ssize_t size = readlink(path, number, sizeof number - 1);
    number[size > 0 ? size : 0] = '\0';
    return size > 0 && text_to_int(number, &first) && first > 0 && first <= UINT32_MAX
               ? (uint32_t)first
               : 0;
}

bool oci_users_take(struct oci_place *place, const struct runtime_container *container,
                    struct err *err)
{
    char path[OCI_PATH_SIZE], number[16];
    if (!container->users.path)
        return true;
    if (!place->class->traits->joins_users)
        return err_set(err, ERR_RUNTIME_CLASS, "%s joins no users of their own",
                       place->class->name);
    oci_file(place->folder, "users", path);
    text_format(number, sizeof number, "%u", container->users.first);
    if (symlink(number, path) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", path);
    place->users_first = container->users.first;
    place->staged = container->root;
    return true;
}
