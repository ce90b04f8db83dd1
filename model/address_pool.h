/* Public addresses of a location, and the ports that groups take of a node's own address where there are none.
 *
 *     "198.51.100.0/28, 203.0.113.5-203.0.113.9, 203.0.113.77"
 *
 * Threads: any; plain data.   Owner: the arena it was read into. */
#ifndef MODEL_ADDRESS_POOL_H
#define MODEL_ADDRESS_POOL_H

#include "model/container_group.h"

struct address_range { /* IPv4, host byte order, both ends given to groups */
    uint32_t first, last;
};
struct address_pool {
    const char *location; /* location_normal() */
    struct address_range *ranges;
    size_t ranges_count;
};

/* A range with a prefix up to /30 is without its network and broadcast address. */
bool address_pool_parse(const char *location, const char *text, struct arena *arena,
                        struct address_pool *out, struct err *err) MUST_CHECK;
/* NULL when out of memory. */
struct address_pool *address_pool_copy(const struct address_pool *pool, struct arena *arena)
    MUST_CHECK;
int64_t address_pool_size(const struct address_pool *pool);

enum { ADDRESS_TEXT_SIZE = 16 };
void address_show(uint32_t address, char out[ADDRESS_TEXT_SIZE]);

/* ---- ports of a node's own address ---- */

enum { PORT_SET_TEXT_SIZE = 64 };

/* Those of a group's ipAddress. */
void port_set_of(const struct group_address *address, struct port_set *out);
/* "tcp/80 udp/53"; back: what cannot be read is left out. */
void port_set_show(const struct port_set *set, char out[PORT_SET_TEXT_SIZE]);
void port_set_read(const char *text, struct port_set *out);

#endif
