/* Threads for what blocks: pulls, mounts, runtimes, the disk. A thread is started when all are busy, up to a ceiling;
 * work waits in order then.
 * Threads: any may submit.   Owner: workers_free(), which lets work under way end and drops what waits. */
#ifndef SUPERVISE_WORKERS_H
#define SUPERVISE_WORKERS_H

#include "base/err.h"

struct workers;

struct work {
    void (*run)(struct work *work);  /* on a worker; owns the work from then on */
    void (*drop)(struct work *work); /* instead of run, when the workers end first */
    struct work *next;
};

struct workers *workers_new(int threads_max, struct err *err) MUST_CHECK;
void workers_free(struct workers *workers);
void workers_submit(struct workers *workers, struct work *work);

AUTO_TYPE(workers);

#endif
