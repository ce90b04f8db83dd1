/* Addresses of a name, asked for where waiting can be ended: the system's resolver cannot, so a thread of its own waits for it.
 * Threads: any; blocks until `until_ms` (clock_boot_ns() / 10^6) or until the bell rings. */
#ifndef LINK_RESOLVE_H
#define LINK_RESOLVE_H

#include "base/thread.h"

#include <netdb.h>

/* NULL with why; ERR_CLOSED: the bell. An address in digits is known at once. freeaddrinfo() is the caller's. */
struct addrinfo *resolve(const char *host, const char *port, int64_t until_ms,
                         const struct bell *stop, struct err *err) MUST_CHECK;

#endif
