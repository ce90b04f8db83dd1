/* What to do next with a group: a pure function of the group and the time, so that a test can replay any history.
 * The loop asks until the answer is PLAN_NONE, then asks again at `wake_ms` or when something happened.
 * Threads: any; pure. */
#ifndef SUPERVISE_PLAN_H
#define SUPERVISE_PLAN_H

#include "node-agent/supervise/hosted.h"

enum plan_step {
    PLAN_NONE,
    PLAN_BEGIN,   /* take up the newest order as a fresh incarnation (no job) */
    PLAN_PREPARE, /* hold the resources, pull images, bring up network and cgroup */
    PLAN_CANCEL,  /* ring the running prepare's bell */
    PLAN_RUN,     /* start member `member` */
    PLAN_OPEN,    /* set the ports in service anew */
    PLAN_KILL,    /* end member `member`, which failed its liveness probe */
    PLAN_SIGNAL,  /* ask running containers to end; stage becomes ENDING */
    PLAN_CLEAR,   /* give everything back; `keep_network` when the same group goes on here */
    PLAN_FORGET,  /* remove logs and records */
};

struct plan {
    enum plan_step step;
    size_t member;
    bool keep_network;
    int64_t wake_ms; /* with PLAN_NONE: look again then; 0: only when something happens */
};

/* `leased` false: the node may not start anything now (no lease, or fenced). */
struct plan plan_group(const struct hosted *group, int64_t now_ms, bool leased);

/* Nothing of the incarnation at work may start any more: the plane wants another thing, it failed, all its containers
 * ended for good, or an init container did so badly. */
bool plan_over(const struct hosted *group);

#endif
