/* The few questions and orders this room has for the kernel's routing netlink.
 * A socket speaks to the network namespace of the thread that opened it.
 * Threads: one at a time; opening one costs some 10 microseconds.   Owner: netlink_free(). */
#ifndef NODE_AGENT_NETWORK_NETLINK_H
#define NODE_AGENT_NETWORK_NETLINK_H

#include "base/err.h"
#include "node-agent/network/network.h"

#include <stdint.h>

struct netlink;

struct netlink *netlink_open(struct err *err) MUST_CHECK;
void netlink_free(struct netlink *netlink);

struct link_info {
    char name[NETWORK_LINK_SIZE];
    int index;
    char alias[NETWORK_LINK_SIZE]; /* of a pair's outer end: the bridge of its network */
    int mtu;
    bool up, bridge;
};
/* ERR_NOT_FOUND when there is none. */
bool netlink_link_find(struct netlink *netlink, const char *name, struct link_info *out,
                       struct err *err) MUST_CHECK;
bool netlink_link_get(struct netlink *netlink, int index, struct link_info *out, struct err *err)
    MUST_CHECK;
typedef void link_fn(const struct link_info *link, void *context);
bool netlink_links(struct netlink *netlink, link_fn *each, void *context, struct err *err)
    MUST_CHECK;

bool netlink_bridge_create(struct netlink *netlink, const char *name, const uint8_t mac[6], int mtu,
                           struct err *err) MUST_CHECK;

struct pair_plan { /* a veth pair: one end here, the other in another namespace */
    const char *name;
    const char *inner_name;
    int inner_index; /* its index there, so that nobody has to ask */
    int inner_netns; /* descriptor */
    uint8_t inner_mac[6], outer_mac[6];
    int mtu;
};
/* Both ends are down. */
bool netlink_pair_create(struct netlink *netlink, const struct pair_plan *plan, struct err *err)
    MUST_CHECK;
/* By name, as a new link's index is not told. */
bool netlink_link_alias(struct netlink *netlink, const char *name, const char *alias,
                        struct err *err) MUST_CHECK;
bool netlink_link_up(struct netlink *netlink, const char *name, int index, struct err *err)
    MUST_CHECK;
/* Success when there is none. Waits for the kernel to let go of it: tens of milliseconds, without its lock. */
bool netlink_link_delete(struct netlink *netlink, const char *name, struct err *err) MUST_CHECK;

/* Success when it is there already. */
bool netlink_address_add(struct netlink *netlink, int index, uint32_t address, int prefix,
                         struct err *err) MUST_CHECK;
/* Success when it is gone already. */
bool netlink_address_remove(struct netlink *netlink, int index, uint32_t address, int prefix,
                            struct err *err) MUST_CHECK;
bool netlink_route_default(struct netlink *netlink, int index, uint32_t gateway, struct err *err)
    MUST_CHECK;

/* To one address over that link; the node itself speaks from `source`. */
bool netlink_route_single(struct netlink *netlink, int index, uint32_t address, uint32_t source,
                          struct err *err) MUST_CHECK;
/* Nobody is asked for it. */
bool netlink_neighbour_set(struct netlink *netlink, int index, uint32_t address,
                           const uint8_t mac[6], struct err *err) MUST_CHECK;

struct route_info {
    uint32_t first;
    int prefix;
    int link; /* index, 0: none */
};
typedef void route_fn(const struct route_info *route, void *context);
/* IPv4 routes of the main table and others, not those of the node's own single addresses. */
bool netlink_routes(struct netlink *netlink, route_fn *each, void *context, struct err *err)
    MUST_CHECK;
typedef void address_fn(int index, uint32_t address, int prefix, void *context);
bool netlink_addresses(struct netlink *netlink, address_fn *each, void *context, struct err *err)
    MUST_CHECK;

/* Bytes the link has received and sent. */
bool netlink_traffic(struct netlink *netlink, int index, int64_t *rx_bytes, int64_t *tx_bytes,
                     struct err *err) MUST_CHECK;

AUTO_TYPE(netlink);

#endif
