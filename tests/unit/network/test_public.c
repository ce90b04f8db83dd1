/* Public addresses and subnets. */
#include "tests/unit/network/net.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(a_public_address_leads_to_its_groups_open_ports_alone),
        WITH_NETWORK(a_group_leaves_under_its_public_address),
        WITH_NETWORK(groups_reach_public_addresses_of_their_node_their_own_too),
        WITH_NETWORK(without_a_pool_groups_share_the_address_of_the_node),
        WITH_NETWORK(one_port_of_the_nodes_address_is_of_one_group),
        WITH_NETWORK(a_public_address_goes_with_its_group_and_is_found_after_a_restart),
        WITH_NETWORK(
            a_public_address_that_was_withdrawn_stays_away_until_its_group_is_exposed_again),
        WITH_NETWORK(groups_of_one_subnet_reach_all_ports_of_each_other),
    };
    return NETWORK_TESTS(tests);
}
