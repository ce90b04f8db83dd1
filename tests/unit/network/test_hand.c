/* Somebody else's hand in our tables and folders. */
#include "tests/unit/network/net.h"

#include "base/clock.h"
#include "base/process.h"

#include <net/if.h>
#include <string.h>

static void nft(const char *const *argv)
{
    struct process process = {.argv = argv};
    struct process_result result;
    assert_true(process_run(&process, NULL, NULL, &result, &err));
    assert_int_equal(result.exit_code, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(survives_rules_that_were_flushed),
        WITH_NETWORK(members_of_sets_that_somebody_took_out_are_put_back),
        WITH_NETWORK(members_that_somebody_added_are_taken_out),
        WITH_NETWORK(a_group_whose_folder_was_removed_by_hand_leaves_nothing_when_it_goes),
        WITH_NETWORK(looking_costs_little_while_nobody_changes_anything),
    };
    return NETWORK_TESTS(tests);
}
