/* Ids of requests: unlike any other, but no secret. From a generator of each thread's own, seeded
 * once, because a system call for each request would be felt.
 * Threads: any. */
#ifndef API_REQUEST_ID_H
#define API_REQUEST_ID_H

#include "base/id.h"

void request_id_new(char out[ID_SIZE]); /* a UUID, version 4 */

#endif
