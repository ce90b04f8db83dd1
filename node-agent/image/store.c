#include "node-agent/image/store.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/process.h"

#include <string.h>

static bool copy_options(struct image_store *store, const struct image_store_options *options)
{
    const struct text_list *insecure = &options->insecure;
    const char **items = arena_array(store->arena, insecure->count, sizeof *items);

    for (size_t i = 0; items && i < insecure->count; i++)
        items[i] = arena_text(store->arena, insecure->items[i]);
    store->options = *options;
    store->options.stall_ms = options->stall_ms > 0 ? options->stall_ms : LIMIT_PULL_STALL_MS;
    store->options.skopeo = arena_text(store->arena, options->skopeo ? options->skopeo : "skopeo");
    store->options.certs = arena_text(store->arena, options->certs);
    store->options.insecure.items = items;
    return (store->options.certs || !options->certs) && store->options.skopeo &&
           (items || insecure->count == 0);
}

/* Missing is told at the start, not with the first image. */
static bool find_unpacker(struct image_store *store, struct err *err)
{
    char path[PATH_MAX] = "";
    const char *given = store->options.unpacker;

    if (!(given ? text_copy(path, sizeof path, given)
                : process_beside("berth-unpack", path, sizeof path)) ||
        access(path, X_OK) != 0)
        return err_set(err, ERR_NOT_FOUND, "berth-unpack, which unpacks images, is missing: %s",
                       path);
    store->options.unpacker = arena_text(store->arena, path);
    return store->options.unpacker ? true : err_set(err, ERR_BUSY, "no memory for a path");
}

static bool begin(struct image_store *store, const char *root,
                  const struct image_store_options *options, struct err *err)
{
    store->arena = arena_new(1024 * 1024);
    if (!store->arena || !copy_options(store, options))
        return err_set(err, ERR_BUSY, "no memory for the image store");
    if (!find_unpacker(store, err))
        return false;
    id_token(store->grant_key);
    store->platform = platform_of_machine();
    return disk_open(&store->disk, root, err) && disk_load(&store->disk, &store->table, err);
}

struct image_store *image_store_open(const char *root, const struct image_store_options *options,
                                     struct err *err)
{
    struct image_store *store = calloc(1, sizeof *store);

    if (!store) {
        err_set(err, ERR_BUSY, "no memory for the image store");
        return NULL;
    }
    store->disk.lock = -1;
    table_init(&store->table);
    if (!begin(store, root, options, err)) {
        err_add(err, "while opening the image store");
        image_store_close(store);
        return NULL;
    }
    return store;
}

void image_store_close(struct image_store *store)
{
    if (!store)
        return;
    table_done(&store->table);
    disk_close(&store->disk);
    arena_free(store->arena);
    free(store);
}

/* ---- holds ---- */

static bool holder_valid(const char *holder)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    size_t size = strlen(holder);
    return size > 0 && size < HOLDER_SIZE && *holder != '.' && strspn(holder, allowed) == size;
}

/* In the table first: from then on nothing collects the image, and the file follows. */
static bool hold_in_table(struct image_store *store, const char *digest, const char *holder,
                          int64_t now_ms, struct err *err)
{
    WITH_LOCK(&store->table.lock);
    struct record *record = table_record(&store->table, digest);

    if (!record)
        return err_set(err, ERR_NOT_FOUND, "the image %s is not on this node any more", digest);
    record->last_used_ms = now_ms;
    return table_set_hold(&store->table, holder, digest, err);
}

bool image_hold(struct image_store *store, const struct image *image, const char *holder,
                struct err *err)
{
    int64_t now_ms = clock_now_ms();

    if (!holder_valid(holder))
        return err_set(err, ERR_INVALID, "%s cannot hold an image", LOG_QUOTE(holder));
    if (!hold_in_table(store, image->digest, holder, now_ms, err))
        return false;
    disk_touch_image(&store->disk, image->digest, now_ms);
    if (disk_put_hold(&store->disk, holder, image->digest, err))
        return true;
    WITH_LOCK(&store->table.lock);
    table_drop_hold(&store->table, holder);
    return false;
}

void image_release(struct image_store *store, const char *holder)
{
    char digest[DIGEST_SIZE] = "";
    int64_t now_ms = clock_now_ms();

    if (!holder_valid(holder))
        return;
    /* The file first: a crash in between leaves a hold too many, never one too few. */
    disk_drop_hold(&store->disk, holder);
    {
        WITH_LOCK(&store->table.lock);
        struct hold *hold = table_hold(&store->table, holder);
        struct record *record = hold ? table_record(&store->table, hold->digest) : NULL;
        if (record) {
            memcpy(digest, hold->digest, sizeof digest);
            record->last_used_ms = now_ms;
        }
        table_drop_hold(&store->table, holder);
    }
    if (*digest)
        disk_touch_image(&store->disk, digest, now_ms);
}

struct image *image_held(struct image_store *store, const char *holder, struct err *err)
{
    WITH_LOCK(&store->table.lock);
    struct hold *hold = table_hold(&store->table, holder);
    struct record *record = hold ? table_record(&store->table, hold->digest) : NULL;

    if (record)
        return image_keep(record->image);
    err_set(err, ERR_NOT_FOUND, "nothing is held for %s", LOG_QUOTE(holder));
    return NULL;
}

/* `keep` is the caller's code: it is asked outside the lock, name by name. */
static char *names_of_holders(struct image_store *store, size_t *count)
{
    WITH_LOCK(&store->table.lock);
    size_t held = 0;
    char *names;

    for (struct hold *hold = store->table.holds; hold; hold = hold->next)
        held++;
    names = calloc(held ? held : 1, HOLDER_SIZE);
    *count = names ? held : 0;
    held = 0;
    for (struct hold *hold = store->table.holds; names && hold; hold = hold->next)
        memcpy(names + held++ * HOLDER_SIZE, hold->holder, HOLDER_SIZE);
    return names;
}

void image_release_others(struct image_store *store,
                          bool (*keep)(const char *holder, void *context), void *context)
{
    size_t count;
    AUTO_FREE char *names = names_of_holders(store, &count);

    for (size_t i = 0; i < count; i++) {
        const char *holder = names + i * HOLDER_SIZE;
        if (!keep(holder, context))
            image_release(store, holder);
    }
}

/* ---- what there is ---- */

static bool fill_row(struct image_store *store, const struct reference *reference,
                     struct arena *arena, struct image_row *row)
{
    struct record *record = table_record(&store->table, reference->digest);

    CHECK(record); /* references go with their image */
    row->reference = arena_text(arena, reference->text);
    row->digest = arena_text(arena, reference->digest);
    row->bytes = record->image->bytes;
    row->last_used_ms = record->last_used_ms;
    row->held = table_held(&store->table, reference->digest);
    row->open_to_all = reference->open_to_all;
    return row->reference && row->digest;
}

int64_t image_list_version(struct image_store *store)
{
    WITH_LOCK(&store->table.lock);

    return store->table.references_version;
}

bool image_list(struct image_store *store, struct arena *arena, struct image_row **rows,
                size_t *count, struct err *err)
{
    WITH_LOCK(&store->table.lock);
    size_t known = 0, filled = 0;
    struct image_row *out;

    for (struct reference *at = store->table.references; at; at = at->next)
        known += !at->unlisted;
    out = arena_array(arena, known ? known : 1, sizeof *out);
    for (struct reference *at = store->table.references; out && at; at = at->next) {
        if (!at->unlisted && !fill_row(store, at, arena, &out[filled++]))
            out = NULL;
    }
    if (!out)
        return err_set(err, ERR_BUSY, "no memory for the list of images");
    *rows = out;
    *count = known;
    return true;
}
