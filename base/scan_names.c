/* A set of names. The hash is keyed by chance, so nobody can prepare names that collide. */
#include "base/scan.h"

#include "base/err.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

enum { TABLE_FIRST = 32 };

static uint64_t hash_key;

static void make_hash_key(void)
{
    CHECK(getrandom(&hash_key, sizeof hash_key, 0) == sizeof hash_key);
}

/* Multiply and fold, eight bytes a step. */
static uint64_t mix(uint64_t state, uint64_t word)
{
    __extension__ unsigned __int128 wide =
        (unsigned __int128)(state ^ word ^ UINT64_C(0x9E3779B97F4A7C15)) * (hash_key | 1);
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static uint64_t hash(struct scan_slice name)
{
    uint64_t state = hash_key ^ name.size, word;
    for (; name.size >= sizeof word; name.bytes += sizeof word, name.size -= sizeof word) {
        memcpy(&word, name.bytes, sizeof word);
        state = mix(state, word);
    }
    word = 0;
    memcpy(&word, name.bytes, name.size);
    return mix(mix(state, word), state);
}

static bool equal(struct scan_slice left, struct scan_slice right)
{
    return left.size == right.size && memcmp(left.bytes, right.bytes, left.size) == 0;
}

/* Where `name` is, or where it belongs. */
static struct scan_slice *slot_of(const struct scan_names *names, struct scan_slice name)
{
    size_t at = (size_t)hash(name) & (names->capacity - 1);
    while (names->table[at].bytes && !equal(names->table[at], name))
        at = (at + 1) & (names->capacity - 1);
    return &names->table[at];
}

static bool grow(struct scan *scan, struct scan_names *names)
{
    struct scan_names larger = {.count = names->count,
                                .capacity = names->capacity ? names->capacity * 2 : TABLE_FIRST};
    larger.table = arena_array(scan->tape, larger.capacity, sizeof *larger.table);
    if (!larger.table)
        return scan_fault_memory(scan);
    size_t old_count = names->table ? names->capacity : names->count;
    const struct scan_slice *old = names->table ? names->table : names->few;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].bytes)
            *slot_of(&larger, old[i]) = old[i];
    *names = larger;
    return true;
}

bool scan_names_add(struct scan *scan, struct scan_names *names, struct scan_slice name,
                    bool *is_new)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (!names->table) {
        for (size_t i = 0; i < names->count; i++)
            if (equal(names->few[i], name)) {
                *is_new = false;
                return true;
            }
        if (names->count < sizeof names->few / sizeof names->few[0]) {
            names->few[names->count++] = name;
            *is_new = true;
            return true;
        }
        pthread_once(&once, make_hash_key);
    }
    if ((!names->table || names->count * 2 >= names->capacity) && !grow(scan, names))
        return false;
    struct scan_slice *slot = slot_of(names, name);
    *is_new = slot->bytes == NULL;
    if (*is_new) {
        *slot = name;
        names->count++;
    }
    return true;
}
