/* A batch as nf_tables takes it: begin, changes, end. The kernel answers the last change when it has committed, and
 * with an error when it has not. */
#include "node-agent/network/elements.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* A change is at most 200 bytes, and a group's are at most four dozens. */
enum { BATCH_SIZE = 32768, CHANGE_SIZE = 512, ANSWER_SIZE = 8192, PATIENCE_S = 20 };

struct elements {
    const char *table;
    struct mnl_socket *socket;
    struct nlmsghdr *last; /* change; NULL: none yet */
    size_t used;
    unsigned sequence, first; /* of this transaction */
    bool full;
    _Alignas(struct nlmsghdr) char batch[BATCH_SIZE];
    _Alignas(struct nlmsghdr) char answer[ANSWER_SIZE];
};

int element_compare(const struct element *left, const struct element *right)
{
    int order = strcmp(left->set, right->set);
    if (order == 0)
        order = (left->key_size > right->key_size) - (left->key_size < right->key_size);
    if (order == 0)
        order = memcmp(left->key, right->key, left->key_size);
    if (order == 0)
        order = left->mapped - right->mapped;
    if (order == 0)
        order = (left->value > right->value) - (left->value < right->value);
    return order;
}

static struct nlmsghdr *message_add(struct elements *elements, int type, int family, int resource)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(elements->batch + elements->used);
    message->nlmsg_type = (uint16_t)type;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = ++elements->sequence;
    struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof *header);
    header->nfgen_family = (uint8_t)family;
    header->version = NFNETLINK_V0;
    header->res_id = htons((uint16_t)resource);
    return message;
}

static void message_end(struct elements *elements, const struct nlmsghdr *message)
{
    elements->used += (message->nlmsg_len + NLMSG_ALIGNTO - 1) / NLMSG_ALIGNTO * NLMSG_ALIGNTO;
}

static void batch_begin(struct elements *elements)
{
    elements->used = 0;
    elements->last = NULL;
    elements->full = false;
    elements->first = elements->sequence + 1;
    message_end(elements,
                message_add(elements, NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

struct elements *elements_new(const char *table, struct err *err)
{
    AUTO(elements) *elements = calloc(1, sizeof *elements);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    if (!elements) {
        err_set(err, ERR_BUSY, "no memory to change packet rules");
        return NULL;
    }
    elements->table = table;
    elements->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!elements->socket || mnl_socket_bind(elements->socket, 0, MNL_SOCKET_AUTOPID) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot open a netfilter netlink socket");
        return NULL;
    }
    setsockopt(mnl_socket_get_fd(elements->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
               sizeof patience);
    batch_begin(elements);
    return TAKE(elements);
}

void elements_free(struct elements *elements)
{
    if (!elements)
        return;
    if (elements->socket)
        mnl_socket_close(elements->socket);
    free(elements);
}

static void change_add(struct elements *elements, int type, const struct element *element)
{
    if (elements->used + 2 * CHANGE_SIZE > BATCH_SIZE) { /* room for the end of the batch, too */
        elements->full = true;
        return;
    }
    struct nlmsghdr *message =
        message_add(elements, NFNL_SUBSYS_NFTABLES << 8 | type, NFPROTO_IPV4, 0);
    if (type == NFT_MSG_NEWSETELEM)
        message->nlmsg_flags |= NLM_F_CREATE;
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, elements->table);
    mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, element->set);
    struct nlattr *list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
    struct nlattr *item = mnl_attr_nest_start(message, NFTA_LIST_ELEM);
    struct nlattr *key = mnl_attr_nest_start(message, NFTA_SET_ELEM_KEY);
    mnl_attr_put(message, NFTA_DATA_VALUE, element->key_size, element->key);
    mnl_attr_nest_end(message, key);
    if (element->mapped && type == NFT_MSG_NEWSETELEM) {
        struct nlattr *value = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
        mnl_attr_put(message, NFTA_DATA_VALUE, sizeof element->value, &element->value);
        mnl_attr_nest_end(message, value);
    }
    mnl_attr_nest_end(message, item);
    mnl_attr_nest_end(message, list);
    elements->last = message;
    message_end(elements, message);
}

void elements_put(struct elements *elements, const struct element *element)
{
    change_add(elements, NFT_MSG_NEWSETELEM, element);
}

/* Put first: dropping what is not there would end the whole transaction. */
void elements_drop(struct elements *elements, const struct element *element)
{
    change_add(elements, NFT_MSG_NEWSETELEM, element);
    change_add(elements, NFT_MSG_DELSETELEM, element);
}

/* The first thing that is said decides. False with errno. */
static bool batch_exchange(struct elements *elements)
{
    if (mnl_socket_sendto(elements->socket, elements->batch, elements->used) < 0)
        return false;
    for (;;) {
        ssize_t size =
            mnl_socket_recvfrom(elements->socket, elements->answer, sizeof elements->answer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return false;
        const struct nlmsghdr *answer = (const struct nlmsghdr *)elements->answer;
        if (answer->nlmsg_seq < elements->first)
            continue; /* the rest of what was said of an earlier one that failed */
        /* Sequence 0: any; errors tell that of the change they are about. */
        int said = mnl_cb_run(elements->answer, (size_t)size, 0,
                              mnl_socket_get_portid(elements->socket), NULL, NULL);
        if (said <= MNL_CB_STOP)
            return said == MNL_CB_STOP;
    }
}

bool elements_commit(struct elements *elements, struct err *err)
{
    if (elements->full)
        return err_set(err, ERR_TOO_LARGE, "too many packet rules in one change");
    if (!elements->last)
        return true;
    elements->last->nlmsg_flags |= NLM_F_ACK;
    message_end(elements,
                message_add(elements, NFNL_MSG_BATCH_END, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
    bool done = batch_exchange(elements);
    int number = errno;
    batch_begin(elements);
    return done || err_set_os(err, number == EEXIST ? ERR_CONFLICT : ERR_IO, number,
                              "the kernel refused a change of the table %s", elements->table);
}
