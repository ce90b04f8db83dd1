/* The node's side of model/link.h: joins the plane, keeps a poll open for what it wants, sends reports.
 *
 *   link-poll:   join -> poll -> poll -> … -> (epoch refused) join …     calls joined, desired
 *   link-report: waits for a report -> sends it -> …                      calls reported
 *
 * Whatever fails is tried again with growing pauses, for ever; the fence, not the link, decides what a lost plane
 * means. Callbacks run on the link's threads and must only hand over (the agent's inbox).
 * Threads: link_report and link_answer from any thread.   Owner: link_free(), which ends both threads. */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "base/websocket.h"
#include "model/link.h"

struct link;

struct link_events {
    /* A new epoch began: the next desired comes from revision 0. False: it could not be taken, join again. */
    bool (*joined)(void *context, const struct join_answer *answer);
    /* What the plane wants from revision `after` on; the arena holds it and is the receiver's to free. False: it could
     * not be taken, ask for it again. */
    bool (*desired)(void *context, struct arena *arena, int64_t after,
                    const struct desired *desired);
    /* The report was committed (answer) or not (NULL): send a newer one. sent_boot_ns: clock_boot_ns() at sending. */
    void (*reported)(void *context, const struct report_answer *answer, int64_t sent_boot_ns);
    void *context;
};

struct link_options {
    const char *plane_url;     /* "https://127.0.0.1:8700", no path */
    const char *plane_ca_file; /* PEM; NULL: what the system trusts */
    const char *join_token;
    const char *identity_path; /* file that keeps node id and credential, mode 0600 */
    /* node_id and credential are filled in here; pointers must outlive the link */
    struct join_request join;
    struct link_events events;
};

struct link *link_new(const struct link_options *options, struct err *err) MUST_CHECK;
void link_free(struct link *link);

/* Hands a report to the sender; its epoch is filled in here. False: one is under way, or not joined yet. */
bool link_report(struct link *link, const struct report *report) MUST_CHECK;
/* The next desired comes from this revision on, whatever was polled before; a poll under way ends. */
void link_ask(struct link *link, int64_t after);
/* Sends an answer, waiting for it to be taken. */
bool link_answer(struct link *link, const char *question_id, const struct answer *answer,
                 struct err *err) MUST_CHECK;

/* Asks for a token in a group's name, waiting for it: the plane's JSON is in `out`. ERR_NODE_AWAY when the plane is;
 * otherwise its own words. */
bool link_token(struct link *link, const struct token_ask *ask, struct text *out, struct err *err)
    MUST_CHECK;
/* Opens the node's end of the stream that a question asked for; it is the client's side of a WebSocket. Blocks for some
 * seconds at most. */
bool link_stream_open(struct link *link, const char *question_id, struct websocket_io *io,
                      struct err *err) MUST_CHECK;

AUTO_TYPE(link);

#endif
