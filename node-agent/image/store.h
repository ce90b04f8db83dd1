/* What the files of this room share: the store itself.
 * Threads: `table` under its lock; the rest does not change after open. */
#ifndef IMAGE_STORE_H
#define IMAGE_STORE_H

#include "base/id.h"
#include "node-agent/image/disk.h"
#include "node-agent/image/table.h"
#include "registry/registry.h"

struct image_store {
    struct disk disk;
    struct table table;
    struct arena *arena; /* of the options' texts */
    struct image_store_options options;
    struct platform platform;
    char grant_key[ID_TOKEN_SIZE]; /* random: quick hashes of credentials mean nothing elsewhere */
    struct {
        char quick[DIGEST_SIZE], slow[DIGEST_SIZE];
    } grants[64]; /* those made last; under the table's lock */
    unsigned grants_next;
};

/* room.c: what the layers may hold; 0: no ceiling. */
int64_t store_bytes_max(const struct image_store *store);
/* collect.c: at least so many bytes of unused images, if there are. */
bool collect_bytes(struct image_store *store, int64_t now_ms, int64_t bytes,
                   struct image_collected *out, struct err *err) MUST_CHECK;

#endif
