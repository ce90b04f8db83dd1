/* Real namespaces and real packets. Runs as root, inside namespaces of its own. */
#include "tests/unit/network/place.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MANY = 200, MIDDLE = MANY / 2, NEAR_END = MANY - MANY / 100, PORT = 8080 };

static struct place place;
static struct err err;
static struct network_options options = {.bridge = "berth0", .range = "10.101.0.0/24", .nat = true};
static struct network *network;

static int place_up(void **state UNUSED)
{
    if (place_new(&place, &err)) {
        options.run_dir = place.folder;
        return 0;
    }
    print_error("%s\n", err.text);
    return -1;
}

static int place_down(void **state UNUSED)
{
    return place_free(&place, &err) ? 0 : -1;
}

static int network_up(void **state UNUSED)
{
    network = network_open(&options, &err);
    if (!network)
        print_error("%s\n", err.text);
    return network ? 0 : -1;
}

static int network_down(void **state UNUSED)
{
    network_free(TAKE(network));
    if (network_close_all(&options, &err))
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static const char *uid(int number)
{
    static char uids[4][ID_SIZE];
    static int turn;
    char *out = uids[turn++ % 4];
    text_format(out, ID_SIZE, "0190b6a0-0000-7000-8000-%012d", number);
    return out;
}

static struct network_group up(int number)
{
    struct network_group group = {0};
    struct network_spec spec = {.uid = uid(number), .hostname = "box"};
    if (!network_group_up(network, &spec, &group, &err))
        print_error("%s\n", err.text);
    return group;
}

static void down(int number)
{
    if (!network_group_down(network, uid(number), &err))
        fail_msg("%s", err.text);
}

static bool reaches(const char *from, const char *to_net, const char *address,
                    char peer[NETWORK_ADDRESS_SIZE])
{
    AUTO_CLOSE int listener = place_listen(to_net, address, PORT);
    AUTO_CLOSE int connected = place_connect(from, address, PORT, 2000);
    return listener >= 0 && connected >= 0 && place_accept(listener, peer);
}

static char *content(const char *path)
{
    char *bytes = NULL;
    size_t size;
    return file_read(path, 65536, &bytes, &size, &err) ? bytes : NULL;
}

static bool file_is(const char *path, const char *expected)
{
    AUTO_FREE char *bytes = content(path);
    return bytes && strcmp(bytes, expected) == 0;
}

/* ---- packets ---- */

static void open_ports(int number, const struct network_port *ports, size_t count)
{
    if (!network_group_open(network, uid(number), ports, count, &err))
        fail_msg("%s", err.text);
}

static void open_tcp(int number, uint16_t port)
{
    struct network_port ports = {IPPROTO_TCP, port};
    open_ports(number, &ports, 1);
}

TEST(a_group_reaches_itself_and_the_gateway)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(place_ping(one.net_path, "127.0.0.1"));
    assert_true(place_ping(one.net_path, "10.101.0.1"));
    assert_true(reaches(one.net_path, one.net_path, one.address, peer));
    assert_true(reaches(one.net_path, one.net_path, "127.0.0.1", peer));
}

TEST(groups_reach_open_ports_of_each_other_and_no_others)
{
    static const struct network_port both[] = {{IPPROTO_UDP, PORT}, {IPPROTO_TCP, PORT}};
    struct network_group one = up(1), two = up(2);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_false(reaches(one.net_path, two.net_path, two.address, peer));
    assert_false(place_ping(one.net_path, two.address));
    open_tcp(2, PORT + 1);
    assert_false(reaches(one.net_path, two.net_path, two.address, peer));
    open_ports(2, both, 1); /* of the same number, but UDP */
    assert_false(reaches(one.net_path, two.net_path, two.address, peer));
    open_ports(2, both, 2);
    assert_true(reaches(one.net_path, two.net_path, two.address, peer));
    assert_string_equal(peer, one.address);
    assert_false(reaches(two.net_path, one.net_path, one.address, peer));
    open_ports(2, NULL, 0);
    assert_false(reaches(one.net_path, two.net_path, two.address, peer));
}

TEST(datagrams_reach_open_ports_alone)
{
    static const struct network_port udp = {IPPROTO_UDP, PORT};
    struct network_group one = up(1), two = up(2);
    assert_false(place_datagram(one.net_path, two.net_path, two.address, PORT));
    open_tcp(2, PORT);
    assert_false(place_datagram(one.net_path, two.net_path, two.address, PORT));
    open_ports(2, &udp, 1);
    assert_true(place_datagram(one.net_path, two.net_path, two.address, PORT));
}

TEST(from_outside_open_ports_answer_and_no_others)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(place_ip(place.outside, "route add 10.101.0.0/24 via " NODE_OUTSIDE));
    assert_false(reaches(place.outside, one.net_path, one.address, peer));
    open_tcp(1, PORT);
    assert_true(reaches(place.outside, one.net_path, one.address, peer));
    assert_string_equal(peer, OUTSIDE);
    assert_true(place_ip(place.outside, "route del 10.101.0.0/24"));
}

TEST(root_of_the_node_reaches_closed_ports_and_nobody_else_does)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(reaches(NULL, one.net_path, one.address, peer));
    assert_string_equal(peer, "10.101.0.1");
    AUTO_CLOSE int listener = place_listen(one.net_path, one.address, PORT);
    assert_true(listener >= 0);
    assert_int_equal(place_connect_as(1000, one.address, PORT, 500), -1);
    open_tcp(1, PORT);
    AUTO_CLOSE int connected = place_connect_as(1000, one.address, PORT, 500);
    assert_true(connected >= 0);
}

TEST(a_group_reaches_no_service_of_the_node)
{
    static const char *const addresses[] = {"10.101.0.1", NODE_OUTSIDE};
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        assert_false(reaches(one.net_path, NULL, addresses[i], peer));
        assert_int_equal(errno, ECONNREFUSED);
        assert_true(reaches(NULL, NULL, addresses[i], peer));
    }
}

TEST(opening_a_port_costs_less_than_a_millisecond)
{
    enum { TIMES = 200 };
    up(1);
    int64_t start = clock_boot_ns();
    for (int i = 0; i < TIMES; i++)
        open_tcp(1, (uint16_t)(PORT + i % 2));
    int64_t each = (clock_boot_ns() - start) / TIMES;
    print_message("ports of a group changed in %.0f us\n", (double)each / 1e3);
    assert_true(each < 5000000); /* with sanitizers, on a busy machine */
}

TEST(refuses_ports_that_cannot_be)
{
    static const struct network_port wrong[] = {{IPPROTO_TCP, 0}, {IPPROTO_ICMP, 1}};
    struct network_port many[GROUP_PORTS_MAX + 1];
    up(1);
    for (size_t i = 0; i < COUNT_OF(many); i++)
        many[i] = (struct network_port){IPPROTO_TCP, (uint16_t)(i + 1)};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_false(network_group_open(network, uid(1), &wrong[i], 1, &err));
    assert_false(network_group_open(network, uid(1), many, COUNT_OF(many), &err));
    open_ports(1, many, GROUP_PORTS_MAX);
    assert_false(network_group_open(network, uid(2), many, 1, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

/* ---- under another's name ---- */

static void borrow(struct network_group group, const char *address)
{
    char words[64];
    text_format(words, sizeof words, "addr add %s/32 dev eth0", address);
    assert_true(place_ip(group.net_path, words));
}

TEST(packets_under_an_address_that_is_not_the_groups_are_dropped)
{
    struct network_group one = up(1), two = up(2);
    const char *const others[] = {two.address, "10.101.0.1", "192.0.2.77"};
    setting_try("/proc/sys/net/ipv4/conf/all/rp_filter", "0"); /* not by anybody else's check */
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        borrow(one, others[i]);
        assert_false(place_datagram_under(one.net_path, others[i], place.outside, OUTSIDE, PORT));
    }
    assert_true(place_datagram_under(one.net_path, one.address, place.outside, OUTSIDE, PORT));
}

TEST(a_group_cannot_take_over_the_address_of_another)
{
    struct network_group one = up(1), two = up(2);
    char peer[NETWORK_ADDRESS_SIZE];
    down(2);
    borrow(one, two.address); /* answers who-has from now on */
    assert_false(place_ping(NULL, two.address));
    assert_true(reaches(NULL, one.net_path, one.address, peer));
}

TEST(groups_do_not_meet_but_by_the_node)
{
    struct network_group one = up(1), two = up(2);
    open_tcp(2, PORT);
    char words[100];
    text_format(words, sizeof words, "route add %s/32 dev eth0", two.address);
    assert_true(place_ip(one.net_path, words)); /* not by the node any more */
    text_format(words, sizeof words, "neigh add %s lladdr %s dev eth0", two.address, two.mac);
    assert_true(place_ip(one.net_path, words));
    AUTO_CLOSE int listener = place_listen(two.net_path, two.address, PORT);
    assert_true(listener >= 0);
    assert_int_equal(place_connect(one.net_path, two.address, PORT, 300), -1);
}

/* ---- the way out ---- */

TEST(groups_leave_under_the_address_of_the_node)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(place_ping(one.net_path, OUTSIDE));
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
    assert_string_equal(peer, NODE_OUTSIDE);
}

TEST(without_nat_groups_leave_under_their_own_address_and_get_no_answer)
{
    struct network_options plain = options;
    char peer[NETWORK_ADDRESS_SIZE];
    network_free(TAKE(network));
    plain.nat = false;
    network = network_open(&plain, &err);
    assert_non_null(network);
    struct network_group one = up(1);
    assert_true(reaches(NULL, place.outside, OUTSIDE, peer));
    AUTO_CLOSE int listener = place_listen(place.outside, OUTSIDE, PORT);
    assert_int_not_equal(listener, -1);
    assert_int_equal(place_connect(one.net_path, OUTSIDE, PORT, 150), -1);
}

TEST(bridge_packets_that_pass_iptables_keep_their_address)
{
    struct network_group one = up(1), two = up(2);
    char peer[NETWORK_ADDRESS_SIZE];
    open_tcp(2, PORT);
    setting_try("/proc/sys/net/bridge/bridge-nf-call-iptables", "1");
    assert_true(reaches(one.net_path, two.net_path, two.address, peer));
    assert_string_equal(peer, one.address);
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
    assert_string_equal(peer, NODE_OUTSIDE);
    setting_try("/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
}

TEST(counts_bytes_as_the_group_sees_them)
{
    struct network_group one = up(1), two = up(2);
    struct network_traffic before, after, other;
    char peer[NETWORK_ADDRESS_SIZE];
    static char bytes[20000];
    open_tcp(2, PORT);
    AUTO_CLOSE int listener = place_listen(two.net_path, two.address, PORT);
    AUTO_CLOSE int connected = place_connect(one.net_path, two.address, PORT, 2000);
    assert_true(network_traffic(network, &one, &before, &err));
    assert_int_equal(write(connected, bytes, sizeof bytes), sizeof bytes);
    assert_true(place_accept(listener, peer));
    for (int i = 0; i < 100; i++) {
        assert_true(network_traffic(network, &one, &after, &err));
        if (after.tx_bytes - before.tx_bytes > (int64_t)sizeof bytes)
            break;
        usleep(5000);
    }
    assert_true(network_traffic(network, &two, &other, &err));
    assert_in_range(after.tx_bytes - before.tx_bytes, sizeof bytes, 2 * sizeof bytes);
    assert_in_range(other.rx_bytes, sizeof bytes, 2 * sizeof bytes);
    assert_in_range(after.rx_bytes, 1, 5000);
}

/* ---- public addresses ---- */

#define PUBLIC "198.51.100.40"

static bool expose(int number, const char *address, const char *subnet, char shown[16])
{
    static const struct network_port port = {IPPROTO_TCP, PORT};
    struct network_exposure exposure = {.ports = &port,
                                        .ports_count = 1,
                                        .is_public = !subnet,
                                        .public_address = address,
                                        .subnet = subnet};
    bool done = network_group_expose(network, uid(number), &exposure, shown, &err);
    if (!done)
        print_error("%s\n", err.text);
    return done;
}

/* A listener of the group hears who asks for `public`:port. */
static bool asks(const char *from, const struct network_group *group, const char *public,
                 uint16_t port, char peer[NETWORK_ADDRESS_SIZE])
{
    AUTO_CLOSE int listener = place_listen(group->net_path, group->address, port);
    AUTO_CLOSE int connected = place_connect(from, public, port, 500);
    return listener >= 0 && connected >= 0 && place_accept(listener, peer);
}

static void network_with_node_address(const char *address)
{
    struct network_options other = options;
    network_free(TAKE(network));
    other.public_address = address;
    other.public_link = "up0";
    network = network_open(&other, &err);
    assert_non_null(network);
}

TEST(a_public_address_leads_to_its_groups_open_ports_alone)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NULL);
    assert_true(expose(1, PUBLIC, NULL, shown));
    assert_string_equal(shown, PUBLIC);
    assert_true(asks(place.outside, &one, PUBLIC, PORT, peer));
    assert_string_equal(peer, OUTSIDE);
    assert_false(asks(place.outside, &one, PUBLIC, PORT + 1, peer));
    AUTO_CLOSE int of_node = place_listen(NULL, "0.0.0.0", PORT + 2); /* the node's own service */
    assert_true(of_node >= 0);
    assert_int_equal(place_connect(place.outside, PUBLIC, PORT + 2, 500), -1);
    assert_true(asks(NULL, &one, PUBLIC, PORT, peer));
}

TEST(a_group_leaves_under_its_public_address)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NULL);
    assert_true(expose(1, PUBLIC, NULL, shown));
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
    assert_string_equal(peer, PUBLIC);
}

TEST(groups_reach_public_addresses_of_their_node_their_own_too)
{
    struct network_group one = up(1), two = up(2), three = up(3);
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NODE_OUTSIDE);
    assert_true(expose(1, PUBLIC, NULL, shown));
    assert_true(asks(one.net_path, &one, PUBLIC, PORT, peer));
    assert_true(asks(two.net_path, &one, PUBLIC, PORT, peer));
    assert_string_equal(peer, two.address);
    assert_true(expose(3, NULL, NULL, shown));
    assert_true(asks(one.net_path, &three, NODE_OUTSIDE, PORT, peer));
    assert_string_equal(peer, PUBLIC);
    assert_true(asks(three.net_path, &three, NODE_OUTSIDE, PORT, peer));
}

TEST(without_a_pool_groups_share_the_address_of_the_node)
{
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NODE_OUTSIDE);
    assert_true(expose(1, NULL, NULL, shown));
    assert_string_equal(shown, NODE_OUTSIDE);
    assert_true(asks(place.outside, &one, NODE_OUTSIDE, PORT, peer));
    assert_string_equal(peer, OUTSIDE);
    assert_false(asks(place.outside, &one, NODE_OUTSIDE, PORT + 1, peer));
}

TEST(one_port_of_the_nodes_address_is_of_one_group)
{
    char shown[NETWORK_ADDRESS_SIZE], peer[NETWORK_ADDRESS_SIZE];
    struct network_group one = up(1);
    up(2);
    network_with_node_address(NODE_OUTSIDE);
    assert_true(expose(1, NULL, NULL, shown));
    assert_false(expose(2, NULL, NULL, shown));
    assert_true(asks(place.outside, &one, NODE_OUTSIDE, PORT, peer));
    down(1);
    assert_true(expose(2, NULL, NULL, shown));
}

TEST(a_public_address_goes_with_its_group_and_is_found_after_a_restart)
{
    struct network_group one = up(1), two;
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NULL);
    assert_true(expose(1, PUBLIC, NULL, shown));
    network_with_node_address(NULL);
    assert_true(asks(place.outside, &one, PUBLIC, PORT, peer));
    down(1);
    assert_false(place_has_address(PUBLIC));
    two = up(2);
    assert_true(expose(2, PUBLIC, NULL, shown));
    assert_true(asks(place.outside, &two, PUBLIC, PORT, peer));
    assert_true(expose(2, NULL, "none any more", shown));
    assert_false(place_has_address(PUBLIC));
    assert_true(expose(2, PUBLIC, NULL, shown));
    assert_true(place_has_address(PUBLIC));
    assert_int_equal(network_down(NULL), 0);
    assert_false(place_has_address(PUBLIC));
}

/* As berth-fence does it. */
static void withdraw_public(void)
{
    char path[NETWORK_PATH_SIZE + 32];
    assert_true(network_has_public(network, PUBLIC));
    text_format(path, sizeof path, "%s/network/public/" PUBLIC, network->run_dir);
    assert_int_equal(unlink(path), 0);
    assert_true(place_ip(NULL, "addr del " PUBLIC "/32 dev up0"));
    assert_false(network_has_public(network, PUBLIC));
}

TEST(a_public_address_that_was_withdrawn_stays_away_until_its_group_is_exposed_again)
{
    char shown[NETWORK_ADDRESS_SIZE];
    up(1);
    network_with_node_address(NULL);
    assert_true(expose(1, PUBLIC, NULL, shown));
    withdraw_public();
    open_tcp(1, PORT); /* its probes say that it is ready */
    assert_false(place_has_address(PUBLIC));
    network_with_node_address(NULL); /* another agent */
    assert_false(place_has_address(PUBLIC));
    assert_true(expose(1, PUBLIC, NULL, shown));
    assert_true(place_has_address(PUBLIC) && network_has_public(network, PUBLIC));
    withdraw_public();
    assert_true(place_ip(NULL, "addr add " PUBLIC "/32 dev up0")); /* somebody else's */
    down(1);
    assert_true(place_has_address(PUBLIC));
    assert_true(place_ip(NULL, "addr del " PUBLIC "/32 dev up0"));
}

TEST(groups_of_one_subnet_reach_all_ports_of_each_other)
{
    struct network_group one = up(1), two = up(2), three = up(3);
    char peer[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
    assert_true(expose(1, NULL, "/x/subnets/A", shown));
    assert_string_equal(shown, one.address);
    assert_true(expose(2, NULL, "/x/subnets/a", shown));
    assert_true(expose(3, NULL, "/x/subnets/b", shown));
    assert_true(asks(one.net_path, &two, two.address, PORT + 1, peer));
    assert_true(asks(two.net_path, &one, one.address, PORT + 1, peer));
    assert_false(asks(three.net_path, &one, one.address, PORT + 1, peer));
    assert_true(asks(three.net_path, &one, one.address, PORT, peer));
}

/* ---- where groups may connect to ---- */

static void network_with_outbound(const char *const *items, size_t count)
{
    struct network_options other = options;
    network_free(TAKE(network));
    other.outbound = (struct text_list){true, (const char **)items, count};
    network = network_open(&other, &err);
    assert_non_null(network);
}

TEST(connects_only_where_the_node_lets_it)
{
    static const char *const none[] = {"none"}, *const there[] = {"198.51.100.0/24"},
                             *const not_there[] = {"!198.51.100.2/32"},
                             *const elsewhere[] = {"198.51.0.0/16", "!198.51.100.0/24",
                                                   "10.0.0.0/8"};
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    network_with_outbound(none, 1);
    assert_false(reaches(one.net_path, place.outside, OUTSIDE, peer));
    assert_true(reaches(NULL, one.net_path, one.address, peer)); /* answers go */
    network_with_outbound(there, 1);
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
    network_with_outbound(not_there, 1);
    assert_false(reaches(one.net_path, place.outside, OUTSIDE, peer));
    network_with_outbound(elsewhere, COUNT_OF(elsewhere));
    assert_false(reaches(one.net_path, place.outside, OUTSIDE, peer));
}

TEST(sends_no_mail_and_asks_no_link_local_address)
{
    struct network_group one = up(1);
    AUTO_CLOSE int mail = place_listen(place.outside, OUTSIDE, 25);
    assert_true(mail >= 0);
    assert_int_equal(place_connect(one.net_path, OUTSIDE, 25, 500), -1);
    assert_int_equal(place_connect(one.net_path, "169.254.169.254", 80, 500), -1);
    assert_int_equal(errno, ECONNREFUSED);
}

TEST(refuses_words_that_are_no_range_and_no_port)
{
    static const char *wrong[] = {"10.0.0.0/8; drop", "everything", "!", "::/0", "1.2.3.4/32\n"};
    struct network_options other = options;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        other.outbound = (struct text_list){true, &wrong[i], 1};
        assert_null(network_open(&other, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    other.outbound = (struct text_list){0};
    other.outbound_closed_ports = (struct text_list){true, &wrong[1], 1};
    assert_null(network_open(&other, &err));
}

/* ---- what a group gets ---- */

static bool named_box(void *context UNUSED)
{
    char name[64];
    return gethostname(name, sizeof name) == 0 && strcmp(name, "box") == 0;
}

TEST(gives_a_group_its_host_name_and_files)
{
    struct network_group one = up(1);
    char hosts[200];
    text_format(hosts, sizeof hosts,
                "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n%s\tbox\n",
                one.address);
    assert_true(place_inside(one.net_path, one.uts_path, named_box, NULL));
    assert_true(file_is(one.hosts_path, hosts));
    assert_true(file_is(one.hostname_path, "box\n"));
    assert_true(file_exists(one.resolv_path));
}

TEST(writes_the_name_servers_a_group_asks_for)
{
    static const char *const servers[] = {"192.0.2.1", "192.0.2.2"};
    struct network_spec spec = {.uid = uid(1),
                                .hostname = "box",
                                .dns_servers = servers,
                                .dns_servers_count = 2,
                                .dns_search = "a.example b.example",
                                .dns_options = "ndots:2"};
    struct network_group group;
    assert_true(network_group_up(network, &spec, &group, &err));
    assert_true(file_is(group.resolv_path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
                                           "search a.example b.example\noptions ndots:2\n"));
}

TEST(a_group_that_is_up_gets_the_name_servers_of_its_newest_spec)
{
    static const char *const servers[] = {"192.0.2.1"};
    struct network_group one = up(1), again;
    struct network_spec spec = {
        .uid = uid(1), .hostname = "box", .dns_servers = servers, .dns_servers_count = 1};
    assert_true(network_group_up(network, &spec, &again, &err));
    assert_memory_equal(&again, &one, sizeof one);
    assert_true(file_is(one.resolv_path, "nameserver 192.0.2.1\n"));
}

static bool inner_mtu(void *context)
{
    struct link_info link;
    struct err why;
    AUTO(netlink) *inside = netlink_open(&why);
    if (!inside || !netlink_link_find(inside, "eth0", &link, &why))
        return false;
    *(int *)context = link.mtu;
    return true;
}

TEST(takes_the_packet_size_of_the_way_out)
{
    struct network_group one = up(1);
    int mtu;
    assert_true(place_inside(one.net_path, NULL, inner_mtu, &mtu));
    assert_int_equal(mtu, 1400);
}

TEST(refuses_uids_and_host_names_that_cannot_be)
{
    struct network_group group;
    struct network_spec spec = {.uid = "../etc", .hostname = "box"};
    assert_false(network_group_up(network, &spec, &group, &err));
    assert_int_equal(err.code, ERR_INVALID);
    spec = (struct network_spec){.uid = uid(1), .hostname = ""};
    assert_false(network_group_up(network, &spec, &group, &err));
    assert_false(network_group_down(network, "..", &err));
    assert_false(network_group_find(network, "..", &group));
}

/* ---- addresses ---- */

TEST(does_not_reuse_an_address_at_once_not_even_after_a_restart)
{
    struct network_group one = up(1);
    down(1);
    struct network_group two = up(2);
    assert_string_not_equal(one.address, two.address);
    down(2);
    network_free(TAKE(network));
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
    struct network_group three = up(3);
    assert_string_not_equal(three.address, one.address);
    assert_string_not_equal(three.address, two.address);
}

TEST(says_when_all_addresses_are_used)
{
    struct network_options small = options;
    struct network_group group;
    network_free(TAKE(network));
    assert_true(network_close_all(&options, &err));
    small.range = "10.102.0.0/29";
    network = network_open(&small, &err);
    assert_non_null(network);
    for (int i = 0; i < 5; i++)
        assert_true(up(i).link_index > 0);
    struct network_spec spec = {.uid = uid(9), .hostname = "box"};
    assert_false(network_group_up(network, &spec, &group, &err));
    assert_int_equal(err.code, ERR_NO_CAPACITY);
    down(3);
    assert_true(network_group_up(network, &spec, &group, &err));
}

TEST(refuses_a_range_the_machine_already_routes)
{
    static const char *const taken[] = {"198.51.100.0/24", "198.51.100.128/25", "198.51.0.0/16"};
    struct network_options other = options;
    other.bridge = "berth1";
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        other.range = taken[i];
        assert_null(network_open(&other, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.text, "overlaps the route to 198.51.100.0/24 over up0"));
    }
    other.range = options.range; /* the first network's */
    assert_null(network_open(&other, &err));
    assert_non_null(strstr(err.text, "overlaps the route to 10.101.0.0/24 over berth0"));
    assert_int_equal(if_nametoindex("berth1"), 0);
}

TEST(refuses_another_range_while_the_first_one_stands)
{
    struct network_options other = options;
    network_free(TAKE(network));
    other.range = "10.103.0.0/24";
    assert_null(network_open(&other, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
}

TEST(refuses_a_link_that_is_no_bridge)
{
    struct network_options other = options;
    other.bridge = "up0";
    other.range = "10.104.0.0/24";
    assert_null(network_open(&other, &err));
    assert_non_null(strstr(err.text, "is no bridge"));
    assert_int_not_equal(if_nametoindex("up0"), 0);
}

/* ---- over restarts ---- */

TEST(finds_its_groups_again)
{
    struct network_group one = up(1), found;
    struct network_group *list;
    size_t count;
    char peer[NETWORK_ADDRESS_SIZE];
    AUTO(arena) *arena = arena_new(1 << 20);
    AUTO_CLOSE int listener = place_listen(one.net_path, one.address, PORT);
    AUTO_CLOSE int connected = place_connect(NULL, one.address, PORT, 2000);
    assert_int_not_equal(connected, -1);
    network_free(TAKE(network));
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
    assert_true(network_group_find(network, one.uid, &found));
    assert_memory_equal(&found, &one, sizeof one);
    assert_true(network_list(network, arena, &list, &count, &err));
    assert_int_equal(count, 1);
    assert_memory_equal(list, &one, sizeof one);
    assert_true(place_accept(listener, peer)); /* the connection made before still stands */
    struct network_group again = up(1), two = up(2);
    assert_memory_equal(&again, &one, sizeof one);
    assert_string_not_equal(two.address, one.address);
}

/* The caller's to free. */
static struct text *ruleset(void)
{
    static const char *const list[] = {"nft", "list", "ruleset", NULL};
    struct process process = {.argv = list};
    struct process_result result;
    struct text *out = text_new(1 << 20);
    assert_true(process_run(&process, out, NULL, &result, &err));
    return out;
}

/* Of any set or map of any table. */
static bool rules_hold_elements(void)
{
    AUTO(text) *out = ruleset();
    assert_non_null(strstr(out->bytes, "set owners"));
    return strstr(out->bytes, "elements = {") != NULL;
}

static void *expose_many(void *context)
{
    static const struct network_port ports[] = {{IPPROTO_TCP, 80}, {IPPROTO_UDP, 53}};
    int first = *(int *)context;
    for (int i = first; i < first + 100; i++) {
        char name[ID_SIZE], address[NETWORK_ADDRESS_SIZE], shown[NETWORK_ADDRESS_SIZE];
        struct err why;
        struct network_group group;
        struct network_spec spec = {.uid = name, .hostname = "box"};
        struct network_exposure exposure = {.ports = ports,
                                            .ports_count = 2,
                                            .is_public = i % 2,
                                            .public_address = address,
                                            .subnet = i % 3 ? NULL : "/x/subnets/a"};
        text_format(name, sizeof name, "many-%d", i);
        text_format(address, sizeof address, "198.51.100.%d", 100 + first / 100);
        if (!network_group_up(network, &spec, &group, &why) ||
            !network_group_expose(network, name, &exposure, shown, &why) ||
            !network_group_down(network, name, &why))
            return "failed";
    }
    return NULL;
}

TEST(five_hundred_groups_up_and_down_leave_no_element)
{
    pthread_t threads[5];
    int firsts[5] = {0, 100, 200, 300, 400};
    network_with_node_address(NULL);
    up(1);
    assert_true(rules_hold_elements());
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_true(thread_start(&threads[i], "expose", expose_many, &firsts[i], &err));
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *said;
        pthread_join(threads[i], &said);
        assert_null(said);
        char address[NETWORK_ADDRESS_SIZE];
        text_format(address, sizeof address, "198.51.100.%zu", 100 + i);
        assert_false(place_has_address(address));
    }
    down(1);
    assert_false(rules_hold_elements());
}

TEST(removes_what_a_crash_left_half_made)
{
    struct network_group one = up(1), found;
    char path[NETWORK_PATH_SIZE];
    int mounts = place_count_mounts();
    group_path(network, uid(1), "address", path);
    assert_int_equal(unlink(path), 0);
    group_path(network, ".new-x", "", path);
    assert_int_equal(mkdir(path, 0755), 0);
    network_free(TAKE(network));
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
    assert_false(network_group_find(network, uid(1), &found));
    assert_int_equal(if_nametoindex(one.link), 0);
    assert_int_equal(place_count_mounts(), mounts - 3);
    assert_false(file_exists(path));
    assert_false(rules_hold_elements());
    assert_true(up(1).link_index > 0);
}

TEST(brings_a_group_up_over_what_an_earlier_attempt_left)
{
    struct network_group one = up(1);
    char path[NETWORK_PATH_SIZE];
    group_path(network, uid(1), "address", path);
    assert_int_equal(unlink(path), 0);
    assert_true(up(1).link_index > 0);
    group_path(network, uid(1), "", path);
    assert_true(namespaces_remove(path, &err)); /* the link alone stays, for a moment or for good */
    assert_true(up(1).link_index > 0);
    assert_true(place_ping(one.net_path, "10.101.0.1"));
}

TEST(connects_its_groups_to_a_bridge_that_was_made_again)
{
    struct network_group one = up(1), two = up(2);
    char peer[NETWORK_ADDRESS_SIZE];
    AUTO(netlink) *netlink = netlink_open(&err);
    network_free(TAKE(network));
    assert_true(netlink_link_delete(netlink, "berth0", &err));
    assert_int_equal(network_up(NULL), 0);
    assert_true(place_ping(NULL, one.address));
    open_tcp(2, PORT);
    assert_true(reaches(one.net_path, two.net_path, two.address, peer));
    assert_true(place_ping(one.net_path, OUTSIDE));
}

TEST(survives_rules_that_were_flushed)
{
    static const char *const flush[] = {"nft", "flush", "ruleset", NULL};
    struct process process = {.argv = flush};
    struct process_result result;
    struct network_group one = up(1);
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(process_run(&process, NULL, NULL, &result, &err));
    network_free(TAKE(network));
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
}

/* ---- somebody else's hand ---- */

static void nft(const char *const *argv)
{
    struct process process = {.argv = argv};
    struct process_result result;
    assert_true(process_run(&process, NULL, NULL, &result, &err));
    assert_int_equal(result.exit_code, 0);
}

static void look(void)
{
    if (!network_look(network, &err))
        fail_msg("%s", err.text);
}

TEST(members_of_sets_that_somebody_took_out_are_put_back)
{
    static const struct {
        const char *kind, *name;
    } sets[] = {{"set", SET_LINKS},    {"set", SET_OWNERS},     {"set", SET_OPEN},
                {"set", SET_RESERVED}, {"set", SET_NEIGHBOURS}, {"map", MAP_PUBLISHED},
                {"map", MAP_SUBNET},   {"map", MAP_LEAVES_AS}};
    struct network_group one = up(1);
    char shown[NETWORK_ADDRESS_SIZE], peer[NETWORK_ADDRESS_SIZE];
    network_with_node_address(NULL);
    up(2);
    assert_true(expose(1, PUBLIC, NULL, shown));
    assert_true(expose(2, NULL, "/x/subnets/a", shown));
    look();
    AUTO(text) *before = ruleset();
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        const char *const flush[] = {"nft",          "flush",      sets[i].kind, "ip",
                                     "berth_berth0", sets[i].name, NULL};
        nft(flush);
        AUTO(text) *flushed = ruleset();
        assert_string_not_equal(flushed->bytes, before->bytes);
        look();
        AUTO(text) *after = ruleset();
        assert_string_equal(after->bytes, before->bytes);
    }
    assert_true(asks(place.outside, &one, PUBLIC, PORT, peer));
}

TEST(members_that_somebody_added_are_taken_out)
{
    static const char *const open[] = {
        "nft", "add", "element", "ip", "berth_berth0", "open", "{ 10.101.0.2 . tcp . 22 }", NULL};
    up(1);
    look();
    AUTO(text) *before = ruleset();
    nft(open);
    AUTO(text) *opened = ruleset();
    assert_string_not_equal(opened->bytes, before->bytes);
    look();
    AUTO(text) *after = ruleset();
    assert_string_equal(after->bytes, before->bytes);
}

TEST(a_group_whose_folder_was_removed_by_hand_leaves_nothing_when_it_goes)
{
    struct network_group one = up(1), again;
    char folder[NETWORK_PATH_SIZE];
    open_tcp(1, PORT);
    look();
    group_path(network, uid(1), "", folder);
    AUTO_CLOSE int holds = place_socket(one.net_path, SOCK_DGRAM, 0); /* its processes go on */
    assert_true(holds >= 0 && namespaces_remove(folder, &err));
    assert_true(if_nametoindex(one.link) > 0);
    down(1);
    assert_int_equal(if_nametoindex(one.link), 0);
    look();
    assert_false(rules_hold_elements());
    do { /* its address is free again */
        again = up(2);
        down(2);
    } while (again.link_index > 0 && strcmp(again.address, one.address) != 0);
    assert_string_equal(again.address, one.address);
}

TEST(looking_costs_little_while_nobody_changes_anything)
{
    enum { TIMES = 1000 };
    for (int i = 0; i < 20; i++)
        up(i);
    look();
    look();
    int64_t start = clock_boot_ns();
    for (int i = 0; i < TIMES; i++)
        look();
    int64_t quiet = (clock_boot_ns() - start) / TIMES;
    open_tcp(1, PORT);
    start = clock_boot_ns();
    look();
    print_message("a look %.0f us, after a change among 20 groups %.0f us\n", (double)quiet / 1e3,
                  (double)(clock_boot_ns() - start) / 1e3);
    assert_true(quiet < 1000000); /* with sanitizers, on a busy machine */
}

/* ---- going ---- */

TEST(takes_a_group_down_and_leaves_nothing)
{
    int links = place_count_links(), mounts = place_count_mounts();
    char path[NETWORK_PATH_SIZE];
    struct network_group one = up(1), found;
    AUTO_CLOSE int holds =
        place_socket(one.net_path, SOCK_DGRAM, 0); /* someone is still in there */
    assert_true(holds >= 0);
    assert_int_equal(place_count_links(), links + 1);
    down(1);
    assert_int_equal(place_count_links(), links);
    assert_int_equal(place_count_mounts(), mounts);
    group_path(network, uid(1), "", path);
    assert_false(file_exists(path));
    assert_false(network_group_find(network, uid(1), &found));
    down(1);
    down(77);
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

TEST(brings_two_hundred_groups_up_and_down_and_leaves_nothing)
{
    static int64_t took[MANY];
    int links = place_count_links(), mounts = place_count_mounts();
    for (int i = 0; i < MANY; i++) {
        int64_t start = clock_boot_ns();
        assert_true(up(i).link_index > 0);
        took[i] = clock_boot_ns() - start;
    }
    assert_int_equal(place_count_links(), links + MANY);
    int64_t start = clock_boot_ns();
    struct network_group last;
    struct network_traffic traffic;
    for (int i = 0; i < 1000; i++)
        assert_true(network_group_find(network, uid(MANY - 1), &last));
    int64_t found = clock_boot_ns() - start;
    start = clock_boot_ns();
    for (int i = 0; i < 1000; i++)
        assert_true(network_traffic(network, &last, &traffic, &err));
    int64_t asked = clock_boot_ns() - start;
    start = clock_boot_ns();
    for (int i = 0; i < 20; i++)
        down(i);
    int64_t one_down = (clock_boot_ns() - start) / 20;
    start = clock_boot_ns();
    assert_int_equal(network_down(NULL), 0);
    int64_t closed = clock_boot_ns() - start;
    qsort(took, MANY, sizeof took[0], compare);
    print_message("group up p50 %.2f ms, p99 %.2f ms; down %.1f ms; find %.1f us, traffic %.1f us; "
                  "close of %d %.0f ms\n",
                  (double)took[MIDDLE] / 1e6, (double)took[NEAR_END] / 1e6, (double)one_down / 1e6,
                  (double)found / 1e6, (double)asked / 1e6, MANY - 20, (double)closed / 1e6);
    assert_int_equal(place_count_links(), links - 1); /* the bridge is gone too */
    assert_int_equal(place_count_mounts(), mounts);
}

static void *many_up_and_down(void *context)
{
    int first = *(int *)context;
    struct err why;
    for (int i = first; i < first + 10; i++) {
        char name[ID_SIZE];
        struct network_group group;
        text_format(name, sizeof name, "group-%d", i);
        struct network_spec spec = {.uid = name, .hostname = "box"};
        if (!network_group_up(network, &spec, &group, &why) ||
            !place_ping(group.net_path, "10.101.0.1") || !network_group_down(network, name, &why))
            return "failed";
    }
    return NULL;
}

TEST(works_from_several_threads_at_once)
{
    pthread_t threads[4];
    int firsts[4] = {0, 10, 20, 30};
    int links = place_count_links();
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_true(thread_start(&threads[i], "up", many_up_and_down, &firsts[i], &err));
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *said;
        pthread_join(threads[i], &said);
        assert_null(said);
    }
    assert_int_equal(place_count_links(), links);
}

TEST(uses_namespaces_made_in_advance)
{
    int mounts = place_count_mounts();
    char peer[NETWORK_ADDRESS_SIZE];
    assert_true(network_prepare(network, 3, &err));
    assert_int_equal(place_count_mounts(), mounts + 9);
    int64_t start = clock_boot_ns();
    struct network_group one = up(1);
    print_message("with prepared namespaces: %.2f ms\n", (double)(clock_boot_ns() - start) / 1e6);
    assert_int_equal(place_count_mounts(), mounts + 9);
    assert_true(reaches(one.net_path, place.outside, OUTSIDE, peer));
    assert_true(place_inside(one.net_path, one.uts_path, named_box, NULL));
    network_free(TAKE(network));
    network = network_open(&options, &err);
    assert_true(network_prepare(network, 1, &err));
    assert_int_equal(place_count_mounts(), mounts + 6);
    assert_true(network_prepare(network, 0, &err));
    assert_int_equal(place_count_mounts(), mounts + 3);
    assert_true(network_prepare(network, 2, &err)); /* closing takes these along */
}

static const char forward_path[] = "/proc/sys/net/ipv4/ip_forward";

TEST(puts_forwarding_back_when_the_last_network_closes)
{
    struct network_options other = options;
    char other_dir[80];
    text_format(other_dir, sizeof other_dir, "%s/other", place.folder);
    assert_true(file_is(forward_path, "1\n"));
    other.bridge = "berth1";
    other.range = "10.105.0.0/24";
    other.run_dir = other_dir;
    AUTO(network) *second = network_open(&other, &err);
    assert_non_null(second);
    assert_int_equal(network_down(NULL), 0);
    assert_true(file_is(forward_path, "1\n"));
    assert_true(network_close_all(&other, &err));
    assert_true(file_is(forward_path, "0\n"));
    assert_true(network_close_all(&other, &err)); /* again is harmless */
    setting_try(forward_path, "1");
    assert_int_equal(network_up(NULL), 0);
    assert_int_equal(network_down(NULL), 0);
    assert_true(file_is(forward_path, "1\n")); /* somebody else had switched it on */
    setting_try(forward_path, "0");
}

TEST(closing_leaves_no_rules_and_no_files)
{
    static const char *const list[] = {"nft", "list", "ruleset", NULL};
    struct process process = {.argv = list};
    struct process_result result;
    char path[NETWORK_PATH_SIZE];
    AUTO(text) *out = text_new(65536);
    up(1);
    assert_int_equal(network_down(NULL), 0);
    assert_true(process_run(&process, out, NULL, &result, &err));
    assert_string_equal(out->bytes, "");
    text_format(path, sizeof path, "%s/ns", place.folder);
    assert_false(file_exists(path));
    text_format(path, sizeof path, "%s/network", place.folder);
    assert_false(file_exists(path));
}

#define WITH_NETWORK(test) cmocka_unit_test_setup_teardown(test, network_up, network_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(a_group_reaches_itself_and_the_gateway),
        WITH_NETWORK(groups_reach_open_ports_of_each_other_and_no_others),
        WITH_NETWORK(datagrams_reach_open_ports_alone),
        WITH_NETWORK(from_outside_open_ports_answer_and_no_others),
        WITH_NETWORK(root_of_the_node_reaches_closed_ports_and_nobody_else_does),
        WITH_NETWORK(a_group_reaches_no_service_of_the_node),
        WITH_NETWORK(opening_a_port_costs_less_than_a_millisecond),
        WITH_NETWORK(refuses_ports_that_cannot_be),
        WITH_NETWORK(packets_under_an_address_that_is_not_the_groups_are_dropped),
        WITH_NETWORK(a_group_cannot_take_over_the_address_of_another),
        WITH_NETWORK(groups_do_not_meet_but_by_the_node),
        WITH_NETWORK(groups_leave_under_the_address_of_the_node),
        WITH_NETWORK(without_nat_groups_leave_under_their_own_address_and_get_no_answer),
        WITH_NETWORK(bridge_packets_that_pass_iptables_keep_their_address),
        WITH_NETWORK(counts_bytes_as_the_group_sees_them),
        WITH_NETWORK(a_public_address_leads_to_its_groups_open_ports_alone),
        WITH_NETWORK(a_group_leaves_under_its_public_address),
        WITH_NETWORK(groups_reach_public_addresses_of_their_node_their_own_too),
        WITH_NETWORK(without_a_pool_groups_share_the_address_of_the_node),
        WITH_NETWORK(one_port_of_the_nodes_address_is_of_one_group),
        WITH_NETWORK(a_public_address_goes_with_its_group_and_is_found_after_a_restart),
        WITH_NETWORK(
            a_public_address_that_was_withdrawn_stays_away_until_its_group_is_exposed_again),
        WITH_NETWORK(groups_of_one_subnet_reach_all_ports_of_each_other),
        WITH_NETWORK(connects_only_where_the_node_lets_it),
        WITH_NETWORK(sends_no_mail_and_asks_no_link_local_address),
        WITH_NETWORK(refuses_words_that_are_no_range_and_no_port),
        WITH_NETWORK(gives_a_group_its_host_name_and_files),
        WITH_NETWORK(writes_the_name_servers_a_group_asks_for),
        WITH_NETWORK(a_group_that_is_up_gets_the_name_servers_of_its_newest_spec),
        WITH_NETWORK(takes_the_packet_size_of_the_way_out),
        WITH_NETWORK(refuses_uids_and_host_names_that_cannot_be),
        WITH_NETWORK(does_not_reuse_an_address_at_once_not_even_after_a_restart),
        WITH_NETWORK(says_when_all_addresses_are_used),
        WITH_NETWORK(refuses_a_range_the_machine_already_routes),
        WITH_NETWORK(refuses_another_range_while_the_first_one_stands),
        WITH_NETWORK(refuses_a_link_that_is_no_bridge),
        WITH_NETWORK(finds_its_groups_again),
        WITH_NETWORK(five_hundred_groups_up_and_down_leave_no_element),
        WITH_NETWORK(removes_what_a_crash_left_half_made),
        WITH_NETWORK(brings_a_group_up_over_what_an_earlier_attempt_left),
        WITH_NETWORK(connects_its_groups_to_a_bridge_that_was_made_again),
        WITH_NETWORK(survives_rules_that_were_flushed),
        WITH_NETWORK(members_of_sets_that_somebody_took_out_are_put_back),
        WITH_NETWORK(members_that_somebody_added_are_taken_out),
        WITH_NETWORK(a_group_whose_folder_was_removed_by_hand_leaves_nothing_when_it_goes),
        WITH_NETWORK(looking_costs_little_while_nobody_changes_anything),
        WITH_NETWORK(takes_a_group_down_and_leaves_nothing),
        WITH_NETWORK(brings_two_hundred_groups_up_and_down_and_leaves_nothing),
        WITH_NETWORK(works_from_several_threads_at_once),
        WITH_NETWORK(uses_namespaces_made_in_advance),
        WITH_NETWORK(puts_forwarding_back_when_the_last_network_closes),
        WITH_NETWORK(closing_leaves_no_rules_and_no_files),
    };
    return cmocka_run_group_tests(tests, place_up, place_down);
}
