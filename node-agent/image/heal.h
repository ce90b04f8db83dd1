/* Threads: any; blocks.   Owner: nothing. */
#ifndef IMAGE_HEAL_H
#define IMAGE_HEAL_H

#include "node-agent/image/store.h"

/* `whole` false: the image was damaged, and is forgotten. */
bool heal_image(struct image_store *store, const struct image *image, int cancel_fd, bool *whole,
                struct err *err) MUST_CHECK;

#endif
