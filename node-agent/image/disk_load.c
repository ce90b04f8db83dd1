/* Reading the store at open. What is damaged, half-done or not believed is removed: everything here
 * can be pulled again. */
#include "node-agent/image/disk.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/about.h"
#include "registry/registry.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

typedef bool (*load_fn)(const struct disk *disk, struct table *table, const char *name,
                        struct err *err);

static void auto_closedir(DIR **listing)
{
    if (*listing)
        closedir(*listing);
}

/* Calls `load` for each name in a folder of the store; what it refuses is removed. */
static bool load_each(const struct disk *disk, struct table *table, const char *kind, load_fn load,
                      struct err *err)
{
    char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];

    disk_path(disk, folder, "%s", kind);
    __attribute__((cleanup(auto_closedir))) DIR *listing = opendir(folder);
    if (!listing)
        return err_set_os(err, ERR_IO, errno, "cannot read %s", folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        struct err why = {0};
        if (entry->d_name[0] == '.' || load(disk, table, entry->d_name, &why))
            continue;
        log_debug("image_store_dropped", "kind=%s name=%s why=%s", kind, LOG_QUOTE(entry->d_name),
                  LOG_QUOTE(why.text));
        if (text_format(path, sizeof path, "%s/%s", folder, entry->d_name))
            disk_remove(path);
    }
    return true;
}

static bool read_document(const char *path, const struct schema *schema, struct arena *arena,
                          void *out, struct err *err)
{
    AUTO_FREE char *json = NULL;
    size_t size;

    return file_read(path, 16384, &json, &size, err) &&
           fields_read(schema, json, size, arena, out, err);
}

static bool digest_from_name(const char *name, char out[DIGEST_SIZE], struct err *err)
{
    if (text_format(out, DIGEST_SIZE, "sha256:%s", name) && digest_valid(out))
        return true;
    return err_set(err, ERR_INVALID, "not a digest");
}

static bool load_layer(const struct disk *disk, struct table *table, const char *name,
                       struct err *err)
{
    AUTO(arena) *arena = arena_new(65536);
    struct layer_about about = {0};
    char chain[DIGEST_SIZE], path[PATH_MAX];

    if (!digest_from_name(name, chain, err))
        return false;
    disk_path(disk, path, "layers/%s/about", name);
    if (!arena || !read_document(path, &layer_about_schema, arena, &about, err))
        return false;
    disk_path(disk, path, "layers/%s/synced", name);
    bool synced = file_exists(path);
    if (!synced && (!about.boot || strcmp(about.boot, disk->boot) != 0))
        return err_set(err, ERR_INVALID, "written before the machine went down, never synced");
    disk_path(disk, path, "layers/%s/fs", name);
    if (!file_exists(path))
        return err_set(err, ERR_INVALID, "its files are gone");
    return table_add_layer(table, chain, about.bytes, synced, about.looks ? about.looks : "", err);
}

/* A document of an image, if it still is what its digest says. */
static bool read_verified(const char *path, const char *digest, char **bytes, size_t *size,
                          struct err *err)
{
    char found[DIGEST_SIZE];

    if (!file_read(path, (size_t)LIMIT_IMAGE_MANIFEST_MAX, bytes, size, err))
        return false;
    digest_of(*bytes, *size, found);
    return strcmp(found, digest) == 0 || err_set(err, ERR_INVALID, "damaged");
}

static bool add_image(struct table *table, struct image *image, int64_t last_used_ms,
                      struct err *err)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < image->layers.count; i++) {
        const struct layer *layer = table_layer(table, image->layers.items[i]);
        if (!layer)
            return err_set(err, ERR_INVALID, "a layer is missing");
        bytes += layer->bytes;
    }
    image_set_bytes(image, bytes);
    return table_add_record(table, image, last_used_ms, err);
}

static bool load_image(const struct disk *disk, struct table *table, const char *name,
                       struct err *err)
{
    AUTO(arena) *arena = arena_new(4 * (size_t)LIMIT_IMAGE_MANIFEST_MAX);
    AUTO_FREE char *manifest_json = NULL;
    AUTO_FREE char *config_json = NULL;
    char digest[DIGEST_SIZE], path[PATH_MAX];
    struct manifest manifest;
    struct stat seen;
    size_t size;

    disk_path(disk, path, "images/%s", name);
    if (!arena || !digest_from_name(name, digest, err) || stat(path, &seen) != 0)
        return false;
    disk_path(disk, path, "images/%s/manifest", name);
    if (!read_verified(path, digest, &manifest_json, &size, err) ||
        !manifest_read(manifest_json, size, arena, &manifest, err) || !manifest.config)
        return false;
    disk_path(disk, path, "images/%s/config", name);
    if (!read_verified(path, manifest.config->digest, &config_json, &size, err))
        return false;
    AUTO(image) *image = image_new(digest, config_json, size, err);
    if (!image || !add_image(table, image, (int64_t)seen.st_mtim.tv_sec * 1000, err))
        return false;
    (void)TAKE(image);
    return true;
}

static bool load_reference(const struct disk *disk, struct table *table, const char *name,
                           struct err *err)
{
    AUTO(arena) *arena = arena_new(65536);
    struct reference_about about = {0};
    char path[PATH_MAX], hash[DIGEST_SIZE];

    disk_path(disk, path, "references/%s", name);
    if (!arena || !read_document(path, &reference_about_schema, arena, &about, err))
        return false;
    digest_of(about.reference, strlen(about.reference), hash);
    if (strcmp(digest_hex(hash), name) != 0 || !table_record(table, about.digest))
        return err_set(err, ERR_INVALID, "half-written, or its image is gone");
    for (size_t i = about.grants.count; i-- > 0;) { /* the newest is put last */
        if (digest_valid(about.grants.items[i]) &&
            !table_set_reference(table, about.reference, about.digest, about.grants.items[i],
                                 about.unlisted, err))
            return false;
    }
    return table_set_reference(table, about.reference, about.digest,
                               about.open_to_all ? NULL : "nobody", about.unlisted, err);
}

static bool load_hold(const struct disk *disk, struct table *table, const char *name,
                      struct err *err)
{
    AUTO_FREE char *digest = NULL;
    char path[PATH_MAX];

    disk_path(disk, path, "holds/%s", name);
    if (!file_read(path, DIGEST_SIZE, &digest, NULL, err))
        return false;
    if (!table_record(table, digest))
        return err_set(err, ERR_INVALID, "its image is gone");
    return table_set_hold(table, name, digest, err);
}

bool disk_load(const struct disk *disk, struct table *table, struct err *err)
{
    static const struct {
        const char *kind;
        load_fn load;
    } kinds[] = {
        {"layers", load_layer},
        {"images", load_image},
        {"references", load_reference},
        {"holds", load_hold},
    };

    disk_empty(disk, "trash");
    disk_empty(disk, "temp");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!load_each(disk, table, kinds[i].kind, kinds[i].load, err))
            return false;
    }
    return true;
}
