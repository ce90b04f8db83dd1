/* The network of one node: a bridge with the gateway's address, an address range, and for each group one set of namespaces (network, IPC,
 * UTS) with an address of its own that all containers of the group share.
 *
 *     struct network *network = network_open(&options, err);
 *     struct network_spec spec = { .uid = uid, .hostname = "wk-caas-1" };
 *     struct network_group group;
 *     if (!network_group_up(network, &spec, &group, err)) ...
 *     ... containers join group.net_path, .ipc_path, .uts_path and mount .hosts_path, .hostname_path, .resolv_path
 *     network_group_down(network, uid, err);
 *
 * Everything lives in the kernel and in files below `run_dir`: an agent that restarts opens the same network and
 * finds its groups. network_free() leaves all of it up, network_close_all() leaves nothing.
 * A group is closed: nothing from outside reaches it until network_group_open() names the ports; it reaches neither
 * the node nor link-local addresses, and packets under an address that is not its own are dropped. Only the node's
 * root reaches every port of its groups: the agent asks probes from there.
 * The public addresses that this node has put on its links are on record as files of their names in
 * network_public_folder(): who removes such a file takes the address away, and the group answers under it again when it is
 * exposed again (node-agent/fence does so while nobody may be here).
 * Not for: IPv6, which is off.
 * Threads: any, several at once; one group is worked on by one thread at a time. Calls take a few milliseconds
 * (open and close run `nft`: tens).   Owner: network_free(). */
#ifndef NODE_AGENT_NETWORK_H
#define NODE_AGENT_NETWORK_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/id.h"

#include <stdint.h>

struct network;

struct network_options {
    const char *bridge; /* "berth0"; at most 15 bytes */
    const char *
        range; /* "10.101.0.0/24", /16 to /29: the first address is the bridge's, the others the groups' */
    const char *run_dir; /* a folder on a tmpfs, absolute; "network/" and "ns/" are made in it */
    const char *table;   /* the nftables table; NULL: "berth_<bridge>" */
    bool nat;            /* groups reach the outside under the node's address */
    /* Public addresses that are a group's own are put on this link; NULL: that of the default route. */
    const char *public_link;
    /* The node's own, which its other public groups share; NULL: they have none but their private one. */
    const char *public_address;
    /* Where groups may connect to. "10.0.0.0/8": there and to others so named, nowhere else; "!10.1.0.0/16": not there;
     * "none": nowhere; empty: anywhere. */
    struct text_list outbound;
    /* No group connects to these TCP ports: "25". */
    struct text_list outbound_closed_ports;
    /* The first user id of the ranges that groups with users of their own are given: a multiple of LIMIT_GROUP_USERS;
     * 0: no group has any. */
    uint32_t users_first;
};

enum {
    NETWORK_ADDRESS_SIZE = 16,
    NETWORK_LINK_SIZE = 16,
    NETWORK_MAC_SIZE = 18,
    NETWORK_PATH_SIZE = 192
};

/* The users of a group: 0 to LIMIT_GROUP_USERS - 1 of the namespace are those from `first` on of the node. */
struct network_users {
    char path[NETWORK_PATH_SIZE]; /* empty: the group has the node's own */
    uint32_t first;               /* 0 with it */
};

/* What a group asks for. The dns members are written as given (dnsConfig); no servers: those of the node. */
struct network_spec {
    const char *uid;
    const char *hostname; /* one label or a full name, at most 63 bytes */
    const char *const *dns_servers;
    size_t dns_servers_count;
    const char *dns_search;  /* "a.example b.example"; NULL: none */
    const char *dns_options; /* "ndots:2"; NULL: none */
    bool own_users;          /* its namespaces belong to users of its own */
};

/* What it has. Plain data, valid until the group is down. */
struct network_group {
    char uid[ID_SIZE];
    char address[NETWORK_ADDRESS_SIZE];
    char link
        [NETWORK_LINK_SIZE]; /* the node's end of the pair; its name follows from bridge and uid */
    char mac
        [NETWORK_MAC_SIZE]; /* follows from the address: nobody's ARP table is wrong when it is reused */
    int link_index;
    char net_path[NETWORK_PATH_SIZE], ipc_path[NETWORK_PATH_SIZE], uts_path[NETWORK_PATH_SIZE];
    char hosts_path[NETWORK_PATH_SIZE], hostname_path[NETWORK_PATH_SIZE],
        resolv_path[NETWORK_PATH_SIZE];
    struct network_users users;
};

/* Bytes since the group came up, as its containers see them. */
struct network_traffic {
    int64_t rx_bytes, tx_bytes;
};

/* Makes what is missing of bridge, address, forwarding and nftables table, and takes over the groups it finds.
 * ERR_INVALID with the route's text when the range overlaps one the node already uses (default routes do not count);
 * removes what a crash left half made. */
struct network *network_open(const struct network_options *options, struct err *err) MUST_CHECK;
void network_free(struct network *network);

/* Takes every group down, then bridge, table and state; puts ip_forward back to what it was before the first open.
 * Needs no open network and succeeds when nothing is there. Call it with no network open on the same run_dir. */
bool network_close_all(const struct network_options *options, struct err *err) MUST_CHECK;

/* How many groups with users of their own there may be at once; 0: none. */
uint32_t network_users_count(const struct network *network);
/* From now on no group is made with any: this node cannot. Before the first group. */
void network_users_stop(struct network *network);
/* Says who the users of the group are before it is brought up, which volumes want to know: made here, or found. What is
 * made goes with network_group_down(). */
bool network_group_begin(struct network *network, const char *uid, bool own_users,
                         struct network_users *out, struct err *err) MUST_CHECK;

/* Brings the group up, or finds it up and writes its files anew: containers that start later see them. ERR_NO_CAPACITY when the range is used up. Leaves nothing
 * behind on failure. */
bool network_group_up(struct network *network, const struct network_spec *spec,
                      struct network_group *out, struct err *err) MUST_CHECK;
struct network_port {
    int protocol; /* IPPROTO_TCP, IPPROTO_UDP */
    uint16_t port;
};
/* Exactly these ports of the group are reachable from outside it from now on, all others are closed; called again to
 * change. One transaction of the kernel, well under a millisecond. ERR_NOT_FOUND when the group is not up. */
bool network_group_open(struct network *network, const char *uid, const struct network_port *ports,
                        size_t count, struct err *err) MUST_CHECK;
/* All that others may reach of a group. */
struct network_exposure {
    const struct network_port *ports; /* as network_group_open() */
    size_t ports_count;
    bool is_public;             /* beyond the node, too: */
    const char *public_address; /* under this one, its own; NULL: under the node's */
    const char *subnet;         /* groups of one name reach each other on all ports; NULL: none */
};
/* Replaces what network_group_open() and this said before, in one step. The group answers under its public address and
 * leaves under it, from the node's links to the other groups. `shown` gets the address clients are to be told. */
bool network_group_expose(struct network *network, const char *uid,
                          const struct network_exposure *exposure, char shown[NETWORK_ADDRESS_SIZE],
                          struct err *err) MUST_CHECK;
/* Whether this public address is one that a group of this node has. False: withdrawn, see above. Asks the disk's memory. */
bool network_has_public(const struct network *network, const char *address) MUST_CHECK;
/* Its path for a run folder. False: too long. */
bool network_public_folder(const char *run_dir, char out[NETWORK_PATH_SIZE]) MUST_CHECK;
/* Always ends; success when nothing is left, also when nothing was there. Processes still in the namespaces keep
 * running there, cut off. */
bool network_group_down(struct network *network, const char *uid, struct err *err) MUST_CHECK;
/* False when the group is not up. */
bool network_group_find(struct network *network, const char *uid, struct network_group *out)
    MUST_CHECK;
/* All groups that are up, in no order. */
bool network_list(struct network *network, struct arena *arena, struct network_group **groups,
                  size_t *count, struct err *err) MUST_CHECK;

/* A TCP socket that listens inside the group's namespace, on an address that is put on its loopback: 169.254.169.254 is
 * the group's own. It goes with the socket's owner, not with the group. */
bool network_group_listen(struct network *network, const char *uid, const char *address,
                          uint16_t port, int *fd, struct err *err) MUST_CHECK;

/* One netlink question, some microseconds: fit to be asked for each group each second. */
bool network_traffic(struct network *network, const struct network_group *group,
                     struct network_traffic *out, struct err *err) MUST_CHECK;

/* Keeps `count` sets of namespaces made in advance, so that the next group_up only names and connects one. Call it
 * from a worker whenever there is time; it makes what is missing and returns. 0 gives all of them back. */
bool network_prepare(struct network *network, int count, struct err *err) MUST_CHECK;

/* Whether the packet rules are still ours; else they are put back, for every group. One netlink question as long as
 * nobody changed any: fit to be asked each second, by one thread at a time. */
bool network_look(struct network *network, struct err *err) MUST_CHECK;

AUTO_TYPE(network);

#endif
