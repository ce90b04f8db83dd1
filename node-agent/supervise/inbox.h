/* What the agent's loop is told by its jobs and by the link: a queue with a bell.
 * Threads: any may put; the loop takes.   Owner: messages belong to the inbox until taken. */
#ifndef SUPERVISE_INBOX_H
#define SUPERVISE_INBOX_H

#include "base/thread.h"

struct message {
    void (*deliver)(void *agent, struct message *message); /* on the loop; frees the message */
    struct message *next;
};

struct inbox {
    struct lock lock;
    struct message *first, **last;
    struct bell bell; /* its fd is pollable */
};

bool inbox_init(struct inbox *inbox, struct err *err) MUST_CHECK;
void inbox_done(struct inbox *inbox);
void inbox_put(struct inbox *inbox, struct message *message);
struct message *inbox_take(struct inbox *inbox); /* NULL: empty */

#endif
