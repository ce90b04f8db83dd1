/* What a layer owes to those below it; see tree.h. */
#include "base/text.h"
#include "node-agent/image/tree_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

/* Its own name leads there, no symlink: it will be found again. */
static bool is_straight(const struct tree *tree, const char *path)
{
    AUTO_CLOSE int fd = tree_open_beneath(tree->root, path, O_PATH | O_NOFOLLOW,
                                          RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    return fd >= 0;
}

void tree_owe(const struct tree *tree, const char *path, bool hides)
{
    struct tree_debts *debts = tree->debts;
    char *copy =
        debts->count < TREE_DEBTS_MAX && (hides || is_straight(tree, path)) ? strdup(path) : NULL;

    if (copy)
        debts->items[debts->count++] = (struct tree_debt){copy, hides};
    else
        debts->unsettled = true;
}

void tree_pay(const struct tree *tree, const char *path)
{
    struct tree_debts *debts = tree->debts;

    for (size_t i = 0; i < debts->count; i++) {
        struct tree_debt *debt = &debts->items[i];
        if (debt->path && !debt->hides && strcmp(debt->path, path) == 0) {
            free(debt->path);
            debt->path = NULL;
        }
    }
}

void tree_debts_done(struct tree_debts *debts)
{
    for (size_t i = 0; i < debts->count; i++)
        free(debts->items[i].path);
    debts->count = 0;
    debts->unsettled = false;
}

/* ---- settling ---- */

static int open_straight(int root, const char *path)
{
    return tree_open_beneath(root, path, O_RDONLY | O_DIRECTORY,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Hiding nothing would show in listings of folders that only this layer has. */
static bool unhide(const struct tree *tree, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *above = strndup(path, slash ? (size_t)(slash - path) : 0);
    AUTO_CLOSE int folder = above ? open_straight(tree->root, above) : -1;
    const char *name = slash ? slash + 1 : path;
    struct stat before, there;

    if (!above)
        return false;
    if (folder < 0 || fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) != 0 ||
        !tree_is_whiteout(&there) || tree_is_below(tree, path))
        return true; /* replaced by a later entry, or needed */
    return fstat(folder, &before) == 0 && unlinkat(folder, name, 0) == 0 &&
           futimens(folder, (struct timespec[]){before.st_atim, before.st_mtim}) == 0;
}

static bool dress(const struct tree *tree, const char *path)
{
    AUTO_CLOSE int folder = open_straight(tree->root, path);

    return folder < 0 || tree_dress_folder(tree, folder, path);
}

/* Folders last: what is done inside changes their times. */
bool tree_settle(struct tree_debts *debts, int root, const int *lowers, size_t lowers_count,
                 struct err *err)
{
    struct tree tree;

    CHECK(!debts->unsettled);
    tree_init(&tree, root, lowers, lowers_count, NULL);
    for (int hides = 1; hides >= 0; hides--) {
        for (size_t i = 0; i < debts->count; i++) {
            const struct tree_debt *debt = &debts->items[i];
            if (!debt->path || debt->hides != (hides == 1))
                continue;
            if (!(hides ? unhide(&tree, debt->path) : dress(&tree, debt->path)))
                return err_set_os(err, errno == ENOSPC ? ERR_STORAGE : ERR_IO, errno,
                                  "cannot finish a layer of the image");
        }
    }
    return true;
}
