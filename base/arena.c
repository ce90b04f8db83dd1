/* A chain of blocks, newest first. The ceiling counts what was given out. An allocation that would
 * waste much of the newest block gets a block of its own behind it, so waste stays below a quarter.
 * Under the address sanitizer what was not given out is poisoned, with a gap behind each piece. */
#include "base/arena.h"

#include "base/err.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define POISONING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONING 1
#endif
#endif
#ifdef POISONING
#include <sanitizer/asan_interface.h>
enum { GAP = 16 };
#else
enum { GAP = 0 };
#define ASAN_POISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

enum {
    ALIGNMENT = 16,
    BLOCK_FIRST = 16 * 1024,
    BLOCK_SMALL = 2 * 1024 - 64,
    BLOCK_LARGEST = 1024 * 1024
};

struct block {
    struct block *older;
    size_t used, capacity;
    _Alignas(ALIGNMENT) char bytes[];
};

struct arena {
    size_t used, used_max;
    struct block *newest, *first; /* the first one outlives arena_reset() */
};

static struct block *block_new(size_t capacity)
{
    struct block *block = malloc(sizeof *block + capacity);
    if (!block)
        return NULL;
    block->older = NULL;
    block->used = 0;
    block->capacity = capacity;
    ASAN_POISON_MEMORY_REGION(block->bytes, capacity);
    return block;
}

static void block_free(struct block *block)
{
    ASAN_UNPOISON_MEMORY_REGION(block->bytes, block->capacity);
    free(block);
}

static struct arena *arena_begin(size_t bytes_max, size_t first_block)
{
    struct arena *arena = malloc(sizeof *arena);
    if (!arena)
        return NULL;
    struct block *first = block_new(first_block);
    *arena = (struct arena){.used_max = bytes_max, .newest = first, .first = first};
    if (!first) {
        free(arena);
        return NULL;
    }
    return arena;
}

struct arena *arena_new(size_t bytes_max)
{
    return arena_begin(bytes_max, BLOCK_FIRST);
}

struct arena *arena_new_small(size_t bytes_max)
{
    return arena_begin(bytes_max, BLOCK_SMALL);
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        block_free(block);
    }
    free(arena);
}

void arena_reset(struct arena *arena)
{
    for (struct block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        if (block != arena->first)
            block_free(block);
    }
    ASAN_POISON_MEMORY_REGION(arena->first->bytes, arena->first->capacity);
    arena->first->older = NULL;
    arena->first->used = 0;
    arena->newest = arena->first;
    arena->used = 0;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

/* A block with room for `size` bytes. */
static struct block *make_room(struct arena *arena, size_t size)
{
    struct block *newest = arena->newest;
    size_t next = newest->capacity * 2 < BLOCK_LARGEST ? newest->capacity * 2 : BLOCK_LARGEST;
    bool apart = size > next / 4;
    struct block *block = block_new(apart ? size : next);
    if (!block)
        return NULL;
    if (apart) {
        block->older = newest->older;
        newest->older = block;
    } else {
        block->older = newest;
        arena->newest = block;
    }
    return block;
}

/* Not zeroed. */
static void *take(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - GAP - ALIGNMENT)
        return NULL;
    size_t rounded = (size + GAP + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (rounded > arena->used_max - arena->used)
        return NULL;
    struct block *block = arena->newest;
    if (rounded > block->capacity - block->used && !(block = make_room(arena, rounded)))
        return NULL;
    void *memory = block->bytes + block->used;
    block->used += rounded;
    arena->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(memory, size);
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    void *memory = take(arena, size);
    return memory ? memset(memory, 0, size) : NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    return arena_alloc(arena, total);
}

char *arena_text_n(struct arena *arena, const char *bytes, size_t size)
{
    if (size == SIZE_MAX)
        return NULL;
    char *copy = take(arena, size + 1);
    if (!copy)
        return NULL;
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    return copy;
}

char *arena_text(struct arena *arena, const char *text)
{
    return text ? arena_text_n(arena, text, strlen(text)) : NULL;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
    AUTO(text) *text = text_new(arena->used_max);
    va_list arguments;
    va_start(arguments, format);
    text_addf_v(text, format, arguments);
    va_end(arguments);
    return text_ok(text) ? arena_text_n(arena, text->bytes, text->size) : NULL;
}
