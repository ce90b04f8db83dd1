/* The agent of one node: one loop that owns all groups, workers that block for it, a link to the plane.
 *
 *   link ---joined, desired, reported--->  inbox  <---done, progress--- workers (jobs.c)
 *                                            |
 *   runtime exits, fence, clock, signals -> loop: plan each group (plan.c), submit jobs, report (status.c)
 *
 * Front door of the room: agent_new, agent_run. Nothing but the loop touches a group.
 * Threads: agent_run blocks; agent_stop from a signal handler or any thread. */
#ifndef SUPERVISE_AGENT_H
#define SUPERVISE_AGENT_H

#include "base/err.h"
#include "model/link.h"
#include "node-agent/fence/fence.h"
#include "node-agent/image/image.h"
#include "node-agent/metadata/metadata.h"
#include "node-agent/meter/meter.h"
#include "node-agent/network/network.h"
#include "node-agent/probe/probe.h"
#include "node-agent/runtime/runtime.h"
#include "node-agent/volume/volume.h"

struct agent;
struct devices;
struct streams;

struct agent_parts { /* opened by main.c, used here, closed by main.c after agent_free() */
    struct runtime *runtime;
    struct image_store *images;
    struct network *network;
    struct meter *meter;
    struct volumes *volumes;
    struct devices *devices;           /* NULL: none are handed out */
    struct streams *streams;           /* NULL: no exec, attach and followed logs */
    const struct fence_options *fence; /* started once the plane tells its timings */
    const char *state_dir;             /* on disk: groups/<uid>/ */
    const char *run_dir;               /* in memory: orders/<uid>.json */
    const char *plane_url, *plane_ca_file, *join_token;
    struct join_request join;
    int networks_prepared;     /* kept ready for groups to come */
    int64_t images_collect_ms; /* how often unused images are looked for */
    int64_t stop_grace_ms;     /* between the stop signal and SIGKILL */
    struct restart_pace pace;
    int workers_max;
};

struct agent *agent_new(const struct agent_parts *parts, struct err *err) MUST_CHECK;
/* Until agent_stop(). Containers go on running afterwards. */
bool agent_run(struct agent *agent, struct err *err) MUST_CHECK;
void agent_stop(struct agent *agent); /* async-signal-safe */
void agent_free(struct agent *agent);

/* For --clean, with no agent running: the containers' mounted roots below the state folder, and their volumes. */
bool agent_unmount_roots(const char *state_dir, struct err *err) MUST_CHECK;

AUTO_TYPE(agent);

#endif
