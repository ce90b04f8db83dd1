/* LIMIT_NAME for every line of limits.def. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdint.h>

#define X(name, value, unit, reason) static const int64_t LIMIT_##name __attribute__((unused)) = (value);
#include "base/limits.def"
#undef X

struct limit { const char *name; int64_t value; const char *unit, *reason; };
extern const struct limit limits[];
extern const int limits_count;

#endif
