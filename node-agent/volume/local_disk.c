/* localDisk (docs/adr/0034): a folder of this node that groups come to and leave. Made whole under another name first, so
 * that a kill at any moment leaves no half file system that would be taken for a disk. */
#include "base/file.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/thread.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { OPEN_TO_ALL = 0777 };

struct disk {
    char folder[VOLUME_PATH_SIZE], image[VOLUME_PATH_SIZE], fresh[VOLUME_PATH_SIZE],
        data[VOLUME_PATH_SIZE];
};

static bool disk_paths(const struct volumes *volumes, const char *id, struct disk *disk,
                       struct err *err)
{
    const char *disks = volumes->options.disks;

    return (disks && id_valid(id) &&
            text_format(disk->folder, sizeof disk->folder, "%s/%s", disks, id) &&
            text_format(disk->image, sizeof disk->image, "%s/image", disk->folder) &&
            text_format(disk->fresh, sizeof disk->fresh, "%s/image.new", disk->folder) &&
            text_format(disk->data, sizeof disk->data, "%s/data", disk->folder)) ||
           err_set(err, ERR_INVALID, "this node has no place for a local disk");
}

/* ---- made, once ---- */

/* On the disk before anyone writes into it. */
static bool image_make(const struct making *making, const struct disk *disk, int64_t bytes,
                       struct err *err)
{
    if (!sized_image(making, disk->fresh, bytes, true, err))
        return false;
    AUTO_CLOSE int fd = open(disk->fresh, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fsync(fd) != 0 || rename(disk->fresh, disk->image) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot keep %s", disk->image);
    return file_sync_folder(disk->folder, err);
}

static bool open_to_all(const char *folder, struct err *err)
{
    return chmod(folder, OPEN_TO_ALL) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot open %s to all users", folder);
}

/* A plain folder where no folder can be held to a size, as an emptyDir there. */
static bool plain_up(const struct making *making, const struct disk *disk, int64_t bytes,
                     struct err *err)
{
    if (bytes > 0)
        return err_set(err, ERR_NOT_IMPLEMENTED, "this node holds no folder to a 'sizeLimit': %s",
                       making->volumes->unsized ? making->volumes->unsized
                                                : "it was made as a plain folder");
    return file_exists(disk->data) ||
           (file_make_folders(disk->data, 0755, err) && open_to_all(disk->data, err));
}

static bool sized_up(const struct making *making, const struct disk *disk, int64_t bytes,
                     struct err *err)
{
    bool fresh = !file_exists(disk->image);

    if (mount_is_here(disk->data))
        return true;
    if (fresh && !image_make(making, disk, bytes ? bytes : (int64_t)LIMIT_VOLUME_BYTES_MAX, err))
        return false;
    return file_make_folders(disk->data, 0755, err) && sized_attach(disk->image, disk->data, err) &&
           (!fresh || open_to_all(disk->data, err));
}

/* What was begun as a plain folder stays one; what is in a file is never looked for beside it. */
static bool disk_up(const struct making *making, const struct disk *disk, int64_t bytes,
                    struct err *err)
{
    bool plain = file_exists(disk->data) && !file_exists(disk->image) && !file_exists(disk->fresh);

    if (!file_make_folders(disk->folder, 0700, err))
        return false;
    if (plain || (making->volumes->unsized && !file_exists(disk->image)))
        return plain_up(making, disk, bytes, err);
    return sized_up(making, disk, bytes, err);
}

/* ---- one group's mount of it ---- */

/* What is on the disk is numbered as the groups see it: the next one, whose root is another user of the node, finds it
 * as its own. */
static bool bind(const struct making *making, const char *from, struct err *err)
{
    const char *to = making->data;

    if (making->group->users.path)
        return idmap_mount(from, to, &making->group->users, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                           err);
    if (mount(from, to, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, to, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV, NULL) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot mount %s at %s", from, to);
    return true;
}

static const struct disk_seat *seat_of(const struct volume_group *group, const char *name)
{
    for (size_t i = 0; i < group->disks_count; i++) {
        if (strcmp(group->disks[i].name, name) == 0)
            return &group->disks[i];
    }
    return NULL;
}

enum made local_disk_make(const struct making *making, struct err *err)
{
    const struct disk_seat *seat = seat_of(making->group, making->volume->local_disk->name);
    struct disk disk;

    if (!seat) {
        err_set(err, ERR_VOLUME, "the plane gave it no local disk");
        return MADE_NOT;
    }
    WITH_LOCK(making->volumes->disks_lock);
    return disk_paths(making->volumes, seat->id, &disk, err) &&
                   disk_up(making, &disk, seat->size_bytes, err) && bind(making, disk.data, err)
               ? MADE_MOUNT
               : MADE_NOT;
}

/* ---- gone ---- */

bool volumes_disk_remove(struct volumes *volumes, const char *id, struct err *err)
{
    struct disk disk;

    if (!disk_paths(volumes, id, &disk, err))
        return false;
    WITH_LOCK(volumes->disks_lock);
    return mounts_take_down(disk.folder, err) && file_remove_tree(disk.folder, err);
}

bool volumes_disks_unmount(const char *state_dir, struct err *err)
{
    char disks[VOLUME_PATH_SIZE];

    return text_format(disks, sizeof disks, "%s/disks", state_dir) && mounts_take_down(disks, err);
}
