/* From the store's keys to places in arrays: open addressing, no order.
 * Threads: one at a time.   Owner: key_map_done(); a zeroed map is empty. */
#ifndef SCHEDULER_KEY_MAP_H
#define SCHEDULER_KEY_MAP_H

#include "base/auto.h"

#include <stdint.h>

enum { KEY_MAP_NONE = -1 };

struct key_map {
    struct key_map_cell {
        int64_t key; /* 0: free */
        uint32_t value;
    } * cells;
    size_t count, capacity; /* a power of two, never more than three quarters full */
};

void key_map_done(struct key_map *map);
/* Keys are not 0. False when out of memory. */
bool key_map_put(struct key_map *map, int64_t key, uint32_t value) MUST_CHECK;
int64_t key_map_find(const struct key_map *map, int64_t key); /* KEY_MAP_NONE when absent */
void key_map_remove(struct key_map *map, int64_t key);        /* absent is fine */

#endif
