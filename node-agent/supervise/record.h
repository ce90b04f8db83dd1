/* A group on disk: how far it is and what its containers did; no secrets. Written whole after each change, so that an
 * agent that was killed goes on where it was. Not synced: what must outlive a power cut is the mark below, and the
 * meter's journal.
 * Threads: the loop's (save, load); marks: a job's. */
#ifndef SUPERVISE_RECORD_H
#define SUPERVISE_RECORD_H

#include "node-agent/supervise/hosted.h"

/* <folder>/record.json */
bool record_save(const struct hosted *group, const char *folder, struct err *err) MUST_CHECK;
/* The group without its orders; ERR_NOT_FOUND when there is none. */
struct hosted *record_load(const char *folder, struct err *err) MUST_CHECK;

/* Restart policy Never means at most one run, whatever dies. record_mark_run() leaves a mark that this container runs in
 * this incarnation, on disk before it returns; with a mark there it is ERR_CONFLICT, and so is record_may_run().
 * record_unmark_run() takes the mark back from one whose first instruction never came: success when there is none. */
bool record_may_run(const char *folder, const char *container, int64_t incarnation, struct err *err)
    MUST_CHECK;
bool record_mark_run(const char *folder, const char *container, int64_t incarnation,
                     struct err *err) MUST_CHECK;
bool record_unmark_run(const char *folder, const char *container, int64_t incarnation,
                       struct err *err) MUST_CHECK;

#endif
