/* The thread that does what is due by the clock alone: operations that took too long fail, those that ended long ago
 * are dropped, the server's certificate is renewed before it ends.
 * Threads: its own; start and stop from one.   Owner: sweeper_stop(). */
#ifndef DAEMON_SWEEPER_H
#define DAEMON_SWEEPER_H

#include "api/auth/auth.h"
#include "base/thread.h"
#include "store/store.h"

#include <stdatomic.h>

struct sweeper {
    struct store *store;
    struct auth *auth;
    int64_t operation_keep_ms;
    struct bell bell;
    pthread_t thread;
    bool started;
    atomic_bool stopping;
};

bool sweeper_start(struct sweeper *sweeper, struct store *store, struct auth *auth,
                   int64_t operation_keep_ms, struct err *err) MUST_CHECK;
void sweeper_stop(struct sweeper *sweeper); /* one that never started is fine */

#endif
