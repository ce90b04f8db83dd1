/* Local disks that the plane wants removed: kept until a report told that they are gone, tried again until they are. An
 * agent that is killed forgets them and is told again.
 * Threads: the loop's; removing is a worker's, one at a time. */
#ifndef SUPERVISE_DISKS_LEAVING_H
#define SUPERVISE_DISKS_LEAVING_H

#include "base/id.h"
#include "base/limits.h"
#include "model/link.h"

struct agent;

struct leaving {
    struct leaving_disk {
        char id[ID_SIZE];
        bool gone;        /* to be told */
        int64_t retry_ms; /* steady: not before */
    } disks[LIMIT_DISKS_PAGE];
    size_t count;
    const char *told[LIMIT_DISKS_PAGE]; /* named by the report that is under way */
    size_t told_count;
    bool busy; /* a worker removes one */
};

/* False: there was no room for all of them, so the plane is asked again. */
bool agent_take_leaving(struct agent *agent, const struct text_list *ids);
/* The next one, if it is time and no group has it. */
void agent_leave_disks(struct agent *agent);
/* Those that are gone, into a report; and out of the list once it was acknowledged. */
void agent_tell_leaving(struct agent *agent, struct report *report);
void agent_take_leaving_told(struct agent *agent);

#endif
