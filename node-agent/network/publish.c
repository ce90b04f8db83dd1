/* A public address lives on a link of the node while its group is there: the kernel answers who-has for it, packets to
 * it are the group's by the rules, and the neighbours are told at once that it moved.
 *
 * A file of its name comes before it and goes after it. When the node is fenced, berth-fence removes the file, then the
 * address: whoever adds it looks again, and takes it off when the file has gone meanwhile. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PUBLIC_PREFIX = 32 };

static void announce(int link_index, const uint8_t mac[ETH_ALEN], uint32_t address)
{
    struct sockaddr_ll to = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ARP),
                             .sll_ifindex = link_index,
                             .sll_halen = ETH_ALEN,
                             .sll_addr = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct ether_arp arp = {.arp_hln = ETH_ALEN, .arp_pln = sizeof address};
    uint32_t bytes = htonl(address);
    AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    arp.arp_hrd = htons(ARPHRD_ETHER);
    arp.arp_pro = htons(ETHERTYPE_IP);
    arp.arp_op = htons(ARPOP_REQUEST);
    memcpy(arp.arp_sha, mac, ETH_ALEN);
    memcpy(arp.arp_spa, &bytes, sizeof bytes);
    memcpy(arp.arp_tpa, &bytes, sizeof bytes);
    /* A neighbour that misses it asks when its own entry has aged. */
    if (fd >= 0 &&
        sendto(fd, &arp, sizeof arp, 0, (const struct sockaddr *)&to, sizeof to) != sizeof arp)
        return;
}

/* False: no link that speaks to neighbours. */
static bool link_mac(const char *link, uint8_t mac[ETH_ALEN])
{
    struct ifreq request = {0};
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    text_copy(request.ifr_name, sizeof request.ifr_name, link);
    if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) != 0 ||
        request.ifr_hwaddr.sa_family != ARPHRD_ETHER)
        return false;
    memcpy(mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
    return true;
}

/* ---- what is on record ---- */

bool network_public_folder(const char *run_dir, char out[NETWORK_PATH_SIZE])
{
    return text_format(out, NETWORK_PATH_SIZE, "%s/network/public", run_dir);
}

static void held_path(const struct network *network, const char *address,
                      char out[NETWORK_PATH_SIZE])
{
    CHECK(network_public_folder(network->run_dir, out));
    size_t used = strlen(out);
    CHECK(text_format(out + used, NETWORK_PATH_SIZE - used, "/%s", address));
}

bool network_has_public(const struct network *network, const char *address)
{
    char path[NETWORK_PATH_SIZE];
    uint32_t parsed;
    if (!address_parse(address, &parsed))
        return false;
    held_path(network, address, path);
    return file_exists(path);
}

bool public_held(const struct network *network, uint32_t address)
{
    char text[NETWORK_ADDRESS_SIZE];
    address_text(address, text);
    return network_has_public(network, text);
}

static bool held_begin(const struct network *network, uint32_t address, struct err *err)
{
    char text[NETWORK_ADDRESS_SIZE], path[NETWORK_PATH_SIZE];
    address_text(address, text);
    held_path(network, text, path);
    return file_replace(path, "", 0, 0644, false, err);
}

static void held_end(const struct network *network, uint32_t address)
{
    char text[NETWORK_ADDRESS_SIZE], path[NETWORK_PATH_SIZE];
    address_text(address, text);
    held_path(network, text, path);
    unlink(path);
}

/* ---- the link ---- */

struct holder {
    uint32_t address;
    int link_index; /* 0: none has it */
};

static void holder_look(int index, uint32_t address, int prefix, void *context)
{
    struct holder *holder = context;
    if (address == holder->address && prefix == PUBLIC_PREFIX)
        holder->link_index = index;
}

/* Wherever it is: the setting may have named another link when it came. */
static bool link_remove(uint32_t address, struct err *err)
{
    AUTO(netlink) *netlink = netlink_open(err);
    struct holder holder = {.address = address};
    return netlink && netlink_addresses(netlink, holder_look, &holder, err) &&
           (holder.link_index == 0 ||
            netlink_address_remove(netlink, holder.link_index, address, PUBLIC_PREFIX, err));
}

bool public_add(const struct network *network, uint32_t address, struct err *err)
{
    AUTO(netlink) *netlink = netlink_open(err);
    int index = (int)if_nametoindex(network->public_link);
    uint8_t mac[ETH_ALEN];
    if (!netlink)
        return false;
    if (index == 0)
        return err_set(err, ERR_INVALID,
                       "this node has no link for public addresses: there is no \"%s\" (setting "
                       "public_link)",
                       network->public_link);
    if (!held_begin(network, address, err) ||
        !netlink_address_add(netlink, index, address, PUBLIC_PREFIX, err))
        return false;
    if (!public_held(network, address))
        return link_remove(address, err);
    if (link_mac(network->public_link, mac))
        announce(index, mac, address);
    return true;
}

bool public_remove(const struct network *network, uint32_t address, struct err *err)
{
    if (!public_held(network, address))
        return true;
    if (!link_remove(address, err))
        return false;
    held_end(network, address);
    return true;
}
