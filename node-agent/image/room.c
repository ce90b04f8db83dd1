/* Room for what is about to be pulled: below the ceiling of the store, and on the disk. Unused images go
 * first, the longest unused one before the others; nothing that is held or worked on. What a layer unpacks
 * to is not known before, so room is made for an estimate, and a pull is refused only when not even what
 * is fetched fits. */
#include "node-agent/image/room.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <sys/statvfs.h>

/* Compressed layers unpack to about three times their size, and both are there for a while. */
enum { ESTIMATE = 4, MB = 1000000 };

struct room {
    int64_t used, max;   /* of the store; max 0: no ceiling */
    int64_t free, total; /* of the disk */
};

static bool measure(struct image_store *store, struct room *room, struct err *err)
{
    struct statvfs disk;

    if (statvfs(store->disk.root, &disk) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot measure the disk of %s", store->disk.root);
    room->free = (int64_t)(disk.f_bavail * disk.f_frsize);
    room->total = (int64_t)(disk.f_blocks * disk.f_frsize);
    room->max = store_bytes_max(store);
    WITH_LOCK(&store->table.lock);
    room->used = table_bytes(&store->table);
    return true;
}

/* How much is missing for so many bytes more; 0: they fit. */
static int64_t missing(const struct room *room, int64_t bytes)
{
    int64_t ceiling = room->max > 0 ? room->used + bytes - room->max : 0, disk = bytes - room->free;
    int64_t most = ceiling > disk ? ceiling : disk;

    return most > 0 ? most : 0;
}

static long long mb(int64_t bytes)
{
    return (long long)((bytes + MB - 1) / MB);
}

static bool refuse(const struct room *room, const char *image, int64_t bytes, struct err *err)
{
    if (room->max > 0 && room->used + bytes > room->max)
        return err_set(err, ERR_STORAGE,
                       "%s: %lld MB are to be fetched, and the node's images hold %lld of the %lld "
                       "MB they may have (image_bytes_max); all of them are in use",
                       image, mb(bytes), mb(room->used), mb(room->max));
    return err_set(err, ERR_STORAGE,
                   "%s: %lld MB are to be fetched, and the node's disk has %lld of %lld MB left; "
                   "no image is unused",
                   image, mb(bytes), mb(room->free), mb(room->total));
}

int64_t store_bytes_max(const struct image_store *store)
{
    struct statvfs disk;

    if (store->options.bytes_max >= 0)
        return store->options.bytes_max;
    if (statvfs(store->disk.root, &disk) != 0)
        return 0;
    return (int64_t)(disk.f_blocks * disk.f_frsize) / 100 * LIMIT_IMAGE_DISK_PERCENT;
}

bool room_make(struct image_store *store, const char *image, int64_t bytes, struct err *err)
{
    struct room room;
    struct image_collected gone = {0};

    if (!measure(store, &room, err))
        return false;
    int64_t lacks = missing(&room, bytes * ESTIMATE);
    if (lacks > 0) {
        if (!collect_bytes(store, clock_now_ms(), lacks, &gone, err))
            return false;
        log_info("images_evicted", "for=%s images=%d bytes=%lld", LOG_QUOTE(image), gone.images,
                 (long long)gone.bytes);
        if (!measure(store, &room, err))
            return false;
    }
    return missing(&room, bytes) == 0 || refuse(&room, image, bytes, err);
}
