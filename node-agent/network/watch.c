/* Somebody else's hand in our tables: a firewall that is started again flushes the whole ruleset, and every group would
 * be open, or cut off. Each change of the ruleset, whosever, gives it another number; asked for that one number each
 * second, the kernel need not be asked for more until it is another. Then the chains of our tables are counted with
 * their rules, and the members of their sets compared with what the groups' files say (members.c). */
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

enum { ASKED_SIZE = 256, ANSWER_SIZE = 32768, PATIENCE_S = 5, MENDS_MAX = 3 };

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

static struct nlmsghdr *question_put(struct watch *watch, const struct watch_question *question,
                                     char *asked)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(asked);

    message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | question->type);
    message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | question->flags);
    message->nlmsg_seq = ++watch->sequence;
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->nfgen_family = (uint8_t)question->family;
    header->version = NFNETLINK_V0;
    if (question->set) {
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, question->table);
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, question->set);
    }
    return message;
}

bool watch_ask(struct watch *watch, const struct watch_question *question, struct err *err)
{
    _Alignas(struct nlmsghdr) char asked[ASKED_SIZE];
    struct nlmsghdr *message = question_put(watch, question, asked);
    int said = MNL_CB_OK;

    if (mnl_socket_sendto(watch->socket, message, message->nlmsg_len) < 0)
        return err_set_os(err, ERR_IO, errno, "cannot ask about packet rules");
    while (said > MNL_CB_STOP) {
        ssize_t size = mnl_socket_recvfrom(watch->socket, watch->answer, sizeof watch->answer);
        if (size < 0 && errno == EINTR)
            continue;
        said = size < 0 ? -1
                        : mnl_cb_run(watch->answer, (size_t)size, watch->sequence,
                                     mnl_socket_get_portid(watch->socket), question->each,
                                     question->context);
    }
    return said == MNL_CB_STOP || err_set_os(err, errno == EINTR ? ERR_BUSY : ERR_IO, errno,
                                             "the kernel does not tell of its packet rules");
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
    static const int families[] = {NFPROTO_IPV4, NFPROTO_BRIDGE};

    *counting = (struct counting){.table = network->table};
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        struct watch_question question = {.type = NFT_MSG_GETCHAIN,
                                          .flags = NLM_F_DUMP,
                                          .family = families[i],
                                          .each = count_chain,
                                          .context = counting};
        if (!watch_ask(network->watch, &question, err))
            return false;
    }
    return true;
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

/* Chains and rules are as many as we put. */
static bool rules_as_put(struct network *network, const struct counting *counting)
{
    const struct watch *watch = network->watch;

    if (counting->chains == watch->chains && counting->uses == watch->uses)
        return true;
    log_warn("packet_rules_were_changed", "table=%s chains=%u of %u rules=%u of %u", network->table,
             counting->chains, watch->chains, counting->uses, watch->uses);
    return false;
}

static bool members_as_told(struct network *network, bool *as_told, struct err *err)
{
    size_t dropped = 0, added = 0;

    if (!members_mend(network, &dropped, &added, err))
        return false;
    *as_told = dropped == 0 && added == 0;
    if (!*as_told)
        log_warn("packet_rules_were_changed", "table=%s members=%zu put back, %zu taken out",
                 network->table, added, dropped);
    return true;
}

/* False with ERR_BUSY when somebody changes them meanwhile. */
static bool look(struct network *network, uint32_t generation, struct err *err)
{
    struct watch *watch = network->watch;
    struct counting counting;
    bool as_told;

    if (!count(network, &counting, err))
        return false;
    bool as_put = rules_as_put(network, &counting);
    if (!as_put && watch->mends >= MENDS_MAX) /* that is what ours look like by now */
        return watch_begin(network, err);
    if ((!as_put && !rules_put(network, err)) || !members_as_told(network, &as_told, err))
        return err_add(err, "while putting the packet rules back");
    watch->mends = as_put && as_told ? 0 : watch->mends + 1;
    if (watch->mends == 0 || (as_put && watch->mends > MENDS_MAX))
        watch->generation = generation;
    return true;
}

bool network_look(struct network *network, struct err *err)
{
    struct watch *watch = network->watch;
    uint32_t generation = 0;
    struct watch_question question = {
        .type = NFT_MSG_GETGEN, .each = take_generation, .context = &generation};

    if (!watch_ask(watch, &question, err))
        return false;
    bool due = atomic_exchange(&network->look_due, false);
    if (generation == watch->generation && !due)
        return true;
    if (look(network, generation, err))
        return true;
    network->look_due = true;
    return err->code == ERR_BUSY;
}
