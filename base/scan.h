/* Reading JSON (RFC 8259) in one pass, without a tree: the caller says what it expects next.
 * Hostile text costs time in proportion to its size and no memory but what the caller asks to keep.
 *
 *     scan_enter(scan);                          at '{' or '['
 *     while (scan_member(scan, &name))           scan_item() in arrays
 *         scan_type(scan) == SCAN_STRING ? scan_string(scan, &text, NULL) : scan_skip(scan);
 *     if (scan->wrong) …                         one look at the end is enough: after a fault all calls fail
 *
 * Refused, with a sentence and a place: what the grammar refuses, invalid UTF-8, NUL (escaped too),
 * lone surrogates, depth beyond LIMIT_JSON_DEPTH_MAX. Names given twice are refused in what is
 * skipped or kept raw; elsewhere they are the caller's to see (struct scan_names).
 * Not for: rooms above, which read through base/fields.h.
 * Threads: one at a time.   Owner: the arena. */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/arena.h"

#include <stdint.h>

struct scan {
    const char *start, *at, *end;
    struct arena *arena;
    int depth;
    bool fresh;        /* just entered: no comma is due */
    bool exhausted;    /* `wrong` because the arena is full */
    const char *wrong; /* what was wrong at `at`; NULL while all is well */
};

enum scan_type {
    SCAN_OBJECT,
    SCAN_ARRAY,
    SCAN_STRING,
    SCAN_NUMBER,
    SCAN_BOOL,
    SCAN_NULL,
    SCAN_NOTHING
};

struct scan_slice {
    const char *bytes; /* not terminated; in the source or the arena */
    size_t size;
};

void scan_init(struct scan *scan, const char *bytes, size_t size, struct arena *arena);
/* Of the value that comes next, by its first byte; SCAN_NOTHING when no value begins here. */
enum scan_type scan_type(struct scan *scan);

/* All of these: false after a fault. */
bool scan_enter(struct scan *scan);
bool scan_member(struct scan *scan, struct scan_slice *name); /* false also behind the last one */
bool scan_item(struct scan *scan);                            /* false also behind the last one */
bool scan_string(struct scan *scan, const char **text, size_t *size); /* `size` may be NULL */
bool scan_slice(struct scan *scan,
                struct scan_slice *text); /* a string, not copied when it has no escapes */
bool scan_bool(struct scan *scan, bool *value);
bool scan_null(struct scan *scan);
bool scan_skip(struct scan *scan);
bool scan_raw(struct scan *scan, const char **text); /* any value, as compact text */
bool scan_end(struct scan *scan);                    /* nothing but white space follows */

/* A number, exactly: digits * 10^exponent. Digits beyond the nineteenth are dropped and noted. */
struct scan_number {
    bool negative, cut;
    uint64_t digits;
    int64_t exponent;
};
bool scan_number(struct scan *scan, struct scan_number *number);
/* False when the number is not whole, or does not fit. */
bool scan_number_int(const struct scan_number *number, int64_t *value);
/* In thousandths. What is off by less than a billionth, as binary fractions are
 * (0.30000000000000004), is taken; finer decimals are not. */
bool scan_number_milli(const struct scan_number *number, int64_t *milli);

/* Sets `wrong` unless it is set, returns false. */
bool scan_fault(struct scan *scan, const char *wrong);
bool scan_fault_memory(struct scan *scan);
/* Where `at` is, from 1; columns count characters. */
void scan_place(const struct scan *scan, int *line, int *column);

/* The names an object has had. Starts as {0}; grows in the arena. */
struct scan_names {
    struct scan_slice few[8];
    struct scan_slice *table; /* open addressing, when there are more than a few */
    size_t count, capacity;
};
/* False after a fault; `*is_new` tells the rest. `name` must live as long. */
bool scan_names_add(struct scan *scan, struct scan_names *names, struct scan_slice name,
                    bool *is_new);

#endif
