/* Streams between clients and nodes: exec, attach, followed logs. A client asks for one, and opens it with its
 * password; the node that runs the container is asked through its poll and opens the other end; from then on one
 * thread moves bytes, whoever many streams there are.
 *
 *   client      POST …/exec            streams_open()          id and password, remembered for a while
 *   client      GET /execstream/…      streams_take_client()   a WebSocket; its first message is the password
 *   node        poll                   streams_questions()     told once the password was right
 *   node        GET /v1/agent/streams  streams_take_node()     a WebSocket
 *   thread      client <-> node, until one of them ends
 *
 * Followed logs have no WebSocket on the client's side but a `tap`: a buffer that the reply is read from.
 * Every direction has a ceiling on what waits in it (LIMIT_STREAM_BUFFER_BYTES): past it its source is not read.
 * Not for: HTTP, who may ask (api/handlers/exec.c).
 * Threads: any; the streams themselves belong to one thread, "streams".   Owner: streams_free(). */
#ifndef API_STREAM_STREAM_H
#define API_STREAM_STREAM_H

#include "base/arena.h"
#include "base/id.h"
#include "base/websocket.h"
#include "model/link.h"

struct streams;

struct streams_options {
    int64_t idle_ms; /* 0: never too long */
    /* That node has been asked something. Called under the streams' lock. */
    void (*node_asked)(void *context, int64_t node_key);
    void *context;
};

struct streams *streams_new(const struct streams_options *options, struct err *err) MUST_CHECK;
/* Ends all of them; those that begin from now on are refused. Returns when their connections are closed. */
void streams_stop(struct streams *streams);
void streams_free(struct streams *streams);
AUTO_TYPE(streams);

/* ---- the client's side ---- */

struct stream_ask {
    int64_t node_key;
    const char *subscription;        /* whose ceiling it counts for */
    const struct question *question; /* copied; its id is given here */
};
enum { STREAM_PASSWORD_SIZE = ID_TOKEN_SIZE + 8 };
struct stream_ticket {
    char id[ID_SIZE];
    char password[STREAM_PASSWORD_SIZE];
};
/* ERR_STREAMS at a ceiling. */
bool streams_open(struct streams *streams, const struct stream_ask *ask,
                  struct stream_ticket *ticket, struct err *err) MUST_CHECK;

/* A request to upgrade: may the stream be opened? `password`: of a header, NULL when it comes as first message.
 * ERR_STREAM_NOT_FOUND, ERR_UNAUTHENTICATED (and the stream is gone). It is taken with this call. */
bool streams_claim(struct streams *streams, const char *id, const char *password, struct err *err)
    MUST_CHECK;
/* The upgraded connection of a claimed stream; io is taken over in any case. `control`: its text messages are
 * orders (struct stream_size) and not input. */
void streams_take_client(struct streams *streams, const char *id, bool control,
                         const struct websocket_io *io, const void *left, size_t left_size);

/* ---- followed logs ---- */

struct tap;
/* As streams_open(), but begins at once. `resume` is called when there is something to read after tap_read() said
 * there is nothing; under the streams' lock. */
struct tap *streams_follow(struct streams *streams, const struct stream_ask *ask, struct err *err)
    MUST_CHECK;
struct tap_reader {
    void (*pause)(void *context);
    void (*resume)(void *context);
    void *context;
};
/* What is there, up to `size` bytes; 0 after reader->pause(); -1: that was all. */
ssize_t tap_read(struct tap *tap, const struct tap_reader *reader, char *bytes, size_t size);
void tap_free(struct tap *tap); /* the stream ends with it */
AUTO_TYPE(tap);

/* ---- the node's side ---- */

bool streams_has_question(struct streams *streams, int64_t node_key);
/* Those not told yet, copied, at most `max` at *questions + *count. */
bool streams_questions(struct streams *streams, int64_t node_key, struct arena *arena,
                       struct question *questions, size_t max, size_t *count) MUST_CHECK;
/* Whether that node was asked for the stream and has not opened it. ERR_STREAM_NOT_FOUND. */
bool streams_awaits_node(struct streams *streams, const char *id, int64_t node_key, struct err *err)
    MUST_CHECK;
/* The node's program has started anew: what its predecessor was asked and did not open is asked again. */
void streams_node_joined(struct streams *streams, int64_t node_key);
void streams_take_node(struct streams *streams, const char *id, const struct websocket_io *io,
                       const void *left, size_t left_size);

#endif
