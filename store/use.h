/* Measured use of containers: the newest sample of each.
 * Not for: other rooms (store.h has the question).   Threads: the writer's. */
#ifndef STORE_USE_H
#define STORE_USE_H

#include "store/tx.h"

bool use_tell(struct tx *tx, const struct use_sample *samples, size_t count, struct err *err)
    MUST_CHECK;

#endif
