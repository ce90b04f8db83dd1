/* Wrong secrets, counted for each client and the address it came from: past the ceiling that pair is
 * not looked at until its minute is over. Others, and the same client from elsewhere, go on.
 * Threads: any.   Owner: failures_free(). */
#ifndef API_AUTH_FAILURES_H
#define API_AUTH_FAILURES_H

#include "base/err.h"

#include <stdint.h>

struct failures;

struct failures *failures_new(struct err *err) MUST_CHECK;
void failures_free(struct failures *failures);

/* Seconds until it may try again; 0: now. */
int64_t failures_wait_s(struct failures *failures, const char *client_id, const char *from,
                        int64_t now_ms);
void failures_add(struct failures *failures, const char *client_id, const char *from,
                  int64_t now_ms);

#endif
