/* Numbers that are the same for the same seed, on every machine (splitmix64). */
#ifndef TESTS_UNIT_SCHEDULER_SEED_H
#define TESTS_UNIT_SCHEDULER_SEED_H

#include <stdint.h>

static inline uint64_t seed_next(uint64_t *seed)
{
    uint64_t bits = *seed += UINT64_C(0x9e3779b97f4a7c15);
    bits = (bits ^ bits >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94d049bb133111eb);
    return bits ^ bits >> 31;
}

/* From low to high, both included. */
static inline int64_t seed_between(uint64_t *seed, int64_t low, int64_t high)
{
    return low + (int64_t)(seed_next(seed) % (uint64_t)(high - low + 1));
}

#endif
