/* The prober's own: its probes, and the thread's table of commands under way.
 * Threads: the prober's, but what says otherwise. */
#ifndef PROBE_INNER_H
#define PROBE_INNER_H

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include "node-agent/probe/http.h"

#include <stdatomic.h>

struct probing { /* one probe of one running container */
    struct probing *next;
    struct probe_news news; /* who it is; filled in with each answer */
    struct probe_rules rules;
    struct probe_state state;
    bool told_good; /* the verdict as told */
    atomic_bool over;
    struct web_get *get;      /* it is a request */
    struct text_list command; /* or a command: one block of memory */
    void *running;            /* under way */
    int64_t until_ms;         /* then it has failed */
};

struct prober {
    struct probe_commands commands;
    probe_said_fn *said;
    void *context;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
    struct web *web;
    struct lock lock;
    struct probing *first; /* changed by the thread alone, and only under the lock */
    struct probing *incoming;
    bool changed; /* something came, or is over */
    /* The thread's. */
    int64_t next_ms; /* nothing is due before */
    struct probing *active[LIMIT_PROBE_COMMANDS_MAX];
    struct pollfd fds[LIMIT_PROBE_COMMANDS_MAX]; /* of the same index */
    size_t active_count;
};

static inline int64_t probe_now_ms(void)
{
    return clock_boot_ns() / 1000000;
}

/* one.c. Any thread; NULL: no memory. */
struct probing *probing_new(struct prober *prober, const struct probe_spec *spec) MUST_CHECK;
void probing_free(struct prober *prober, struct probing *probing);

/* prober.c: taken by the state machine, told if it matters. Its words stand in probing->news. */
void probing_answered(struct prober *prober, struct probing *probing, enum probe_answer answer);

/* commands.c. False: as many run as may, and it waits for its turn. */
bool command_start(struct prober *prober, struct probing *probing) MUST_CHECK;
/* Those that ended, took too long or are over. */
void commands_look(struct prober *prober);

#endif
