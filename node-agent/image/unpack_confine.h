/* What berth-unpack gives up before it reads the first byte of a stranger: every folder but the layer's own (to
 * write) and those of the layers below (to look at), the network, other processes, starting programs, and all rights but
 * those that files of any owner and kind are made with. Where the kernel lacks Landlock (before 5.19) the folders
 * stay reachable for what the system calls that are left can do.
 * Not for: names that lead outside (tree.h sees to those, here or not).
 * Threads: the only one of its process. */
#ifndef IMAGE_UNPACK_CONFINE_H
#define IMAGE_UNPACK_CONFINE_H

#include "node-agent/image/unpack.h"

/* For the whole life of the process; there is no way back. */
bool unpack_confine(const struct unpack *unpack, struct err *err) MUST_CHECK;

#endif
