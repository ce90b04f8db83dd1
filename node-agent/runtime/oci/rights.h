/* The parts of an OCI configuration that say what a container's processes may do: capabilities, devices,
 * system calls.   Threads: any; pure but for devices_of_node(). */
#ifndef NODE_AGENT_RUNTIME_RIGHTS_H
#define NODE_AGENT_RUNTIME_RIGHTS_H

#include "node-agent/runtime/oci/config.h"

/* "capabilities":{…} */
void rights_add_capabilities(struct text *out, const struct runtime_container *container,
                             const struct config_node *node);
/* "devices":[…], those it has beside the usual ones, with a comma behind; nothing when there are none. */
void rights_add_devices(struct text *out, const struct runtime_container *container);
/* {"allow":…},…: the rules for them. */
void rights_add_device_rules(struct text *out, const struct runtime_container *container);
/* A client's profile as the "seccomp" object of an OCI configuration: rules that depend on capabilities,
 * architecture or kernel are decided here. */
void rights_add_profile(struct text *out, const struct seccomp_profile *profile,
                        uint64_t capabilities);

/* Those given, and every device file of the node that no container has by itself: for a privileged one.
 * False when the arena is full. */
bool devices_of_node(struct arena *arena, const struct runtime_device *given, size_t given_count,
                     struct runtime_device **devices, size_t *count) MUST_CHECK;

/* Of whom nothing else is said. */
extern const struct runtime_rights usual_rights;
uint64_t rights_capabilities(const struct runtime_container *container);

static inline const struct runtime_rights *rights_of(const struct runtime_container *container)
{
    return container->rights ? container->rights : &usual_rights;
}

#endif
