/* Memory that ends together: one arena for a request, an agent message, a scheduler round.
 * Allocation is a pointer move; nothing is freed alone. Each arena has a ceiling; past it
 * arena_alloc returns NULL and the caller answers ERR_BUSY (ERR_TOO_LARGE when the input is to
 * blame).
 * Threads: one at a time.   Owner: arena_free(). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/auto.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(size_t bytes_max);
/* Begins with little memory: for one of many that stay. */
struct arena *arena_new_small(size_t bytes_max);
void arena_free(struct arena *arena);
void arena_reset(struct arena *arena); /* keeps the first block for the next round */
size_t arena_used(const struct arena *arena);

/* Zeroed, aligned for any type. NULL past the ceiling. */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK;
void *arena_array(struct arena *arena, size_t count, size_t size) MUST_CHECK; /* checks overflow */
char *arena_text(struct arena *arena, const char *text) MUST_CHECK; /* NULL in, NULL out */
char *arena_text_n(struct arena *arena, const char *bytes, size_t size) MUST_CHECK;
char *arena_format(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

AUTO_TYPE(arena);

#endif
