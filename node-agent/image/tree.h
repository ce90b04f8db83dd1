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

struct tree {
    int root;          /* borrowed */
    const int *lowers; /* folders of the layers below, nearest first; borrowed */
    size_t lowers_count;
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

void tree_init(struct tree *tree, int root, const int *lowers, size_t lowers_count);
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
