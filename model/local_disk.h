/* What a localDisk says of itself: Berth's own kind of volume, a named folder on the disk of one node. It is the same one
 * for all groups of a resource group that name it, and outlives them.   Threads: any; pure. */
#ifndef MODEL_LOCAL_DISK_H
#define MODEL_LOCAL_DISK_H

#include "model/container_group.h"

/* One that a group names. */
struct disk_ask {
    const char *name;
    int64_t size_bytes; /* 0: not said */
};

/* NULL, or what is wrong with its size as the end of a sentence. */
const char *local_disk_size(const struct local_disk_volume *disk, int64_t *bytes) MUST_CHECK;
/* Those of a checked group, at most `max`; how many. */
size_t local_disks_of(const struct group_properties *properties, struct disk_ask *asks, size_t max);

#endif
