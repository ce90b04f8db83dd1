/* Exact usage: which group held what, in which second; kept in a journal until the plane has it.
 *
 * What is billed is an interval [from_s, to_s) of whole Unix seconds in which one incarnation of a group holds its
 * resources. from_s is the begin rounded down, to_s the end rounded up, so each second begun counts once. Two rules
 * stand above the rounding: intervals of one group never overlap (the next one begins where the previous ended, at
 * the earliest), and no second below the watermark changes ever again (the plane may have billed it).
 *
 *     begin 10.2   end 12.1        begin 12.4  end 12.9      begin 14.0
 *        [10 ------ 13)               [13 13) empty             [14 ...
 *
 * The watermark W: every second below it is completely told. meter_tick() moves it each second; it stands still while
 * an interval recovered from the journal is in doubt (meter_resume() settles it), and after a reboot of the machine
 * everything open is closed at W + 1, the last second that is known to have begun.
 *
 * Meter time is wall time anchored once to boot time: it goes on evenly while the wall clock is set back, so that
 * durations stay exact. When the wall clock is set forward by more than LIMIT_METER_STEP_MS, open intervals are
 * closed at the old time and continued at the new one; nobody holds anything in between. Callers pass clock_now_ms()
 * times; the meter converts them by their age.
 *
 * Reports may be lost, repeated or taken twice: keys are (node, group, incarnation, from_s). Each change is told
 * until its report was acknowledged.
 * Not for: prices, windows, charts (the plane's ledger).
 * Threads: any; callers that wait for the disk at the same time share one fdatasync.   Owner: meter_free(). */
#ifndef NODE_AGENT_METER_H
#define NODE_AGENT_METER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "model/link.h"

#include <stdint.h>

struct meter;

struct meter_options {
    const char *folder;  /* on a disk; made if absent; "journal" lives in it */
    const char *boot_id; /* NULL: the machine's */
};

struct meter_amounts {
    int64_t cpu_milli, memory_mib;
    int64_t gpus;        /* as a shape counts them */
    int64_t price_class; /* enum quota_class of the group */
};
/* In the place of the last two: written by an agent that did not meter them. */
enum { METER_UNTOLD = -1 };

struct meter_held {
    char uid[ID_SIZE];
    int64_t incarnation;
    int64_t from_s;
    struct meter_amounts amounts;
    bool in_doubt; /* recovered, and not yet resumed */
};

struct meter_report {
    int64_t sequence;    /* greater than every one before, over restarts too */
    int64_t watermark_s; /* 0: no second is known yet */
    const char *boot_id;
    struct usage_interval *intervals; /* opened or closed since the last acknowledged report */
    size_t intervals_count;
    struct use_sample *samples; /* oldest first */
    size_t samples_count;
    bool more; /* there is more to tell: report again soon */
};

/* Recovers the journal: what was synced is there, a torn end is cut off. ERR_STORAGE, ERR_IO: the folder. */
struct meter *meter_open(const struct meter_options *options, struct err *err) MUST_CHECK;
void meter_free(struct meter *meter); /* may be skipped: nothing is lost by kill -9 */
/* Bytes of the journal that were not whole when it was opened: a line for the log when it is not 0. */
int64_t meter_dropped(const struct meter *meter);

/* The group holds these amounts from at_ms (Unix; 0: now). Durable when it returns true. Repeating a begin
 * of what is open changes nothing; a begin of a newer incarnation ends an older one that is open. */
bool meter_begin(struct meter *meter, const char *uid, int64_t incarnation,
                 const struct meter_amounts *amounts, int64_t at_ms, struct err *err) MUST_CHECK;
/* Nothing of this incarnation or an older one holds resources any more. Durable when it returns true. Success when none is open. */
bool meter_end(struct meter *meter, const char *uid, int64_t incarnation, int64_t at_ms,
               struct err *err) MUST_CHECK;

/* What is open now; after meter_open() each with in_doubt is to be resumed. */
bool meter_list(struct meter *meter, struct arena *arena, struct meter_held **held, size_t *count,
                struct err *err) MUST_CHECK;
/* Settles one in doubt: still held (the containers lived on, the interval goes on without a gap), or closed at
 * ended_ms, when the last container ended (0: not known, closes at the watermark). */
bool meter_resume(struct meter *meter, const char *uid, int64_t incarnation, bool still_held,
                  int64_t ended_ms, struct err *err) MUST_CHECK;

/* Measured use of this second (`second` is not read: the meter's own is kept), in memory until the next tick writes
 * it out. Drops the oldest past LIMIT_METER_SAMPLES_MAX. */
bool meter_use(struct meter *meter, const struct use_sample *samples, size_t count, struct err *err)
    MUST_CHECK;
/* Each second, when all ends up to now were told: moves the watermark to now and writes it out, durable. */
bool meter_tick(struct meter *meter, struct err *err) MUST_CHECK;

/* What the plane has not acknowledged, in the caller's arena, with at most samples_max samples. Only an answer to the
 * last report counts for meter_ack(). */
bool meter_report(struct meter *meter, size_t samples_max, struct arena *arena,
                  struct meter_report *out, struct err *err) MUST_CHECK;
/* The plane has committed this report: what it told is dropped. Unknown and old sequences are ignored. Written out
 * with the next tick; until then a crash only means telling it again. */
void meter_ack(struct meter *meter, int64_t sequence);

AUTO_TYPE(meter);

#endif
