/* CDI files as tables: kinds, their devices, what a container gets with each.   Threads: pure. */
#ifndef NODE_AGENT_DEVICE_CDI_H
#define NODE_AGENT_DEVICE_CDI_H

#include "node-agent/device/device.h"

struct cdi_device {
    const char *name;
    struct device_edits *edits;
};
struct cdi_file {
    const char *version, *kind;
    struct cdi_device *devices;
    size_t devices_count;
    struct device_edits *edits; /* with any of its devices */
};

bool cdi_read(const char *json, size_t size, struct arena *arena, struct cdi_file *out,
              struct err *err) MUST_CHECK;
/* Appends `more` (may be NULL) to `edits`, in the arena. */
bool cdi_add(struct device_edits *edits, const struct device_edits *more, struct arena *arena)
    MUST_CHECK;

#endif
