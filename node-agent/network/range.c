/* Addresses are handed out in turn, like process ids: the search goes on behind the last one given, so that
 * connections and caches that still mean the previous owner have the whole range's time to end. */
#include "node-agent/network/range.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

enum { PREFIX_SHORTEST = 16, PREFIX_LONGEST = 29 };

static uint32_t prefix_mask(int prefix)
{
    return prefix == 0 ? 0 : ~(uint32_t)0 << (32 - prefix);
}

bool range_parse(const char *text, uint32_t *first, int *prefix, struct err *err)
{
    char address[NETWORK_ADDRESS_SIZE];
    uint32_t parsed;
    int64_t bits;
    const char *slash = strchr(text, '/');
    if (!slash || !text_format(address, sizeof address, "%.*s", (int)(slash - text), text) ||
        !address_parse(address, &parsed) || !text_to_int(slash + 1, &bits) ||
        bits < PREFIX_SHORTEST || bits > PREFIX_LONGEST)
        return err_set(err, ERR_INVALID,
                       "\"%s\" is no range of IPv4 addresses such as 10.101.0.0/24 "
                       "(from /%d to /%d)",
                       text, PREFIX_SHORTEST, PREFIX_LONGEST);
    if (parsed & ~prefix_mask((int)bits)) {
        address_text(parsed & prefix_mask((int)bits), address);
        return err_set(err, ERR_INVALID,
                       "the range %s does not start at its network, which is %s/%d", text, address,
                       (int)bits);
    }
    *first = parsed;
    *prefix = (int)bits;
    return true;
}

bool range_init(struct range *range, const char *text, struct err *err)
{
    struct range made = {.next = 2};
    if (!range_parse(text, &made.first, &made.prefix, err))
        return false;
    made.taken = calloc(range_size(&made) / 8, 1);
    if (!made.taken)
        return err_set(err, ERR_BUSY, "no memory for the address range %s", text);
    *range = made;
    return true;
}

void range_done(struct range *range)
{
    free(TAKE(range->taken));
}

uint32_t range_size(const struct range *range)
{
    return (uint32_t)1 << (32 - range->prefix);
}

uint32_t range_gateway(const struct range *range)
{
    return range->first + 1;
}

bool range_has(const struct range *range, uint32_t address)
{
    return (address & prefix_mask(range->prefix)) == range->first;
}

bool range_overlaps(const struct range *range, uint32_t first, int prefix)
{
    uint32_t mask = prefix_mask(prefix < range->prefix ? prefix : range->prefix);
    return (first & mask) == (range->first & mask);
}

static bool offset_taken(const struct range *range, uint32_t offset)
{
    return range->taken[offset / 8] & (1u << offset % 8);
}

static void offset_mark(struct range *range, uint32_t offset)
{
    range->taken[offset / 8] |= (uint8_t)(1u << offset % 8);
}

bool range_take(struct range *range, uint32_t *address, struct err *err)
{
    uint32_t last = range_size(range) - 2, usable = last - 1; /* offsets 2 to last */
    for (uint32_t i = 0; i < usable; i++) {
        uint32_t offset = 2 + (range->next - 2 + i) % usable;
        if (offset_taken(range, offset))
            continue;
        offset_mark(range, offset);
        range->next = offset == last ? 2 : offset + 1;
        *address = range->first + offset;
        return true;
    }
    return err_set(err, ERR_NO_CAPACITY, "all %u addresses of this node are in use", usable);
}

bool range_take_one(struct range *range, uint32_t address)
{
    if (!range_has(range, address))
        return false;
    offset_mark(range, address - range->first);
    return true;
}

void range_give(struct range *range, uint32_t address)
{
    CHECK(range_has(range, address));
    uint32_t offset = address - range->first;
    range->taken[offset / 8] &= (uint8_t) ~(1u << offset % 8);
}

void address_text(uint32_t address, char out[NETWORK_ADDRESS_SIZE])
{
    struct in_addr in = {.s_addr = htonl(address)};
    CHECK(inet_ntop(AF_INET, &in, out, NETWORK_ADDRESS_SIZE));
}

bool address_parse(const char *text, uint32_t *address)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    *address = ntohl(in.s_addr);
    return true;
}

void address_mac(uint32_t address, uint8_t out[6])
{
    uint8_t mac[6] = {0x02,
                      0xbe,
                      (uint8_t)(address >> 24),
                      (uint8_t)(address >> 16),
                      (uint8_t)(address >> 8),
                      (uint8_t)address};
    memcpy(out, mac, sizeof mac);
}
