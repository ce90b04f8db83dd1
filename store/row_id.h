/* UUIDs that carry the key of their row (version 8: 48 bits of key, 74 random bits), so that the database finds the row
 * without an index over random text. The random part must match too: a guessed key finds nothing.
 * Threads: any; pure. */
#ifndef STORE_ROW_ID_H
#define STORE_ROW_ID_H

#include "base/id.h"

#include <stdint.h>

void row_id(int64_t key, char out[ID_SIZE]);
/* 0: no id of ours. */
int64_t row_id_key(const char *id);

#endif
