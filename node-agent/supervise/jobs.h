/* The blocking half of supervision: each step of a plan as a job on a worker, by value in, by message out.
 * Threads: job_submit on the loop; jobs run on workers and touch nothing of the loop's; `done` is called on the loop. */
#ifndef SUPERVISE_JOBS_H
#define SUPERVISE_JOBS_H

#include "node-agent/supervise/agent.h"
#include "node-agent/supervise/inbox.h"
#include "node-agent/supervise/order.h"
#include "node-agent/supervise/plan.h"
#include "node-agent/supervise/workers.h"

struct link;

/* What jobs need of the agent; constant while it runs. */
struct jobs {
    struct agent_parts parts;
    struct link *link;
    struct inbox *inbox;
    struct workers *workers;
    struct metadata *metadata;
};

enum { JOB_NAMES_MAX = 60 };

/* What a prepare goes through, in this order. */
enum job_part {
    PART_USAGE,
    PART_USERS,
    PART_VOLUMES,
    PART_IMAGE,
    PART_FOLDERS,
    PART_NETWORK,
    PART_LIMITS
};

struct job {
    struct work work;
    struct message message;
    struct jobs *jobs;
    enum plan_step step;
    char uid[ID_SIZE];
    int64_t incarnation;
    struct order *order; /* NULL for clear and forget of a group known by name only */
    size_t member;       /* run: which container; prepare at PART_IMAGE: whose */
    char member_name[MEMBER_NAME_SIZE];
    int64_t restarts;  /* run: how often before */
    bool once;         /* run: at most one run, ever (restart policy Never) */
    bool keep_network; /* clear */
    int cancel_fd;     /* prepare */
    struct {
        char name[MEMBER_NAME_SIZE];
    } running[JOB_NAMES_MAX]; /* signal: these */
    size_t running_count;
    int signal_number;          /* kill: this one; 0: the one its image names */
    int64_t ready;              /* open: health_ready() */
    struct network_users users; /* prepare: whose the group is */
    /* results */
    bool ok;
    enum job_part part; /* prepare: where it is, and where it failed */
    struct err err;
    int64_t started_ms;
    bool refused_second_run;
    bool spent;                               /* run: it failed, and may have begun its only run */
    bool unprepared;                          /* run: image or network is gone */
    char digests[JOB_NAMES_MAX][DIGEST_SIZE]; /* prepare: of the containers' images */
    char address[NETWORK_ADDRESS_SIZE];
    void (*done)(void *agent, struct job *job); /* on the loop; the job is freed after it */
};

struct job *job_new(struct jobs *jobs, enum plan_step step, const char *uid, int64_t incarnation,
                    struct order *order);
void job_submit(struct job *job);

/* An event for a container of a group while its job goes on. */
struct progress {
    struct message message;
    char uid[ID_SIZE];
    int64_t incarnation;
    char member_name[MEMBER_NAME_SIZE];
    char text[GROUP_TEXT_SIZE];
};
/* Set by the agent before any job. */
extern void (*job_progress)(void *agent, struct message *message);

/* The files of its containers become those of the order, while they run. */
void job_renew_config(struct jobs *jobs, struct order *order);

/* A question of the plane, answered by a worker; those for a stream by opening one. */
void job_answer(struct jobs *jobs, const struct question *question);
void job_stream(struct jobs *jobs, const struct question *question);

/* What is measured each second: containers by value. `done` of a tick is called on the loop like a job's. */
struct tick_container {
    char uid[ID_SIZE];
    char name[MEMBER_NAME_SIZE];
    int64_t incarnation;
    bool first;
};
struct tick {
    struct work work;
    struct message message;
    struct jobs *jobs;
    struct tick_container *containers;
    size_t count;
    bool collect; /* also look for unused images */
    void (*done)(void *agent, struct tick *tick);
};
void tick_submit(struct tick *tick);
void tick_free(struct tick *tick);

/* Folders of a group, in `out` of PATH_SIZE. */
enum { PATH_SIZE = 512 };
const char *group_folder(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE]);
/* The order at work, and one that was taken and waits for its turn. */
const char *group_order_path(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE]);
const char *group_newest_path(const struct agent_parts *parts, const char *uid,
                              char out[PATH_SIZE]);

#endif
