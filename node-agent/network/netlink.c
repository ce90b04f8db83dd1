/* Each order is one message and one acknowledgement; a question's answers come before its acknowledgement. */
#include "node-agent/network/netlink.h"

#include "node-agent/network/range.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_SIZE = 32768, MESSAGE_SIZE = 2048, LIST_TRIES = 20, ADDRESS_BITS = 32 };

struct netlink {
    struct mnl_socket *socket;
    unsigned sequence;
    _Alignas(struct nlmsghdr) char message[MESSAGE_SIZE];
    _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
};

static bool socket_open(struct netlink *netlink)
{
    if (netlink->socket)
        mnl_socket_close(netlink->socket);
    netlink->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
    return netlink->socket && mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) == 0;
}

struct netlink *netlink_open(struct err *err)
{
    AUTO(netlink) *netlink = calloc(1, sizeof *netlink);
    if (!netlink) {
        err_set(err, ERR_BUSY, "no memory for a netlink socket");
        return NULL;
    }
    if (!socket_open(netlink)) {
        err_set_os(err, ERR_IO, errno, "cannot open a routing netlink socket");
        return NULL;
    }
    return TAKE(netlink);
}

void netlink_free(struct netlink *netlink)
{
    if (!netlink)
        return;
    if (netlink->socket)
        mnl_socket_close(netlink->socket);
    free(netlink);
}

static struct nlmsghdr *message_new(struct netlink *netlink, int type, int flags)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(netlink->message);
    message->nlmsg_type = (uint16_t)type;
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    message->nlmsg_seq = ++netlink->sequence;
    return message;
}

static struct nlmsghdr *link_message(struct netlink *netlink, int type, int flags, int index,
                                     unsigned state)
{
    struct nlmsghdr *message = message_new(netlink, type, flags);
    struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof *link);
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = index;
    link->ifi_flags = state;
    link->ifi_change = state;
    return message;
}

/* Sends and takes answers until the acknowledgement or the end of the dump. False with errno. */
static bool exchange_once(struct netlink *netlink, struct nlmsghdr *message, mnl_cb_t each,
                          void *context)
{
    if (mnl_socket_sendto(netlink->socket, message, message->nlmsg_len) < 0)
        return false;
    unsigned port = mnl_socket_get_portid(netlink->socket);
    for (;;) {
        ssize_t size =
            mnl_socket_recvfrom(netlink->socket, netlink->answer, sizeof netlink->answer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        int said =
            mnl_cb_run(netlink->answer, (size_t)size, message->nlmsg_seq, port, each, context);
        if (said <= MNL_CB_STOP)
            return said == MNL_CB_STOP;
    }
}

/* A list that changed while the kernel told it ends with EINTR: it is asked again, on a new socket as the rest of
 * the old answer is still under way. Callbacks may therefore see an entry twice. */
static bool exchange(struct netlink *netlink, struct nlmsghdr *message, mnl_cb_t each,
                     void *context)
{
    bool list = (message->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (!list)
        message->nlmsg_flags |= NLM_F_ACK;
    for (int tries = 0; tries < LIST_TRIES; tries++) {
        if (exchange_once(netlink, message, each, context))
            return true;
        if (!list || errno != EINTR || !socket_open(netlink))
            return false;
    }
    return false;
}

/* The attributes of one answer by their type; the kernel adds types this file does not know. */
struct attributes {
    const struct nlattr *of[64];
};

static int attribute_keep(const struct nlattr *attribute, void *context)
{
    struct attributes *found = context;
    uint16_t type = mnl_attr_get_type(attribute);
    if (type < COUNT_OF(found->of))
        found->of[type] = attribute;
    return MNL_CB_OK;
}

static struct attributes attributes_of(const struct nlmsghdr *message, size_t header_size)
{
    struct attributes found = {0};
    mnl_attr_parse(message, (unsigned)header_size, attribute_keep, &found);
    return found;
}

/* ---- links ---- */

static void link_read(const struct nlmsghdr *message, struct link_info *link)
{
    const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
    struct attributes found = attributes_of(message, sizeof *header);
    struct attributes kind = {0};
    *link = (struct link_info){.index = header->ifi_index, .up = header->ifi_flags & IFF_UP};
    if (found.of[IFLA_IFNAME])
        text_copy(link->name, sizeof link->name, mnl_attr_get_str(found.of[IFLA_IFNAME]));
    if (found.of[IFLA_IFALIAS])
        text_copy(link->alias, sizeof link->alias, mnl_attr_get_str(found.of[IFLA_IFALIAS]));
    if (found.of[IFLA_MTU])
        link->mtu = (int)mnl_attr_get_u32(found.of[IFLA_MTU]);
    if (found.of[IFLA_LINKINFO])
        mnl_attr_parse_nested(found.of[IFLA_LINKINFO], attribute_keep, &kind);
    if (kind.of[IFLA_INFO_KIND])
        link->bridge = strcmp(mnl_attr_get_str(kind.of[IFLA_INFO_KIND]), "bridge") == 0;
}

static int link_keep(const struct nlmsghdr *message, void *context)
{
    link_read(message, context);
    return MNL_CB_OK;
}

bool netlink_link_find(struct netlink *netlink, const char *name, struct link_info *out,
                       struct err *err)
{
    struct link_info found = {0};
    struct nlmsghdr *message = link_message(netlink, RTM_GETLINK, 0, 0, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    if (!exchange(netlink, message, link_keep, &found))
        return err_set_os(err, errno == ENODEV ? ERR_NOT_FOUND : ERR_IO, errno, "network link %s",
                          name);
    *out = found;
    return true;
}

bool netlink_link_get(struct netlink *netlink, int index, struct link_info *out, struct err *err)
{
    struct link_info found = {0};
    if (!exchange(netlink, link_message(netlink, RTM_GETLINK, 0, index, 0), link_keep, &found))
        return err_set_os(err, errno == ENODEV ? ERR_NOT_FOUND : ERR_IO, errno, "network link %d",
                          index);
    *out = found;
    return true;
}

struct link_walk {
    link_fn *each;
    void *context;
};

static int link_pass(const struct nlmsghdr *message, void *context)
{
    struct link_walk *walk = context;
    struct link_info link;
    link_read(message, &link);
    walk->each(&link, walk->context);
    return MNL_CB_OK;
}

bool netlink_links(struct netlink *netlink, link_fn *each, void *context, struct err *err)
{
    struct link_walk walk = {each, context};
    if (!exchange(netlink, link_message(netlink, RTM_GETLINK, NLM_F_DUMP, 0, 0), link_pass, &walk))
        return err_set_os(err, ERR_IO, errno, "cannot list the network links");
    return true;
}

bool netlink_bridge_create(struct netlink *netlink, const char *name, const uint8_t mac[6], int mtu,
                           struct err *err)
{
    struct nlmsghdr *message = link_message(netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    mnl_attr_put(message, IFLA_ADDRESS, 6, mac);
    mnl_attr_put_u32(message, IFLA_MTU, (uint32_t)mtu);
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
    mnl_attr_nest_end(message, info);
    if (!exchange(netlink, message, NULL, NULL))
        return err_set_os(err, ERR_IO, errno, "cannot create the bridge %s", name);
    return true;
}

/* One queue is enough for an end that only copies to the other. */
static void pair_end(struct nlmsghdr *message, const char *name, int mtu)
{
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    mnl_attr_put_u32(message, IFLA_MTU, (uint32_t)mtu);
    mnl_attr_put_u32(message, IFLA_NUM_TX_QUEUES, 1);
    mnl_attr_put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

bool netlink_pair_create(struct netlink *netlink, const struct pair_plan *plan, struct err *err)
{
    struct nlmsghdr *message = link_message(netlink, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0, 0);
    pair_end(message, plan->name, plan->mtu);
    mnl_attr_put(message, IFLA_ADDRESS, 6, plan->outer_mac);
    struct nlattr *info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
    struct nlattr *data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
    struct nlattr *peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
    struct ifinfomsg *inner = mnl_nlmsg_put_extra_header(message, sizeof *inner);
    inner->ifi_index = plan->inner_index;
    pair_end(message, plan->inner_name, plan->mtu);
    mnl_attr_put(message, IFLA_ADDRESS, 6, plan->inner_mac);
    mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)plan->inner_netns);
    mnl_attr_nest_end(message, peer);
    mnl_attr_nest_end(message, data);
    mnl_attr_nest_end(message, info);
    if (!exchange(netlink, message, NULL, NULL))
        return err_set_os(err, errno == EEXIST ? ERR_CONFLICT : ERR_IO, errno,
                          "cannot create the veth pair %s", plan->name);
    return true;
}

bool netlink_link_alias(struct netlink *netlink, const char *name, const char *alias,
                        struct err *err)
{
    struct nlmsghdr *message = link_message(netlink, RTM_NEWLINK, 0, 0, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    mnl_attr_put_strz(message, IFLA_IFALIAS, alias);
    if (!exchange(netlink, message, NULL, NULL))
        return err_set_os(err, ERR_IO, errno, "cannot mark the network link %s", name);
    return true;
}

bool netlink_link_up(struct netlink *netlink, const char *name, int index, struct err *err)
{
    struct nlmsghdr *message = link_message(netlink, RTM_NEWLINK, 0, index, IFF_UP);
    if (index == 0)
        mnl_attr_put_strz(message, IFLA_IFNAME, name);
    if (!exchange(netlink, message, NULL, NULL))
        return err_set_os(err, ERR_IO, errno, "cannot set the network link %s up", name);
    return true;
}

bool netlink_link_delete(struct netlink *netlink, const char *name, struct err *err)
{
    struct nlmsghdr *message = link_message(netlink, RTM_DELLINK, 0, 0, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    if (!exchange(netlink, message, NULL, NULL) && errno != ENODEV)
        return err_set_os(err, ERR_IO, errno, "cannot delete the network link %s", name);
    return true;
}

/* ---- addresses and routes ---- */

static struct nlmsghdr *address_message(struct netlink *netlink, int type, int flags, int index,
                                        uint32_t address, int prefix)
{
    struct nlmsghdr *message = message_new(netlink, type, flags);
    struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->ifa_family = AF_INET;
    header->ifa_prefixlen = (uint8_t)prefix;
    header->ifa_index = (uint32_t)index;
    mnl_attr_put_u32(message, IFA_LOCAL, htonl(address));
    mnl_attr_put_u32(message, IFA_ADDRESS, htonl(address));
    return message;
}

static bool address_failed(const char *what, uint32_t address, struct err *err)
{
    char text[NETWORK_ADDRESS_SIZE];
    address_text(address, text);
    return err_set_os(err, ERR_IO, errno, "cannot %s the address %s", what, text);
}

bool netlink_address_add(struct netlink *netlink, int index, uint32_t address, int prefix,
                         struct err *err)
{
    struct nlmsghdr *message =
        address_message(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address, prefix);
    if (prefix < ADDRESS_BITS)
        mnl_attr_put_u32(message, IFA_BROADCAST,
                         htonl(address | ~(~(uint32_t)0 << (ADDRESS_BITS - prefix))));
    return exchange(netlink, message, NULL, NULL) || errno == EEXIST ||
           address_failed("set", address, err);
}

bool netlink_address_remove(struct netlink *netlink, int index, uint32_t address, int prefix,
                            struct err *err)
{
    struct nlmsghdr *message = address_message(netlink, RTM_DELADDR, 0, index, address, prefix);
    return exchange(netlink, message, NULL, NULL) || errno == EADDRNOTAVAIL || errno == ENODEV ||
           address_failed("remove", address, err);
}

bool netlink_route_default(struct netlink *netlink, int index, uint32_t gateway, struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
    struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->rtm_family = AF_INET;
    header->rtm_table = RT_TABLE_MAIN;
    header->rtm_protocol = RTPROT_STATIC;
    header->rtm_scope = RT_SCOPE_UNIVERSE;
    header->rtm_type = RTN_UNICAST;
    header->rtm_flags = RTNH_F_ONLINK; /* the gateway is there though no range says so */
    mnl_attr_put_u32(message, RTA_GATEWAY, htonl(gateway));
    mnl_attr_put_u32(message, RTA_OIF, (uint32_t)index);
    if (!exchange(netlink, message, NULL, NULL) && errno != EEXIST)
        return err_set_os(err, ERR_IO, errno, "cannot set the default route");
    return true;
}

bool netlink_route_single(struct netlink *netlink, int index, uint32_t address, uint32_t source,
                          struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->rtm_family = AF_INET;
    header->rtm_dst_len = ADDRESS_BITS;
    header->rtm_table = RT_TABLE_MAIN;
    header->rtm_protocol = RTPROT_STATIC;
    header->rtm_scope = RT_SCOPE_LINK;
    header->rtm_type = RTN_UNICAST;
    mnl_attr_put_u32(message, RTA_DST, htonl(address));
    mnl_attr_put_u32(message, RTA_PREFSRC, htonl(source));
    mnl_attr_put_u32(message, RTA_OIF, (uint32_t)index);
    return exchange(netlink, message, NULL, NULL) || address_failed("route", address, err);
}

bool netlink_neighbour_set(struct netlink *netlink, int index, uint32_t address,
                           const uint8_t mac[6], struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    struct ndmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->ndm_family = AF_INET;
    header->ndm_ifindex = index;
    header->ndm_state = NUD_PERMANENT;
    mnl_attr_put_u32(message, NDA_DST, htonl(address));
    mnl_attr_put(message, NDA_LLADDR, 6, mac);
    return exchange(netlink, message, NULL, NULL) ||
           address_failed("set the neighbour of", address, err);
}

struct route_walk {
    route_fn *each;
    void *context;
};

static int route_pass(const struct nlmsghdr *message, void *context)
{
    struct route_walk *walk = context;
    const struct rtmsg *header = mnl_nlmsg_get_payload(message);
    struct attributes found = attributes_of(message, sizeof *header);
    struct route_info route = {.prefix = header->rtm_dst_len};
    if (header->rtm_type == RTN_LOCAL || header->rtm_type == RTN_BROADCAST ||
        header->rtm_type == RTN_MULTICAST || (header->rtm_flags & RTM_F_CLONED))
        return MNL_CB_OK;
    if (found.of[RTA_DST])
        route.first = ntohl(mnl_attr_get_u32(found.of[RTA_DST]));
    if (found.of[RTA_OIF])
        route.link = (int)mnl_attr_get_u32(found.of[RTA_OIF]);
    walk->each(&route, walk->context);
    return MNL_CB_OK;
}

bool netlink_routes(struct netlink *netlink, route_fn *each, void *context, struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_GETROUTE, NLM_F_DUMP);
    struct rtmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->rtm_family = AF_INET;
    struct route_walk walk = {each, context};
    if (!exchange(netlink, message, route_pass, &walk))
        return err_set_os(err, ERR_IO, errno, "cannot list the routes");
    return true;
}

struct address_walk {
    address_fn *each;
    void *context;
};

static int address_pass(const struct nlmsghdr *message, void *context)
{
    struct address_walk *walk = context;
    const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
    struct attributes found = attributes_of(message, sizeof *header);
    if (found.of[IFA_LOCAL])
        walk->each((int)header->ifa_index, ntohl(mnl_attr_get_u32(found.of[IFA_LOCAL])),
                   header->ifa_prefixlen, walk->context);
    return MNL_CB_OK;
}

bool netlink_addresses(struct netlink *netlink, address_fn *each, void *context, struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_GETADDR, NLM_F_DUMP);
    struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->ifa_family = AF_INET;
    struct address_walk walk = {each, context};
    if (!exchange(netlink, message, address_pass, &walk))
        return err_set_os(err, ERR_IO, errno, "cannot list the addresses");
    return true;
}

/* ---- counters ---- */

struct counters {
    int64_t rx_bytes, tx_bytes;
};

static int counters_keep(const struct nlmsghdr *message, void *context)
{
    struct counters *counters = context;
    struct rtnl_link_stats64 stats = {0};
    struct attributes found = attributes_of(message, sizeof(struct if_stats_msg));
    const struct nlattr *told = found.of[IFLA_STATS_LINK_64];
    if (!told)
        return MNL_CB_OK;
    size_t size = mnl_attr_get_payload_len(told);
    memcpy(&stats, mnl_attr_get_payload(told), size < sizeof stats ? size : sizeof stats);
    counters->rx_bytes = (int64_t)stats.rx_bytes;
    counters->tx_bytes = (int64_t)stats.tx_bytes;
    return MNL_CB_OK;
}

bool netlink_traffic(struct netlink *netlink, int index, int64_t *rx_bytes, int64_t *tx_bytes,
                     struct err *err)
{
    struct nlmsghdr *message = message_new(netlink, RTM_GETSTATS, 0);
    struct if_stats_msg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    struct counters counters = {0};
    header->ifindex = (uint32_t)index;
    header->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
    if (!exchange(netlink, message, counters_keep, &counters))
        return err_set_os(err, errno == ENODEV ? ERR_NOT_FOUND : ERR_IO, errno,
                          "no counters of network link %d", index);
    *rx_bytes = counters.rx_bytes;
    *tx_bytes = counters.tx_bytes;
    return true;
}
