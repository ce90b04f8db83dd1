/* All groups of the agent. Found by uid whatever their number, walked in no order, and in two queues, so that a change
 * of one costs the same among a thousand as among ten: those to be planned, and those of which the plane does not know
 * the newest.
 * Threads: the loop's.   Owner: groups_done() frees them all; a zeroed one is empty. */
#ifndef SUPERVISE_GROUPS_H
#define SUPERVISE_GROUPS_H

#include "node-agent/supervise/hosted.h"

struct groups {
    struct hosted *first; /* ->next: each of them */
    struct hosted **cells;
    size_t count, capacity;          /* a power of two, never more than three quarters full */
    const struct restart_pace *pace; /* of those that come; NULL: the usual one */
    struct hosted *due;
    struct hosted *untold, **untold_last;
};

void groups_done(struct groups *groups);
struct hosted *groups_find(const struct groups *groups, const char *uid);
/* Takes it; freed when it fails. One of this uid must not be there. */
bool groups_add(struct groups *groups, struct hosted *group, struct err *err) MUST_CHECK;
/* Frees one that is in no queue. */
void groups_drop(struct groups *groups, struct hosted *group);

void groups_put_due(struct groups *groups, struct hosted *group); /* in it already is fine */
struct hosted *groups_take_due(struct groups *groups);            /* NULL: none */

/* Has a change that was not acknowledged: queued, once, in the order of the first of them. */
bool hosted_untold(const struct hosted *group);
void groups_put_untold(struct groups *groups, struct hosted *group); /* when it is */
/* Takes everything sent as acknowledged; who has nothing left to tell leaves the queue and is due. */
void groups_take_told(struct groups *groups);

#endif
