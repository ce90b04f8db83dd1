/* The users of a user namespace, and folders shown to them under its numbers: whoever is 0 inside is `first` on the
 * machine, and files keep their own numbers on disk. Linux 5.12; as layers of overlayfs 5.19.
 * Threads: any. */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include "base/err.h"

#include <stdint.h>

struct idmap {
    const char *path; /* of the namespace; NULL: the machine's own users */
    uint32_t first;   /* 0 with it */
};
extern const struct idmap node_users;

/* The folder as a mount that hangs nowhere yet, with its files owned by who they belong to in the namespace; what is
 * mounted below is left out. `flags` are MOUNT_ATTR_…. A descriptor, or -1. */
int idmap_clone(const char *folder, const struct idmap *map, uint64_t flags, struct err *err)
    MUST_CHECK;
/* The same, mounted at the folder `to`. */
bool idmap_mount(const char *from, const char *to, const struct idmap *map, uint64_t flags,
                 struct err *err) MUST_CHECK;

#endif
