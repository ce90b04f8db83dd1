/* The store as folders and files:
 *
 *     lock                       one process at a time
 *     images/<digest>/manifest, config      checked against their digests when read; the folder's
 *                                time is when the image was last used
 *     layers/<chain id>/fs       a layer, unpacked; never changed
 *     layers/<chain id>/about    its size, and the boot that wrote it
 *     layers/<chain id>/synced   exists once the layer is known to be on disk
 *     references/<hash>          what a name meant, and whom the registry allowed it
 *     salt                       of the grants in there
 *     holds/<holder>             the digest that is in use
 *     temp/, trash/              emptied at open
 *     damaged/                   layers that were replaced, emptied once nothing is held
 *
 * Nothing waits for the disk while a container starts. Folders appear by rename, complete for every
 * process of this boot; after a power cut a layer is believed only if it was synced before, and the
 * small files only if they read back whole.
 * Threads: any; no lock is held here.   Owner: paths are the caller's buffers. */
#ifndef IMAGE_DISK_H
#define IMAGE_DISK_H

#include "base/id.h"
#include "node-agent/image/table.h"

#include <limits.h>

enum { DISK_ROOT_MAX = 1024 };

struct disk {
    char root[DISK_ROOT_MAX]; /* absolute */
    int lock;                 /* flock()ed */
    char boot[40];
    char salt[ID_TOKEN_SIZE];
};

bool disk_open(struct disk *disk, const char *root, struct err *err) MUST_CHECK;
void disk_close(struct disk *disk);

/* root/<formatted>; fits by construction. */
void disk_path(const struct disk *disk, char out[PATH_MAX], const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Everything believed goes into the table, the rest is removed. */
bool disk_load(const struct disk *disk, struct table *table, struct err *err) MUST_CHECK;

/* A new empty folder in temp/. */
bool disk_temp(const struct disk *disk, char out[PATH_MAX], struct err *err) MUST_CHECK;
void disk_remove(const char *folder); /* failures wait for the next open */
/* Out of sight at once by rename; what is in trash/ is removed by disk_empty(disk, "trash"). */
bool disk_discard(const struct disk *disk, const char *kind, const char *digest, struct err *err)
    MUST_CHECK;
void disk_empty(const struct disk *disk, const char *kind);

/* `folder` holds fs/ and is in temp/. */
bool disk_put_layer(const struct disk *disk, const char *folder, const char *chain, int64_t bytes,
                    int64_t files, char looks[LOOKS_SIZE], struct err *err) MUST_CHECK;
/* Whether it looks as when it was unpacked. */
bool disk_layer_is_whole(const struct disk *disk, const char *chain, const char *looks) MUST_CHECK;
/* Out of the way, but not removed: containers may still run on it. */
bool disk_set_aside(const struct disk *disk, const char *chain, struct err *err) MUST_CHECK;
bool disk_mark_synced(const struct disk *disk, const char *chain, struct err *err) MUST_CHECK;
bool disk_put_image(const struct disk *disk, const char *digest, const struct text *manifest,
                    const struct text *config, struct err *err) MUST_CHECK;
void disk_touch_image(const struct disk *disk, const char *digest, int64_t now_ms);
bool disk_put_reference(const struct disk *disk, const struct reference *reference, struct err *err)
    MUST_CHECK;
void disk_drop_reference(const struct disk *disk, const char *text);
bool disk_put_hold(const struct disk *disk, const char *holder, const char *digest, struct err *err)
    MUST_CHECK;
void disk_drop_hold(const struct disk *disk, const char *holder);

#endif
