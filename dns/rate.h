/* How often a network may be answered over UDP: whoever writes another's address as its own makes us answer that other.
 * Past the limit every second answer says "ask over TCP", which no such liar can, and the rest are none.
 * Threads: one. */
#ifndef DNS_RATE_H
#define DNS_RATE_H

#include <stdint.h>

enum { RATE_PLACES = 4096 };

struct reply_rates {
    struct reply_rate {
        uint32_t network;
        int64_t second;
        int32_t count;
    } places[RATE_PLACES];
};

enum rate_word { RATE_ANSWER, RATE_CUT, RATE_NONE };
/* Two networks that share a place take it from each other, and begin anew. */
enum rate_word reply_rate_take(struct reply_rates *rates, uint32_t network, int64_t second);

#endif
