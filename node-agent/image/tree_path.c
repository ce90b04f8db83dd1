/* From a name in an archive to an open folder and a leaf. The kernel resolves (openat2 with
 * RESOLVE_IN_ROOT): an absolute symlink inside the image means the image's own root, as it will
 * when the container runs. Nobody else writes here, so what was resolved stays true. */
#include "node-agent/image/tree.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/tree_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>

int tree_open_beneath(int root, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    int fd;

    /* EAGAIN: a rename elsewhere in the system raced with "..", the kernel asks us to try again. */
    for (int tries = 0; tries < 1000; tries++) {
        fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd;
}

bool tree_refuse(const struct tree *tree, struct err *err, const char *why)
{
    return err_set(err, ERR_IMAGE_INACCESSIBLE, "the image's entry %s %s", LOG_QUOTE(tree->path),
                   why);
}

bool tree_fail(const struct tree *tree, struct err *err, int os_errno, const char *doing)
{
    bool full = os_errno == ENOSPC || os_errno == EDQUOT;
    bool ours = os_errno == EIO || os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOMEM;

    return err_set_os(err,
                      full   ? ERR_STORAGE
                      : ours ? ERR_IO
                             : ERR_IMAGE_INACCESSIBLE,
                      os_errno, "%s the image's entry %s", doing, LOG_QUOTE(tree->path));
}

/* Without ".", empty components and slashes at the ends. False on ".." and what is too long or deep. */
bool tree_clean_name(const char *name, char out[PATH_MAX], const char **why)
{
    size_t used = 0;
    int depth = 0;

    for (const char *at = name; *at;) {
        size_t length = strcspn(at, "/");
        bool dot = length == 1 && at[0] == '.';

        *why = "has a name with \"..\" in it";
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return false;
        *why = "has a name that is too long or too deep";
        if (length > NAME_MAX || used + length + 2 > PATH_MAX || depth > LIMIT_IMAGE_DEPTH_MAX)
            return false;
        if (length > 0 && !dot) {
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, at, length);
            used += length;
            depth++;
        }
        at += length + (at[length] == '/');
    }
    out[used] = '\0';
    return true;
}

/* Symlinks can stack folders deeper than any one name: what cannot be named cannot be removed. */
static bool too_deep(int folder)
{
    char link[32], path[PATH_MAX];
    ssize_t size;
    int depth = 0;

    if (!text_format(link, sizeof link, "/proc/self/fd/%d", folder))
        return true;
    size = readlink(link, path, sizeof path);
    for (ssize_t i = 0; i < size; i++)
        depth += path[i] == '/';
    return size < 0 || size > PATH_MAX - 2 * NAME_MAX || depth > 2 * LIMIT_IMAGE_DEPTH_MAX;
}

int tree_new_folder(int parent, const char *name)
{
    if (too_deep(parent)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdirat(parent, name, 0700) != 0)
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool tree_dress_folder(const struct tree *tree, int folder, const char *path)
{
    struct stat seen = {.st_mode = 0755};

    for (size_t i = 0; i < tree->lowers_count; i++) {
        AUTO_CLOSE int lower = tree_open_beneath(tree->lowers[i], path, O_RDONLY | O_DIRECTORY,
                                                 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        if (lower >= 0 && fstat(lower, &seen) != 0)
            return false;
        if (lower >= 0 || errno != ENOENT)
            break;
    }
    if (tree->debts)
        tree_owe(tree, path, false);
    return fchown(folder, seen.st_uid, seen.st_gid) == 0 &&
           fchmod(folder, seen.st_mode & 07777) == 0 &&
           (seen.st_nlink == 0 ||
            futimens(folder, (struct timespec[]){seen.st_atim, seen.st_mtim}) == 0);
}

bool tree_is_below(const struct tree *tree, const char *path)
{
    for (size_t i = 0; i < tree->lowers_count; i++) {
        AUTO_CLOSE int fd =
            tree_open_beneath(tree->lowers[i], path, O_PATH | O_NOFOLLOW, RESOLVE_BENEATH);
        if (fd >= 0 || (errno != ENOENT && errno != ENOTDIR))
            return true;
    }
    return false;
}

/* One missing component below `parent`: gone in this layer (hidden) or never there. */
static int make_between(const struct tree *tree, int parent, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    struct stat there;
    bool hidden = fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0;
    int fd;

    if (hidden && !tree_is_whiteout(&there)) {
        errno = S_ISLNK(there.st_mode) ? ELOOP : ENOTDIR;
        return -1;
    }
    if (hidden && unlinkat(parent, name, 0) != 0)
        return -1;
    fd = tree_new_folder(parent, name);
    if (fd >= 0 && (!tree_dress_folder(tree, fd, path) || (hidden && !tree_set_opaque(fd)))) {
        int failure = errno;
        close(fd);
        errno = failure;
        return -1;
    }
    return fd;
}

static int open_prefix(const struct tree *tree, const char *path, size_t size)
{
    char prefix[PATH_MAX];

    memcpy(prefix, path, size);
    prefix[size] = '\0';
    return tree_open_beneath(tree->root, prefix, O_RDONLY | O_DIRECTORY, RESOLVE_IN_ROOT);
}

/* Opens the deepest folder on the way that exists and makes the rest, one below the other. */
static int open_or_make(const struct tree *tree, const char *path)
{
    size_t at = strlen(path);
    int fd = open_prefix(tree, path, at);

    while (fd < 0 && (errno == ENOENT || errno == ENOTDIR) && at > 0) {
        do
            at--;
        while (at > 0 && path[at] != '/');
        fd = open_prefix(tree, path, at);
    }
    while (fd >= 0 && path[at]) {
        AUTO_CLOSE int parent = fd;
        char prefix[PATH_MAX];
        at += (at > 0);
        at += strcspn(path + at, "/");
        memcpy(prefix, path, at);
        prefix[at] = '\0';
        fd = make_between(tree, parent, prefix);
    }
    return fd;
}

static void leave(struct tree *tree)
{
    if (tree->parent >= 0) {
        (void)futimens(tree->parent, tree->parent_times);
        close(tree->parent);
    }
    tree->parent = -1;
}

void tree_init(struct tree *tree, int root, const int *lowers, size_t lowers_count,
               struct tree_debts *debts)
{
    tree->root = root;
    tree->debts = debts;
    tree->lowers = lowers;
    tree->lowers_count = lowers_count;
    tree->parent = -1;
    tree->parent_path[0] = tree->path[0] = '\0';
    tree->leaf = tree->path;
}

void tree_done(struct tree *tree)
{
    leave(tree);
}

static bool open_parent(struct tree *tree, size_t size, struct err *err)
{
    struct stat seen;

    if (tree->parent >= 0 && strlen(tree->parent_path) == size &&
        memcmp(tree->parent_path, tree->path, size) == 0)
        return true;
    leave(tree);
    memcpy(tree->parent_path, tree->path, size);
    tree->parent_path[size] = '\0';
    tree->parent = open_or_make(tree, tree->parent_path);
    if (tree->parent < 0 && errno == ELOOP)
        return tree_refuse(tree, err, "passes through a symlink that leads nowhere");
    if (tree->parent < 0 && errno == ENOTDIR)
        return tree_refuse(tree, err, "passes through something that is no folder");
    if (tree->parent < 0 || fstat(tree->parent, &seen) != 0)
        return tree_fail(tree, err, errno, "cannot make the folder of");
    tree->parent_times[0] = seen.st_atim;
    tree->parent_times[1] = seen.st_mtim;
    return true;
}

bool tree_enter(struct tree *tree, const char *name, struct err *err)
{
    const char *slash, *why = NULL;

    if (!tree_clean_name(name, tree->path, &why)) {
        (void)text_copy(tree->path, sizeof tree->path, name);
        tree->leaf = tree->path;
        return tree_refuse(tree, err, why);
    }
    slash = strrchr(tree->path, '/');
    tree->leaf = slash ? slash + 1 : tree->path;
    return open_parent(tree, slash ? (size_t)(slash - tree->path) : 0, err);
}
