/* What the files that make layers share: layers.c (the whole), fetch.c, progress.
 * Threads: one pull's; fetching and unpacking at the same time.   Owner: layers.c. */
#ifndef IMAGE_LAYERS_H
#define IMAGE_LAYERS_H

#include "node-agent/image/pull.h"

bool layer_blob_path(const char *folder, const char *digest, char out[PATH_MAX]);
/* All that are claimed, into folder/blobs; blocks. */
bool layers_fetch(struct pull *pull, const char *folder, struct err *err) MUST_CHECK;
/* Compressed, of what is fetched: in all, and so far. */
int64_t layers_bytes(const struct pull *pull);
int64_t layers_bytes_fetched(const struct pull *pull, const char *folder);

#endif
