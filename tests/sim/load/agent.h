/* One pretended node that speaks the real protocol: joins, beats, holds its poll, and reports each group Running the
 * moment it is told to run it.
 *
 *   join ─▶ report, each beat and at once after news       (one connection)
 *        └▶ desired, held open by the plane                (another)
 *
 * Threads: one.   Owner: agent_done(). */
#ifndef TESTS_SIM_LOAD_AGENT_H
#define TESTS_SIM_LOAD_AGENT_H

#include "base/id.h"
#include "model/link.h"
#include "tests/sim/load/wire.h"

struct load; /* main.c: what all agents share */

struct run {
    char uid[ID_SIZE];
    int64_t incarnation;
    bool holds;
    int64_t from_s;
    struct node_capacity held;
};

struct agent {
    struct load *load;
    char name[64], id[ID_SIZE], credential[ID_TOKEN_SIZE];
    bool joined;
    int64_t epoch, after, sequence, next_beat_ns, next_poll_ns;
    struct wire beat, poll;
    struct run *runs;
    size_t runs_count, runs_max;
    struct text *statuses, *intervals;    /* to be told, as JSON without brackets */
    size_t told_statuses, told_intervals; /* of them, on their way */
};

struct load {
    int epoll_fd;
    struct sockaddr_in plane;
    const char *join_token, *location;
    struct node_capacity capacity;
    int64_t beat_ms;
    struct arena *arena; /* of one message */
    /* counted */
    int64_t joined, reports, polls, broken, refused, running;
    int32_t *report_us;
    size_t report_us_count, report_us_max;
};

bool agent_init(struct agent *agent, struct load *load, const char *prefix, size_t number);
void agent_done(struct agent *agent);
/* What is due by the clock. */
void agent_tick(struct agent *agent, int64_t now_ns);
/* An event on one of its connections. */
void agent_event(struct agent *agent, struct wire *wire);

#endif
