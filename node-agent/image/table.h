/* What the store knows, in memory: images, layers, references, holds, and jobs under way. The disk
 * (disk.h) says the same more slowly; open reads it once.
 * Threads: every function but the job_ ones asks for the table's lock to be held.
 * Owner: table_done(). */
#ifndef IMAGE_TABLE_H
#define IMAGE_TABLE_H

#include "base/digest.h"
#include "base/thread.h"
#include "model/image_reference.h"
#include "node-agent/image/image.h"

enum { HOLDER_SIZE = 129, GRANTS_MAX = 16, LOOKS_SIZE = 17 };

struct layer {
    struct layer *next;
    char chain[DIGEST_SIZE];
    int64_t bytes;
    bool synced;            /* known to be on disk */
    char looks[LOOKS_SIZE]; /* its sum (sum.h); "": not known */
    int64_t looked_ms;      /* when it was looked through last; 0: not since open */
};

struct record {
    struct record *next;
    struct image *image;
    int64_t last_used_ms;
};

/* A reference that was resolved. Who may use it without asking the registry again: everyone, or
 * those who bring a credential the registry has accepted for it (kept as a slow, salted hash). */
struct reference {
    struct reference *next;
    char text[IMAGE_REFERENCE_SIZE];
    char digest[DIGEST_SIZE];
    bool open_to_all;
    bool unlisted; /* a name that nobody wrote: what a written one meant, by digest */
    char grants[GRANTS_MAX][DIGEST_SIZE];
    unsigned grants_count;
};

struct hold {
    struct hold *next;
    char holder[HOLDER_SIZE];
    char digest[DIGEST_SIZE];
};

struct job;

struct table {
    struct lock lock;
    struct record *records;
    struct layer *layers;
    struct reference *references;
    int64_t references_version; /* counts their changes */
    struct hold *holds;
    struct job *jobs;
};

void table_init(struct table *table);
void table_done(struct table *table);

struct record *table_record(struct table *table, const char *digest);
/* Takes the image when it succeeds. */
bool table_add_record(struct table *table, struct image *image, int64_t last_used_ms,
                      struct err *err) MUST_CHECK;
void table_drop_record(struct table *table, const char *digest); /* and references to it */

struct layer *table_layer(struct table *table, const char *chain);
bool table_add_layer(struct table *table, const char *chain, int64_t bytes, bool synced,
                     const char *looks, struct err *err) MUST_CHECK;
void table_drop_layer(struct table *table, const char *chain);
int64_t table_bytes(const struct table *table);                  /* of all layers */
bool table_layer_needed(struct table *table, const char *chain); /* by an image or a job */

struct reference *table_reference(struct table *table, const char *text);
/* Grant NULL: open to all. A reference that now means another image forgets who might use it. */
bool table_set_reference(struct table *table, const char *text, const char *digest,
                         const char *grant, bool unlisted, struct err *err) MUST_CHECK;
void table_drop_reference(struct table *table, const char *text);
bool reference_grants(const struct reference *reference, const char *grant);

struct hold *table_hold(struct table *table, const char *holder);
bool table_set_hold(struct table *table, const char *holder, const char *digest, struct err *err)
    MUST_CHECK;
void table_drop_hold(struct table *table, const char *holder);
bool table_held(struct table *table, const char *digest);

/* ---- images as values ---- */

/* From the two documents; bytes is filled in by the caller before anyone else sees it. */
struct image *image_new(const char *digest, const char *config, size_t config_size, struct err *err)
    MUST_CHECK;
struct image *image_keep(struct image *image); /* one more owner */
void image_set_bytes(struct image *image, int64_t bytes);

#endif
