/* Devices of this node that groups hold alone, GPUs above all: found in CDI files (Container Device Interface), which
 * the makers' tools write, and handed out whole.
 *
 *     struct devices *devices = devices_open(&options, err);
 *     devices_gpus(devices, counts);                                     what the plane is told
 *     devices_take(devices, uid, "web", GPU_K80, 2, arena, &edits, err); for a container, again and again the same
 *     devices_give(devices, uid, err);                                   all that the group holds
 *
 * Who holds what is a file for each group, written before a device is handed out: an agent that comes back knows. Files
 * are read when the agent starts; which kind of device a sku is, the configuration says.
 * Not for: what a runtime makes of the edits (supervise/ hands them on), how many there are to place (the scheduler).
 * Threads: any; calls may wait for the disk.   Owner: devices_free(). */
#ifndef NODE_AGENT_DEVICE_H
#define NODE_AGENT_DEVICE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "model/container_group.h"

struct devices;

struct devices_options {
    struct text_list dirs; /* of CDI files; the later one's devices win */
    struct text_map kinds; /* "K80": "nvidia.com/gpu" */
    const char *folder;    /* on disk: who holds what; made when absent */
};

/* ERR_INVALID when a file is no CDI file, or the configuration names a sku that there is not. Folders that do not
 * exist hold no devices. */
struct devices *devices_open(const struct devices_options *options, struct err *err) MUST_CHECK;
void devices_free(struct devices *devices);
AUTO_TYPE(devices);

/* How many there are of each sku, held or not. */
void devices_gpus(const struct devices *devices, int64_t counts[GPU_SKUS]);

struct device_node {
    const char *path, *host_path; /* host_path NULL: the same */
    const char *type; /* "c", "b", "p"; NULL: as the node's is, and so are the numbers */
    int64_t major, minor;
    struct opt_int mode, user, user_group;
    const char *access; /* of "rwm"; NULL: all */
};
struct device_mount {
    const char *host_path, *container_path;
    struct text_list options;
};
struct device_hook {
    const char *name, *path; /* name: a member of an OCI configuration's "hooks" */
    struct text_list args, env;
    struct opt_int timeout;
};
/* What a container gets that has the devices. */
struct device_edits {
    struct text_list env;
    struct device_node *nodes;
    size_t nodes_count;
    struct device_mount *mounts;
    size_t mounts_count;
    struct device_hook *hooks;
    size_t hooks_count;
};

/* `count` devices of that sku for a container: those that it holds already, or free ones. ERR_NO_CAPACITY when there
 * are not enough. The edits point into `devices` and the arena. */
bool devices_take(struct devices *devices, const char *uid, const char *container, int sku,
                  int64_t count, struct arena *arena, struct device_edits *edits, struct err *err)
    MUST_CHECK;
/* Success when it holds none; also without `devices`. */
bool devices_give(struct devices *devices, const char *uid, struct err *err) MUST_CHECK;

#endif
