/* The bridge: made once, found again, and refused when the node already knows the range by another way. It holds the
 * gateway's address and the range's route; no link is in it: each group has its own to the node. Packets that are
 * bridged may pass iptables, where a public address would be put back into the bridge; those that are routed do not. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

enum {
    MTU_FALLBACK = 1500,
    MTU_LEAST = 576,
    LINKS_WAIT_MS = 2000,
    LINKS_LOOK_MS = 10,
    LINKS_ARENA = 1 << 20,
    SINGLE = 32
};

/* ---- what the node has already ---- */

struct route_look {
    const struct network *network;
    bool overlaps;
    struct route_info found;
    int uplink; /* of the default route */
};

/* To a group that was there before the agent was. */
static bool route_is_own(const struct network *network, const struct route_info *route)
{
    AUTO(netlink) *netlink = NULL;
    struct link_info link;
    struct err ignored;
    if (route->prefix != SINGLE || route->link == 0)
        return false;
    netlink = netlink_open(&ignored);
    return netlink && netlink_link_get(netlink, route->link, &link, &ignored) &&
           strcmp(link.alias, network->bridge) == 0;
}

/* Two halves of everything are a default route too: tunnels set them. */
static void route_look(const struct route_info *route, void *context)
{
    struct route_look *look = context;
    if (route->prefix == 0 && look->uplink == 0)
        look->uplink = route->link;
    if (route->prefix <= 1 || (route->link != 0 && route->link == look->network->bridge_index))
        return;
    if (range_overlaps(&look->network->range, route->first, route->prefix) &&
        !route_is_own(look->network, route)) {
        look->overlaps = true;
        look->found = *route;
    }
}

static bool range_free(struct network *network, struct netlink *netlink, int *uplink,
                       struct err *err)
{
    struct route_look look = {.network = network};
    struct link_info link = {.name = "nowhere"};
    char address[NETWORK_ADDRESS_SIZE];
    struct err ignored;
    if (!netlink_routes(netlink, route_look, &look, err))
        return false;
    *uplink = look.uplink;
    if (!look.overlaps)
        return true;
    address_text(look.found.first, address);
    if (look.found.link != 0 && !netlink_link_get(netlink, look.found.link, &link, &ignored))
        text_copy(link.name, sizeof link.name, "unknown");
    return err_set(
        err, ERR_INVALID,
        "the range %s overlaps the route to %s/%d over %s that this machine already has; "
        "choose another range for this node",
        network->range_text, address, look.found.prefix, link.name);
}

/* Groups send what the way out can carry; else every long packet would first be refused once. */
static int uplink_mtu(struct netlink *netlink, int uplink)
{
    struct link_info link;
    struct err ignored;
    if (uplink == 0 || !netlink_link_get(netlink, uplink, &link, &ignored) || link.mtu < MTU_LEAST)
        return MTU_FALLBACK;
    return link.mtu;
}

struct address_look {
    const struct network *network;
    bool ours;
    char other[NETWORK_ADDRESS_SIZE];
};

static void address_look(int index, uint32_t address, int prefix, void *context)
{
    struct address_look *look = context;
    const struct range *range = &look->network->range;
    if (index != look->network->bridge_index)
        return;
    if (address == range_gateway(range) && prefix == range->prefix)
        look->ours = true;
    else
        address_text(address, look->other);
}

/* ---- making it ---- */

void link_ipv4_only(const char *link)
{
    char path[NETWORK_PATH_SIZE];
    CHECK(text_format(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", link));
    setting_try(path, "1");
}

static bool bridge_make(struct network *network, struct netlink *netlink, struct err *err)
{
    uint8_t mac[6];
    address_mac(range_gateway(&network->range), mac);
    if (!netlink_bridge_create(netlink, network->bridge, mac, network->mtu, err))
        return false;
    network->bridge_index = (int)if_nametoindex(network->bridge);
    link_ipv4_only(network->bridge);
    return true;
}

static bool bridge_find(struct network *network, struct netlink *netlink, struct err *err)
{
    struct link_info link;
    struct address_look look = {.network = network};
    if (!netlink_link_find(netlink, network->bridge, &link, err))
        return false;
    if (!link.bridge)
        return err_set(err, ERR_CONFLICT, "the network link %s is there already and is no bridge",
                       link.name);
    network->bridge_index = link.index;
    if (!netlink_addresses(netlink, address_look, &look, err))
        return false;
    if (!look.ours && look.other[0])
        return err_set(err, ERR_CONFLICT,
                       "the bridge %s is there already with the address %s, which is not "
                       "that of %s; remove it or choose another name",
                       link.name, look.other, network->range_text);
    return true;
}

static bool bridge_has_range(const struct network *network, struct err *err)
{
    char path[NETWORK_PATH_SIZE], range[NETWORK_RANGE_SIZE];
    if (!network_path(network, path, "network/range"))
        return err_set(err, ERR_INVALID, "the run folder's name is too long");
    if (line_read(path, range, sizeof range) && strcmp(range, network->range_text) != 0)
        return err_set(err, ERR_CONFLICT,
                       "this node's network was made for %s, not %s; stop its groups and "
                       "close it first",
                       range, network->range_text);
    return line_write(path, network->range_text, err);
}

bool bridge_open(struct network *network, struct err *err)
{
    AUTO(netlink) *netlink = netlink_open(err);
    struct err why;
    int uplink;
    if (!netlink)
        return false;
    bool found = bridge_find(network, netlink, &why);
    if (!found && why.code != ERR_NOT_FOUND) {
        *err = why;
        return false;
    }
    if (!range_free(network, netlink, &uplink, err) || !bridge_has_range(network, err))
        return false;
    network->mtu = uplink_mtu(netlink, uplink);
    if (!network->public_link[0] && uplink != 0 &&
        !if_indextoname((unsigned)uplink, network->public_link))
        network->public_link[0] = '\0';
    if (!found && !bridge_make(network, netlink, err))
        return false;
    return netlink_address_add(netlink, network->bridge_index, range_gateway(&network->range),
                               network->range.prefix, err) &&
           netlink_link_up(netlink, network->bridge, network->bridge_index, err);
}

/* ---- removing it ---- */

struct links_look {
    struct arena *arena;
    const char *bridge;
    struct link_entry {
        struct link_entry *next;
        char name[NETWORK_LINK_SIZE];
    } * links;
};

static void link_look(const struct link_info *link, void *context)
{
    struct links_look *look = context;
    struct link_entry *entry;
    if (strcmp(link->alias, look->bridge) != 0 || !text_has_prefix(link->name, "bv"))
        return;
    entry = ARENA_NEW(look->arena, struct link_entry);
    if (!entry)
        return;
    text_copy(entry->name, sizeof entry->name, link->name);
    entry->next = look->links;
    look->links = entry;
}

static bool links_list(struct netlink *netlink, struct links_look *look, struct err *err)
{
    arena_reset(look->arena);
    look->links = NULL;
    return netlink_links(netlink, link_look, look, err);
}

/* The namespaces were let go of before: the kernel removes their links by itself, all in one go. Only those of
 * namespaces that something still holds are deleted here, one by one. */
static bool links_remove(struct netlink *netlink, const char *bridge, struct err *err)
{
    AUTO(arena) *arena = arena_new(LINKS_ARENA);
    struct links_look look = {.arena = arena, .bridge = bridge};
    struct timespec wait = {.tv_nsec = LINKS_LOOK_MS * 1000000L};
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list network links");
    for (int waited = 0; waited < LINKS_WAIT_MS; waited += LINKS_LOOK_MS) {
        if (!links_list(netlink, &look, err))
            return false;
        if (!look.links)
            return true;
        nanosleep(&wait, NULL);
    }
    for (struct link_entry *entry = look.links; entry; entry = entry->next) {
        if (!netlink_link_delete(netlink, entry->name, err))
            return false;
    }
    return true;
}

bool bridge_remove(const struct network *network, struct err *err)
{
    AUTO(netlink) *netlink = netlink_open(err);
    struct link_info link;
    struct err why;
    if (!netlink)
        return false;
    if (!links_remove(netlink, network->bridge, err))
        return false;
    if (!netlink_link_find(netlink, network->bridge, &link, &why)) {
        if (why.code == ERR_NOT_FOUND)
            return true;
        *err = why;
        return false;
    }
    if (!link.bridge)
        return err_set(err, ERR_CONFLICT, "the network link %s is no bridge", link.name);
    return netlink_link_delete(netlink, network->bridge, err);
}
