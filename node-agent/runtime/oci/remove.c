/* Ending containers and groups, and the traces they leave. Every step is bounded in time and
 * succeeds when there is nothing to do, so that it can be called again after any failure or
 * crash. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { DRAIN_MS = 1000 }; /* for conmon to write the last of the output */

/* ---- one container ---- */

static void kill_conmon(const struct oci_place *place, int conmon)
{
    log_debug("conmon_killed", "container=%s", place->id);
    syscall(SYS_pidfd_send_signal, conmon, SIGKILL, NULL, 0);
    process_wait(conmon, DRAIN_MS);
}

/* Its conmon last: it writes what the dying processes say. But when it is still creating the
 * container it goes first, and the runtime it runs. */
static bool end_processes(const struct oci *oci, const struct oci_place *place, struct err *err)
{
    struct record record = {0};
    struct err ignored;
    AUTO(arena) *arena = arena_new(64 * 1024);
    /* Its folder is made before anything is started, and goes last: without it there is no search of all processes. */
    if (file_exists(place->folder) && (!arena || !record_read(place, arena, &record, &ignored)))
        conmon_stop_creating(oci, place);
    AUTO_CLOSE int conmon = process_open(record.conmon, record.conmon_began);
    bool ended = cgroup_kill(&oci->cgroups, place->cgroup, LIMIT_RUNTIME_REMOVE_MS, err);
    if (process_wait(conmon, DRAIN_MS))
        return ended;
    kill_conmon(place, conmon);
    return cgroup_kill(&oci->cgroups, place->cgroup, LIMIT_RUNTIME_REMOVE_MS, err);
}

/* runsc leaves "….lock" beside "….state". */
static void forget_lock(const struct oci_place *place)
{
    char path[OCI_PATH_SIZE];
    if (!place->class->traits->state_of_sandbox)
        return;
    text_format(path, sizeof path, "%.*slock", (int)(strlen(place->state) - strlen("state")),
                place->state);
    unlink(path);
}

bool oci_remove_state(const struct oci *oci, const struct oci_place *place, struct err *err)
{
    if (!file_exists(place->state))
        return true;
    if (!place->class->traits->is_plain) {
        const char *words[] = {"delete", "--force", place->id, NULL};
        if (!oci_run(oci, place, words, NULL, err))
            return false;
    }
    forget_lock(place);
    return file_remove_tree(place->state, err);
}

bool oci_remove(struct runtime *runtime, const char *uid, const char *name, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    oci_place(oci, uid, name, &place);
    watch_remove(&oci->watch, uid, name);
    return end_processes(oci, &place, err) && oci_remove_state(oci, &place, err) &&
           cgroup_remove(&oci->cgroups, place.cgroup, LIMIT_RUNTIME_REMOVE_MS, err) &&
           device_nodes_remove(oci, &place, err) && file_remove_tree(place.folder, err);
}

/* ---- groups ---- */

bool oci_is_mounted(const char *folder)
{
    struct stat inside, above;
    char parent[OCI_PATH_SIZE];
    oci_file(folder, "..", parent);
    return stat(folder, &inside) == 0 && stat(parent, &above) == 0 && inside.st_dev != above.st_dev;
}

static bool make_shm(const char *folder, uint32_t owner, struct err *err)
{
    char options[96];
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", folder);
    text_format(options, sizeof options, "mode=1777,size=%lld,uid=%u,gid=%u",
                (long long)LIMIT_CONTAINER_SHM_BYTES, owner, owner);
    if (oci_is_mounted(folder) ||
        mount("shm", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot mount the group's shared memory on %s", folder);
}

static bool remove_shm(const char *folder, struct err *err)
{
    while (umount2(folder, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        ;
    if (rmdir(folder) == 0 || errno == ENOENT)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot remove %s", folder);
}

/* The group's ceiling on CPU is written down, and set when the first of its containers starts:
 * creating them is the node's work, and would be slowed down by it. */
static bool note_cpu(const struct oci *oci, const char *uid, int64_t cpu_milli, struct err *err)
{
    char path[OCI_PATH_SIZE], number[32];
    text_format(path, sizeof path, "%s/c/%s/.cpu", oci->root, uid);
    text_format(number, sizeof number, "%lld", (long long)cpu_milli);
    return file_replace(path, number, strlen(number), 0600, false, err);
}

bool oci_group_limit_cpu(const struct oci *oci, const char *uid, struct err *err)
{
    char path[OCI_PATH_SIZE];
    struct cgroup_limits ceiling = {0};
    text_format(path, sizeof path, "%s/c/%s/.cpu", oci->root, uid);
    if (!cgroup_read_number(path, NULL, &ceiling.cpu_milli))
        return err_set(err, ERR_NOT_FOUND, "group %s is not up", uid);
    return cgroup_limit(&oci->cgroups, uid, &ceiling, err);
}

bool oci_group_up(struct runtime *runtime, const struct runtime_group *group, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    char folder[OCI_PATH_SIZE], shm[OCI_PATH_SIZE];
    struct cgroup_limits ceiling = {.memory_bytes = group->memory_bytes};
    text_format(folder, sizeof folder, "%s/c/%s", oci->root, group->uid);
    text_format(shm, sizeof shm, "%s/shm/%s", oci->root, group->uid);
    bool is_new = mkdir(folder, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", folder);
    return make_shm(shm, group->users_first, err) && cgroup_make(&oci->cgroups, group->uid, err) &&
           cgroup_limit(&oci->cgroups, group->uid, &ceiling, err) &&
           note_cpu(oci, group->uid, group->cpu_milli, err) &&
           (is_new || oci_group_limit_cpu(oci, group->uid, err));
}

bool oci_group_kill(struct runtime *runtime, const char *uid, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    return cgroup_kill(&oci->cgroups, uid, LIMIT_RUNTIME_REMOVE_MS, err);
}

static bool remove_containers(struct oci *oci, const char *uid, const char *folder, struct err *err)
{
    DIR *entries = opendir(folder);
    if (!entries)
        return errno == ENOENT || err_set_os(err, ERR_IO, errno, "cannot list %s", folder);
    bool removed = true;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (runtime_name_valid(entry->d_name))
            removed &= oci_remove(&oci->base, uid, entry->d_name, err);
    closedir(entries);
    return removed;
}

bool oci_group_down(struct runtime *runtime, const char *uid, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    char folder[OCI_PATH_SIZE], shm[OCI_PATH_SIZE];
    text_format(folder, sizeof folder, "%s/c/%s", oci->root, uid);
    text_format(shm, sizeof shm, "%s/shm/%s", oci->root, uid);
    return cgroup_kill(&oci->cgroups, uid, LIMIT_RUNTIME_REMOVE_MS, err) &&
           remove_containers(oci, uid, folder, err) &&
           cgroup_kill(&oci->cgroups, uid, LIMIT_RUNTIME_REMOVE_MS, err) &&
           cgroup_remove(&oci->cgroups, uid, LIMIT_RUNTIME_REMOVE_MS, err) &&
           remove_shm(shm, err) && file_remove_tree(folder, err);
}

bool oci_use(struct runtime *runtime, const char *uid, const char *name, struct runtime_use *out,
             struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    if (!name)
        return cgroup_use(&oci->cgroups, uid, out, err);
    oci_place(oci, uid, name, &place);
    return cgroup_use(&oci->cgroups, place.cgroup, out, err);
}
