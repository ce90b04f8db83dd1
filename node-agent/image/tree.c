/* Making entries. A later entry of a layer replaces an earlier one of the same name; only a folder
 * over a folder is kept, with new attributes. What a layer deletes is written the way overlayfs
 * reads it: a character device 0:0, or the attribute trusted.overlay.opaque on a folder. */
#include "node-agent/image/tree.h"

#include "base/file.h"
#include "base/text.h"
#include "node-agent/image/tree_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

bool tree_is_whiteout(const struct stat *seen)
{
    return S_ISCHR(seen->st_mode) && seen->st_rdev == makedev(0, 0);
}

bool tree_set_opaque(int folder)
{
    return fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0) == 0;
}

static bool remove_folder(int parent, const char *name, struct err *err)
{
    char path[64 + NAME_MAX];

    return text_format(path, sizeof path, "/proc/self/fd/%d/%s", parent, name) &&
           file_remove_tree(path, err);
}

/* Clears the place of the current entry. */
static bool clear(struct tree *tree, struct err *err)
{
    if (!*tree->leaf)
        return tree_refuse(tree, err, "would replace the root itself");
    if (unlinkat(tree->parent, tree->leaf, 0) == 0 || errno == ENOENT)
        return true;
    if (errno == EISDIR)
        return remove_folder(tree->parent, tree->leaf, err);
    return tree_fail(tree, err, errno, "cannot replace");
}

int tree_make_file(struct tree *tree, struct err *err)
{
    const int flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC;
    int fd = *tree->leaf ? openat(tree->parent, tree->leaf, flags, 0600) : -1;

    if (fd < 0 && clear(tree, err)) {
        fd = openat(tree->parent, tree->leaf, flags, 0600);
        if (fd < 0)
            tree_fail(tree, err, errno, "cannot make");
    }
    return fd;
}

static int open_folder(int parent, const char *name)
{
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int tree_make_folder(struct tree *tree, struct err *err)
{
    struct stat there;
    bool hidden = false;
    int fd = open_folder(tree->parent, *tree->leaf ? tree->leaf : ".");

    if (fd >= 0)
        return fd;
    if (fstatat(tree->parent, tree->leaf, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        hidden = tree_is_whiteout(&there);
        if (!clear(tree, err))
            return -1;
    }
    fd = tree_new_folder(tree->parent, tree->leaf);
    /* Deleted and made anew in one layer: nothing of the old folder may shine through. */
    if (fd < 0 || (hidden && !tree_set_opaque(fd))) {
        tree_fail(tree, err, errno, "cannot make");
        auto_close_fd(&fd);
    }
    return fd;
}

bool tree_set_attributes(struct tree *tree, int fd, const struct tree_attributes *attributes,
                         struct err *err)
{
    const struct timespec times[2] = {attributes->modified, attributes->modified};

    /* Owner first: changing it clears the set-user-id bits. */
    if (fchown(fd, attributes->uid, attributes->gid) != 0 ||
        fchmod(fd, attributes->mode & 07777) != 0 || futimens(fd, times) != 0)
        return tree_fail(tree, err, errno, "cannot set owner, mode and time of");
    if (tree->debts && S_ISDIR(attributes->mode))
        tree_pay(tree, tree->path);
    if (!*tree->leaf) {
        tree->parent_times[0] = tree->parent_times[1] = attributes->modified;
    }
    return true;
}

/* For what cannot be opened without side effects: symlinks, devices, fifos. */
static bool set_attributes_at(struct tree *tree, const struct tree_attributes *attributes,
                              struct err *err)
{
    const struct timespec times[2] = {attributes->modified, attributes->modified};

    if (fchownat(tree->parent, tree->leaf, attributes->uid, attributes->gid, AT_SYMLINK_NOFOLLOW) !=
            0 ||
        (!S_ISLNK(attributes->mode) &&
         fchmodat(tree->parent, tree->leaf, attributes->mode & 07777, 0) != 0) ||
        utimensat(tree->parent, tree->leaf, times, AT_SYMLINK_NOFOLLOW) != 0)
        return tree_fail(tree, err, errno, "cannot set owner, mode and time of");
    return true;
}

bool tree_make_symlink(struct tree *tree, const char *target,
                       const struct tree_attributes *attributes, struct err *err)
{
    if (!clear(tree, err))
        return false;
    if (symlinkat(target, tree->parent, tree->leaf) != 0)
        return tree_fail(tree, err, errno, "cannot make");
    return set_attributes_at(tree, attributes, err);
}

bool tree_make_node(struct tree *tree, dev_t device, const struct tree_attributes *attributes,
                    struct err *err)
{
    if (!clear(tree, err))
        return false;
    if (mknodat(tree->parent, tree->leaf, (attributes->mode & S_IFMT) | 0600, device) != 0)
        return tree_fail(tree, err, errno, "cannot make");
    return set_attributes_at(tree, attributes, err);
}

bool tree_make_link(struct tree *tree, const char *target, struct err *err)
{
    char path[PATH_MAX];
    const char *why = NULL;
    char *slash;
    AUTO_CLOSE int folder = -1;

    if (!tree_clean_name(target, path, &why) || !*path)
        return tree_refuse(tree, err, "is a hard link to a name outside the image");
    if (strcmp(path, tree->path) == 0)
        return tree_refuse(tree, err, "is a hard link to itself");
    slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    folder =
        tree_open_beneath(tree->root, slash ? path : "", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
    if (folder < 0)
        return tree_refuse(tree, err, "is a hard link to what this layer does not have");
    if (faccessat(folder, slash ? slash + 1 : path, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
        return tree_refuse(tree, err, "is a hard link to what this layer does not have");
    if (linkat(folder, slash ? slash + 1 : path, tree->parent, tree->leaf, 0) == 0)
        return true;
    if (errno != EEXIST)
        return tree_fail(tree, err, errno, "cannot make");
    if (!clear(tree, err))
        return false;
    if (linkat(folder, slash ? slash + 1 : path, tree->parent, tree->leaf, 0) != 0)
        return tree_fail(tree, err, errno, "cannot make");
    return true;
}

/* Whether any layer below may have something of this name. Hiding nothing would show in listings of
 * folders that only this layer has. */
static bool is_below(const struct tree *tree, const char *name)
{
    char path[PATH_MAX];
    AUTO_CLOSE int straight = tree_open_beneath(tree->root, tree->parent_path, O_PATH,
                                                RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    if (straight < 0) /* reached by a symlink: its name below is another */
        return tree->lowers_count > 0 || tree->debts;
    if (!text_format(path, sizeof path, "%s%s%s", tree->parent_path, *tree->parent_path ? "/" : "",
                     name))
        return false;
    if (!tree->debts)
        return tree_is_below(tree, path);
    tree_owe(tree, path, true);
    return true;
}

bool tree_hide(struct tree *tree, const char *name, struct err *err)
{
    struct stat there;

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return tree_refuse(tree, err, "deletes no name");
    if (fstatat(tree->parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        /* Made by this layer itself: only what lies below is deleted. */
        AUTO_CLOSE int fd = S_ISDIR(there.st_mode) ? open_folder(tree->parent, name) : -1;
        if (fd >= 0 && !tree_set_opaque(fd))
            return tree_fail(tree, err, errno, "cannot make");
        return true;
    }
    if (is_below(tree, name) && mknodat(tree->parent, name, S_IFCHR, makedev(0, 0)) != 0)
        return tree_fail(tree, err, errno, "cannot make");
    return true;
}

bool tree_hide_all(struct tree *tree, struct err *err)
{
    if (!tree_set_opaque(tree->parent))
        return tree_fail(tree, err, errno, "cannot make");
    return true;
}
