/* Reading JSON (RFC 8259): yajl turns the text into a flat tape of tokens, and the caller walks over
 * it, saying what it expects next. There is no tree.
 *
 *     scan_init(&scan, bytes, size, arena);
 *     if (scan_type(&scan) == SCAN_OBJECT && scan_enter(&scan))
 *         while (scan_member(&scan, &name))          scan_item() in arrays
 *             scan_type(&scan) == SCAN_STRING ? scan_string(&scan, &text, NULL) : scan_skip(&scan);
 *     if (scan.wrong) …                              one look at the end is enough
 *     scan_done(&scan);
 *
 * Refused by scan_init(), with a sentence and a place: what the grammar refuses, invalid UTF-8, NUL
 * (escaped too), halves of surrogate pairs, depth beyond LIMIT_JSON_DEPTH_MAX. Names given twice are
 * refused in what is skipped or kept raw; elsewhere they are the caller's to see (struct scan_names).
 * Hostile text costs time in proportion to its size, and 16 bytes a token until scan_done().
 * Not for: rooms above, which read through base/fields.h.
 * Threads: one at a time.   Owner: scan_done() frees the tape; what was asked for is in the arena. */
#ifndef BASE_SCAN_H
#define BASE_SCAN_H

#include "base/arena.h"

#include <stdint.h>

struct scan_token;

struct scan {
    const char *bytes; /* the text */
    size_t size;
    struct arena *arena;         /* for what is kept */
    struct arena *tape;          /* for everything else */
    const struct scan_token *at; /* what comes next */
    size_t place;                /* in the text: of the fault, or behind the last name */
    bool exhausted;              /* `wrong` because there was no memory */
    const char *wrong; /* NULL while all is well; after a fault all calls fail. Until scan_done() */
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
    const char *bytes; /* not terminated; until scan_done() */
    size_t size;
};

void scan_init(struct scan *scan, const char *bytes, size_t size, struct arena *arena);
void scan_done(struct scan *scan);
/* Of the value that comes next. SCAN_NOTHING: no value comes, or there was a fault. */
enum scan_type scan_type(const struct scan *scan);

/* All of these: false after a fault. Enter only objects and arrays. */
bool scan_enter(struct scan *scan);
bool scan_member(struct scan *scan, struct scan_slice *name); /* false also behind the last one */
bool scan_item(struct scan *scan);                            /* false also behind the last one */
bool scan_string(struct scan *scan, const char **text, size_t *size); /* `size` may be NULL */
bool scan_bool(struct scan *scan, bool *value);
bool scan_skip(struct scan *scan);
bool scan_raw(struct scan *scan, const char **text); /* any value, as compact text */

/* A number, exactly: digits * 10^exponent. Digits beyond the nineteenth are dropped and noted. */
struct scan_number {
    bool negative, cut;
    uint64_t digits;
    int64_t exponent;
};
bool scan_number(struct scan *scan, struct scan_number *number);
/* False when the text is no number by JSON's grammar. */
bool scan_number_text(const char *text, struct scan_number *number);
/* False when the number is not whole, or does not fit. */
bool scan_number_int(const struct scan_number *number, int64_t *value);
/* In thousandths. What is off by less than a billionth, as binary fractions are
 * (0.30000000000000004), is taken; finer decimals are not. */
bool scan_number_milli(const struct scan_number *number, int64_t *milli);

/* Sets `wrong` unless it is set, returns false. */
bool scan_fault(struct scan *scan, const char *wrong);
bool scan_fault_memory(struct scan *scan);
/* Where `place` is, from 1; columns count characters. */
void scan_place(const struct scan *scan, int *line, int *column);

/* The names an object has had. Starts as {0}; grows in the tape's memory. */
struct scan_names {
    struct scan_slice few[8];
    struct scan_slice *table; /* open addressing, when there are more than a few */
    size_t count, capacity;
};
/* False after a fault; `*is_new` tells the rest. */
bool scan_names_add(struct scan *scan, struct scan_names *names, struct scan_slice name,
                    bool *is_new);

#endif
