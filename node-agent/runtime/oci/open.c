/* Opening the driver: programs, the memory folder, cgroups, the profile. And taking all of it
 * away again. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "model/capability.h"
#include "node-agent/runtime/oci/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

enum {
    ROOT_MAX = 256,
    PROFILE_MAX = 256 * 1024,
    FILES_MAX = 1048576,
    TMPFS_MAGIC_NUMBER = 0x01021994,
    LOCK_TRIES = 50, /* of 10 ms */
};

static void oci_free(struct runtime *runtime);
static const char *oci_cgroup_layout(const struct runtime *runtime);
static const struct text_list *oci_cgroup_folders(const struct runtime *runtime);
static const struct text_list *oci_classes(const struct runtime *runtime);
static int oci_exit_fd(const struct runtime *runtime);

static const struct runtime_driver oci_driver = {
    .free = oci_free,
    .cgroup_layout = oci_cgroup_layout,
    .cgroup_folders = oci_cgroup_folders,
    .classes = oci_classes,
    .takes_users = oci_takes_users,
    .users_try = oci_users_try,
    .group_up = oci_group_up,
    .group_down = oci_group_down,
    .group_kill = oci_group_kill,
    .create = oci_create,
    .start = oci_start,
    .signal = oci_signal,
    .remove = oci_remove,
    .find = oci_find,
    .list = oci_list,
    .exit_fd = oci_exit_fd,
    .exit_next = oci_exit_next,
    .exec = oci_exec,
    .end_fd = oci_end_fd,
    .use = oci_use,
    .command_begin = oci_command_begin,
    .command_ended = oci_command_ended,
    .command_free = oci_command_free,
    .log_rotate = oci_log_rotate,
};

/* ---- paths ---- */

void oci_place(const struct oci *oci, const char *uid, const char *name, struct oci_place *out)
{
    bool fits = text_format(out->id, sizeof out->id, "%s.%s", uid, name) &&
                text_format(out->cgroup, sizeof out->cgroup, "%s/%s", uid, name) &&
                text_format(out->folder, sizeof out->folder, "%s/c/%s/%s", oci->root, uid, name);
    CHECK(fits);
    out->name = out->id + strlen(uid) + 1;
    out->class = oci_class_of(oci, out->folder);
    out->users_first = oci_users_of(out->folder);
    out->staged = NULL;
    oci_place_state(oci, out);
}

void oci_file(const char *folder, const char *file, char out[OCI_PATH_SIZE])
{
    CHECK(text_format(out, OCI_PATH_SIZE, "%s/%s", folder, file));
}

bool oci_root(const struct runtime_options *options, char out[OCI_PATH_SIZE], struct err *err)
{
    if (!options->run_dir || options->run_dir[0] != '/' || strlen(options->run_dir) > ROOT_MAX)
        return err_set(err, ERR_INVALID, "run_dir is an absolute path of at most %d bytes",
                       ROOT_MAX);
    oci_file(options->run_dir, "runtime", out);
    return true;
}

/* ---- programs ---- */

bool oci_find_program(const char *name, char out[OCI_PATH_SIZE], struct err *err)
{
    const char *folders = getenv("PATH");
    if (strchr(name, '/')) {
        if (text_copy(out, OCI_PATH_SIZE, name) && access(out, X_OK) == 0)
            return true;
        return err_set(err, ERR_NOT_FOUND, "%s is not a program that can be run", name);
    }
    for (const char *at = folders ? folders : "/usr/sbin:/usr/bin:/sbin:/bin"; *at;) {
        int length = (int)strcspn(at, ":");
        if (length > 0 && text_format(out, OCI_PATH_SIZE, "%.*s/%s", length, at, name) &&
            access(out, X_OK) == 0)
            return true;
        at += length + (at[length] ? 1 : 0);
    }
    return err_set(err, ERR_NOT_FOUND,
                   "%s is not installed on this node: install it, or name another program", name);
}

/* berth-enter stands beside the agent, or where the build puts it. */
static bool find_enter(const char *given, char out[OCI_PATH_SIZE], struct err *err)
{
    static const char *const places[] = {"berth-enter", "runtime/berth-enter"};
    char self[OCI_PATH_SIZE / 2];
    if (given)
        return oci_find_program(given, out, err);
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (text_format(out, OCI_PATH_SIZE, "%s/%s", self, places[i]) && access(out, X_OK) == 0)
            return true;
    return err_set(err, ERR_NOT_FOUND, "berth-enter is missing beside the running program in %s",
                   self);
}

static bool find_programs(struct oci *oci, const struct runtime_options *options, struct err *err)
{
    bool entered = false;
    if (!oci_find_classes(oci, options, err))
        return false;
    for (size_t i = 0; i < oci->classes_count; i++)
        entered |= oci->classes[i].traits->entered || oci->classes[i].traits->joins_users;
    return oci_find_program(options->conmon ? options->conmon : "conmon", oci->conmon, err) &&
           (!entered || find_enter(options->enter, oci->enter, err));
}

/* ---- the memory folder ---- */

/* Secrets never reach a disk: what is not on a tmpfs gets one. */
static bool make_root(const char *root, struct err *err)
{
    struct statfs about;
    if (!file_make_folders(root, 0700, err))
        return false;
    if (statfs(root, &about) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot look at %s", root);
    if (about.f_type != TMPFS_MAGIC_NUMBER &&
        mount("berth", root, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") != 0)
        return err_set_os(err, ERR_IO, errno, "%s is not on a tmpfs, and none can be mounted on it",
                          root);
    return true;
}

/* A child that an agent had just forked when it was killed holds the lock until it has become
 * another program: that is waited for. */
static bool take_lock(int fd)
{
    struct timespec wait = {.tv_nsec = 10000000};
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (tries == LOCK_TRIES)
            return false;
        nanosleep(&wait, NULL);
    }
    return true;
}

static bool make_folders(struct oci *oci, struct err *err)
{
    static const char *const folders[] = {"oci", "shm", "c"};
    char path[OCI_PATH_SIZE];
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        oci_file(oci->root, folders[i], path);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_set_os(err, ERR_IO, errno, "cannot make %s", path);
    }
    oci_file(oci->root, "lock", path);
    oci->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (oci->lock_fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open %s", path);
    if (take_lock(oci->lock_fd))
        return true;
    return err_set(err, ERR_CONFLICT, "another agent runs on %s", oci->root);
}

/* ---- what all containers share ---- */

static bool make_profile(struct oci *oci, struct err *err)
{
    size_t size;
    AUTO(text) *json = text_new(PROFILE_MAX);
    AUTO(text) *bpf = text_new(PROFILE_MAX);
    seccomp_add_json(json);
    bool takes_bpf = false;
    for (size_t i = 0; i < oci->classes_count; i++)
        takes_bpf |= oci->classes[i].traits->takes_bpf;
    if (takes_bpf && !seccomp_add_bpf(bpf, err))
        return false;
    if (!text_ok(json) || !text_ok(bpf))
        return err_set(err, ERR_BUSY, "out of memory");
    oci->seccomp_json = text_take(json, &size);
    oci->seccomp_bpf = text_take(bpf, &size);
    return true;
}

/* Raising a limit above our own needs a right that root may lack. */
static int64_t files_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max == RLIM_INFINITY ||
        limit.rlim_max > FILES_MAX)
        return FILES_MAX;
    return (int64_t)limit.rlim_max;
}

static uint64_t capabilities_held(void)
{
    uint64_t held = 0;
    for (int i = 0; i < CAPABILITY_COUNT; i++)
        held |= prctl(PR_CAPBSET_READ, i) == 1 ? CAPABILITY_BIT(i) : 0;
    return held;
}

/* All containers together weigh what the machine has. By default they would weigh one CPU, as much as
 * a single process outside. Slices of systemd, which have a dot in their names, are not ours. */
static bool weigh_node(const struct oci *oci, struct err *err)
{
    struct cgroups level = oci->cgroups;
    int64_t cpu_milli = 1000 * (int64_t)sysconf(_SC_NPROCESSORS_ONLN);
    for (char *slash = level.name; slash; slash = strrchr(level.name, '/')) {
        if (slash != level.name)
            *slash = '\0';
        const char *last = strrchr(level.name, '/');
        if (!strchr(last ? last : level.name, '.') && !cgroup_weigh(&level, "", cpu_milli, err))
            return false;
    }
    return true;
}

static bool make_cgroups(struct oci *oci, struct err *err)
{
    if (!cgroup_make(&oci->cgroups, "", err) || !weigh_node(oci, err))
        return false;
    CHECK(cgroup_path(&oci->cgroups, cgroup_mount_of_processes(&oci->cgroups), "", NULL,
                      oci->fence_folder));
    oci->folder_items[0] = oci->fence_folder;
    oci->folders = (struct text_list){.given = true, .items = oci->folder_items, .count = 1};
    return true;
}

static bool open_all(struct oci *oci, const struct runtime_options *options, struct err *err)
{
    return oci_root(options, oci->root, err) &&
           text_format(oci->stage, sizeof oci->stage, "%s/root", options->run_dir) &&
           cgroups_find(&oci->cgroups, "/proc/self/mountinfo", options->cgroup, err) &&
           find_programs(oci, options, err) && make_root(oci->root, err) &&
           make_folders(oci, err) && device_nodes_open(oci, err) && make_cgroups(oci, err) &&
           make_profile(oci, err);
}

struct runtime *oci_open(const struct runtime_options *options, struct err *err)
{
    struct oci *oci = calloc(1, sizeof *oci);
    if (!oci) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    oci->base.driver = &oci_driver;
    oci->lock_fd = -1;
    oci->files_max = files_max();
    oci->capabilities_held = capabilities_held();
    if (!watch_init(&oci->watch, err) || !open_all(oci, options, err)) {
        oci_free(&oci->base);
        return NULL;
    }
    log_debug("runtime_opened", "program=%s cgroups=%s folder=%s", oci->classes[0].program,
              oci_cgroup_layout(&oci->base), oci->root);
    return &oci->base;
}

static void oci_free(struct runtime *runtime)
{
    struct oci *oci = (struct oci *)runtime;
    watch_done(&oci->watch);
    auto_close_fd(&oci->lock_fd);
    free(oci->seccomp_json);
    free(oci->seccomp_bpf);
    free(oci);
}

static const char *oci_cgroup_layout(const struct runtime *runtime)
{
    return cgroup_layout_name(((const struct oci *)runtime)->cgroups.layout);
}

static const struct text_list *oci_cgroup_folders(const struct runtime *runtime)
{
    return &((const struct oci *)runtime)->folders;
}

static const struct text_list *oci_classes(const struct runtime *runtime)
{
    return &((const struct oci *)runtime)->class_list;
}

static int oci_exit_fd(const struct runtime *runtime)
{
    return ((const struct oci *)runtime)->watch.epoll_fd;
}
