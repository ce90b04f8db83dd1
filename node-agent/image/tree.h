/* The folder of one layer while it is being filled. Names come from strangers: each is resolved
 * beneath the folder as if it were the root of a file system, so that no symlink, absolute name or
 * ".." leads outside.
 * Not for: reading archives (unpack.c).   Threads: one at a time.   Owner: tree_done(). */
#ifndef IMAGE_TREE_H
#define IMAGE_TREE_H

#include "base/err.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Layers are unpacked side by side, so those below may not be there yet. What depends on them is noted
 * and settled when they are: how folders look that this layer does not declare, and names it deletes
 * that perhaps nobody has. Too many, or one that no name finds again: unsettled, to be unpacked anew. */
enum { TREE_DEBTS_MAX = 1024 };
struct tree_debts {
    struct tree_debt {
        char *path; /* NULL: paid */
        bool hides;
    } items[TREE_DEBTS_MAX];
    size_t count;
    bool unsettled;
};
void tree_debts_done(struct tree_debts *debts);
/* With `lowers` there now. */
bool tree_settle(struct tree_debts *debts, int root, const int *lowers, size_t lowers_count,
                 struct err *err) MUST_CHECK;

struct tree {
    int root;          /* borrowed */
    const int *lowers; /* folders of the layers below, nearest first; borrowed */
    size_t lowers_count;
    struct tree_debts *debts; /* instead of lowers; NULL: these are all */
    /* Where the current entry goes. Kept open for the next one; its times are put back when it is
     * left, because filling a folder must not change what the image says about it. */
    int parent;
    struct timespec parent_times[2];
    char parent_path[PATH_MAX];
    char path[PATH_MAX]; /* the whole entry, cleaned: no leading, double or trailing '/' */
    const char *leaf;    /* within path; "" when the entry is the root itself */
};

struct tree_attributes {
    mode_t mode; /* with the file type */
    uid_t uid;
    gid_t gid;
    struct timespec modified;
};

/* `debts` NULL: `lowers` are all there. */
void tree_init(struct tree *tree, int root, const int *lowers, size_t lowers_count,
               struct tree_debts *debts);
void tree_done(struct tree *tree);

/* Makes `name` the current entry; folders on its way that nobody declared are made, looking like
 * those of the layers below. */
bool tree_enter(struct tree *tree, const char *name, struct err *err) MUST_CHECK;

/* Each puts the current entry in place of whatever this layer had there. The descriptors are for
 * content and attributes; the caller closes them. */
int tree_make_file(struct tree *tree, struct err *err) MUST_CHECK;   /* -1 when it failed */
int tree_make_folder(struct tree *tree, struct err *err) MUST_CHECK; /* keeps an existing one */
bool tree_make_symlink(struct tree *tree, const char *target,
                       const struct tree_attributes *attributes, struct err *err) MUST_CHECK;
bool tree_make_node(struct tree *tree, dev_t device, const struct tree_attributes *attributes,
                    struct err *err) MUST_CHECK; /* device or fifo */
bool tree_make_link(struct tree *tree, const char *target, struct err *err) MUST_CHECK; /* hard */

/* Hides `name`, beside the current entry, of the layers below. */
bool tree_hide(struct tree *tree, const char *name, struct err *err) MUST_CHECK;
/* Hides all the layers below have in the folder of the current entry. */
bool tree_hide_all(struct tree *tree, struct err *err) MUST_CHECK;

/* On a descriptor from above, after the content was written. */
bool tree_set_attributes(struct tree *tree, int fd, const struct tree_attributes *attributes,
                         struct err *err) MUST_CHECK;

/* False; quotes the name of the current entry. */
bool tree_refuse(const struct tree *tree, struct err *err, const char *why);
bool tree_fail(const struct tree *tree, struct err *err, int os_errno, const char *doing);

#endif
