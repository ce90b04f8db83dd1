/* What a group gets: names, files, an address. */
#include "tests/unit/network/net.h"

#include "base/file.h"

#include <net/if.h>
#include <string.h>

/* ---- what a group gets ---- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return NETWORK_TESTS(tests);
}
