/* Images that nodes hold.
 * Not for: other rooms (store.h has the question).   Threads: the writer's. */
#ifndef STORE_IMAGES_H
#define STORE_IMAGES_H

#include "store/tx.h"

/* All that the node holds, as it told. */
bool node_images_tell(struct tx *tx, int64_t node_key, const struct node_images *images,
                      struct err *err) MUST_CHECK;

#endif
