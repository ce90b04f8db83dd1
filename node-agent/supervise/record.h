/* A group on disk: how far it is and what its containers did; no secrets. Written whole after each change, so that an
 * agent that was killed goes on where it was. Not synced: what must outlive a power cut is the mark below, and the
 * meter's journal.
 * Threads: the loop's (save, load); record_mark_run: a job's. */
#ifndef SUPERVISE_RECORD_H
#define SUPERVISE_RECORD_H

#include "node-agent/supervise/hosted.h"

/* <folder>/record.json */
bool record_save(const struct hosted *group, const char *folder, struct err *err) MUST_CHECK;
/* The group without its orders; ERR_NOT_FOUND when there is none. */
struct hosted *record_load(const char *folder, struct err *err) MUST_CHECK;

/* Leaves a mark that this container ran in this incarnation, on disk before it returns. ERR_CONFLICT when the mark is
 * there already: restart policy Never means at most one run, whatever dies. */
bool record_mark_run(const char *folder, const char *container, int64_t incarnation,
                     struct err *err) MUST_CHECK;

#endif
