/* What meter.c and report.c share. Not for other rooms. */
#ifndef NODE_AGENT_METER_INSIDE_H
#define NODE_AGENT_METER_INSIDE_H

#include "node-agent/meter/book.h"
#include "node-agent/meter/journal.h"
#include "node-agent/meter/meter.h"

#include "base/thread.h"

struct meter {
    struct lock lock;
    pthread_cond_t synced_bell;
    struct book book;
    struct journal journal;
    /* Appends are counted, so that a thread can wait for its own to be on the disk. */
    int64_t appends, appends_synced;
    int64_t changes_synced; /* the plane is told no change that a power cut could undo */
    bool syncing;           /* one thread is in fdatasync, without the lock */
    int64_t ticked_s;
    int64_t samples_written; /* numbers below it are in the journal */
    size_t series_written;
    int64_t dropped_bytes;
    int64_t told_watermark_s; /* acknowledged: the plane's watermark stands there at least */
    struct {
        int64_t sequence, changes, samples, watermark_s;
    } told; /* the last report, if its acknowledgement is still awaited */
};

#endif
