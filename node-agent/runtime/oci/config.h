/* The OCI configuration of one container, as JSON text. What is the same for all containers is
 * fixed here; what the node decides is in `node`. Pure.
 * Threads: any. */
#ifndef NODE_AGENT_RUNTIME_CONFIG_H
#define NODE_AGENT_RUNTIME_CONFIG_H

#include "node-agent/runtime/runtime.h"

/* When the node itself runs short, containers go before the agent and the system. */
enum { CONFIG_OOM_SCORE = 500 };

struct config_node {
    const char *cgroup_path;    /* "/berth/<node>/<group>/<container>" */
    bool with_limits;           /* the runtime sets them; otherwise the agent has */
    const char *root_path;      /* where its root is found; NULL: where it is */
    bool maps_users;            /* the runtime is told the ids of users that it joins */
    const char *devices_path;   /* where the devices are of one with users of its own */
    const char *shm_path;       /* the group's /dev/shm; NULL: one of its own */
    const char *seccomp_json;   /* the profile; NULL: none */
    const char *seccomp_bpf;    /* the same, compiled, for a runtime that takes it; NULL */
    uint64_t capabilities_held; /* what the agent has to give; 0: all */
    int64_t files_max;          /* RLIMIT_NOFILE: never above what the agent itself may have */
};

void config_add(struct text *out, const struct runtime_container *container,
                const struct config_node *node);

/* Members of the object "process": all but the arguments, which another command in the container has of its own; and
 * those. */
void config_add_process(struct text *out, const struct runtime_container *container,
                        const struct config_node *node);
void config_add_args(struct text *out, const struct text_list *args);

#endif
