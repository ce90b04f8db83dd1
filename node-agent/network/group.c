/* One group: an address, a folder, three namespaces, one veth pair.
 *
 *     address taken -> folder and files -> rules -> namespaces (made, or a spare) -> pair, both ends up
 *                   -> route -> "address" written: the group is up
 *
 * What is left of an attempt that ended before the last step is removed by the attempt itself, or by the next open
 * when the agent died. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { NAMES_ARENA = 16 << 20 };

/* ---- finding ---- */

static bool address_read(const struct network *network, const char *uid, uint32_t *address)
{
    char path[NETWORK_PATH_SIZE], line[NETWORK_ADDRESS_SIZE];
    group_path(network, uid, "address", path);
    return line_read(path, line, sizeof line) && address_parse(line, address);
}

static void users_of(const struct network *network, const char *uid, struct network_users *out)
{
    char folder[NETWORK_PATH_SIZE];
    *out = (struct network_users){.first = 0};
    group_path(network, uid, "", folder);
    if (users_read(folder, &out->first))
        group_path(network, uid, namespace_kinds[NAMESPACE_USER].name, out->path);
}

static void group_fill(const struct network *network, const char *uid, uint32_t address,
                       int link_index, struct network_group *out)
{
    uint8_t mac[6];
    *out = (struct network_group){.link_index = link_index};
    text_copy(out->uid, sizeof out->uid, uid);
    address_text(address, out->address);
    link_name(network->bridge, uid, out->link);
    address_mac(address, mac);
    text_format(out->mac, sizeof out->mac, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
                mac[3], mac[4], mac[5]);
    group_path(network, uid, "net", out->net_path);
    group_path(network, uid, "ipc", out->ipc_path);
    group_path(network, uid, "uts", out->uts_path);
    group_path(network, uid, "hosts", out->hosts_path);
    group_path(network, uid, "hostname", out->hostname_path);
    group_path(network, uid, "resolv.conf", out->resolv_path);
    users_of(network, uid, &out->users);
}

bool network_group_find(struct network *network, const char *uid, struct network_group *out)
{
    uint32_t address;
    char folder[NETWORK_PATH_SIZE], link[NETWORK_LINK_SIZE];
    if (!uid_valid(uid) || !address_read(network, uid, &address) ||
        !range_has(&network->range, address))
        return false;
    group_path(network, uid, "", folder);
    link_name(network->bridge, uid, link);
    int index = (int)if_nametoindex(link);
    if (index == 0 || !namespaces_there(folder))
        return false;
    group_fill(network, uid, address, index, out);
    return true;
}

bool network_list(struct network *network, struct arena *arena, struct network_group **groups,
                  size_t *count, struct err *err)
{
    struct text_list names;
    if (!folder_names(network, NULL, arena, &names, err))
        return false;
    struct network_group *found = arena_array(arena, names.count + 1, sizeof *found);
    size_t found_count = 0;
    if (!found)
        return err_set(err, ERR_BUSY, "too many groups for the memory given to list them");
    for (size_t i = 0; i < names.count; i++)
        found_count += network_group_find(network, names.items[i], &found[found_count]);
    *groups = found;
    *count = found_count;
    return true;
}

/* ---- up ---- */

static bool address_take(struct network *network, uint32_t *address, struct err *err)
{
    char path[NETWORK_PATH_SIZE], line[NETWORK_ADDRESS_SIZE];
    WITH_LOCK(&network->lock);
    if (!range_take(&network->range, address, err))
        return false;
    address_text(*address, line);
    CHECK(network_path(network, path, "network/next"));
    if (line_write(path, line, err))
        return true;
    range_give(&network->range, *address);
    return false;
}

static void address_give(struct network *network, uint32_t address)
{
    WITH_LOCK(&network->lock);
    range_give(&network->range, address);
}

/* A link carries packets once the kernel has seen that both ends are up, which it looks at when it has time. This question
 * makes it look now: else the first packet might be lost. */
static void link_settle(const char *link)
{
    struct ethtool_value value = {.cmd = ETHTOOL_GLINK};
    struct ifreq request = {.ifr_data = (char *)&value};
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    text_copy(request.ifr_name, sizeof request.ifr_name, link);
    if (fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) != 0)
        return; /* it looks a moment later, then */
}

/* A link of its own between the node and one group: what is sent to the group's address goes there, and nobody is asked
 * who has it. */
static bool link_connect(const struct network *network, struct netlink *outside, const char *link,
                         uint32_t address, struct err *err)
{
    uint8_t mac[6];
    int index = (int)if_nametoindex(link);
    address_mac(address, mac);
    link_ipv4_only(link);
    link_settle(link);
    return netlink_link_alias(outside, link, network->bridge, err) &&
           netlink_neighbour_set(outside, index, address, mac, err) &&
           netlink_route_single(outside, index, address, range_gateway(&network->range), err);
}

static bool spaces_up(struct network *network, const struct network_spec *spec,
                      struct netlink *outside, uint32_t address, struct err *err)
{
    char folder[NETWORK_PATH_SIZE], link[NETWORK_LINK_SIZE];
    struct group_rules rules = {.address = address}; /* all ports closed */
    group_path(network, spec->uid, "", folder);
    link_name(network->bridge, spec->uid, link);
    struct namespaces_plan plan = {.folder = folder,
                                   .hostname = spec->hostname,
                                   .outside = outside,
                                   .link = link,
                                   .address = address,
                                   .gateway = range_gateway(&network->range),
                                   .mtu = network->mtu};
    /* Before there is a link: the rules drop what it sends under another's name only if they know it. */
    return group_rules_set(network, spec->uid, &rules, false, err) && namespaces_work(&plan, err) &&
           link_connect(network, outside, link, address, err);
}

static bool group_make(struct network *network, const struct network_spec *spec, uint32_t address,
                       struct err *err)
{
    char path[NETWORK_PATH_SIZE], line[NETWORK_ADDRESS_SIZE];
    AUTO(netlink) *outside = netlink_open(err);
    if (!outside)
        return false;
    group_path(network, spec->uid, "", path);
    if (!spaces_take(network, path, spec->own_users, err) ||
        !files_write(network, spec, address, err) ||
        !spaces_up(network, spec, outside, address, err))
        return false;
    address_text(address, line);
    group_path(network, spec->uid, "address", path);
    return line_write(path, line, err);
}

/* It is what others can still reach. */
static bool group_cut(struct network *network, const char *uid, struct err *err)
{
    char link[NETWORK_LINK_SIZE];
    AUTO(netlink) *netlink = netlink_open(err);
    if (!netlink)
        return false;
    link_name(network->bridge, uid, link);
    return netlink_link_delete(netlink, link, err) && group_rules_clear(network, uid, err);
}

/* Link first; then namespaces and folder. */
static bool group_clear(struct network *network, const char *uid, struct err *err)
{
    char folder[NETWORK_PATH_SIZE];
    group_path(network, uid, "", folder);
    return group_cut(network, uid, err) && spaces_remove(network, folder, err);
}

static bool spec_check(const struct network_spec *spec, struct err *err)
{
    size_t size = strlen(spec->hostname);
    if (!uid_valid(spec->uid))
        return err_set(err, ERR_INVALID, "this is no group's uid");
    if (size == 0 || size > NETWORK_HOSTNAME_MAX)
        return err_set(err, ERR_INVALID, "a host name has 1 to %d bytes", NETWORK_HOSTNAME_MAX);
    return true;
}

/* What is not as it should be goes; its users stay the same, to whom files may belong already. */
static bool group_begin(struct network *network, const struct network_spec *spec, struct err *err)
{
    char folder[NETWORK_PATH_SIZE], path[NETWORK_PATH_SIZE];
    uint32_t address;
    group_path(network, spec->uid, "", folder);
    group_path(network, spec->uid, "address", path);
    if (!spec->own_users || !namespaces_users_there(folder))
        return network_group_down(network, spec->uid, err);
    if (!file_exists(path) && namespaces_there(folder))
        return true; /* network_group_begin() made them */
    bool had = address_read(network, spec->uid, &address) && range_has(&network->range, address);
    if (!group_cut(network, spec->uid, err) || !namespaces_strip(folder, err))
        return false;
    if (had)
        address_give(network, address);
    return true;
}

bool network_group_begin(struct network *network, const char *uid, bool own_users,
                         struct network_users *out, struct err *err)
{
    struct network_spec spec = {.uid = uid, .hostname = "-", .own_users = own_users};
    struct network_group found;
    char folder[NETWORK_PATH_SIZE];
    struct err ignored;
    if (!spec_check(&spec, err))
        return false;
    group_path(network, uid, "", folder);
    bool up = network_group_find(network, uid, &found) && (found.users.first != 0) == own_users;
    if (!up && !group_begin(network, &spec, err))
        return false;
    if (!up && own_users && !spaces_take(network, folder, true, err)) {
        if (!spaces_remove(network, folder, &ignored))
            return err_add(err, "(and it could not be cleaned up: %s)", ignored.text);
        return err_add(err, "while making the users of group %s", uid);
    }
    users_of(network, uid, out);
    return true;
}

bool network_group_up(struct network *network, const struct network_spec *spec,
                      struct network_group *out, struct err *err)
{
    struct network_group found;
    uint32_t address;
    struct err ignored;
    if (!spec_check(spec, err))
        return false;
    if (network_group_find(network, spec->uid, out) && (out->users.first != 0) == spec->own_users)
        return address_parse(out->address, &address) && files_write(network, spec, address, err);
    if (!group_begin(network, spec, err) || !address_take(network, &address, err))
        return false;
    if (group_make(network, spec, address, err) && network_group_find(network, spec->uid, &found)) {
        *out = found;
        return true;
    }
    if (!group_clear(network, spec->uid, &ignored))
        return err_add(err, "(and it could not be cleaned up: %s)", ignored.text);
    address_give(network, address);
    return err_add(err, "while setting up the network of group %s", spec->uid);
}

/* ---- down ---- */

static bool link_forget(const struct network *network, const char *uid, struct err *err)
{
    char link[NETWORK_LINK_SIZE];
    link_name(network->bridge, uid, link);
    if (if_nametoindex(link) == 0)
        return true;
    AUTO(netlink) *netlink = netlink_open(err);
    return netlink && netlink_link_delete(netlink, link, err);
}

bool network_group_down(struct network *network, const char *uid, struct err *err)
{
    char folder[NETWORK_PATH_SIZE];
    uint32_t address;
    if (!uid_valid(uid))
        return err_set(err, ERR_INVALID, "this is no group's uid");
    group_path(network, uid, "", folder);
    if (!file_exists(folder)) {
        network->look_due = true; /* removed by hand, perhaps: then the sets know it still */
        return link_forget(network, uid, err);
    }
    bool had = address_read(network, uid, &address) && range_has(&network->range, address);
    if (!group_clear(network, uid, err))
        return err_add(err, "while taking down the network of group %s", uid);
    if (had)
        address_give(network, address);
    return true;
}

/* ---- after a restart ---- */

static void next_recover(struct network *network)
{
    char path[NETWORK_PATH_SIZE], line[NETWORK_ADDRESS_SIZE];
    uint32_t address;
    CHECK(network_path(network, path, "network/next"));
    if (!line_read(path, line, sizeof line) || !address_parse(line, &address) ||
        !range_has(&network->range, address))
        return;
    uint32_t offset = address - network->range.first;
    if (offset >= 2 && offset < range_size(&network->range) - 2)
        network->range.next = offset + 1;
}

/* Its route is set again: it named the bridge's address as source, and the bridge may be a new one. */
static bool group_recover(struct network *network, struct netlink *netlink, const char *uid,
                          struct err *err)
{
    struct network_group found;
    struct group_rules rules;
    uint32_t address;
    if (!network_group_find(network, uid, &found) || !group_rules_read(network, uid, &rules))
        return group_clear(network, uid, err);
    CHECK(address_parse(found.address, &address) && range_take_one(&network->range, address));
    return group_rules_set(network, uid, &rules, false, err) &&
           link_connect(network, netlink, found.link, address, err);
}

bool groups_recover(struct network *network, struct err *err)
{
    AUTO(arena) *arena = arena_new(NAMES_ARENA);
    AUTO(netlink) *netlink = netlink_open(err);
    struct text_list names;
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list groups");
    if (!netlink || !folder_names(network, NULL, arena, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        if (!group_recover(network, netlink, names.items[i], err))
            return err_add(err, "while finding group %s again", names.items[i]);
    }
    next_recover(network);
    return true;
}
