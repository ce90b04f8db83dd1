/* Containers share layers through overlayfs: layers below, a folder of the container's own on top.
 * The top is scratch and mounted "volatile": nothing is ever flushed for it, neither when the
 * container calls fsync nor when it is unmounted (measured: 0.1 ms in place of 3 to 6). */
#include "node-agent/image/store.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>

enum { MOUNT_OPTIONS_MAX = 4096 }; /* one page: what the kernel takes */

static bool is_mounted(const char *target)
{
    struct statx seen;
    struct statfs system;

    return statx(AT_FDCWD, target, AT_SYMLINK_NOFOLLOW, 0, &seen) == 0 &&
           (seen.stx_attributes & STATX_ATTR_MOUNT_ROOT) && statfs(target, &system) == 0 &&
           system.f_type == OVERLAYFS_SUPER_MAGIC;
}

/* ---- the container's folder ---- */

/* The root of the container is the top folder: it looks as the image's root does, whose owner is seen as its users see
 * it. */
static bool make_upper(const char *path, int image_root, struct err *err)
{
    struct stat seen;

    if (fstat(image_root, &seen) != 0 || mkdir(path, 0700) != 0 ||
        chown(path, seen.st_uid, seen.st_gid) != 0 || chmod(path, seen.st_mode & 07777) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", path);
    return true;
}

/* What a former mount left is gone: a "volatile" top cannot be used a second time. */
static bool make_fresh(const char *folder, int image_root, char upper[PATH_MAX],
                       char work[PATH_MAX], struct err *err)
{
    if (strpbrk(folder, ":,\\") || !text_format(upper, PATH_MAX, "%s/upper", folder) ||
        !text_format(work, PATH_MAX, "%s/work", folder))
        return err_set(err, ERR_INVALID, "the path %s is too long, or has ':', ',' or '\\' in it",
                       folder);
    if (!file_make_folders(folder, 0700, err) || !file_remove_tree(upper, err) ||
        !file_remove_tree(work, err) || !make_upper(upper, image_root, err))
        return false;
    return file_make_folders(work, 0700, err);
}

/* ---- options ---- */

struct lowers {
    const struct image_store *store;
    const struct image *image;
    const struct idmap *users;
    int layers; /* the folder of all layers as they see it; -1 */
    int fds[LIMIT_IMAGE_LAYERS_MAX];
    size_t count;
};

static void lowers_close(struct lowers *lowers)
{
    auto_close_fd(&lowers->layers);
    for (size_t i = 0; i < lowers->count; i++)
        close(lowers->fds[i]);
}

/* One clone of the folder above them stands for all layers. */
static bool layers_clone(struct lowers *lowers, struct err *err)
{
    char path[PATH_MAX];

    if (!lowers->users->path)
        return true;
    disk_path(&lowers->store->disk, path, "layers");
    lowers->layers = idmap_clone(path, lowers->users, 0, err);
    return lowers->layers >= 0;
}

static int layer_open(const struct lowers *lowers, const char *hex)
{
    char path[PATH_MAX];

    if (lowers->layers < 0)
        disk_path(&lowers->store->disk, path, "layers/%s/fs", hex);
    else if (!text_format(path, sizeof path, "%s/fs", hex))
        return -1;
    return openat(lowers->layers, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Nearest first, as overlayfs wants them. */
static bool lowers_open(struct lowers *lowers, struct err *err)
{
    const struct text_list *layers = &lowers->image->layers;

    CHECK(layers->count <= COUNT_OF(lowers->fds));
    if (!layers_clone(lowers, err))
        return false;
    for (size_t i = layers->count; i-- > 0;) {
        int fd = layer_open(lowers, digest_hex(layers->items[i]));
        if (fd < 0)
            return err_set_os(err, ERR_NOT_FOUND, errno,
                              "the image %s is not on this node any more", lowers->image->digest);
        lowers->fds[lowers->count++] = fd;
    }
    return true;
}

/* By their paths, which /proc/mounts then shows; many layers do not fit in a page that way and are
 * named by descriptors, as are those that users of their own see. */
static void add_lowers(const struct lowers *lowers, bool by_path, struct text *out)
{
    const struct text_list *layers = &lowers->image->layers;

    text_add(out, "lowerdir=");
    for (size_t i = 0; i < lowers->count; i++) {
        const char *hex = digest_hex(layers->items[layers->count - 1 - i]);
        text_add(out, i > 0 ? ":" : "");
        if (by_path && lowers->layers >= 0)
            text_addf(out, "/proc/self/fd/%d/%s/fs", lowers->layers, hex);
        else if (by_path)
            text_addf(out, "%s/layers/%s/fs", lowers->store->disk.root, hex);
        else
            text_addf(out, "/proc/self/fd/%d", lowers->fds[i]);
    }
}

static bool make_options(const struct lowers *lowers, const char *upper, const char *work,
                         struct text *out)
{
    for (int by_path = 1; by_path >= 0; by_path--) {
        text_clear(out);
        add_lowers(lowers, by_path, out);
        text_addf(out, ",upperdir=%s,workdir=%s,volatile", upper, work);
        if (text_ok(out))
            return true;
    }
    return false;
}

static bool mount_lowers(struct lowers *lowers, const char *folder, const char *target,
                         struct err *err)
{
    char upper[PATH_MAX], work[PATH_MAX];
    AUTO(text) *options = text_new(MOUNT_OPTIONS_MAX - 1);

    if (!lowers_open(lowers, err) || !make_fresh(folder, lowers->fds[0], upper, work, err) ||
        !file_make_folders(target, 0755, err))
        return false;
    if (!make_options(lowers, upper, work, options))
        return err_set(err, ERR_INVALID, "the path %s is too long to mount %zu layers", folder,
                       lowers->count);
    if (mount("overlay", target, "overlay", MS_NODEV, options->bytes) == 0)
        return true;
    if (errno == EINVAL)
        return err_set_os(err, ERR_IO, errno,
                          "overlayfs cannot write to %s (it wants ext4, xfs or the like, and a "
                          "kernel of at least 5.10)",
                          folder);
    return err_set_os(err, ERR_IO, errno, "cannot mount the image %s at %s", lowers->image->digest,
                      target);
}

bool image_mount(struct image_store *store, const struct image *image, const struct idmap *users,
                 const char *folder, const char *target, struct err *err)
{
    struct lowers lowers = {.store = store, .image = image, .users = users, .layers = -1};

    if (is_mounted(target))
        return true;
    bool mounted = mount_lowers(&lowers, folder, target, err);
    lowers_close(&lowers);
    return mounted;
}

bool image_unmount(const char *target, struct err *err)
{
    while (umount2(target, UMOUNT_NOFOLLOW) == 0)
        ; /* whatever was mounted over it, too */
    if (errno == EBUSY && umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
        return true; /* gone for all who look; the rest goes with its last user */
    if (errno == EINVAL || errno == ENOENT)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot unmount %s", target);
}
