/* Whether images can be shown to users of their own here: a file of root's in the store, seen through overlayfs and
 * changed there. The mounts hang nowhere, so that nothing of them is left whenever this process ends. */
#include "node-agent/image/store.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

static bool parts_make(const struct image_store *store, char out[3][PATH_MAX], struct err *err)
{
    static const char *const names[] = {"lower", "upper", "work"};
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        disk_path(&store->disk, out[i], "temp/users/%s", names[i]);
        if (!file_make_folders(out[i], 0700, err))
            return false;
    }
    disk_path(&store->disk, path, "temp/users/lower/file");
    return file_replace(path, "x", 1, 0600, false, err);
}

/* A mount of overlayfs; -1. */
static int overlay_open(int lower, const char *upper, const char *work)
{
    char path[64];
    AUTO_CLOSE int system = fsopen("overlay", FSOPEN_CLOEXEC);

    text_format(path, sizeof path, "/proc/self/fd/%d", lower);
    if (system < 0 || fsconfig(system, FSCONFIG_SET_STRING, "lowerdir", path, 0) != 0 ||
        fsconfig(system, FSCONFIG_SET_STRING, "upperdir", upper, 0) != 0 ||
        fsconfig(system, FSCONFIG_SET_STRING, "workdir", work, 0) != 0 ||
        fsconfig(system, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return -1;
    return fsmount(system, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV);
}

/* Theirs before it is written to, and when it has been copied up for that. */
static bool file_is_theirs(int overlay, const struct idmap *users)
{
    struct stat before, after;
    AUTO_CLOSE int seen = openat(overlay, "file", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int changed = openat(overlay, "file", O_WRONLY | O_APPEND | O_CLOEXEC);

    return seen >= 0 && changed >= 0 && fstat(seen, &before) == 0 && write(changed, "y", 1) == 1 &&
           fstat(changed, &after) == 0 && before.st_uid == users->first &&
           after.st_uid == users->first;
}

bool image_users_try(struct image_store *store, const struct idmap *users, struct err *err)
{
    char parts[3][PATH_MAX], whole[PATH_MAX];
    struct err ignored;

    if (!parts_make(store, parts, err))
        return false;
    AUTO_CLOSE int lower = idmap_clone(parts[0], users, 0, err);
    if (lower < 0)
        return false;
    AUTO_CLOSE int overlay = overlay_open(lower, parts[1], parts[2]);
    bool theirs = overlay >= 0 && file_is_theirs(overlay, users);
    if (!theirs)
        err_set_os(err, ERR_IO, errno, "overlayfs takes no layers that are shown to other users");
    auto_close_fd(&overlay);
    disk_path(&store->disk, whole, "temp/users");
    return theirs &&
           (file_remove_tree(whole, &ignored) || err_set(err, ERR_IO, "%s", ignored.text));
}
