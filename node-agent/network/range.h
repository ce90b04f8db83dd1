/* The node's address range, and which of its addresses are taken. Pure; addresses are in host byte order.
 * Threads: one at a time.   Owner: in place, range_done(). */
#ifndef NODE_AGENT_NETWORK_RANGE_H
#define NODE_AGENT_NETWORK_RANGE_H

#include "base/err.h"
#include "node-agent/network/network.h"

#include <stdint.h>

struct range {
    uint32_t first; /* of the network itself: 10.101.0.0 */
    int prefix;
    uint32_t
        next; /* offset the next search starts at: an address given back is reused as late as possible */
    uint8_t *taken; /* a bit for each offset */
};

/* "10.101.0.0/24" */
bool range_parse(const char *text, uint32_t *first, int *prefix, struct err *err) MUST_CHECK;
bool range_init(struct range *range, const char *text, struct err *err) MUST_CHECK;
void range_done(struct range *range);

uint32_t range_size(const struct range *range);
uint32_t range_gateway(const struct range *range); /* the bridge's */
bool range_has(const struct range *range, uint32_t address);
bool range_overlaps(const struct range *range, uint32_t first, int prefix);

/* Any free one but the network's, the bridge's and the broadcast address. */
bool range_take(struct range *range, uint32_t *address, struct err *err) MUST_CHECK;
/* This one, found in use. False when it is outside. */
bool range_take_one(struct range *range, uint32_t address);
void range_give(struct range *range, uint32_t address);

void address_text(uint32_t address, char out[NETWORK_ADDRESS_SIZE]);
bool address_parse(const char *text, uint32_t *address) MUST_CHECK;
/* 02:be and the address: locally administered, the same whenever the address is used again. */
void address_mac(uint32_t address, uint8_t out[6]);

#endif
