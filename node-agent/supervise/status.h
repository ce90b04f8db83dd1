/* A group as the plane sees it: struct hosted to group_status of model/link.h.   Threads: the loop's. */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include "base/arena.h"
#include "node-agent/supervise/hosted.h"

/* In the arena; false when its ceiling is reached. The strings of `group` are copied. */
bool status_of(const struct hosted *group, struct arena *arena, struct group_status *out)
    MUST_CHECK;

#endif
