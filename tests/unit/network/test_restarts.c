/* What is there when an agent comes back, or another attempt. */
#include "tests/unit/network/net.h"

#include "base/file.h"

#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(finds_its_groups_again),
        WITH_NETWORK(five_hundred_groups_up_and_down_leave_no_element),
        WITH_NETWORK(removes_what_a_crash_left_half_made),
        WITH_NETWORK(brings_a_group_up_over_what_an_earlier_attempt_left),
        WITH_NETWORK(connects_its_groups_to_a_bridge_that_was_made_again),
    };
    return NETWORK_TESTS(tests);
}
