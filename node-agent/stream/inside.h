/* What the files of this room share. All of it belongs to the room's thread, but for the list of arrivals. */
#ifndef NODE_AGENT_STREAM_INSIDE_H
#define NODE_AGENT_STREAM_INSIDE_H

#include "base/clock.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/thread.h"
#include "node-agent/stream/stream.h"

#include <sys/epoll.h>

struct stream;

/* One descriptor that a stream waits for. */
struct watched {
    struct stream *stream;                   /* NULL: of the room */
    void (*happened)(struct stream *stream); /* before the stream moves on; NULL: only that */
    int fd;                                  /* -1: not there, or over */
    uint32_t events;                         /* waited for; 0: not in the set */
};

/* What stands behind a stream. */
struct source {
    /* From the plane. */
    void (*take)(struct stream *stream, enum websocket_kind kind, const void *bytes, size_t size,
                 bool whole);
    /* Moves on, as far as it can: called after anything happened. */
    void (*settle)(struct stream *stream);
    void (*drop)(struct stream *stream);
};

struct tail;

struct stream {
    struct stream *next, **held_by;
    struct streams *streams;
    const struct source *source;
    struct websocket *socket;
    struct watched watched_socket;
    bool socket_over, ending;
    int64_t ending_ns, pinged_ns;

    /* terminal.c */
    struct watched terminal, said, child;
    pid_t pid; /* 0: reaped */
    int exit_code;
    struct text *input, *words, *order;
    struct text *head; /* what came out of the terminal first */

    /* logs.c */
    char uid[ID_SIZE], folder[512];
    struct tail *tails;
    size_t tails_count;
    int watch; /* of inotify; -1 */
    struct watched end;
    bool raw, over; /* over: nothing more is written */
    const char *over_reason;
    struct text *out;
};

struct streams {
    int epoll_fd, inotify_fd;
    struct watched bell_watched, inotify_watched;
    struct bell bell;
    pthread_t thread;
    bool runs;
    struct stream *first, *gone;
    struct orphan {
        struct orphan *next;
        pid_t pid;
    } * orphans;
    struct lock lock; /* the rest */
    struct stream *arrivals;
    bool stopping;
    struct over {
        struct over *next;
        char uid[ID_SIZE];
    } * overs;
};

/* ---- streams.c ---- */
struct stream *stream_new(const struct source *source, const struct websocket_io *io,
                          struct err *err) MUST_CHECK;
/* Hands it to the thread. */
void stream_give(struct streams *streams, struct stream *stream);
/* Waits for these events of that descriptor from now on; 0: for none. */
void watched_wait(struct stream *stream, struct watched *watched, uint32_t events);
void watched_drop(struct stream *stream, struct watched *watched);
/* Sends the last words and the good-bye. */
void streams_orphan(struct streams *streams, pid_t pid);
void stream_end(struct stream *stream, const char *reason);
/* Moves everything on, as far as it goes; the stream may be gone afterwards. */
void stream_settle(struct stream *stream);
static inline bool stream_is_full(const struct stream *stream)
{
    return websocket_waiting(stream->socket) > LIMIT_STREAM_BUFFER_BYTES;
}

/* ---- logs.c ---- */
void logs_changed(struct streams *streams);
void logs_begin(struct stream *stream);

/* ---- tail.c: one container's files, read in the order in which they were written ---- */

struct tail {
    char name[64], path[640]; /* of the newest file */
    int fd;
    char stamp[24]; /* of the first line of the file: what it is known by */
    int64_t offset;
    bool begun, gap;
};
/* `position` of that file, "stamp.offset" of it; NULL: from the run that is, or its last lines. */
void tail_begin(struct tail *tail, const char *position, size_t position_size, int64_t lines);
/* The next bytes, whole lines; 0: none now. */
size_t tail_read(struct tail *tail, char *bytes, size_t size);
void tail_done(struct tail *tail);

#endif
