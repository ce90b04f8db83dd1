/* Threads: any; blocks.   Owner: nothing. */
#ifndef IMAGE_ROOM_H
#define IMAGE_ROOM_H

#include "node-agent/image/store.h"

/* For layers of so many compressed bytes. ERR_STORAGE names the image and what is in the way. */
bool room_make(struct image_store *store, const char *image, int64_t bytes, struct err *err)
    MUST_CHECK;

#endif
