/* What the files of this room share. All of it is under streams->lock.
 *
 *     NEW       asked for; nobody has come                    LIMIT_STREAM_TAKE_UP_MS
 *      |  streams_claim()
 *     CLAIMED   the client is there, its password is not      LIMIT_STREAM_PASSWORD_MS
 *      |  the password is right
 *     ASKED     the node's next poll tells it                 LIMIT_NODE_ANSWER_MS
 *      |  streams_take_node()
 *     JOINED    bytes go both ways                            idle_ms
 *      |  one side ends
 *     ENDING    last words go out                             LIMIT_STREAM_END_MS
 */
#ifndef API_STREAM_INSIDE_H
#define API_STREAM_INSIDE_H

#include "api/stream/stream.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"

enum session_state { SESSION_NEW, SESSION_CLAIMED, SESSION_ASKED, SESSION_JOINED, SESSION_ENDING };

struct session;

struct side {
    struct session *session;
    struct websocket *socket; /* NULL: not there yet, or gone */
    uint32_t waits_for;       /* epoll events */
    bool over;                /* nothing more comes from it */
};

struct session {
    struct session *next, **held_by;
    struct streams *streams;
    struct arena *arena;
    struct question *question;
    char id[ID_SIZE], password_hash[65];
    const char *subscription;
    int64_t node_key;
    enum session_state state;
    bool told;     /* to the node */
    bool password; /* was right */
    bool control;
    int64_t since_ns; /* in this state */
    int64_t moved_ns; /* when bytes last came through */
    int64_t pinged_ns;
    struct side client, node;
    struct tap *tap;    /* instead of a client */
    struct text *words; /* a message that is being gathered: the password, an order */
    struct text *early; /* what the client said before the node was there */
};

struct tap {
    struct streams *streams;
    struct session *session; /* NULL: it has ended */
    struct text *waiting;
    size_t read; /* of it */
    bool over;
    struct tap_reader paused; /* resume NULL: it is not */
    int64_t taken_ns;         /* when something was last read */
};

struct streams {
    struct streams_options options;
    struct lock lock;
    struct session *first, *gone; /* gone: freed once no event of this round can name them */
    size_t count;
    int epoll_fd;
    struct bell bell; /* there are new sides, or it is the end */
    pthread_t thread;
    bool runs, stopping;
};

/* ---- sessions.c ---- */
struct session *session_find(struct streams *streams, const char *id);
struct session *session_new(struct streams *streams, const struct stream_ask *ask, struct err *err)
    MUST_CHECK;
void session_move(struct session *session, enum session_state state);
/* The password was right: the node is asked. */
void session_ask(struct session *session);
/* Takes it off the list; its memory goes with streams_drop_gone(). */
void session_remove(struct session *session);
void session_free(struct session *session);

/* ---- traffic.c ---- */
/* One side begins: its socket is made and waited for. */
bool side_begin(struct session *session, struct side *side, const struct websocket_io *io,
                const void *left, size_t left_size);
void side_drop(struct side *side);
void side_happened(struct side *side, uint32_t events);
/* Reads what was held, sends what waits, ends what is over, and sets what is waited for. */
void session_settle(struct session *session);
/* Says good-bye to both sides. */
void session_end(struct session *session, int code, const char *reason);

/* ---- tap.c ---- */
void tap_add(struct tap *tap, const char *bytes, size_t size);
bool tap_is_full(const struct tap *tap);
/* The last event. */
void tap_end(struct tap *tap, const char *reason);
void tap_wake(struct tap *tap);

#endif
