/* Somebody else's hand in our tables: a firewall that is started again flushes the whole ruleset, and every group would
 * be open, or cut off. Each change of the ruleset, whosever, gives it another number; asked for that one number each
 * second, the kernel need not be asked for more until it is another. Then the chains of our tables are counted with
 * their rules. A set that is emptied by hand is not noticed: no firewall does so. */
#include "node-agent/network/inside.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ASKED_SIZE = 256,
    ANSWER_SIZE = 32768,
    PATIENCE_S = 5,
    WATCH_ARENA_MAX = 4 << 20,
    MENDS_MAX = 3
};

struct watch {
    struct mnl_socket *socket;
    unsigned sequence;
    uint32_t generation;   /* of the ruleset, when it was last looked at */
    uint32_t chains, uses; /* of our tables, as we put them */
    int mends; /* in a row: after so many what we put looks different by now (other name servers) */
    _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
};

struct counting {
    const char *table;
    uint32_t chains, uses;
};

struct watch *watch_new(struct err *err)
{
    AUTO(watch) *watch = calloc(1, sizeof *watch);
    struct timeval patience = {.tv_sec = PATIENCE_S};

    if (!watch) {
        err_set(err, ERR_BUSY, "no memory to watch packet rules");
        return NULL;
    }
    watch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!watch->socket || mnl_socket_bind(watch->socket, 0, MNL_SOCKET_AUTOPID) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot open a netfilter netlink socket");
        return NULL;
    }
    setsockopt(mnl_socket_get_fd(watch->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
               sizeof patience);
    return TAKE(watch);
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    if (watch->socket)
        mnl_socket_close(watch->socket);
    free(watch);
}

/* ---- questions ---- */

static bool ask(struct watch *watch, int type, int flags, int family, mnl_cb_t each, void *context,
                struct err *err)
{
    _Alignas(struct nlmsghdr) char asked[ASKED_SIZE];
    struct nlmsghdr *message = mnl_nlmsg_put_header(asked);
    int said = MNL_CB_OK;

    message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    message->nlmsg_seq = ++watch->sequence;
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->nfgen_family = (uint8_t)family;
    header->version = NFNETLINK_V0;
    if (mnl_socket_sendto(watch->socket, message, message->nlmsg_len) < 0)
        return err_set_os(err, ERR_IO, errno, "cannot ask about packet rules");
    while (said > MNL_CB_STOP) {
        ssize_t size = mnl_socket_recvfrom(watch->socket, watch->answer, sizeof watch->answer);
        if (size < 0 && errno == EINTR)
            continue;
        said = size < 0 ? -1
                        : mnl_cb_run(watch->answer, (size_t)size, watch->sequence,
                                     mnl_socket_get_portid(watch->socket), each, context);
    }
    return said == MNL_CB_STOP ||
           err_set_os(err, ERR_IO, errno, "the kernel does not tell of its packet rules");
}

static int generation_attribute(const struct nlattr *attribute, void *context)
{
    if (mnl_attr_get_type(attribute) == NFTA_GEN_ID)
        *(uint32_t *)context = ntohl(mnl_attr_get_u32(attribute));
    return MNL_CB_OK;
}

static int take_generation(const struct nlmsghdr *message, void *context)
{
    return mnl_attr_parse(message, sizeof(struct nfgenmsg), generation_attribute, context);
}

struct chain {
    const char *table;
    uint32_t uses;
};

static int chain_attribute(const struct nlattr *attribute, void *context)
{
    struct chain *chain = context;

    if (mnl_attr_get_type(attribute) == NFTA_CHAIN_TABLE)
        chain->table = mnl_attr_get_str(attribute);
    if (mnl_attr_get_type(attribute) == NFTA_CHAIN_USE)
        chain->uses = ntohl(mnl_attr_get_u32(attribute));
    return MNL_CB_OK;
}

static int count_chain(const struct nlmsghdr *message, void *context)
{
    struct counting *counting = context;
    struct chain chain = {.table = ""};

    (void)mnl_attr_parse(message, sizeof(struct nfgenmsg), chain_attribute, &chain);
    if (strcmp(chain.table, counting->table) == 0) {
        counting->chains++;
        counting->uses += chain.uses;
    }
    return MNL_CB_OK;
}

static bool count(struct network *network, struct counting *counting, struct err *err)
{
    *counting = (struct counting){.table = network->table};
    return ask(network->watch, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_IPV4, count_chain, counting,
               err) &&
           ask(network->watch, NFT_MSG_GETCHAIN, NLM_F_DUMP, NFPROTO_BRIDGE, count_chain, counting,
               err);
}

/* ---- looking ---- */

bool watch_begin(struct network *network, struct err *err)
{
    struct counting counting;

    network->watch->generation = 0;
    network->watch->mends = 0;
    if (!count(network, &counting, err))
        return false;
    network->watch->chains = counting.chains;
    network->watch->uses = counting.uses;
    return true;
}

static bool all_again(struct network *network, struct err *err)
{
    AUTO(arena) *arena = arena_new(WATCH_ARENA_MAX);
    struct text_list uids;

    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to put packet rules back");
    if (!rules_put(network, err) || !folder_names(network, NULL, arena, &uids, err))
        return false;
    for (size_t i = 0; i < uids.count; i++) {
        if (!group_rules_again(network, uids.items[i], err))
            return false;
    }
    return true;
}

bool network_look(struct network *network, struct err *err)
{
    struct watch *watch = network->watch;
    struct counting counting;
    uint32_t generation = 0;

    if (!ask(watch, NFT_MSG_GETGEN, 0, AF_UNSPEC, take_generation, &generation, err))
        return false;
    if (generation == watch->generation)
        return true;
    if (!count(network, &counting, err))
        return false;
    if (counting.chains != watch->chains || counting.uses != watch->uses) {
        if (watch->mends++ == MENDS_MAX)
            return watch_begin(network, err);
        log_warn("packet_rules_were_changed", "table=%s chains=%u of %u rules=%u of %u",
                 network->table, counting.chains, watch->chains, counting.uses, watch->uses);
        return all_again(network, err) || err_add(err, "while putting the packet rules back");
    }
    watch->generation = generation;
    watch->mends = 0;
    return true;
}
