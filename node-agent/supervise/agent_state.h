/* The agent's state, shared by the files of the loop: agent.c (loop), orders.c (what the plane wants), outcomes.c
 * (what jobs did), recover.c (what an earlier agent left), telling.c (reports and the lease).
 * Threads: the loop's. */
#ifndef SUPERVISE_AGENT_STATE_H
#define SUPERVISE_AGENT_STATE_H

#include "node-agent/link/link.h"
#include "node-agent/supervise/jobs.h"

struct agent {
    struct agent_parts parts;
    char identity_path[PATH_SIZE];
    struct jobs jobs;
    struct inbox inbox;
    struct hosted *groups;
    int timer_fd, stop_fd;
    struct fence *fence;
    int64_t fence_ms;  /* 0: no fencing */
    bool fence_wanted; /* the plane told its timings */
    bool leased, fenced;
    int64_t lease_boot_ns; /* until when, without a fence to tell */
    int64_t epoch;
    bool listing; /* the plane has not yet named all groups of this epoch */
    bool ticking; /* a tick is under way */
    int64_t ticks;
    bool refused;             /* the last report was not taken: none before the next beat */
    bool told_due, reporting; /* something to tell; a report is under way */
    int64_t report_sequence;  /* of the one under way */
    int64_t images_told,
        images_sent; /* image_list_version() the plane knows, and in that one; -1: none */
    int64_t beat_ms, reported_boot_ns;
    int64_t wake_ms; /* earliest time a plan asked for */
};

/* orders.c */
void agent_take_desired(void *agent, struct arena *arena, const struct desired *desired);
void agent_take_joined(void *agent, const struct join_answer *answer);
struct hosted *agent_find(struct agent *agent, const char *uid);
struct hosted *agent_add(struct agent *agent, const char *uid, struct err *err) MUST_CHECK;

/* outcomes.c */
void agent_job_done(void *agent, struct job *job);
void agent_progress(void *agent, struct message *message);
void agent_take_exits(struct agent *agent);
void agent_tick_done(void *agent, struct tick *tick);
/* After a change: kept on disk, told to the plane. */
void agent_changed(struct agent *agent, struct hosted *group);

/* recover.c */
bool agent_recover(struct agent *agent, struct err *err) MUST_CHECK;

/* telling.c */
void agent_tell(struct agent *agent);
void agent_take_reported(void *agent, const struct report_answer *answer, int64_t sent_boot_ns);
void agent_watch_lease(struct agent *agent);

/* telling_images.c: adds the node's images to a report, when they changed. */
void agent_tell_images(struct agent *agent, struct arena *arena, struct report *report);

/* agent.c */
void agent_start_tick(struct agent *agent);

#endif
