#include "node-agent/image/disk.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/text.h"
#include "node-agent/image/about.h"
#include "node-agent/image/sum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

/* ---- documents ---- */

static const struct field layer_fields[] = {
    FIELD(struct layer_about, bytes, "bytes", .flags = FIELD_REQUIRED),
    FIELD(struct layer_about, files, "files", .flags = FIELD_REQUIRED),
    FIELD(struct layer_about, looks, "looks"),
    FIELD(struct layer_about, boot, "boot", .flags = FIELD_REQUIRED),
};
const struct schema layer_about_schema =
    SCHEMA("StoredLayer", struct layer_about, layer_fields, "A layer of the image store.");

static const struct field reference_fields[] = {
    FIELD(struct reference_about, reference, "reference", .flags = FIELD_REQUIRED),
    FIELD(struct reference_about, digest, "digest", .flags = FIELD_REQUIRED),
    FIELD(struct reference_about, open_to_all, "openToAll"),
    FIELD(struct reference_about, unlisted, "unlisted"),
    FIELD(struct reference_about, grants, "grants", .max = GRANTS_MAX),
};
const struct schema reference_about_schema = SCHEMA(
    "StoredReference", struct reference_about, reference_fields, "What an image's name meant.");

static bool put_document(const char *path, const struct schema *schema, const void *value,
                         struct err *err)
{
    AUTO(text) *json = text_new(8192);

    fields_print(schema, value, FIELDS_ALL, json, NULL);
    if (!text_ok(json))
        return err_set(err, ERR_BUSY, "out of memory");
    return file_replace(path, json->bytes, json->size, 0600, false, err);
}

/* ---- the store's own folder ---- */

void disk_path(const struct disk *disk, char out[PATH_MAX], const char *format, ...)
{
    char rest[PATH_MAX - DISK_ROOT_MAX];
    va_list args;

    va_start(args, format);
    bool whole = text_format_v(rest, sizeof rest, format, args);
    va_end(args);
    CHECK(whole);
    whole = text_format(out, PATH_MAX, "%s/%s", disk->root, rest);
    CHECK(whole);
}

static bool make_folders(const struct disk *disk, struct err *err)
{
    static const char *const kinds[] = {"images", "layers", "references", "holds",
                                        "temp",   "trash",  "damaged"};
    char path[PATH_MAX];

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        disk_path(disk, path, "%s", kinds[i]);
        if (!file_make_folders(path, 0700, err))
            return false;
    }
    return true;
}

/* Waits a little: the last child of an agent that was killed shares its lock until it runs skopeo. */
static bool lock_alone(int fd)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};

    for (int64_t waited_ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited_ms += 10) {
        if (waited_ms >= LIMIT_IMAGE_LOCK_MS)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static bool take_lock(struct disk *disk, struct err *err)
{
    char path[PATH_MAX];

    disk_path(disk, path, "lock");
    disk->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (disk->lock < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open %s", path);
    if (!lock_alone(disk->lock))
        return err_set(err, ERR_CONFLICT, "the image store %s is used by another process",
                       disk->root);
    return true;
}

static bool read_boot(struct disk *disk, struct err *err)
{
    AUTO_FREE char *boot = NULL;

    if (!file_read("/proc/sys/kernel/random/boot_id", 128, &boot, NULL, err))
        return false;
    boot[strcspn(boot, "\n")] = '\0';
    return text_copy(disk->boot, sizeof disk->boot, boot) ||
           err_set(err, ERR_IO, "the machine's boot has a strange name");
}

/* overlayfs reads ':' and ',' in its options as ends of a path. */
static bool find_root(struct disk *disk, const char *root, struct err *err)
{
    AUTO_FREE char *real = NULL;

    if (!file_make_folders(root, 0700, err))
        return false;
    real = realpath(root, NULL);
    if (!real || !text_copy(disk->root, sizeof disk->root, real))
        return err_set(err, ERR_INVALID, "the image store's path %s is too long", root);
    if (strpbrk(disk->root, ":,\\"))
        return err_set(err, ERR_INVALID, "the image store's path %s has ':', ',' or '\\' in it",
                       disk->root);
    return true;
}

/* Of the grants of this store, made once. */
static bool read_salt(struct disk *disk, struct err *err)
{
    AUTO_FREE char *salt = NULL;
    char path[PATH_MAX];

    disk_path(disk, path, "salt");
    if (file_exists(path) && file_read(path, sizeof disk->salt, &salt, NULL, err) &&
        strlen(salt) == sizeof disk->salt - 1 && text_copy(disk->salt, sizeof disk->salt, salt))
        return true;
    id_token(disk->salt);
    return file_replace(path, disk->salt, strlen(disk->salt), 0600, false, err);
}

bool disk_open(struct disk *disk, const char *root, struct err *err)
{
    disk->lock = -1;
    return find_root(disk, root, err) && read_boot(disk, err) && make_folders(disk, err) &&
           take_lock(disk, err) && read_salt(disk, err);
}

void disk_close(struct disk *disk)
{
    auto_close_fd(&disk->lock);
}

bool disk_temp(const struct disk *disk, char out[PATH_MAX], struct err *err)
{
    char id[ID_SIZE];

    id_random(id);
    disk_path(disk, out, "temp/%s", id);
    if (mkdir(out, 0700) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", out);
    return true;
}

void disk_remove(const char *folder)
{
    struct err ignored;

    if (!file_remove_tree(folder, &ignored))
        return; /* looked at again by the next open */
}

bool disk_discard(const struct disk *disk, const char *kind, const char *digest, struct err *err)
{
    char from[PATH_MAX], to[PATH_MAX], id[ID_SIZE];

    id_random(id);
    disk_path(disk, from, "%s/%s", kind, digest_hex(digest));
    disk_path(disk, to, "trash/%s", id);
    if (rename(from, to) != 0 && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot discard %s", from);
    return true;
}

bool disk_set_aside(const struct disk *disk, const char *chain, struct err *err)
{
    char from[PATH_MAX], to[PATH_MAX], id[ID_SIZE];

    id_random(id);
    disk_path(disk, from, "layers/%s", digest_hex(chain));
    disk_path(disk, to, "damaged/%s", id);
    if (rename(from, to) != 0 && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot set %s aside", from);
    return true;
}

void disk_empty(const struct disk *disk, const char *kind)
{
    char path[PATH_MAX];
    struct err ignored;

    disk_path(disk, path, "%s", kind);
    if (file_remove_tree(path, &ignored))
        (void)mkdir(path, 0700);
}

/* ---- what is kept ---- */

/* Whatever stands there is a stray: the table does not know it, and the caller has claimed it. */
static bool move_in(const struct disk *disk, const char *from, const char *kind, const char *digest,
                    struct err *err)
{
    char place[PATH_MAX];

    disk_path(disk, place, "%s/%s", kind, digest_hex(digest));
    if (rename(from, place) == 0)
        return true;
    if ((errno != EEXIST && errno != ENOTEMPTY) || !disk_discard(disk, kind, digest, err) ||
        rename(from, place) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot move %s to its place", from);
    return true;
}

static bool disk_look(const char *folder, char out[LOOKS_SIZE], struct err *err)
{
    uint64_t sum;

    if (!sum_folder(folder, &sum))
        return err_set_os(err, ERR_IO, errno, "cannot look through %s", folder);
    return text_format(out, LOOKS_SIZE, "%016llx", (unsigned long long)sum) ||
           err_set(err, ERR_INTERNAL, "a sum has 16 digits");
}

bool disk_layer_is_whole(const struct disk *disk, const char *chain, const char *looks)
{
    char path[PATH_MAX], found[LOOKS_SIZE];
    struct err gone;

    disk_path(disk, path, "layers/%s/fs", digest_hex(chain));
    return !*looks ? file_exists(path) : disk_look(path, found, &gone) && strcmp(found, looks) == 0;
}

bool disk_put_layer(const struct disk *disk, const char *folder, const char *chain, int64_t bytes,
                    int64_t files, char looks[LOOKS_SIZE], struct err *err)
{
    char path[PATH_MAX];
    const struct layer_about about = {bytes, files, looks, disk->boot};

    return text_format(path, sizeof path, "%s/fs", folder) && disk_look(path, looks, err) &&
           text_format(path, sizeof path, "%s/about", folder) &&
           put_document(path, &layer_about_schema, &about, err) &&
           move_in(disk, folder, "layers", chain, err);
}

bool disk_mark_synced(const struct disk *disk, const char *chain, struct err *err)
{
    char path[PATH_MAX];

    disk_path(disk, path, "layers/%s/synced", digest_hex(chain));
    return file_replace(path, "", 0, 0600, false, err);
}

bool disk_put_image(const struct disk *disk, const char *digest, const struct text *manifest,
                    const struct text *config, struct err *err)
{
    char folder[PATH_MAX], path[PATH_MAX + 16];

    if (!disk_temp(disk, folder, err) || !text_format(path, sizeof path, "%s/manifest", folder) ||
        !file_replace(path, manifest->bytes, manifest->size, 0600, false, err))
        return false;
    if (!text_format(path, sizeof path, "%s/config", folder) ||
        !file_replace(path, config->bytes, config->size, 0600, false, err))
        return false;
    return move_in(disk, folder, "images", digest, err);
}

void disk_touch_image(const struct disk *disk, const char *digest, int64_t now_ms)
{
    const struct timespec now = {now_ms / 1000, now_ms % 1000 * 1000000};
    char path[PATH_MAX];

    disk_path(disk, path, "images/%s", digest_hex(digest));
    (void)utimensat(AT_FDCWD, path, (struct timespec[]){now, now}, 0);
}

static void reference_path(const struct disk *disk, const char *text, char out[PATH_MAX])
{
    char hash[DIGEST_SIZE];

    digest_of(text, strlen(text), hash);
    disk_path(disk, out, "references/%s", digest_hex(hash));
}

bool disk_put_reference(const struct disk *disk, const struct reference *reference, struct err *err)
{
    const char *grants[GRANTS_MAX];
    const struct reference_about about = {reference->text,
                                          reference->digest,
                                          reference->open_to_all,
                                          reference->unlisted,
                                          {true, grants, reference->grants_count}};
    char path[PATH_MAX];

    for (size_t i = 0; i < reference->grants_count; i++)
        grants[i] = reference->grants[i];
    reference_path(disk, reference->text, path);
    return put_document(path, &reference_about_schema, &about, err);
}

void disk_drop_reference(const struct disk *disk, const char *text)
{
    char path[PATH_MAX];

    reference_path(disk, text, path);
    (void)unlink(path);
}

bool disk_put_hold(const struct disk *disk, const char *holder, const char *digest, struct err *err)
{
    char path[PATH_MAX];

    disk_path(disk, path, "holds/%s", holder);
    return file_replace(path, digest, strlen(digest), 0600, false, err);
}

void disk_drop_hold(const struct disk *disk, const char *holder)
{
    char path[PATH_MAX];

    disk_path(disk, path, "holds/%s", holder);
    (void)unlink(path);
}
