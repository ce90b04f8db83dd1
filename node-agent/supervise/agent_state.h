/* The agent's state, shared by the files of the loop: agent.c (loop), orders.c (what the plane wants), outcomes.c
 * (what jobs did), ends.c (runs that ended), steps.c (plans carried out), recover.c (what an earlier agent left),
 * telling.c (reports and the lease).
 * Threads: the loop's. */
#ifndef SUPERVISE_AGENT_STATE_H
#define SUPERVISE_AGENT_STATE_H

#include "node-agent/link/link.h"
#include "node-agent/supervise/disks_leaving.h"
#include "node-agent/supervise/groups.h"
#include "node-agent/supervise/jobs.h"

enum { EXIT_KILLED = 128 + 9 };

struct agent {
    struct agent_parts parts;
    char identity_path[PATH_SIZE];
    struct jobs jobs;
    struct inbox inbox;
    struct groups groups;
    struct prober *prober;
    int64_t probes_begun; /* the newest token */
    int timer_fd, stop_fd;
    struct fence *fence;
    int64_t fence_ms;  /* 0: no fencing */
    bool fence_wanted; /* the plane told its timings */
    bool leased, fenced;
    int64_t lease_boot_ns; /* until when, without a fence to tell */
    int64_t epoch;
    bool
        listing; /* the plane has not yet named all groups of this epoch: those that it has given up on may run
                     elsewhere by now, so nothing starts here */
    /* What the plane wants is taken up to taken_revision; heard_revision is newer when an order could not be. */
    int64_t taken_revision, heard_revision;
    int64_t ask_again_ms, asks; /* steady: then it is asked again; how often in a row */
    bool starting;              /* containers may start: as of the last plans */
    bool looks;                 /* a container's end could not be looked at */
    bool ticking;               /* a tick is under way */
    int64_t ticks;
    int quiet_s;              /* for how long no job has been under way: settle.c */
    bool settled;             /* what only the start needed was given back */
    int worked;               /* jobs since that was done last */
    bool refused;             /* the last report was not taken: none before the next beat */
    bool told_due, reporting; /* something to tell; a report is under way */
    int64_t report_sequence;  /* of the one under way */
    int64_t images_told,
        images_sent;        /* image_list_version() the plane knows, and in that one; -1: none */
    struct leaving leaving; /* disks_leaving.h: local disks that the plane wants removed */
    int64_t beat_ms, reported_boot_ns;
    int64_t wake_ms; /* earliest time a plan asked for */
    struct reported_message {
        struct message message;
        bool taken;
        struct report_answer answer;
        int64_t sent_boot_ns;
    } reported; /* one report is under way at a time: its answer needs no memory that may be short */
};

/* orders.c */
/* What is wanted from revision `after` on. */
void agent_take_desired(void *agent, int64_t after, const struct desired *desired);
/* Asks the plane again for what could not be taken, when it is time. */
void agent_ask_again(struct agent *agent);
void agent_take_joined(void *agent, const struct join_answer *answer);
struct hosted *agent_find(struct agent *agent, const char *uid);
struct hosted *agent_add(struct agent *agent, const char *uid, struct err *err) MUST_CHECK;

/* outcomes.c */
void agent_job_done(void *agent, struct job *job);
void agent_progress(void *agent, struct message *message);
void agent_tick_done(void *agent, struct tick *tick);
/* After a change: planned, kept on disk, told to the plane. */
void agent_changed(struct agent *agent, struct hosted *group);

/* ends.c */
void agent_take_exits(struct agent *agent);
/* Containers whose end was announced and could not be looked at. */
void agent_look_again(struct agent *agent);
/* A container as the runtime has it: true when that is the end of the run noted as running, which is taken. */
bool agent_take_found(struct hosted *group, struct member *member,
                      const struct runtime_found *found);
void agent_take_end(struct hosted *group, struct member *member, int64_t finished_ms,
                    int64_t exit_code, bool oom);
/* Asks the runtime about a container that runs for us: true when it has ended, which is taken. */
bool agent_look(struct agent *agent, struct hosted *group, struct member *member);

/* recover_records.c */
bool agent_recover_records(struct agent *agent, struct err *err) MUST_CHECK;

/* recover.c */
bool agent_recover(struct agent *agent, struct err *err) MUST_CHECK;

/* telling.c */
void agent_tell(struct agent *agent);
void agent_take_reported(void *agent, const struct report_answer *answer, int64_t sent_boot_ns);
void agent_watch_lease(struct agent *agent);

/* steps.c */
/* Plans those that are due, until they have nothing to do now. */
void agent_advance_due(struct agent *agent);
/* telling_images.c: adds the node's images to a report, when they changed. */
void agent_tell_images(struct agent *agent, struct arena *arena, struct report *report);

/* settle.c */
void agent_settle(struct agent *agent); /* each second */
void agent_worked(struct agent *agent); /* a job has ended */

/* agent.c */
/* One round of the loop: plan, tell, wait for something to happen (at most wait_max_ms), take it. */
bool agent_round(struct agent *agent, int wait_max_ms, bool *stopping, struct err *err) MUST_CHECK;
void agent_second(struct agent *agent); /* one has passed */
void agent_start_tick(struct agent *agent);

#endif
