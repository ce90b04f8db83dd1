/* Opening, which makes what is missing and takes over what is there, and closing, which leaves nothing. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <string.h>

static bool bridge_name_check(const char *name, struct err *err)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    if (size == 0 || size >= NETWORK_LINK_SIZE || name[size] != '\0' || text_has_prefix(name, "bv"))
        return err_set(err, ERR_INVALID,
                       "\"%s\" cannot name a bridge: 1 to 15 letters, digits, - and _, "
                       "not starting with bv",
                       name);
    return true;
}

/* They become words of the rules. */
static bool outbound_check(const struct network_options *options, struct err *err)
{
    for (size_t i = 0; i < options->outbound.count; i++) {
        const char *item = options->outbound.items[i], *range = item + (*item == '!');
        size_t size = strspn(range, "0123456789./");
        if (strcmp(item, "none") != 0 && (size < 7 || size > 18 || range[size] != '\0'))
            return err_set(err, ERR_INVALID,
                           "outbound: \"%s\" is neither a range such as 10.0.0.0/8 or !10.0.0.0/8 "
                           "nor none",
                           item);
    }
    for (size_t i = 0; i < options->outbound_closed_ports.count; i++) {
        int64_t port;
        if (!text_to_int(options->outbound_closed_ports.items[i], &port) || port < 1 ||
            port > UINT16_MAX)
            return err_set(err, ERR_INVALID, "outbound_closed_ports: \"%s\" is no port",
                           options->outbound_closed_ports.items[i]);
    }
    return true;
}

static bool public_init(struct network *network, const struct network_options *options,
                        struct err *err)
{
    const char *link = options->public_link, *address = options->public_address;
    if (link && !text_copy(network->public_link, sizeof network->public_link, link))
        return err_set(err, ERR_INVALID, "\"%s\" cannot name a network link", link);
    if (address && !address_parse(address, &network->public_address))
        return err_set(err, ERR_INVALID, "\"%s\" is no IPv4 address", address);
    network->outbound = options->outbound;
    network->outbound_closed_ports = options->outbound_closed_ports;
    return outbound_check(options, err);
}

/* The part of a network that is known from its options alone. */
static bool network_init(struct network *network, const struct network_options *options,
                         struct err *err)
{
    bool fits;
    *network = (struct network){.nat = options->nat};
    if (!bridge_name_check(options->bridge, err) || !public_init(network, options, err) ||
        !range_init(&network->range, options->range, err) ||
        !users_init(&network->users, options->users_first, range_size(&network->range), err))
        return false;
    lock_init(&network->lock, LOCK_NETWORK);
    text_copy(network->bridge, sizeof network->bridge, options->bridge);
    text_copy(network->range_text, sizeof network->range_text, options->range);
    if (options->table)
        fits = text_copy(network->table, sizeof network->table, options->table);
    else
        fits = text_format(network->table, sizeof network->table, "berth_%s", options->bridge);
    for (char *c = network->table; *c; c++)
        *c = *c == '-' ? '_' : *c;
    if (!fits || !text_copy(network->run_dir, sizeof network->run_dir, options->run_dir))
        return err_set(err, ERR_INVALID, "the run folder's name is longer than %d bytes",
                       NETWORK_RUN_DIR_MAX);
    return true;
}

static bool folders_make(const struct network *network, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    CHECK(network_path(network, path, "network"));
    if (!file_make_folders(path, 0755, err))
        return false;
    CHECK(network_path(network, path, "ns"));
    return file_make_folders(path, 0755, err);
}

void network_free(struct network *network)
{
    if (!network)
        return;
    netlink_free(network->counters);
    elements_free(network->elements);
    watch_free(network->watch);
    range_done(&network->range);
    users_done(&network->users);
    lock_done(&network->lock);
    free(network);
}

struct network *network_open(const struct network_options *options, struct err *err)
{
    AUTO_FREE struct network *blank = calloc(1, sizeof *blank);
    if (!blank) {
        err_set(err, ERR_BUSY, "no memory for the network");
        return NULL;
    }
    if (!network_init(blank, options, err)) {
        range_done(&blank->range);
        users_done(&blank->users);
        return NULL;
    }
    AUTO(network) *network = TAKE(blank);
    network->counters = netlink_open(err);
    network->elements = elements_new(network->table, err);
    network->watch = network->elements ? watch_new(err) : NULL;
    if (network->counters && network->elements && network->watch && folders_make(network, err) &&
        bridge_open(network, err) && rules_put(network, err) && watch_begin(network, err) &&
        folders_remove(network, ".new-", err) && spaces_recover(network, err) &&
        groups_recover(network, err))
        return TAKE(network);
    err_add(err, "while opening the network %s", options->bridge);
    return NULL;
}

bool network_traffic(struct network *network, const struct network_group *group,
                     struct network_traffic *out, struct err *err)
{
    struct network_traffic seen;
    WITH_LOCK(&network->lock);
    /* What the node's end sends is what the group receives. */
    if (!netlink_traffic(network->counters, group->link_index, &seen.tx_bytes, &seen.rx_bytes, err))
        return false;
    *out = seen;
    return true;
}

/* ---- closing ---- */

static bool traces_remove(const struct network *network, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    CHECK(network_path(network, path, "ns"));
    if (!file_remove_tree(path, err))
        return false;
    CHECK(network_path(network, path, "network"));
    return file_remove_tree(path, err);
}

bool network_close_all(const struct network_options *options, struct err *err)
{
    struct network network;
    if (!network_init(&network, options, err))
        return false;
    bool closed = groups_unpublish(&network, err) && folders_remove(&network, NULL, err) &&
                  folders_remove(&network, ".", err) && bridge_remove(&network, err) &&
                  rules_remove(&network, err) && traces_remove(&network, err);
    range_done(&network.range);
    users_done(&network.users);
    lock_done(&network.lock);
    return closed || err_add(err, "while closing the network %s", options->bridge);
}
