#include "base/limits.h"

const struct limit limits[] = {
#define X(name, value, unit, reason) {#name, (value), unit, reason},
#include "base/limits.def"
#undef X
};

const int limits_count = sizeof limits / sizeof limits[0];
