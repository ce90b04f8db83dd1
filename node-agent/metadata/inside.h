/* What the files of this room share: a group's place, and a call on its way. */
#ifndef METADATA_INSIDE_H
#define METADATA_INSIDE_H

#include "base/thread.h"
#include "node-agent/metadata/metadata.h"

struct MHD_Connection;
struct MHD_Daemon;

enum call_state { CALL_NEW, CALL_ASKED, CALL_ANSWERED };

struct call { /* one GET; freed when both its connection and whoever answers have let go */
    struct metadata_question question;
    struct metadata *metadata;
    enum call_state state;             /* of the room's thread, but for ANSWERED: under the lock */
    struct MHD_Connection *connection; /* NULL: it is gone */
    bool asked;                        /* somebody may still answer */
    int status;
    char *body;
    struct call *next; /* of its place: asked and not answered */
};

struct place { /* one group */
    char uid[ID_SIZE];
    struct metadata *metadata;
    struct MHD_Daemon *daemon;
    struct call *calls;
    bool closing, closed;
    struct place *next;
};

struct metadata {
    metadata_ask *ask;
    void *context;
    struct bell bell; /* places changed */
    int epoll_fd;
    pthread_t thread;
    bool runs;
    struct lock lock;      /* everything below, and calls' answers */
    pthread_cond_t closed; /* a place was closed */
    struct place *places;
    bool stopping;
};

/* server.c: the only file that sees libmicrohttpd. */
struct MHD_Daemon *place_listen(struct place *place, int listening_fd, int *epoll_fd);
void place_run(struct place *place);
/* Ends its connections; no thread is in place_run(). */
void place_end(struct place *place);

#endif
