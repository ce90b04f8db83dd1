/* A node for the whole agent without root: the real meter on a memory disk, the fake runtime, and in place of network,
 * images, link and worker threads the tables below. The linker puts them there (meson.build), so the agent is the real
 * one, line by line.
 *
 * All of it is memory that forked children share. An agent lives in a child and is killed there with SIGKILL at a
 * chosen moment: before or after any call that changes something outside of it. The next agent finds what it left.
 *
 *     node_begin(&script);
 *     node_live(17);       an agent, killed at its 17th moment
 *     node_live(0);        the next one, until the script is played
 *     ... what does node say? ...
 *     node_end();
 *
 * Threads: one.   Owner: node_end(). */
#ifndef TESTS_UNIT_SUPERVISE_NODE_H
#define TESTS_UNIT_SUPERVISE_NODE_H

#include "base/limits.h"
#include "node-agent/supervise/agent_state.h"
#include "node-agent/supervise/job_steps.h"

#define NODE_UID "00000000-0000-4000-8000-000000000001"

enum { NODE_START_S = 1700000000, NODE_RUNS_MAX = 8, NODE_INTERVALS_MAX = 32 };

/* What the plane does, one after the other: each act waits until what it asked for was reported. */
enum act_kind { ACT_END, ACT_RUN, ACT_STOP, ACT_REMOVE, ACT_EXIT };
enum act_until {
    UNTIL_NOW,
    UNTIL_RUNNING,
    UNTIL_BEGUN, /* it runs, or it is over already */
    UNTIL_AGAIN,
    UNTIL_STOPPED,
    UNTIL_FINISHED,
    UNTIL_REMOVED
};
struct act {
    enum act_kind kind;
    enum act_until until;
};
struct script {
    enum restart_policy policy;
    const struct act *acts; /* ACT_END ends them */
    int64_t restarts;       /* of each container in each incarnation, that policy must have made */
    bool init; /* with two init containers, "first" and "second", which end well when they run */
    int creates_failing, starts_failing; /* so many, for want of something of the node's */
    bool probed; /* "web" is asked both ways, and declares one of the group's two ports */
};

struct seen { /* of one incarnation, newest report */
    bool told, released, removed, running, failed;
    enum group_state state;
    char address[48], detail[64];
    int64_t exit_code;     /* of "web"; -1: not told */
    int64_t previous_code; /* of its last run before that has one */
    int64_t restarts, created_events, started_events, side_started_events;
    int64_t containers; /* told of at once, at most */
    char second_detail[64];
    struct words {
        char name[24], warning[256], again[256]; /* newest warning and newest BackOff */
        int64_t warnings;
    } of_web, of_group;
    char failure[256];
};

struct node {
    char folder[64];
    struct runtime *runtime;
    int64_t now_ms;
    /* the agent's moments */
    int64_t moments, kill_at;
    const char *kill_at_name; /* or at the first moment that is called so */
    char killed_at[64];
    bool played;
    char fault[512];
    /* network, images */
    int address, addresses; /* of the group, 0: none; given so far */
    char holders[6][HOLDER_SIZE];
    int pulls;
    enum job_part failing_part; /* fails this often with this code */
    enum err_code failing_code;
    int failing;
    struct network_port ports[LIMIT_ADDRESS_PORTS_MAX]; /* open */
    size_t ports_count;
    int opens_failing;
    /* probes that are asked now */
    struct node_probe {
        int64_t token;
        enum probe_kind kind;
        bool good;
        int64_t running_ms;
        char address[48];
    } probes[8];
    size_t asked_count;
    /* a local disk: the group's when it is named; removals tried and failing, reports that told of one */
    char disk[ID_SIZE];
    int disk_removals, disks_failing, disks_told;
    /* the link */
    int64_t asked, ask_after; /* how often it was asked to ask again, and from which revision */
    bool storing_nothing;     /* the plane hears, and its disk is full: so many reports since */
    int unstored;
    /* the plane */
    struct script script;
    int step;
    int64_t epoch, revision, incarnation;
    enum wanted wanted;
    struct seen seen[NODE_RUNS_MAX];
    struct usage_interval intervals[NODE_INTERVALS_MAX];
    size_t intervals_count;
};
extern struct node *node;

void node_begin(const struct script *script);
/* True when the agent was killed before the script was played. */
bool node_live(int64_t kill_at);
/* Seconds pass while no agent lives. */
void node_pass(int64_t seconds);
void node_end(void);

/* For tests that drive an agent themselves, in this process. */
struct agent *node_agent_new(void);
void node_agent_free(struct agent *agent);
/* One round of the loop, one piece of work, what the plane answers; a tenth of a second passes. */
void node_round(struct agent *agent);

/* Inside node: every change of the world outside the agent. */
void node_moment(const char *what);
/* plane.c */
void plane_take_report(const struct report *report);
bool plane_advance(void); /* true when it wants something new */
void plane_end_init(void);
struct desired plane_desired(struct arena *arena);
/* fakes.c */
void fakes_tell_joined(void);
void fakes_tell_desired(void);
void fakes_tell_reported(void);
bool fakes_work(void); /* runs one piece of work that waits; false: none did */

#endif
