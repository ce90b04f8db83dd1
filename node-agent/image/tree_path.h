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

/* How overlayfs writes "deleted here" and "nothing from below here". */
bool tree_is_whiteout(const struct stat *seen);
bool tree_set_opaque(int folder);

#endif
