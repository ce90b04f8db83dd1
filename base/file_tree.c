/* Removing trees that others made: what ran in a container decides their shape. Depth costs neither
 * stack nor descriptors without bound: folders deeper than DEPTH_MAX are first moved up to the top
 * of the tree and met again there. */
#include "base/file.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { DEPTH_MAX = 32 };

struct removal {
    const char *path; /* for messages */
    int top;          /* the folder being removed, where deep ones are moved to */
    dev_t device;
    unsigned moved;
    bool again; /* something was moved up: another round is due */
};

/* A folder of `parent`, which is no symlink and no mount point; -1 with EXDEV when it is one. */
static int open_folder(int parent, const char *name, dev_t device)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;
    /* Kernels and sandboxes without openat2: a mount shows in its device number. */
    AUTO_CLOSE int plain = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat about;
    if (plain >= 0 && (fstat(plain, &about) != 0 || about.st_dev != device)) {
        errno = EXDEV;
        return -1;
    }
    return TAKE_FD(plain);
}

static bool failed(const struct removal *removal, const char *name, struct err *err)
{
    int why = errno;
    if (why == EXDEV || why == EBUSY)
        return err_set_os(err, ERR_CONFLICT, why, "%s holds a mount at %s, not removed",
                          removal->path, name);
    return err_set_os(err, ERR_IO, why, "cannot remove %s in %s", name, removal->path);
}

static bool move_up(struct removal *removal, int parent, const char *name, struct err *err)
{
    char moved[64];
    do
        text_format(moved, sizeof moved, ".removing-%u", removal->moved++);
    while (faccessat(removal->top, moved, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    if (renameat(parent, name, removal->top, moved) != 0)
        return failed(removal, name, err);
    removal->again = true;
    return true;
}

static bool empty_folder(struct removal *removal, int folder, int depth, struct err *err);

static bool remove_entry(struct removal *removal, int parent, const char *name, int depth,
                         struct err *err)
{
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM) /* EPERM: what POSIX says of folders */
        return failed(removal, name, err);
    if (depth >= DEPTH_MAX)
        return move_up(removal, parent, name, err);
    int folder = open_folder(parent, name, removal->device);
    if (folder < 0)
        return failed(removal, name, err);
    if (!empty_folder(removal, folder, depth + 1, err))
        return false;
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return failed(removal, name, err);
    return true;
}

static void auto_close_listing(DIR **listing)
{
    if (*listing)
        closedir(*listing);
}

/* Takes `folder`. Names are removed while they are read, which readdir allows. */
static bool empty_folder(struct removal *removal, int folder, int depth, struct err *err)
{
    __attribute__((cleanup(auto_close_listing))) DIR *listing = fdopendir(folder);
    if (!listing) {
        close(folder);
        return failed(removal, ".", err);
    }
    for (struct dirent *entry; errno = 0, (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (!remove_entry(removal, folder, entry->d_name, depth, err))
            return false;
    }
    return errno == 0 ? true : failed(removal, ".", err);
}

static bool remove_folder(const char *path, int top, struct err *err)
{
    struct stat about;
    struct removal removal = {.path = path, .top = top, .again = true};
    if (fstat(top, &about) != 0)
        return failed(&removal, ".", err);
    removal.device = about.st_dev;
    while (removal.again) {
        removal.again = false;
        int folder = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0 || !empty_folder(&removal, folder, 1, err))
            return folder < 0 ? failed(&removal, ".", err) : false;
    }
    return rmdir(path) == 0 ? true : failed(&removal, ".", err);
}

bool file_remove_tree(const char *path, struct err *err)
{
    AUTO_CLOSE int top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (top >= 0)
        return remove_folder(path, top, err);
    if (errno == ENOENT)
        return true;
    if ((errno == ENOTDIR || errno == ELOOP) && (unlink(path) == 0 || errno == ENOENT))
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot remove %s", path);
}
