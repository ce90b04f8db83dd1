#include "daemon/sweeper.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

enum { SWEEP_EVERY_MS = 1000 };

static bool sweep_work(struct tx *tx, void *data, struct err *err)
{
    const struct sweeper *sweeper = data;
    int64_t now_ms = clock_now_ms();
    return store_operation_sweep(tx, now_ms - INT64_C(1000) * LIMIT_PROVISIONING_TIMEOUT_S,
                                 now_ms - sweeper->operation_keep_ms, err);
}

/* A failure is told once, until it works again. */
static void tell(bool good, const char *event, const struct err *err, bool *failed)
{
    if (!good && !*failed)
        log_failure(event, err);
    *failed = !good;
}

static void *run(void *context)
{
    struct sweeper *sweeper = context;
    bool sweep_failed = false, renewal_failed = false;
    while (!atomic_load(&sweeper->stopping)) {
        struct err err = {0};
        tell(store_write(sweeper->store, sweep_work, sweeper, &err), "sweep_failed", &err,
             &sweep_failed);
        tell(auth_renew(sweeper->auth, &err), "certificate_not_renewed", &err, &renewal_failed);
        bell_wait(&sweeper->bell, SWEEP_EVERY_MS);
    }
    return NULL;
}

bool sweeper_start(struct sweeper *sweeper, struct store *store, struct auth *auth,
                   int64_t operation_keep_ms, struct err *err)
{
    sweeper->store = store;
    sweeper->auth = auth;
    sweeper->operation_keep_ms = operation_keep_ms;
    if (!bell_init(&sweeper->bell, err))
        return false;
    sweeper->started = thread_start(&sweeper->thread, "sweeper", run, sweeper, err);
    if (!sweeper->started)
        bell_done(&sweeper->bell);
    return sweeper->started;
}

void sweeper_stop(struct sweeper *sweeper)
{
    if (!sweeper->started)
        return;
    atomic_store(&sweeper->stopping, true);
    bell_ring(&sweeper->bell);
    pthread_join(sweeper->thread, NULL);
    bell_done(&sweeper->bell);
    sweeper->started = false;
}
