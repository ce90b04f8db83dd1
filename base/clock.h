/* The time, replaceable in tests. Wall time for records, boot time (which counts sleep) for leases.
 * Threads: any; replacing is for single-threaded tests. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/text.h"

#include <stdint.h>

int64_t clock_now_ms(void);  /* Unix time */
int64_t clock_boot_ns(void); /* CLOCK_BOOTTIME: never goes back while the machine runs */

struct clock_source {
    int64_t (*now_ms)(void *context);
    int64_t (*boot_ns)(void *context);
    void *context;
};
void clock_replace(const struct clock_source *source); /* NULL restores the real clock */

enum { CLOCK_TEXT_SIZE = 40 };
/* "2026-01-31T08:11:33Z"; with _ms "2026-01-31T08:11:33.310Z". */
void clock_text(int64_t unix_ms, char out[CLOCK_TEXT_SIZE]);
void clock_text_ms(int64_t unix_ms, char out[CLOCK_TEXT_SIZE]);
/* RFC 3339 with any offset or 'Z'; false when it is not one. */
bool clock_parse(const char *text, int64_t *unix_ms) MUST_CHECK;

#endif
