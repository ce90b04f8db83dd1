/* What tree.c and tree_path.c share: resolving and making folders beneath a root.
 * Threads: any.   Owner: descriptors belong to the caller. */
#ifndef IMAGE_TREE_PATH_H
#define IMAGE_TREE_PATH_H

#include "node-agent/image/tree.h"

#include <stdint.h>

/* openat2; "" is the root itself. -1 and errno. */
int tree_open_beneath(int root, const char *path, uint64_t flags, uint64_t resolve);
bool tree_clean_name(const char *name, char out[PATH_MAX], const char **why) MUST_CHECK;
/* mkdirat and open; ENAMETOOLONG where no path could name what would be inside. */
int tree_new_folder(int parent, const char *name);

/* A folder that the archive never declares looks as the nearest layer below has it, else as usual. */
bool tree_dress_folder(const struct tree *tree, int folder, const char *path);
/* Whether a layer below may have something of this path. */
bool tree_is_below(const struct tree *tree, const char *path);

/* tree_debts.c: `folder` is the place of `path`; a declared folder owes nothing any more. */
void tree_owe(const struct tree *tree, const char *path, bool hides);
void tree_pay(const struct tree *tree, const char *path);

/* How overlayfs writes "deleted here" and "nothing from below here". */
bool tree_is_whiteout(const struct stat *seen);
bool tree_set_opaque(int folder);

#endif
