/* Lists, because a node has tens of images and hundreds of layers: a walk over them costs less than
 * one system call. */
#include "node-agent/image/table.h"

#include "base/text.h"
#include "node-agent/image/job.h"

#include <string.h>

#define FREE_ALL(type, list, release)                         \
    for (struct type *one = (list), *next; one; one = next) { \
        next = one->next;                                     \
        release;                                              \
        free(one);                                            \
    }

static bool no_memory(struct err *err)
{
    return err_set(err, ERR_BUSY, "no memory for the table of images");
}

void table_init(struct table *table)
{
    *table = (struct table){0};
    lock_init(&table->lock, LOCK_IMAGE_STORE);
}

void table_done(struct table *table)
{
    CHECK(!table->jobs);
    FREE_ALL(record, table->records, image_free(one->image))
    FREE_ALL(layer, table->layers, (void)0)
    FREE_ALL(reference, table->references, (void)0)
    FREE_ALL(hold, table->holds, (void)0)
    lock_done(&table->lock);
}

/* ---- images ---- */

struct record *table_record(struct table *table, const char *digest)
{
    struct record *record = table->records;

    while (record && strcmp(record->image->digest, digest) != 0)
        record = record->next;
    return record;
}

bool table_add_record(struct table *table, struct image *image, int64_t last_used_ms,
                      struct err *err)
{
    struct record *record = calloc(1, sizeof *record);

    if (!record)
        return no_memory(err);
    CHECK(!table_record(table, image->digest));
    record->image = image;
    record->last_used_ms = last_used_ms;
    record->next = table->records;
    table->records = record;
    return true;
}

static void drop_references(struct table *table, const char *digest)
{
    for (struct reference **at = &table->references; *at;) {
        struct reference *reference = *at;
        if (strcmp(reference->digest, digest) == 0) {
            table->references_version++;
            *at = reference->next;
            free(reference);
        } else {
            at = &reference->next;
        }
    }
}

void table_drop_record(struct table *table, const char *digest)
{
    struct record **at = &table->records;

    drop_references(table, digest);
    while (*at && strcmp((*at)->image->digest, digest) != 0)
        at = &(*at)->next;
    if (*at) {
        struct record *record = *at;
        *at = record->next;
        image_free(record->image);
        free(record);
    }
}

/* ---- layers ---- */

struct layer *table_layer(struct table *table, const char *chain)
{
    struct layer *layer = table->layers;

    while (layer && strcmp(layer->chain, chain) != 0)
        layer = layer->next;
    return layer;
}

bool table_add_layer(struct table *table, const char *chain, int64_t bytes, bool synced,
                     const char *looks, struct err *err)
{
    struct layer *layer = calloc(1, sizeof *layer);

    if (!layer || !text_copy(layer->chain, sizeof layer->chain, chain) ||
        !text_copy(layer->looks, sizeof layer->looks, looks)) {
        free(layer);
        return no_memory(err);
    }
    layer->bytes = bytes;
    layer->synced = synced;
    layer->next = table->layers;
    table->layers = layer;
    return true;
}

void table_drop_layer(struct table *table, const char *chain)
{
    struct layer **at = &table->layers;

    while (*at && strcmp((*at)->chain, chain) != 0)
        at = &(*at)->next;
    if (*at) {
        struct layer *layer = *at;
        *at = layer->next;
        free(layer);
    }
}

int64_t table_bytes(const struct table *table)
{
    int64_t bytes = 0;

    for (const struct layer *layer = table->layers; layer; layer = layer->next)
        bytes += layer->bytes;
    return bytes;
}

bool table_layer_needed(struct table *table, const char *chain)
{
    for (struct record *record = table->records; record; record = record->next) {
        const struct text_list *layers = &record->image->layers;
        for (size_t i = 0; i < layers->count; i++) {
            if (strcmp(layers->items[i], chain) == 0)
                return true;
        }
    }
    return jobs_name(table, chain);
}

/* ---- references ---- */

struct reference *table_reference(struct table *table, const char *text)
{
    struct reference *reference = table->references;

    while (reference && strcmp(reference->text, text) != 0)
        reference = reference->next;
    return reference;
}

bool reference_grants(const struct reference *reference, const char *grant)
{
    if (reference->open_to_all)
        return true;
    for (unsigned i = 0; grant && i < reference->grants_count; i++) {
        if (strcmp(reference->grants[i], grant) == 0)
            return true;
    }
    return false;
}

static struct reference *add_reference(struct table *table, const char *text, bool unlisted)
{
    struct reference *reference = calloc(1, sizeof *reference);

    if (!reference || !text_copy(reference->text, sizeof reference->text, text)) {
        free(reference);
        return NULL;
    }
    reference->unlisted = unlisted;
    reference->next = table->references;
    table->references = reference;
    return reference;
}

bool table_set_reference(struct table *table, const char *text, const char *digest,
                         const char *grant, bool unlisted, struct err *err)
{
    struct reference *reference = table_reference(table, text);

    if (!reference)
        reference = add_reference(table, text, unlisted);
    if (!reference)
        return no_memory(err);
    table->references_version += reference->unlisted && !unlisted;
    reference->unlisted &= unlisted;
    if (strcmp(reference->digest, digest) != 0) {
        table->references_version++;
        reference->open_to_all = false;
        reference->grants_count = 0;
        bool whole = text_copy(reference->digest, sizeof reference->digest, digest);
        CHECK(whole);
    }
    if (!grant) {
        table->references_version += !reference->open_to_all;
        reference->open_to_all = true;
    } else if (!reference_grants(reference, grant)) {
        /* The oldest make room: forgetting one costs a question to the registry. */
        unsigned last =
            reference->grants_count < GRANTS_MAX ? reference->grants_count++ : GRANTS_MAX - 1;
        memmove(reference->grants[1], reference->grants[0], (size_t)last * DIGEST_SIZE);
        bool whole = text_copy(reference->grants[0], DIGEST_SIZE, grant);
        CHECK(whole);
    }
    return true;
}

void table_drop_reference(struct table *table, const char *text)
{
    struct reference **at = &table->references;

    while (*at && strcmp((*at)->text, text) != 0)
        at = &(*at)->next;
    if (*at) {
        struct reference *reference = *at;
        table->references_version++;
        *at = reference->next;
        free(reference);
    }
}

/* ---- holds ---- */

struct hold *table_hold(struct table *table, const char *holder)
{
    struct hold *hold = table->holds;

    while (hold && strcmp(hold->holder, holder) != 0)
        hold = hold->next;
    return hold;
}

bool table_set_hold(struct table *table, const char *holder, const char *digest, struct err *err)
{
    struct hold *hold = table_hold(table, holder);

    if (!hold) {
        hold = calloc(1, sizeof *hold);
        if (!hold || !text_copy(hold->holder, sizeof hold->holder, holder)) {
            free(hold);
            return no_memory(err);
        }
        hold->next = table->holds;
        table->holds = hold;
    }
    bool whole = text_copy(hold->digest, sizeof hold->digest, digest);
    CHECK(whole);
    return true;
}

void table_drop_hold(struct table *table, const char *holder)
{
    struct hold **at = &table->holds;

    while (*at && strcmp((*at)->holder, holder) != 0)
        at = &(*at)->next;
    if (*at) {
        struct hold *hold = *at;
        *at = hold->next;
        free(hold);
    }
}

bool table_held(struct table *table, const char *digest)
{
    for (struct hold *hold = table->holds; hold; hold = hold->next) {
        if (strcmp(hold->digest, digest) == 0)
            return true;
    }
    return false;
}
