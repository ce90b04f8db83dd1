/* GETs of many probes at once on one thread. Connects straight from the node (no proxy), checks no certificate, keeps no
 * connection, throws bodies away.
 * Threads: the prober's, but web_wake(): any.   Owner: web_free(), after web_get_free() of each. */
#ifndef PROBE_HTTP_H
#define PROBE_HTTP_H

#include "node-agent/probe/probe.h"

#include <poll.h>

struct web;     /* all requests */
struct web_get; /* one of them, asked again and again */

struct web *web_new(struct err *err) MUST_CHECK;
void web_free(struct web *web);
AUTO_TYPE(web);

struct web_get *web_get_new(struct web *web, const char *address, const struct probe_http_get *get,
                            int64_t timeout_ms, void *owner) MUST_CHECK;
void web_get_free(struct web_get *get); /* one that is under way too */

bool web_get_start(struct web_get *get) MUST_CHECK;
/* Goes on with all of them; then the next one that was answered, with its answer and words: its owner. NULL: none. */
void web_perform(struct web *web);
void *web_next(struct web *web, enum probe_answer *answer, char text[PROBE_TEXT_SIZE]);

/* Until something can go on, one of the descriptors is readable (its revents), web_wake() was called or the time is
 * up. */
void web_wait(struct web *web, struct pollfd *fds, size_t fds_count, int64_t timeout_ms);
void web_wake(struct web *web);

#endif
