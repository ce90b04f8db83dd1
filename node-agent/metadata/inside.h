/* What the files of this room share: a group's place, and a call on its way. */
#ifndef METADATA_INSIDE_H
#define METADATA_INSIDE_H

#include "base/thread.h"
#include "node-agent/metadata/metadata.h"

struct connection;

struct call { /* one GET; freed when both its connection and whoever answers have let go */
    struct metadata_question question;
    struct metadata *metadata;
    /* Under the lock: */
    bool waits; /* somebody may still answer */
    bool left;  /* its connection is gone */
    int status;
    char *body;
};

struct place { /* one group */
    char uid[ID_SIZE];
    struct metadata *metadata;
    int epoll_fd, listener;
    struct connection *connections; /* the thread's alone */
    size_t connections_count;
    bool closing, closed;
    struct place *next;
};

struct metadata {
    metadata_ask *ask;
    void *context;
    struct bell bell; /* places changed, or a call was answered */
    int epoll_fd;
    pthread_t thread;
    bool runs;
    struct lock lock;      /* everything below, and calls' answers */
    pthread_cond_t closed; /* a place was closed */
    struct place *places;
    bool stopping;
};

/* server.c. The descriptor stays the caller's when it fails. */
bool place_listen(struct place *place, int listening_fd) MUST_CHECK;
/* What can be done now for its connections. */
void place_run(struct place *place);
void place_end(struct place *place);

/* call.c: what a request is answered with. `body` NULL: `call` waits for its answer. */
struct reply {
    int status;
    struct text *body;
    struct call *call;
};
void call_begin(struct place *place, char *head, struct reply *out);
/* False: it has not been answered. */
bool call_take(struct call *call, struct reply *out) MUST_CHECK;
/* Its connection is done with it. */
void call_leave(struct call *call);

#endif
