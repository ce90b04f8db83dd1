/* LIMIT_NAME for every line of limits.def: a constant expression, so that tables and array sizes
 * may use it. Those that fit are ints: cast to int64_t before multiplying. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#include <stdint.h>

__extension__ enum { /* the extension: values beyond int */
#define X(name, value, unit, reason) LIMIT_##name = (value),
#include "base/limits.def"
#undef X
};

struct limit {
    const char *name;
    int64_t value;
    const char *unit, *reason;
};
extern const struct limit limits[];
extern const int limits_count;

#endif
