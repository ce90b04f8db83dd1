/* Groups and networks that go, many of them, and what is left: nothing. */
#include "tests/unit/network/net.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"

#include <sys/socket.h>

enum { MANY = 200, MIDDLE = MANY / 2, NEAR_END = MANY - MANY / 100 };

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(takes_a_group_down_and_leaves_nothing),
        WITH_NETWORK(brings_two_hundred_groups_up_and_down_and_leaves_nothing),
        WITH_NETWORK(works_from_several_threads_at_once),
        WITH_NETWORK(uses_namespaces_made_in_advance),
        WITH_NETWORK(puts_forwarding_back_when_the_last_network_closes),
        WITH_NETWORK(closing_leaves_no_rules_and_no_files),
    };
    return NETWORK_TESTS(tests);
}
