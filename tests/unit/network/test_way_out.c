/* The way out: whose address packets leave under, where they may go, what they are counted as. */
#include "tests/unit/network/net.h"

#include <errno.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(groups_leave_under_the_address_of_the_node),
        WITH_NETWORK(without_nat_groups_leave_under_their_own_address_and_get_no_answer),
        WITH_NETWORK(bridge_packets_that_pass_iptables_keep_their_address),
        WITH_NETWORK(counts_bytes_as_the_group_sees_them),
        WITH_NETWORK(connects_only_where_the_node_lets_it),
        WITH_NETWORK(sends_no_mail_and_asks_no_link_local_address),
        WITH_NETWORK(refuses_words_that_are_no_range_and_no_port),
    };
    return NETWORK_TESTS(tests);
}
