/* Points in a plane, each with a rank: the lowest-ranked one above, or below, a corner.
 *
 * The index of the scheduler. A node is a point (free CPU, free memory) ranked by how much it has free: the best fit
 * for a group is the lowest rank of all points right of and above the group's needs. A group that waits is a point
 * (CPU, memory) ranked by age: the one to place on a node is the lowest rank of all points left of and below what the
 * node has free.
 *
 * A tree of bits over the interleaved coordinates, so neighbours in the plane are neighbours in the tree; each branch
 * knows the box and the lowest rank of what is below it, and a search skips the branches that cannot answer. Points
 * are put and removed in O(log n); a search visits O(sqrt n) branches at worst and about 2 log n as a rule.
 *
 * Threads: one at a time.   Owner: space_free(). */
#ifndef SCHEDULER_SPACE_H
#define SCHEDULER_SPACE_H

#include "base/auto.h"

#include <stdint.h>

struct space;

enum { SPACE_NONE = -1 };
#define SPACE_COORDINATE_MAX ((UINT32_C(1) << 31) - 1) /* two of them fit 32 bits */

struct space *space_new(void); /* NULL when out of memory */
void space_free(struct space *space);
AUTO_TYPE(space);

/* Room for `count` points with ids below `ids`: putting them cannot fail then. False when out of memory. */
bool space_reserve(struct space *space, size_t ids, size_t count) MUST_CHECK;

/* Adds point `id`, which must not be there. Ids are indexes into an array here: keep them small. False when out of
 * memory. For space_find_above() a rank begins with the sum of the coordinates: space_rank(). */
bool space_put(struct space *space, uint32_t id, uint32_t x, uint32_t y, uint64_t rank) MUST_CHECK;
void space_remove(struct space *space, uint32_t id); /* must be there */
bool space_has(const struct space *space, uint32_t id);
size_t space_count(const struct space *space);

/* Less is better: first the smaller sum, then the smaller order. */
static inline uint64_t space_rank(uint32_t x, uint32_t y, uint32_t order)
{
    return ((uint64_t)x + y) << 32 | order;
}

/* Has the last word on a point that a search is about to choose. */
typedef bool (*space_allows)(uint32_t id, void *context);

/* Id of the lowest rank with both coordinates at least (or at most) these that `allows` (NULL: all) lets pass;
 * SPACE_NONE when there is none. */
int64_t space_find_above(const struct space *space, uint32_t x, uint32_t y, space_allows allows,
                         void *context);
int64_t space_find_below(const struct space *space, uint32_t x, uint32_t y, space_allows allows,
                         void *context);

#endif
