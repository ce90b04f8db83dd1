/* Requests that wait: for a commit, an operation's end, something new for a node, a node's answer,
 * a look at an image.
 * Each with a deadline. A handler calls one of these last and returns what it returns; `then` runs
 * when the wait is over and finds in request->wait.end how it ended.
 *
 * Order, so that nothing is missed: the connection is suspended, the request listed, and only then
 * `due` looks whether what it waits for is there already.
 * Threads: handlers call from the connection's thread; wakes come from the store's writer, other
 * requests and the table's own clock thread. */
#ifndef API_WAITS_H
#define API_WAITS_H

#include "api/request.h"

/* ---- for handlers ---- */

/* Runs `work` with the request as its data on the store's writer. request->wait.outcome tells how
 * it went. */
bool wait_commit(struct request *request, store_work work, handler_fn then);
bool wait_for(struct request *request, enum wait_kind kind, int64_t key, int64_t for_ms,
              bool (*due)(struct request *request), handler_fn then);
/* Puts the question before the node; its answer is in request->wait.answer, NULL when that made no
 * sense. Fills question->id. */
bool wait_answer(struct request *request, int64_t node_key, struct question *question,
                 handler_fn then);
/* The outcome of wait_commit() as a handler's result. */
bool wait_committed(const struct request *request, struct err *err) MUST_CHECK;

/* ---- for looks at images ---- */

struct waits;
/* The look of that number has ended. */
void waits_image_known(struct waits *waits, int64_t number);

/* ---- for the nodes' link ---- */

/* Takes the questions for that node that have not been told yet. */
bool waits_questions(struct waits *waits, int64_t node_key, struct arena *arena,
                     struct question **questions, size_t *count) MUST_CHECK;
bool waits_has_question(struct waits *waits, int64_t node_key);
/* There is something new for that node. */
void waits_node_asked(struct waits *waits, int64_t node_key);
/* The node asks anew: polls that it left behind end with WAIT_OVERTAKEN. They may be those of a process that
 * died, and would take its successor's questions with them. */
void waits_overtake_polls(struct waits *waits, int64_t node_key);
/* The node's program has started anew: what its predecessor was asked and did not answer is told again. */
void waits_node_joined(struct waits *waits, int64_t node_key);
/* Gives the answer to whom it is for; false when nobody waits (any more). */
bool waits_give_answer(struct waits *waits, int64_t node_key, const char *question_id,
                       const char *json, size_t size, struct err *err) MUST_CHECK;

/* ---- for the room ---- */

struct waits *waits_new(struct err *err) MUST_CHECK;
void waits_free(struct waits *waits);
AUTO_TYPE(waits);
void waits_tick(
    struct waits *waits); /* several times a second: ends those that waited long enough */
/* Ends every wait but those for commits, and each that begins from now on. */
void waits_stop(struct waits *waits);
/* The store's changes, on its writer thread. */
void waits_changed(void *waits, const struct change *changes, size_t count);
/* Begins what the handler asked for; the connection is suspended already. */
void wait_begin(struct request *request);

#endif
