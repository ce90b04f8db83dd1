/* What the meter knows, and the rules of its numbers. No files, no clock: meter.c brings both.
 *
 * Each opening and closing of an interval is a change with the next number; the plane acknowledges all changes up to
 * one, so "told" is a comparison. Samples are numbered the same way, on their own.
 * Threads: one at a time.   Owner: book_done(). */
#ifndef NODE_AGENT_METER_BOOK_H
#define NODE_AGENT_METER_BOOK_H

#include "base/err.h"
#include "base/id.h"
#include "node-agent/meter/frame.h"
#include "node-agent/meter/meter.h"

#include <stdint.h>

enum { BOOT_ID_SIZE = 64, CONTAINER_NAME_SIZE = 64 };

struct interval {
    char uid[ID_SIZE];
    int64_t incarnation;
    int64_t from_s, to_s; /* to_s 0: open */
    struct meter_amounts amounts;
    int64_t opened, closed; /* change numbers; closed 0: open */
    bool in_doubt;
};

/* Whose use a sample is; samples name it by index. */
struct series {
    char uid[ID_SIZE], container[CONTAINER_NAME_SIZE];
    int64_t incarnation;
    bool used;
};

struct sample {
    int64_t second;
    size_t series;
    int64_t cpu_ns, memory_bytes, rx_bytes, tx_bytes;
};

struct anchor { /* meter time is wall_ms + (boot time now - boot_ns) */
    int64_t wall_ms, boot_ns;
};

struct book {
    char boot_id[BOOT_ID_SIZE];
    struct anchor anchor;
    int64_t watermark_s; /* told to the plane as complete; 0: nothing yet */
    int64_t
        promised_s; /* nothing below it changes any more: the watermark, or what it is about to be */
    int64_t changes;  /* number of the last change */
    int64_t acked;    /* changes up to this one are known to the plane */
    int64_t sequence; /* of the last report */
    struct interval *intervals;
    size_t intervals_count, intervals_capacity;
    struct series *series;
    size_t series_count, series_capacity, series_hint;
    struct sample *samples; /* a ring */
    size_t samples_first, samples_count;
    int64_t sample_number; /* of the oldest kept */
};

bool book_init(struct book *book, struct err *err) MUST_CHECK;
void book_done(struct book *book);

/* ---- intervals ---- */

struct interval *book_open_of(struct book *book, const char *uid);
bool book_in_doubt(const struct book *book);
size_t book_open_count(const struct book *book);
/* The seconds of a begin and an end at meter time `at_ms`; the rules of meter.h. */
int64_t book_from(const struct book *book, const char *uid, int64_t at_ms);
int64_t book_to(const struct book *book, const struct interval *interval, int64_t at_ms);
/* Adds it, or replaces the one with the same `opened`. */
bool book_put(struct book *book, const struct interval *interval, struct err *err) MUST_CHECK;
/* Drops what the plane knows and no later interval can touch. */
void book_forget(struct book *book);

/* ---- samples ---- */

bool book_series(struct book *book, const char *uid, int64_t incarnation, const char *container,
                 size_t *index, struct err *err) MUST_CHECK;
void book_sample_add(struct book *book,
                     const struct sample *sample); /* drops the oldest when full */
const struct sample *book_sample(const struct book *book, size_t index);
void book_samples_drop(struct book *book, int64_t below_number);
/* Drops series that no sample names; indexes change. */
void book_series_tidy(struct book *book);

/* ---- as records (records.c) ---- */

void record_head(const struct book *book, struct text *out);
void record_interval(const struct interval *interval, struct text *out);
void record_series(const struct book *book, size_t index, struct text *out);
void record_sample(const struct sample *sample, struct text *out);
void record_tick(const struct book *book, int64_t watermark_s, struct text *out);
void record_all(const struct book *book, struct text *out);
/* Rebuilds the book; the size of what was whole. */
size_t records_apply(struct book *book, const char *bytes, size_t size);

#endif
