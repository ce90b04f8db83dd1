/* Who reaches whom: real packets between groups, the node and outside. */
#include "tests/unit/network/net.h"

#include "base/clock.h"

#include <errno.h>
#include <netinet/in.h>

/* ---- packets ---- */

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
    };
    return NETWORK_TESTS(tests);
}
