/* How often each subscription created and deleted container groups: at most so many calls in an hour and in five
 * minutes, counted while the server runs. Two windows slide over one ring of 5-second buckets, so a call is counted for
 * at least the window's length and at most 5 s longer: never more calls than the limit in any such time.
 *
 * A call counts when it changed something. A handler asks before it hands its work to the store (rate_take()); what was
 * taken comes back when the answer says that nothing was made (router.c calls rate_end()).
 *
 * Not for: what groups hold (store/quotas.h).
 * Threads: any; LOCK_API_RATES is held for a few additions.   Owner: rates_free(). */
#ifndef API_RATES_H
#define API_RATES_H

#include "api/request.h"

enum rate_kind { RATE_CREATES, RATE_DELETES, RATE_KINDS };

struct rates;
struct rates *rates_new(struct err *err) MUST_CHECK;
void rates_free(struct rates *rates);
AUTO_TYPE(rates);

enum rate_window { RATE_HOUR, RATE_5_MINUTES, RATE_WINDOWS };
struct rate_limits {
    int64_t most[RATE_WINDOWS];
};
/* What came of asking. */
struct rate_answer {
    bool taken;
    int64_t tick;               /* when, for rates_give() */
    enum rate_window full;      /* not taken: the window that stays full the longest, */
    int64_t after_s;            /* and when to ask again */
    int64_t left[RATE_WINDOWS]; /* calls that may still be made now */
};

struct rate_answer rates_take(struct rates *rates, const char *subscription, enum rate_kind kind,
                              const struct rate_limits *most);
/* That call changed nothing. */
void rates_give(struct rates *rates, const char *subscription, enum rate_kind kind, int64_t tick);
/* Takes nothing. */
struct rate_answer rates_ask(struct rates *rates, const char *subscription, enum rate_kind kind,
                             const struct rate_limits *most);

/* ---- for requests of routes with ROUTE_CREATES or ROUTE_DELETES ---- */

/* ERR_THROTTLED in ARM's words; the answer gets its Retry-After. A request takes once, however often it asks. */
bool rate_take(struct request *request, struct err *err) MUST_CHECK;
void rate_give(struct request *request);
/* The answer is known: a failure and a 204 made nothing; and the headers that say what is left. */
void rate_end(struct request *request);

#endif
