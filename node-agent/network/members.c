/* What the kernel's sets hold beside what the groups' files say: a set that somebody flushed is filled again, and what
 * belongs to no group goes. A group whose folder was removed by hand leaves such elements: its address stays taken
 * until they are found here, so that nobody gets it with another's open ports.
 *
 * Both sides become sorted lists; what stands in one alone is the difference. */
#include "node-agent/network/inside.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

enum { NAMES_ARENA = 16 << 20, CHANGES_AT_ONCE = 64 };

static const char *const all_sets[] = {SET_LINKS,     SET_OWNERS,   SET_OPEN,   MAP_PUBLISHED,
                                       MAP_LEAVES_AS, SET_RESERVED, MAP_SUBNET, SET_NEIGHBOURS};

struct members {
    struct element *items;
    size_t count, space;
    bool short_of_memory;
    const char *set; /* the one that is listed now */
};

static void members_done(struct members *members)
{
    free(members->items);
}

static void member_add(const struct element *element, void *context)
{
    struct members *members = context;
    if (members->count == members->space) {
        size_t space = members->space ? members->space * 2 : 256;
        struct element *grown = reallocarray(members->items, space, sizeof *grown);
        members->short_of_memory |= !grown;
        if (!grown)
            return;
        members->items = grown;
        members->space = space;
    }
    members->items[members->count++] = *element;
}

static int member_order(const void *left, const void *right)
{
    return element_compare(left, right);
}

static bool members_sort(struct members *members, struct err *err)
{
    if (members->short_of_memory)
        return err_set(err, ERR_BUSY, "no memory to look at packet rules");
    if (members->count > 0)
        qsort(members->items, members->count, sizeof *members->items, member_order);
    return true;
}

/* ---- of the kernel ---- */

static int value_read(const struct nlattr *attribute, void *context)
{
    const struct nlattr **value = context;
    if (mnl_attr_get_type(attribute) == NFTA_DATA_VALUE)
        *value = attribute;
    return MNL_CB_OK;
}

static int part_read(const struct nlattr *attribute, void *context)
{
    struct element *element = context;
    const struct nlattr *value = NULL;
    uint16_t type = mnl_attr_get_type(attribute);
    if (type != NFTA_SET_ELEM_KEY && type != NFTA_SET_ELEM_DATA)
        return MNL_CB_OK;
    if (mnl_attr_parse_nested(attribute, value_read, &value) < 0 || !value)
        return MNL_CB_OK;
    size_t size = mnl_attr_get_payload_len(value);
    if (type == NFTA_SET_ELEM_KEY && size <= sizeof element->key) {
        memcpy(element->key, mnl_attr_get_payload(value), size);
        element->key_size = size;
    }
    if (type == NFTA_SET_ELEM_DATA && size == sizeof element->value) {
        element->value = mnl_attr_get_u32(value);
        element->mapped = true;
    }
    return MNL_CB_OK;
}

static int item_read(const struct nlattr *item, void *context)
{
    struct members *members = context;
    struct element element = {.set = members->set};
    if (mnl_attr_parse_nested(item, part_read, &element) >= 0 && element.key_size > 0)
        member_add(&element, members);
    return MNL_CB_OK;
}

static int list_read(const struct nlattr *attribute, void *context)
{
    if (mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_ELEMENTS)
        return mnl_attr_parse_nested(attribute, item_read, context);
    return MNL_CB_OK;
}

static int set_read(const struct nlmsghdr *message, void *context)
{
    return mnl_attr_parse(message, sizeof(struct nfgenmsg), list_read, context);
}

static bool kernel_list(struct network *network, struct members *members, struct err *err)
{
    struct watch_question question = {.type = NFT_MSG_GETSETELEM,
                                      .flags = NLM_F_DUMP,
                                      .family = NFPROTO_IPV4,
                                      .table = network->table,
                                      .each = set_read,
                                      .context = members};
    for (size_t i = 0; i < COUNT_OF(all_sets); i++) {
        members->set = question.set = all_sets[i];
        if (!watch_ask(network->watch, &question, err))
            return false;
    }
    return members_sort(members, err);
}

/* ---- of the files ---- */

static bool files_list(struct network *network, struct members *members, struct err *err)
{
    AUTO(arena) *arena = arena_new(NAMES_ARENA);
    struct text_list uids;
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list groups");
    if (!folder_names(network, NULL, arena, &uids, err))
        return false;
    for (size_t i = 0; i < uids.count; i++)
        group_rules_elements(network, uids.items[i], member_add, members);
    return members_sort(members, err);
}

/* ---- the difference ---- */

struct mending {
    struct network *network;
    const struct members *wanted;
    size_t changes;
    bool done;
    struct err *err;
};

static void change_counted(struct mending *mending)
{
    if (++mending->changes % CHANGES_AT_ONCE == 0)
        mending->done &= elements_commit(mending->network->elements, mending->err);
}

/* Another group may have it by now, given by an agent that never knew of the first. */
static bool address_is_owned(const struct members *wanted, uint32_t address)
{
    struct element owner = {.set = SET_OWNERS};
    for (size_t i = 0; i < wanted->count; i++) {
        owner = wanted->items[i];
        if (strcmp(owner.set, SET_OWNERS) == 0 && element_owner_address(&owner) == address)
            return true;
    }
    return false;
}

static void drop(struct mending *mending, const struct element *element)
{
    elements_drop(mending->network->elements, element);
    if (strcmp(element->set, SET_OWNERS) == 0) {
        uint32_t address = element_owner_address(element);
        if (range_has(&mending->network->range, address) &&
            !address_is_owned(mending->wanted, address))
            range_give(&mending->network->range, address);
    }
    change_counted(mending);
}

static void put(struct mending *mending, const struct element *element)
{
    elements_put(mending->network->elements, element);
    change_counted(mending);
}

/* Each that stands in `left` and not in `right`. */
static void differ(const struct members *left, const struct members *right,
                   void (*each)(struct mending *, const struct element *), struct mending *mending)
{
    size_t other = 0;
    for (size_t i = 0; i < left->count && mending->done; i++) {
        while (other < right->count && element_compare(&right->items[other], &left->items[i]) < 0)
            other++;
        if (other == right->count || element_compare(&right->items[other], &left->items[i]) != 0)
            each(mending, &left->items[i]);
    }
}

/* Files and kernel change together under the lock (group_rules.c). What goes, goes first: the same key may come again
 * with another value. */
bool members_mend(struct network *network, size_t *dropped, size_t *added, struct err *err)
{
    __attribute__((cleanup(members_done))) struct members found = {0};
    __attribute__((cleanup(members_done))) struct members wanted = {0};
    struct mending mending = {.network = network, .wanted = &wanted, .done = true, .err = err};
    WITH_LOCK(&network->lock);
    if (!kernel_list(network, &found, err) || !files_list(network, &wanted, err))
        return false;
    differ(&found, &wanted, drop, &mending);
    *dropped = mending.changes;
    differ(&wanted, &found, put, &mending);
    *added = mending.changes - *dropped;
    return mending.done && elements_commit(network->elements, err);
}
