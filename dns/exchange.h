/* One message to a DNS server over TCP, and its answer, within LIMIT_DNS_ANSWER_MS.   Threads: any; blocks. */
#ifndef DNS_EXCHANGE_H
#define DNS_EXCHANGE_H

#include "base/arena.h"
#include "base/err.h"
#include "dns/address.h"

#include <stdatomic.h>

/* The answer lives in the arena. `stopping` ends the wait. */
bool exchange(const union address *server, const atomic_bool *stopping, struct arena *arena,
              const uint8_t *message, size_t size, uint8_t **reply, size_t *reply_size,
              struct err *err) MUST_CHECK;

#endif
