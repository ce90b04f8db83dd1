/* What the images of a group mean: as it was said when its version began, else as its node found first.
 * Not for: other rooms (store.h has the question).   Threads: the writer's. */
#ifndef STORE_PINS_H
#define STORE_PINS_H

#include "store/tx.h"

/* A new version of the group: row->pins in place of all there were; one without a digest keeps the old one. */
bool pins_begin(struct tx *tx, const struct group_row *row, struct err *err) MUST_CHECK;
/* What its node found, where nothing was said. */
bool pins_learn(struct tx *tx, int64_t group_key, const struct image_pin *pins, size_t count,
                struct err *err) MUST_CHECK;

#endif
