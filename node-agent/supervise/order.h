/* What the plane ordered for one group, shared by the loop and the jobs under way: counted, never changed.
 * Threads: any; the count is atomic.   Owner: everyone who holds one, order_free() each. */
#ifndef SUPERVISE_ORDER_H
#define SUPERVISE_ORDER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/link.h"

struct order {
    const struct assignment *assignment;
    struct arena *arena;
    int holders; /* atomic */
};

/* A copy of the assignment, which may go. */
struct order *order_new(const struct assignment *assignment, struct err *err) MUST_CHECK;
struct order *order_hold(struct order *order);
void order_free(struct order *order);
AUTO_TYPE(order);

/* Kept in the agent's memory files (it holds secrets), so that an agent which comes back can restart containers
 * without the plane, and goes on to the order that was taken last. */
bool order_save(const struct order *order, const char *path, struct err *err) MUST_CHECK;
struct order *order_load(const char *path, struct err *err) MUST_CHECK;

#endif
