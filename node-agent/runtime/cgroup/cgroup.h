/* The cgroups of one node: <name>/<group>/<container> in each hierarchy of the machine, whatever
 * their layout is.
 *
 *     v1     one hierarchy for each controller (or two), each with the same folders in it
 *     v2     one hierarchy for all
 *     mixed  v1 controllers, and beside them a v2 hierarchy without any; it is left alone, runtimes may use it
 *
 * Paths are given below the node's folder: "<group>" or "<group>/<container>", "" for the node
 * itself. Making and removing are idempotent.
 * Not for: deciding limits; the device rules of v2, which are the runtime's.
 * Threads: any; a path is worked on by one thread at a time.   Owner: nothing to free. */
#ifndef NODE_AGENT_RUNTIME_CGROUP_H
#define NODE_AGENT_RUNTIME_CGROUP_H

#include "node-agent/runtime/runtime.h"

enum cgroup_layout { CGROUP_V1, CGROUP_V2, CGROUP_MIXED };

enum cgroup_controller {
    CGROUP_CPU = 1 << 0,
    CGROUP_CPUACCT = 1 << 1,
    CGROUP_MEMORY = 1 << 2,
    CGROUP_PIDS = 1 << 3,
    CGROUP_FREEZER = 1 << 4,
    CGROUP_CPUSET = 1 << 5,
    CGROUP_DEVICES = 1 << 6,
    CGROUP_UNIFIED = 1 << 7, /* not a controller: this hierarchy is v2 */
};

enum {
    CGROUP_MOUNTS_MAX = 24,
    CGROUP_NAME_SIZE = 128,
    CGROUP_PATH_SIZE = 512,
    CGROUP_MOUNT_SIZE = 128
};

struct cgroup_mount {
    char path[CGROUP_MOUNT_SIZE];
    unsigned controllers;
};

struct cgroups {
    enum cgroup_layout layout;
    char name[CGROUP_NAME_SIZE]; /* "berth/<node>" */
    struct cgroup_mount mounts[CGROUP_MOUNTS_MAX];
    size_t count;
};

struct cgroup_limits { /* 0: none */
    int64_t cpu_milli, memory_bytes, pids_max;
    int64_t cpu_weight_milli; /* 0: as cpu_milli */
};

/* From a mountinfo file ("/proc/self/mountinfo"). ERR_NOT_IMPLEMENTED with advice when it cannot
 * be used. */
bool cgroups_find(struct cgroups *out, const char *mountinfo, const char *name, struct err *err)
    MUST_CHECK;
const char *cgroup_layout_name(enum cgroup_layout layout);

/* The hierarchy that has the controller; NULL: none has. On v2 that is the one there is. */
const struct cgroup_mount *cgroup_mount_of(const struct cgroups *cgroups,
                                           enum cgroup_controller controller);
/* The hierarchy whose folders tell which processes are in a cgroup: never NULL. */
const struct cgroup_mount *cgroup_mount_of_processes(const struct cgroups *cgroups);
/* "<mount>/<name>/<path>[/<file>]"; false when it does not fit. */
bool cgroup_path(const struct cgroups *cgroups, const struct cgroup_mount *mount, const char *path,
                 const char *file, char out[CGROUP_PATH_SIZE]) MUST_CHECK;

/* Makes the folder and those above it in all hierarchies, ready to take limits. */
bool cgroup_make(const struct cgroups *cgroups, const char *path, struct err *err) MUST_CHECK;
bool cgroup_limit(const struct cgroups *cgroups, const char *path,
                  const struct cgroup_limits *limits, struct err *err) MUST_CHECK;
/* Only its share beside other cgroups, and processes in none, when CPU is short. */
bool cgroup_weigh(const struct cgroups *cgroups, const char *path, int64_t cpu_milli,
                  struct err *err) MUST_CHECK;
/* v1: only the devices every container may use, and those given. */
bool cgroup_limit_devices(const struct cgroups *cgroups, const char *path,
                          const struct runtime_device *devices, size_t count, struct err *err)
    MUST_CHECK;
/* What cgroups understand of mCPU: a CFS quota of each 100 ms, and a share beside others. */
enum { CGROUP_CPU_PERIOD_US = 100000 };
int64_t cgroup_cpu_quota_us(int64_t cpu_milli);
int64_t cgroup_cpu_shares(int64_t cpu_milli);

bool cgroup_use(const struct cgroups *cgroups, const char *path, struct runtime_use *out,
                struct err *err) MUST_CHECK;
/* How many processes the kernel killed here for want of memory. 0 when it cannot be told. */
int64_t cgroup_oom_kills(const struct cgroups *cgroups, const char *path);

/* SIGKILL to every process at any depth, again until none is left or timeout_ms has passed
 * (ERR_TIMEOUT). 0: once. */
bool cgroup_kill(const struct cgroups *cgroups, const char *path, int64_t timeout_ms,
                 struct err *err) MUST_CHECK;
/* Removes the folder and all below it; waits up to timeout_ms for processes that are just ending, and
 * kills those that came to run there meanwhile. */
bool cgroup_remove(const struct cgroups *cgroups, const char *path, int64_t timeout_ms,
                   struct err *err) MUST_CHECK;

/* Within the room. */
bool cgroup_write(const char *path, const char *value); /* errno tells why not */
/* The whole number after `key` in a file of "key number" lines, or the file's only one (key
 * NULL). */
bool cgroup_read_number(const char *path, const char *key, int64_t *out) MUST_CHECK;

#endif
