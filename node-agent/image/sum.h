/* Threads: any.   Owner: nothing. */
#ifndef IMAGE_SUM_H
#define IMAGE_SUM_H

#include "base/err.h"

#include <stdint.h>

/* False: it is not there, or cannot be read whole. */
bool sum_folder(const char *path, uint64_t *sum) MUST_CHECK;

#endif
