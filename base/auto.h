/* Ownership written where a variable is declared.
 *
 *     AUTO(text) *out = text_new(TEXT_MAX);     freed by text_free() at scope end
 *     AUTO_CLOSE int fd = open(...);            closed at scope end when >= 0
 *     AUTO_FREE char *line = NULL;              free()d at scope end
 *     return TAKE(out);                         given away: the caller owns it now
 *
 * A type takes part by declaring AUTO_TYPE(noun): its noun_free(struct noun *) must accept NULL.
 * Not for: arena memory, which ends with its arena.
 * Threads: any. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* The struct that holds this member. */
#define CONTAINER_OF(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define AUTO_TYPE(noun)                                             \
    UNUSED static inline void auto_free_##noun(struct noun **owned) \
    {                                                               \
        noun##_free(*owned);                                        \
        *owned = NULL;                                              \
    }                                                               \
    struct noun

#define AUTO(noun) __attribute__((cleanup(auto_free_##noun))) struct noun

static inline void auto_free_memory(void *owned)
{
    free(*(void **)owned);
}

static inline void auto_close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

#define AUTO_FREE __attribute__((cleanup(auto_free_memory)))
#define AUTO_CLOSE __attribute__((cleanup(auto_close_fd)))

#define TAKE(pointer)                                \
    __extension__({                                  \
        __typeof__(pointer) take_given_ = (pointer); \
        (pointer) = NULL;                            \
        take_given_;                                 \
    })

#define TAKE_FD(fd)             \
    __extension__({             \
        int take_given_ = (fd); \
        (fd) = -1;              \
        take_given_;            \
    })

#endif
