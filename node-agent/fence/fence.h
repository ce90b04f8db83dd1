/* The fence: a node that cannot renew its lease kills its groups before the plane may place them elsewhere, even
 * when the agent is dead or hangs. A tiny process of its own (berth-fence, fence_main.c) watches one deadline in a
 * file both map; the agent moves the deadline, and when it passes the process kills everything in the node's
 * cgroups, takes their public addresses off the links, notes when, and goes on so with whatever appears there until the
 * agent says it has understood.
 *
 *     agent: fence_renew(until) ------> [ deadline ] <------ berth-fence sleeps until it
 *                                            | passes
 *     agent: fence_fenced_at() <------ [ fired at ]  <------ kills the cgroups, again each 100 ms
 *            fence_reset()     ------> [ deadline ]
 *
 * Renewing and firing exclude each other: a renewal that succeeded means that nothing was killed, one that failed
 * means that the fence has fired. Times are CLOCK_BOOTTIME (clock_boot_ns), which counts sleep.
 * A node configured with fence_ms 0 starts none: its groups may then run twice when the plane gives up on it, so
 * the plane must not place them elsewhere (join_answer in model/link.h).
 * Not for: ending single groups (node-agent/runtime).
 * Threads: one at a time, but fence_renew and fence_fenced_at: any.   Owner: fence_free(). */
#ifndef NODE_AGENT_FENCE_H
#define NODE_AGENT_FENCE_H

#include "base/err.h"

#include <stdint.h>

struct fence;

struct fence_options {
    const char *program; /* berth-fence; NULL: beside the running program */
    const char *run_dir; /* on a tmpfs; the file "fence" is made in it */
    const char *const
        *cgroups; /* folders whose processes, at any depth, are the node's containers: the cgroup2
                                   folder, or on v1 the node's folder in one hierarchy (freezer if there is one) and
                                   any others; a folder need not exist yet */
    size_t cgroups_count;
    const char *
        addresses; /* a folder of files named as IPv4 addresses, which are taken off (network_public_folder());
                              NULL: none */
};

/* Adopts the process of this run_dir, or starts one. An adopted lease goes on: one that has run out fires. */
struct fence *fence_start(const struct fence_options *options, struct err *err) MUST_CHECK;
void fence_free(struct fence *fence); /* the process stays */
/* Ends the process and removes its file; no groups are killed. Needs no fence_start; success when there is none. */
bool fence_stop(const char *run_dir, struct err *err) MUST_CHECK;

/* For the main loop's poll: readable when the process has died. Then call fence_restart(). */
int fence_fd(const struct fence *fence);
bool fence_restart(struct fence *fence, struct err *err) MUST_CHECK;

/* Moves the deadline; the first call arms the fence. Never moves it back. False: it has fired. */
bool fence_renew(struct fence *fence, int64_t until_boot_ns) MUST_CHECK;
/* True when the fence has fired since the last reset; *unix_ms is when. */
bool fence_fenced_at(const struct fence *fence, int64_t *unix_ms);
/* True when it has fired and the last look found no process left. */
bool fence_finished(const struct fence *fence);
/* After the agent has noted what was killed and holds a lease again. Only then may containers start. */
void fence_reset(struct fence *fence, int64_t until_boot_ns);

AUTO_TYPE(fence);

#endif
