/* Patterns of field tables, each compiled once, when it is first needed, and kept for ever. */
#include "base/fields_inner.h"

#include "base/thread.h"

#include <regex.h>
#include <stdatomic.h>
#include <string.h>

enum { PATTERNS_MAX = 64 }; /* in all tables; one more is our mistake */

struct compiled {
    const char *pattern;
    regex_t regex;
};

static struct compiled compiled[PATTERNS_MAX];
static _Atomic size_t compiled_count; /* entries below it never change */
static struct lock lock = {.mutex = PTHREAD_MUTEX_INITIALIZER, .rank = LOCK_PATTERNS};

static const regex_t *find(const char *pattern, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (compiled[i].pattern == pattern || strcmp(compiled[i].pattern, pattern) == 0)
            return &compiled[i].regex;
    return NULL;
}

static const regex_t *compile(const char *pattern)
{
    WITH_LOCK(&lock);
    size_t count = atomic_load_explicit(&compiled_count, memory_order_relaxed);
    const regex_t *known = find(pattern, count);
    if (known)
        return known;
    char whole[512];
    CHECK(count < PATTERNS_MAX);
    CHECK(text_format(whole, sizeof whole, "^(%s)$", pattern));
    CHECK(regcomp(&compiled[count].regex, whole, REG_EXTENDED | REG_NOSUB) == 0);
    compiled[count].pattern = pattern;
    atomic_store_explicit(&compiled_count, count + 1, memory_order_release);
    return &compiled[count].regex;
}

bool pattern_matches(const char *pattern, const char *text)
{
    const regex_t *regex =
        find(pattern, atomic_load_explicit(&compiled_count, memory_order_acquire));
    if (!regex)
        regex = compile(pattern);
    return regexec(regex, text, 0, NULL, 0) == 0;
}
