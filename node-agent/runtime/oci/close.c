/* Taking away what the driver made on this node. Succeeds when nothing is there. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static bool down_all(const struct runtime_options *options, const char *root, struct err *err)
{
    char folder[OCI_PATH_SIZE];
    oci_file(root, "c", folder);
    if (!file_exists(folder))
        return true;
    AUTO(runtime) *runtime = oci_open(options, err);
    if (!runtime)
        return false;
    DIR *entries = opendir(folder);
    if (!entries)
        return err_set_os(err, ERR_IO, errno, "cannot list %s", folder);
    bool down = true;
    for (const struct dirent *entry; (entry = readdir(entries));)
        if (id_valid(entry->d_name))
            down &= oci_group_down(runtime, entry->d_name, err);
    closedir(entries);
    return down;
}

/* "a/b/c" leaves "a/b" and "a", which others may use: they go when they are empty. */
static void remove_parents(const struct cgroups *cgroups)
{
    for (size_t i = 0; i < cgroups->count; i++) {
        char path[CGROUP_PATH_SIZE];
        if (!cgroup_path(cgroups, &cgroups->mounts[i], "", NULL, path))
            continue;
        size_t mount = strlen(cgroups->mounts[i].path);
        for (char *slash; (slash = strrchr(path, '/')) && slash > path + mount;) {
            *slash = '\0';
            if (rmdir(path) != 0)
                break;
        }
    }
}

bool oci_close_all(const struct runtime_options *options, struct err *err)
{
    char root[OCI_PATH_SIZE];
    struct cgroups cgroups;
    if (!oci_root(options, root, err) || !down_all(options, root, err) ||
        !cgroups_find(&cgroups, "/proc/self/mountinfo", options->cgroup, err) ||
        !cgroup_kill(&cgroups, "", LIMIT_RUNTIME_REMOVE_MS, err) ||
        !cgroup_remove(&cgroups, "", LIMIT_RUNTIME_REMOVE_MS, err))
        return false;
    remove_parents(&cgroups);
    device_nodes_close(root);
    umount2(root, MNT_DETACH | UMOUNT_NOFOLLOW);
    return file_remove_tree(root, err);
}
