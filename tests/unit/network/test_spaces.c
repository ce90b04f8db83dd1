/* Real user namespaces of groups, and those that belong to them. Runs as root, inside namespaces of its own. */
#include "tests/unit/network/place.h"

#include "base/file.h"
#include "base/limits.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { FIRST = 1879048192, EACH = 65536 };

static struct place place;
static struct err err;
static struct network_options options = {
    .bridge = "berth0", .range = "10.101.0.0/24", .nat = true, .users_first = FIRST};
static struct network *network;

static int place_up(void **state UNUSED)
{
    options.run_dir = place.folder;
    return place_new(&place, &err) ? 0 : -1;
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
    options.users_first = FIRST;
    network_free(TAKE(network));
    if (network_close_all(&options, &err))
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

/* As an agent that was ended and comes back, perhaps with another setting. */
static void again(uint32_t users_first)
{
    network_free(TAKE(network));
    options.users_first = users_first;
    network = network_open(&options, &err);
    if (!network)
        fail_msg("%s", err.text);
}

static const char *uid(int number)
{
    static char uids[4][ID_SIZE];
    static int turn;
    char *out = uids[turn++ % 4];
    text_format(out, ID_SIZE, "0190b6a0-0000-7000-8000-%012d", number);
    return out;
}

static struct network_users begin(int number, bool own_users)
{
    struct network_users users;
    if (!network_group_begin(network, uid(number), own_users, &users, &err))
        fail_msg("%s", err.text);
    return users;
}

static struct network_group up(int number, bool own_users)
{
    struct network_group group;
    struct network_spec spec = {.uid = uid(number), .hostname = "box", .own_users = own_users};
    if (!network_group_up(network, &spec, &group, &err))
        fail_msg("%s", err.text);
    return group;
}

static void down(int number)
{
    if (!network_group_down(network, uid(number), &err))
        fail_msg("%s", err.text);
}

/* Of this node: those of others come and go meanwhile. */
static int count_mounts(void)
{
    AUTO_FREE char *content = NULL;
    size_t size;
    int count = 0;
    assert_true(file_read("/proc/self/mountinfo", 1 << 22, &content, &size, &err));
    for (const char *at = content; (at = strstr(at, place.folder)); count++)
        at += strlen(place.folder);
    return count;
}

static ino_t inode_of(int fd)
{
    struct stat seen = {0};
    assert_int_equal(fstat(fd, &seen), 0);
    return seen.st_ino;
}

/* Whether the namespace at `path` belongs to the user namespace at `users`. */
static bool belongs(const char *path, const char *users)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int owner = ioctl(fd, NS_GET_USERNS);
    AUTO_CLOSE int wanted = open(users, O_RDONLY | O_CLOEXEC);
    return owner >= 0 && wanted >= 0 && inode_of(owner) == inode_of(wanted);
}

/* What the user namespace maps, as a process that joined it reads; 0: none. */
static uint32_t mapped_first(const char *users)
{
    int ends[2], status;
    unsigned inside = 1, outside = 0, count = 0;
    char line[64] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open(users, O_RDONLY), map;
        bool joined = fd >= 0 && setns(fd, CLONE_NEWUSER) == 0;
        map = open("/proc/self/uid_map", O_RDONLY);
        ssize_t size = joined ? read(map, line, sizeof line - 1) : 0;
        _exit(size > 0 && write(ends[1], line, (size_t)size) == size ? 0 : 1);
    }
    close(ends[1]);
    if (read(ends[0], line, sizeof line - 1) > 0)
        (void)sscanf(line, "%u %u %u", &inside, &outside, &count);
    close(ends[0]);
    waitpid(pid, &status, 0);
    return inside == 0 && count == EACH ? outside : 0;
}

TEST(a_groups_namespaces_belong_to_users_of_its_own)
{
    struct network_group one = up(1, true), two = up(2, true);
    const struct network_group *both[] = {&one, &two};
    for (size_t i = 0; i < COUNT_OF(both); i++) {
        const struct network_group *group = both[i];
        assert_true(belongs(group->net_path, group->users.path));
        assert_true(belongs(group->ipc_path, group->users.path));
        assert_true(belongs(group->uts_path, group->users.path));
        assert_int_equal(mapped_first(group->users.path), group->users.first);
    }
    assert_int_not_equal(one.users.first, two.users.first);
    assert_true(one.users.first >= FIRST && one.users.first % EACH == 0);
    assert_true(place_ping(one.net_path, "10.101.0.1"));
}

TEST(its_files_belong_to_its_root)
{
    struct network_group one = up(1, true);
    const char *const paths[] = {one.hosts_path, one.hostname_path, one.resolv_path};
    struct stat seen;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        assert_int_equal(stat(paths[i], &seen), 0);
        assert_int_equal(seen.st_uid, one.users.first);
        assert_int_equal(seen.st_gid, one.users.first);
    }
}

TEST(a_group_without_them_is_the_nodes)
{
    struct network_group one = up(1, false);
    assert_int_equal(one.users.first, 0);
    assert_string_equal(one.users.path, "");
    assert_true(belongs(one.net_path, "/proc/self/ns/user"));
}

TEST(who_they_are_is_known_before_the_group_is_up_and_stays_so)
{
    struct network_users users = begin(1, true);
    assert_int_equal(mapped_first(users.path), users.first);
    assert_int_equal(begin(1, true).first, users.first);
    struct network_group one = up(1, true);
    assert_int_equal(one.users.first, users.first);
    assert_string_equal(one.users.path, users.path);
    assert_int_equal(begin(1, true).first, users.first);
    assert_int_equal(up(1, true).users.first, users.first);
}

TEST(what_is_asked_for_otherwise_is_made_anew)
{
    struct network_group one = up(1, true);
    assert_int_equal(begin(1, false).first, 0);
    struct network_group as_node = up(1, false);
    assert_int_equal(as_node.users.first, 0);
    assert_int_not_equal(up(1, true).users.first, 0);
    down(1);
    assert_true(one.users.first != 0);
}

TEST(a_network_that_lost_a_part_is_made_again_for_the_same_users)
{
    struct network_group one = up(1, true);
    assert_int_equal(umount2(one.ipc_path, MNT_DETACH), 0);
    struct network_group found;
    assert_false(network_group_find(network, uid(1), &found));
    assert_int_equal(begin(1, true).first, one.users.first);
    struct network_group repaired = up(1, true);
    assert_int_equal(repaired.users.first, one.users.first);
    assert_true(belongs(repaired.net_path, repaired.users.path));
    assert_true(belongs(repaired.ipc_path, repaired.users.path));
    assert_true(place_ping(repaired.net_path, "10.101.0.1"));
}

TEST(namespaces_made_ahead_have_users_too)
{
    int mounts = count_mounts();
    assert_true(network_prepare(network, 2, &err));
    assert_int_equal(count_mounts(), mounts + 2 * NAMESPACE_KINDS);
    struct network_group one = up(1, true);
    assert_int_equal(count_mounts(), mounts + 2 * NAMESPACE_KINDS);
    assert_int_equal(mapped_first(one.users.path), one.users.first);
    struct network_group two = up(2, false); /* not of these */
    assert_int_equal(count_mounts(), mounts + 2 * NAMESPACE_KINDS + 3);
    assert_int_equal(two.users.first, 0);
    down(1);
    down(2);
    assert_true(network_prepare(network, 0, &err));
    assert_int_equal(count_mounts(), mounts);
}

TEST(ids_are_taken_over_by_an_agent_that_comes_back)
{
    struct network_group one = up(1, true), found;
    assert_true(network_prepare(network, 1, &err));
    again(FIRST);
    assert_true(network_group_find(network, uid(1), &found));
    assert_int_equal(found.users.first, one.users.first);
    for (int i = 2; i < 40; i++)
        assert_int_not_equal(begin(i, true).first, one.users.first);
    assert_int_equal(up(1, true).users.first, one.users.first);
}

TEST(users_of_a_group_that_never_came_up_are_not_kept)
{
    begin(1, true);
    int mounts = count_mounts();
    again(FIRST);
    assert_int_equal(count_mounts(), mounts - NAMESPACE_KINDS);
}

TEST(without_the_setting_old_groups_stay_and_spares_go)
{
    struct network_group one = up(1, true), found;
    int mounts = count_mounts();
    assert_true(network_prepare(network, 2, &err));
    again(0);
    assert_int_equal(count_mounts(), mounts);
    assert_int_equal(network_users_count(network), 0);
    assert_true(network_group_find(network, uid(1), &found));
    assert_int_equal(found.users.first, one.users.first);
    down(1);
    again(FIRST);
    assert_int_equal(network_users_count(network), 256 + LIMIT_NETWORK_PREPARED_MAX);
}

TEST(a_node_that_cannot_stops_and_makes_none)
{
    int mounts = count_mounts();
    assert_true(network_prepare(network, 1, &err));
    network_users_stop(network);
    assert_int_equal(network_users_count(network), 0);
    assert_true(network_prepare(network, 1, &err));
    assert_int_equal(count_mounts(), mounts + 3);
    assert_int_equal(begin(1, false).first, 0);
}

TEST(what_is_known_of_groups_is_closed_to_other_users)
{
    char path[NETWORK_PATH_SIZE];
    struct stat seen;
    assert_true(network_path(network, path, "ns"));
    assert_int_equal(chmod(path, 0755), 0); /* as an earlier release made it */
    again(FIRST);
    assert_int_equal(stat(path, &seen), 0);
    assert_int_equal(seen.st_mode & 0777, 0700);
}

TEST(a_thousand_groups_begin_and_end_and_leave_nothing)
{
    int mounts = count_mounts();
    for (int i = 0; i < 1000; i++) {
        begin(i, true);
        down(i);
    }
    assert_int_equal(count_mounts(), mounts);
}

#define WITH_NETWORK(test) cmocka_unit_test_setup_teardown(test, network_up, network_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_NETWORK(a_groups_namespaces_belong_to_users_of_its_own),
        WITH_NETWORK(its_files_belong_to_its_root),
        WITH_NETWORK(a_group_without_them_is_the_nodes),
        WITH_NETWORK(who_they_are_is_known_before_the_group_is_up_and_stays_so),
        WITH_NETWORK(what_is_asked_for_otherwise_is_made_anew),
        WITH_NETWORK(a_network_that_lost_a_part_is_made_again_for_the_same_users),
        WITH_NETWORK(namespaces_made_ahead_have_users_too),
        WITH_NETWORK(ids_are_taken_over_by_an_agent_that_comes_back),
        WITH_NETWORK(users_of_a_group_that_never_came_up_are_not_kept),
        WITH_NETWORK(without_the_setting_old_groups_stay_and_spares_go),
        WITH_NETWORK(a_node_that_cannot_stops_and_makes_none),
        WITH_NETWORK(what_is_known_of_groups_is_closed_to_other_users),
        WITH_NETWORK(a_thousand_groups_begin_and_end_and_leave_nothing),
    };
    return cmocka_run_group_tests(tests, place_up, place_down);
}
