/* One group on its node: what was ordered, how far it is, what its containers did. Plain data of the agent's loop;
 * plan.h decides on it, agent.c changes it, record.c keeps it on disk, status.c tells the plane.
 *
 *   stage:  NONE --prepare--> UP --signal--> ENDING --clear--> CLEARED --forget--> (gone)
 *             '------------------------clear-------------------^   '--next incarnation--> NONE
 *
 * Threads: the loop's only. */
#ifndef SUPERVISE_HOSTED_H
#define SUPERVISE_HOSTED_H

#include "base/digest.h"
#include "base/id.h"
#include "base/thread.h"
#include "node-agent/supervise/order.h"

enum stage {
    STAGE_NONE,    /* nothing of this incarnation holds anything */
    STAGE_UP,      /* images held, network and cgroup there: containers may run */
    STAGE_ENDING,  /* its containers were asked to end */
    STAGE_CLEARED, /* nothing is held any more; logs and this record are left */
};
extern const char *const stage_words[];

enum { GROUP_TEXT_SIZE = 512, MEMBER_NAME_SIZE = 64 };

struct happening { /* one line of an event list */
    int64_t count, first_ms, last_ms;
    char name[24];
    char message[GROUP_TEXT_SIZE];
    bool warning;
};

struct happenings {
    struct happening *items; /* malloc'ed, oldest first, at most LIMIT_EVENTS_MAX */
    size_t count;
};
/* Equal to one there is (name and message): counted there (§19.1), and the newest from then on. */
void happenings_add(struct happenings *list, int64_t now_ms, bool warning, const char *name,
                    const char *format, ...) PRINTF_LIKE(5, 6);
/* Of those with this name at most `max` stay, the oldest go: words that differ each time hide nothing else. */
void happenings_trim(struct happenings *list, const char *name, size_t max);
/* In place of the newest of this name whose message begins with `begins`; false: there is none. */
bool happenings_retell(struct happenings *list, int64_t now_ms, const char *name,
                       const char *begins, const char *message);
void happenings_done(struct happenings *list);

enum member_phase { MEMBER_WAITING, MEMBER_STARTING, MEMBER_RUNNING, MEMBER_ENDED };
extern const char *const member_phase_words[];

struct run {                         /* one run of a container */
    int64_t started_ms, finished_ms; /* 0: not */
    int64_t exit_code;               /* -1: not known */
    char detail[64];                 /* "Completed", "Error", "OOMKilled", … */
};

enum { SERVED_UNKNOWN = -1 };

struct health {      /* of one run: health.h, probing.c */
    int64_t token;   /* under which the prober asks it; 0: it does not */
    bool ready;      /* its readiness probe passed; never without one */
    bool failed;     /* its liveness probe did: it is being ended */
    bool ending;     /* a job does so now */
    int64_t kill_ms; /* steady: then it is killed; 0: to be asked first */
};

struct member {
    char name[MEMBER_NAME_SIZE];
    bool init;                /* nobody behind it starts before it ended well */
    char digest[DIGEST_SIZE]; /* of its image; "": not pulled yet */
    enum member_phase phase;
    int64_t starts;        /* in this incarnation */
    int64_t restarts;      /* by policy */
    int64_t streak;        /* restarts without a long run between */
    int64_t troubles;      /* starts in a row that the node could not make */
    int64_t next_start_ms; /* back-off, steady; 0: at once */
    bool final;            /* will not be started again */
    bool look;             /* its end was announced; the runtime could not be asked about it yet */
    bool found, lost;      /* while recovering: the runtime has it; it ended, nobody knows when */
    struct run current, previous;
    struct happenings happenings;
    struct health health;
};

struct hosted {
    char uid[ID_SIZE];
    struct order *order;  /* of the incarnation at work; NULL: only known by name */
    struct order *newest; /* newest from the plane; the same as order when that is current */
    int64_t incarnation;
    enum restart_policy policy; /* of the incarnation at work */
    const struct restart_pace *pace;
    enum wanted wanted; /* newest's, or remove when the plane no longer names the group */
    int64_t newest_incarnation;
    enum stage stage;
    int busy;           /* jobs under way */
    bool preparing;     /* one of them is prepare: it can be cancelled */
    struct bell cancel; /* rung: prepare gives up */
    int64_t retry_ms;   /* steady: a failed prepare, clear or forget again not before */
    int64_t tries;      /* failed prepares in a row */
    int64_t ending_ms;  /* steady: when ending containers are killed */
    /* CLEARED, but network and held resources wait for the next incarnation */
    bool kept;
    bool failed; /* for good: failure says why */
    char failure_code[64], failure_text[GROUP_TEXT_SIZE];
    int64_t served;   /* health_ready() as the network's open ports are; SERVED_UNKNOWN */
    bool serving;     /* a job changes them now */
    int64_t serve_ms; /* steady: again not before */
    bool forgotten;   /* nothing is left; dropped once the plane knows */
    char address[48];
    struct happenings happenings;
    struct member *members; /* init containers first */
    size_t members_count;
    int64_t named_epoch;          /* newest epoch in which the plane named it */
    int64_t changes, told, taken; /* of the status: made, sent, acknowledged */
    int64_t ordered_boot_ns; /* when the order to run arrived, for the start metric; 0: counted */
    int64_t wake_ms;         /* steady: its plan asked to be looked at then; 0: not */
    /* groups.h */
    struct hosted *next, *before, *next_due, *next_untold;
    bool is_due, is_untold;
};

struct hosted *hosted_new(const char *uid, struct err *err) MUST_CHECK;
void hosted_free(struct hosted *group);
AUTO_TYPE(hosted);

/* Fresh, unnamed members in place of those there were. */
bool hosted_members(struct hosted *group, size_t count, struct err *err) MUST_CHECK;
/* Takes up the newest order as a fresh incarnation at STAGE_NONE; in the place of one that is kept, its containers go
 * on with the events of theirs. */
bool hosted_begin(struct hosted *group, struct err *err) MUST_CHECK;
struct member *hosted_member(struct hosted *group, const char *name);
struct group_tally hosted_tally(const struct hosted *group);
/* One of its containers runs, or is about to. */
bool hosted_runs(const struct hosted *group);
/* It is an init container that did not end well yet. */
bool member_holds_up(const struct member *member);
/* A newer order to run waits until the incarnation at work is cleared: it takes over what that one holds. */
bool hosted_hands_over(const struct hosted *group);
/* Another run of a container: its restarts-th restart. It began, or (started_ms 0) could not. */
void member_next_run(struct member *member, int64_t restarts, int64_t started_ms);
/* How a run of a container ended. */
struct ending {
    int64_t finished_ms; /* wall time, for people */
    int64_t steady_ms;   /* when the agent learnt of it: back-off counts from here */
    int64_t exit_code;   /* -1: not known */
    const char *detail;  /* NULL: "Completed" or "Error" by the code */
};
extern const char run_was_stopped[]; /* the detail of one that a client ended */
/* Keeps it, decides whether another run follows and when. */
void member_ended(struct hosted *group, struct member *member, const struct ending *ending);

/* Milliseconds that only go forward (boot time): all waiting is counted in these, so that a clock that is set
 * neither kills early nor hangs. Wall time is for people. */
int64_t steady_ms(void);

#endif
