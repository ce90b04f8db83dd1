/* Making room. Victims are chosen and claimed under the lock, leave sight by rename, and are removed
 * at leisure: a pull that needs one of them waits for the renames only, then makes it anew. */
#include "node-agent/image/job.h"
#include "node-agent/image/store.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* ---- victims: what is out of the table, and still on disk ---- */

enum kind { IMAGES, LAYERS, REFERENCES };

struct victims {
    struct arena *arena;
    const char **names; /* digests, chain ids, texts */
    enum kind *kinds;
    bool *claimed;
    size_t count, max;
    struct image_collected sum;
};

static bool victims_init(struct victims *victims, const struct table *table, struct arena *arena)
{
    size_t max = 1;

    for (struct record *at = table->records; at; at = at->next)
        max++;
    for (struct layer *at = table->layers; at; at = at->next)
        max++;
    for (struct reference *at = table->references; at; at = at->next)
        max++;
    *victims = (struct victims){.arena = arena, .max = max};
    victims->names = arena_array(arena, max, sizeof *victims->names);
    victims->kinds = arena_array(arena, max, sizeof *victims->kinds);
    victims->claimed = arena_array(arena, max, sizeof *victims->claimed);
    return victims->names && victims->kinds && victims->claimed;
}

static bool victims_add(struct victims *victims, enum kind kind, const char *name)
{
    const char *copy = arena_text(victims->arena, name);

    CHECK(victims->count < victims->max);
    if (!copy)
        return false;
    victims->names[victims->count] = copy;
    victims->kinds[victims->count] = kind;
    victims->claimed[victims->count] = true;
    victims->count++;
    return true;
}

/* ---- choosing; the lock is held ---- */

static bool choose_layers(struct table *table, struct victims *victims)
{
    for (struct layer *layer = table->layers, *next; layer; layer = next) {
        next = layer->next;
        if (table_layer_needed(table, layer->chain))
            continue;
        if (!victims_add(victims, LAYERS, layer->chain))
            return false;
        victims->sum.layers++;
        victims->sum.bytes += layer->bytes;
        table_drop_layer(table, layer->chain);
    }
    return true;
}

static bool choose_image(struct table *table, const struct record *record, struct victims *victims)
{
    const char *digest = record->image->digest;

    for (struct reference *at = table->references; at; at = at->next) {
        if (strcmp(at->digest, digest) == 0 && !victims_add(victims, REFERENCES, at->text))
            return false;
    }
    if (!victims_add(victims, IMAGES, digest))
        return false;
    victims->sum.images++;
    table_drop_record(table, victims->names[victims->count - 1]);
    return true;
}

/* The image unused for longest among those nobody holds, works on, or asked for just now. */
static struct record *oldest_unused(struct table *table, int64_t used_before_ms)
{
    struct record *oldest = NULL;

    for (struct record *record = table->records; record; record = record->next) {
        const char *digest = record->image->digest;
        if (record->last_used_ms < used_before_ms &&
            (!oldest || record->last_used_ms < oldest->last_used_ms) &&
            !table_held(table, digest) && !jobs_name(table, digest))
            oldest = record;
    }
    return oldest;
}

/* What is to go: by age and by the ceiling, or so many bytes. */
struct aim {
    int64_t now_ms, keep_ms, bytes_max;
    int64_t bytes; /* 0: as many as it takes */
};

static bool due(const struct aim *aim, const struct record *record, int64_t bytes, int64_t gone)
{
    if (aim->bytes > 0)
        return gone < aim->bytes;
    return (aim->keep_ms > 0 && aim->now_ms - record->last_used_ms > aim->keep_ms) ||
           (aim->bytes_max > 0 && bytes > aim->bytes_max);
}

/* Each image takes along the layers it alone needed, so that the space is known at each step. */
static void choose(struct image_store *store, struct victims *victims, const struct aim *aim)
{
    struct table *table = &store->table;
    struct record *record;

    while (choose_layers(table, victims)) {
        /* When a pull needs the room, its own is held before anyone is told of it: no grace. */
        record = oldest_unused(table, aim->now_ms + (aim->bytes > 0 ? 1 : -LIMIT_IMAGE_GRACE_MS));
        if (!record || !due(aim, record, table_bytes(table), victims->sum.bytes) ||
            !choose_image(table, record, victims))
            return;
    }
}

static struct job *choose_and_claim(struct image_store *store, struct victims *victims,
                                    struct arena *arena, const struct aim *aim, struct err *err)
{
    WITH_LOCK(&store->table.lock);
    struct job *job = NULL;

    if (!victims_init(victims, &store->table, arena))
        err_set(err, ERR_BUSY, "no memory to collect images");
    else
        job = job_add_locked(&store->table, "", err);
    if (!job)
        return NULL;
    choose(store, victims, aim);
    job->names = victims->names;
    job->claimed = victims->claimed;
    job->names_count = victims->count;
    return job;
}

/* ---- removing ---- */

static bool discard(const struct image_store *store, const struct victims *victims, struct err *err)
{
    bool discarded = true;

    for (size_t i = 0; i < victims->count; i++) {
        const char *name = victims->names[i];
        if (victims->kinds[i] == REFERENCES)
            disk_drop_reference(&store->disk, name);
        else if (!disk_discard(&store->disk, victims->kinds[i] == IMAGES ? "images" : "layers",
                               name, err))
            discarded = false; /* it stays until the next open; the others go */
    }
    return discarded;
}

static bool remove_unused(struct image_store *store, const struct aim *aim,
                          struct image_collected *sum, struct err *err)
{
    AUTO(arena) *arena = arena_new(64 * 1024 * 1024);
    struct victims victims;
    const struct err none = {0};

    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to collect images");
    struct job *job = choose_and_claim(store, &victims, arena, aim, err);
    if (!job)
        return false;
    bool discarded = discard(store, &victims, err);
    job_end(&store->table, job, NULL, &none);
    job_leave(&store->table, job);
    disk_empty(&store->disk, "trash");
    *sum = victims.sum;
    return discarded;
}

bool collect_bytes(struct image_store *store, int64_t now_ms, int64_t bytes,
                   struct image_collected *out, struct err *err)
{
    const struct aim aim = {.now_ms = now_ms, .bytes = bytes};

    return remove_unused(store, &aim, out, err);
}

/* ---- making sure of new layers ---- */

static const char **unsynced(struct table *table, struct arena *arena, size_t *count)
{
    WITH_LOCK(&table->lock);
    size_t max = 0;
    const char **chains;

    *count = 0;
    for (struct layer *layer = table->layers; layer; layer = layer->next)
        max += !layer->synced;
    chains = max > 0 ? arena_array(arena, max, sizeof *chains) : NULL;
    for (struct layer *layer = table->layers; chains && layer; layer = layer->next) {
        if (!layer->synced && (chains[*count] = arena_text(arena, layer->chain)) != NULL)
            ++*count;
    }
    return chains;
}

static void note_synced(struct image_store *store, const char *chain)
{
    struct err gone;
    bool marked = disk_mark_synced(&store->disk, chain, &gone);
    WITH_LOCK(&store->table.lock);
    struct layer *layer = table_layer(&store->table, chain);

    if (layer && marked)
        layer->synced = true;
}

/* One sync of the file system for all of them; whatever is written meanwhile waits for the next. */
static bool sync_layers(struct image_store *store, struct err *err)
{
    AUTO(arena) *arena = arena_new(16 * 1024 * 1024);
    size_t count = 0;

    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to sync images");
    const char **chains = unsynced(&store->table, arena, &count);
    if (count > 0 && syncfs(store->disk.lock) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot sync %s", store->disk.root);
    for (size_t i = 0; i < count; i++)
        note_synced(store, chains[i]);
    return true;
}

static bool nothing_is_held(struct image_store *store)
{
    WITH_LOCK(&store->table.lock);

    return !store->table.holds;
}

bool image_collect(struct image_store *store, int64_t now_ms, struct image_collected *out,
                   struct err *err)
{
    struct image_collected sum = {0};
    const struct aim aim = {now_ms, store->options.keep_ms, store_bytes_max(store), 0};
    bool removed = remove_unused(store, &aim, &sum, err);

    if (nothing_is_held(store))
        disk_empty(&store->disk, "damaged");
    *out = sum;
    return removed && sync_layers(store, err);
}
