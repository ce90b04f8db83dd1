/* A store that was damaged from outside: before an image is used again its layers are looked through (each at
 * most once in LIMIT_IMAGE_LOOK_AGAIN_MS), and what no longer looks as it was unpacked is forgotten, with the
 * images that need it, so that it is fetched anew. Containers that run on a damaged layer keep it. */
#include "node-agent/image/heal.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/image/job.h"

#include <string.h>

/* False: it need not be looked at now, or somebody works on it. */
static bool is_due(struct image_store *store, const char *chain, int64_t now_ms,
                   char looks[LOOKS_SIZE], bool *gone)
{
    WITH_LOCK(&store->table.lock);
    struct layer *layer = table_layer(&store->table, chain);

    *gone = !layer;
    if (!layer || (layer->looked_ms > 0 && now_ms - layer->looked_ms < LIMIT_IMAGE_LOOK_AGAIN_MS))
        return false;
    layer->looked_ms = now_ms;
    memcpy(looks, layer->looks, LOOKS_SIZE);
    return true;
}

/* ---- forgetting ---- */

static bool uses(const struct image *image, const char *chain)
{
    for (size_t i = 0; i < image->layers.count; i++) {
        if (strcmp(image->layers.items[i], chain) == 0)
            return true;
    }
    return false;
}

/* The names of an image, forgotten on disk: they are in the table no more. */
static void drop_references(struct image_store *store, const char *digest)
{
    for (;;) {
        char text[IMAGE_REFERENCE_SIZE] = "";
        {
            WITH_LOCK(&store->table.lock);
            struct reference *at = store->table.references;
            while (at && strcmp(at->digest, digest) != 0)
                at = at->next;
            if (!at)
                return;
            memcpy(text, at->text, sizeof text);
            table_drop_reference(&store->table, text);
        }
        disk_drop_reference(&store->disk, text);
    }
}

static bool take_image_of(struct image_store *store, const char *chain, char digest[DIGEST_SIZE])
{
    WITH_LOCK(&store->table.lock);

    for (struct record *at = store->table.records; at; at = at->next) {
        if (uses(at->image, chain)) {
            memcpy(digest, at->image->digest, DIGEST_SIZE);
            return true;
        }
    }
    return false;
}

/* Others wait for the job meanwhile: nobody finds half of it. */
static bool forget_claimed(struct image_store *store, const char *chain, struct err *err)
{
    char digest[DIGEST_SIZE];

    while (take_image_of(store, chain, digest)) {
        drop_references(store, digest);
        if (!disk_discard(&store->disk, "images", digest, err))
            return false;
        WITH_LOCK(&store->table.lock);
        table_drop_record(&store->table, digest);
    }
    if (!disk_set_aside(&store->disk, chain, err))
        return false;
    WITH_LOCK(&store->table.lock);
    table_drop_layer(&store->table, chain);
    return true;
}

/* NULL and `other`: somebody needs the layer for what is under way. */
static struct job *claim(struct image_store *store, const char *const *names, const bool *claimed,
                         struct job **other, struct err *err)
{
    WITH_LOCK(&store->table.lock);
    struct job *job;

    *other = job_that_names(&store->table, names[0]);
    job = *other ? NULL : job_add_locked(&store->table, "", err);
    if (!job)
        return NULL;
    job->names = names;
    job->claimed = claimed;
    job->names_count = 1;
    return job;
}

static bool forget_layer(struct image_store *store, const char *chain, int cancel_fd,
                         struct err *err)
{
    const char *names[] = {chain};
    const bool claimed[] = {true};
    const struct err none = {0};
    struct job *job, *other;
    bool forgotten;

    while (!(job = claim(store, names, claimed, &other, err))) {
        if (!other)
            return false;
        bool waited = job_wait(other, cancel_fd, err);
        job_leave(&store->table, other);
        if (!waited)
            return false;
    }
    forgotten = forget_claimed(store, chain, err);
    job_end(&store->table, job, NULL, &none);
    job_leave(&store->table, job);
    return forgotten;
}

/* ---- looking ---- */

bool heal_image(struct image_store *store, const struct image *image, int cancel_fd, bool *whole,
                struct err *err)
{
    int64_t now_ms = clock_now_ms();

    *whole = true;
    for (size_t i = 0; i < image->layers.count; i++) {
        const char *chain = image->layers.items[i];
        char looks[LOOKS_SIZE];
        bool gone;
        if (!is_due(store, chain, now_ms, looks, &gone)) {
            *whole &= !gone;
            continue;
        }
        if (disk_layer_is_whole(&store->disk, chain, looks))
            continue;
        log_warn("layer_damaged", "image=%s layer=%s", image->digest, chain);
        *whole = false;
        if (!forget_layer(store, chain, cancel_fd, err))
            return false;
    }
    return true;
}
