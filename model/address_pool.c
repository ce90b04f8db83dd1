#include "model/address_pool.h"

#include "base/limits.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

_Static_assert((int)PORT_SET_MAX == (int)LIMIT_ADDRESS_PORTS_MAX, "all ports of an ipAddress fit");

enum { ADDRESS_BITS = 32, PREFIX_SHORTEST = 8, PREFIX_WITH_ENDS = 30 };

void address_show(uint32_t address, char out[ADDRESS_TEXT_SIZE])
{
    struct in_addr in = {.s_addr = htonl(address)};
    CHECK(inet_ntop(AF_INET, &in, out, ADDRESS_TEXT_SIZE));
}

static bool address_read(const char *text, uint32_t *address)
{
    struct in_addr in;
    if (inet_pton(AF_INET, text, &in) != 1)
        return false;
    *address = ntohl(in.s_addr);
    return true;
}

static bool prefix_read(char *text, char *slash, struct address_range *out)
{
    int64_t bits;
    uint32_t first;
    *slash = '\0';
    if (!address_read(text, &first) || !text_to_int(slash + 1, &bits) || bits < PREFIX_SHORTEST ||
        bits > ADDRESS_BITS)
        return false;
    uint32_t rest = bits == ADDRESS_BITS ? 0 : ~(uint32_t)0 >> bits;
    if (first & rest)
        return false;
    uint32_t ends = bits <= PREFIX_WITH_ENDS;
    *out = (struct address_range){first + ends, (first | rest) - ends};
    return true;
}

static bool range_read(char *text, struct address_range *out)
{
    char *slash = strchr(text, '/'), *dash = strchr(text, '-');
    if (slash)
        return prefix_read(text, slash, out);
    if (dash)
        *dash = '\0';
    return address_read(text, &out->first) && address_read(dash ? dash + 1 : text, &out->last) &&
           out->first <= out->last;
}

bool address_pool_parse(const char *location, const char *text, struct arena *arena,
                        struct address_pool *out, struct err *err)
{
    char *rest = arena_text(arena, text), *word;
    struct address_pool pool = {.location = location};
    pool.ranges = arena_array(arena, LIMIT_ADDRESS_POOL_RANGES_MAX, sizeof *pool.ranges);
    if (!rest || !pool.ranges)
        return err_set(err, ERR_BUSY, "out of memory reading address_pools");
    while ((word = strsep(&rest, ", "))) {
        char shown[48];
        if (!*word)
            continue;
        text_format(shown, sizeof shown, "%s", word);
        if (pool.ranges_count == (size_t)LIMIT_ADDRESS_POOL_RANGES_MAX)
            return err_set(err, ERR_INVALID, "a location's pool has at most %d ranges",
                           LIMIT_ADDRESS_POOL_RANGES_MAX);
        if (!range_read(word, &pool.ranges[pool.ranges_count++]))
            return err_set(err, ERR_INVALID,
                           "'%s' is neither an IPv4 address nor a range such as 198.51.100.0/28 or "
                           "198.51.100.5-198.51.100.9",
                           shown);
    }
    if (pool.ranges_count == 0)
        return err_set(err, ERR_INVALID, "the pool of location '%s' is empty", location);
    *out = pool;
    return true;
}

struct address_pool *address_pool_copy(const struct address_pool *pool, struct arena *arena)
{
    struct address_pool *copy = ARENA_NEW(arena, struct address_pool);
    struct address_range *ranges = arena_array(arena, pool->ranges_count, sizeof *ranges);
    const char *location = arena_text(arena, pool->location);
    if (!copy || !ranges || !location)
        return NULL;
    memcpy(ranges, pool->ranges, pool->ranges_count * sizeof *ranges);
    *copy = (struct address_pool){location, ranges, pool->ranges_count};
    return copy;
}

int64_t address_pool_size(const struct address_pool *pool)
{
    int64_t size = 0;
    for (size_t i = 0; i < pool->ranges_count; i++)
        size += (int64_t)pool->ranges[i].last - pool->ranges[i].first + 1;
    return size;
}

/* ---- ports of a node's own address ---- */

bool shape_equal(const struct shape *left, const struct shape *right)
{
    return left->cpu_milli == right->cpu_milli && left->memory_mib == right->memory_mib &&
           left->gpus == right->gpus && left->ports.count == right->ports.count &&
           strcmp(left->runtime_class, right->runtime_class) == 0 &&
           strcmp(left->zone, right->zone) == 0 && left->alone == right->alone &&
           left->spot == right->spot &&
           memcmp(left->ports.items, right->ports.items,
                  left->ports.count * sizeof left->ports.items[0]) == 0;
}

static void port_set_add(struct port_set *set, uint32_t item)
{
    if (set->count < (uint32_t)PORT_SET_MAX)
        set->items[set->count++] = item;
}

void port_set_of(const struct group_address *address, struct port_set *out)
{
    *out = (struct port_set){0};
    for (size_t i = 0; address && i < address->ports_count; i++)
        port_set_add(out, (uint32_t)address->ports[i].port |
                              (address->ports[i].protocol == PROTOCOL_UDP ? PORT_SET_UDP : 0u));
}

void port_set_show(const struct port_set *set, char out[PORT_SET_TEXT_SIZE])
{
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < set->count; i++) {
        CHECK(text_format(out + used, PORT_SET_TEXT_SIZE - used, "%s%s/%u", i ? " " : "",
                          set->items[i] & PORT_SET_UDP ? "udp" : "tcp",
                          set->items[i] & (PORT_SET_UDP - 1u)));
        used += strlen(out + used);
    }
}

void port_set_read(const char *text, struct port_set *out)
{
    char copy[PORT_SET_TEXT_SIZE], *rest = copy, *word;
    *out = (struct port_set){0};
    text_copy(copy, sizeof copy, text);
    while ((word = strsep(&rest, " "))) {
        int64_t port;
        if (strlen(word) > 4 && text_to_int(word + 4, &port) && port > 0 && port <= UINT16_MAX)
            port_set_add(out, (uint32_t)port | (*word == 'u' ? PORT_SET_UDP : 0u));
    }
}
