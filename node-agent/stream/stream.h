/* The node's ends of streams: terminals of commands that run in containers, and log files that are followed. The
 * caller has opened the connection to the plane (link.h) and whatever stands behind it; from then on one thread
 * moves bytes for all of them, and nothing here ever blocks.
 *
 *   plane <= websocket => stream <=> terminal of a command     streams_add_terminal()
 *                                 <= log files of a group      streams_add_logs()
 *
 * Each direction has a ceiling on what waits in it (LIMIT_STREAM_BUFFER_BYTES); past it its source is not read: a
 * command then waits in its write, a log file stays where it is.
 * When the agent ends, or is killed, the terminals hang up and their commands end by SIGHUP, as if a modem had.
 * Not for: opening any of it (supervise/job_stream.c).
 * Threads: any may add.   Owner: streams_free(). What is added is owned here, on failure too. */
#ifndef NODE_AGENT_STREAM_STREAM_H
#define NODE_AGENT_STREAM_STREAM_H

#include "base/fields.h"
#include "base/websocket.h"

struct streams;

struct streams *streams_new(struct err *err) MUST_CHECK;
void streams_free(struct streams *streams);
AUTO_TYPE(streams);

struct stream_terminal {
    int fd;      /* the terminal's controlling side; -1: none */
    int said_fd; /* what the program that runs the command says of its own; -1: nothing */
    pid_t pid;   /* that program, a child of this process: reaped here */
};
/* Ends with "exit code N". */
bool streams_add_terminal(struct streams *streams, const struct websocket_io *io,
                          const struct stream_terminal *terminal, struct err *err) MUST_CHECK;

struct stream_logs {
    const char *uid;    /* of the group */
    const char *folder; /* its <container>.log, and those that rotation.h of the runtime names */
    const struct text_list *containers;
    const char *position; /* begin behind it; NULL */
    int64_t tail;         /* without a position: so many last lines; -1: all of this run */
    bool raw;             /* as the container wrote it; false: server-sent events */
    bool ends;            /* nothing more will be written */
    int end_fd;           /* readable when nothing more will be written; -1 */
};
bool streams_add_logs(struct streams *streams, const struct websocket_io *io,
                      const struct stream_logs *logs, struct err *err) MUST_CHECK;

/* Nothing but an end: `words` for people (may be ""), `reason` for the good-bye. */
bool streams_add_words(struct streams *streams, const struct websocket_io *io, const char *words,
                       const char *reason, struct err *err) MUST_CHECK;

/* Nothing more is written to the logs of that group: who follows them gets what is there, and the end. */
void streams_group_over(struct streams *streams, const char *uid);

/* ---- for tests and fuzzing: pure ---- */

/* Takes a command line apart as a shell does, without expanding anything: quotes, backslashes, blanks.
 * ERR_EXEC_COMMAND: a quote that does not end, too many words. */
bool stream_command_split(const char *line, struct arena *arena, struct text_list *words,
                          struct err *err) MUST_CHECK;

/* One line of a log file as conmon writes it, without its end. */
struct stream_line {
    const char *content;
    size_t content_size;
    char time[40]; /* RFC 3339, "…Z" */
    bool is_error; /* from stderr */
    bool is_part;  /* the line goes on in the next */
};
/* False: it is none; `content` is all of it. */
bool stream_line_parse(const char *bytes, size_t size, struct stream_line *line);

#endif
