/* A group as the plane sees it: struct group to group_status of model/link.h.   Threads: the loop's. */
#ifndef SUPERVISE_STATUS_H
#define SUPERVISE_STATUS_H

#include "base/arena.h"
#include "node-agent/supervise/group.h"

/* In the arena; false when its ceiling is reached. The strings of `group` are copied. */
bool status_of(const struct group *group, struct arena *arena, struct group_status *out) MUST_CHECK;

#endif
