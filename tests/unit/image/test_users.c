/* Images as users of their own see them. */
#include "tests/unit/image/bench.h"
#include "tests/unit/unit_users.h"

#include "base/clock.h"

#include <string.h>

static struct bench bench;
static struct image_store *store;
static struct test_users users;
static struct err err;

static const char *shell(const char *line)
{
    static char said[256];

    bench_shell(&bench, line, said, sizeof said);
    return said;
}

static void mount_for(const struct image *image, const struct idmap *map, const char *folder)
{
    char root[128];

    text_format(root, sizeof root, "%s/root", folder);
    if (!image_mount(store, image, map, bench_path(&bench, folder), bench_path(&bench, root), &err))
        fail_msg("%s", err.text);
}

static void unmount(const char *folder)
{
    char root[128];

    text_format(root, sizeof root, "%s/root", folder);
    assert_true(image_unmount(bench_path(&bench, root), &err));
}

TEST(their_root_owns_what_is_roots_and_changes_nothing_below)
{
    shell("mkdir -p tree/mine; echo x >tree/file; echo x >tree/mine/file; chown -R 12:34 "
          "tree/mine; chmod 750 tree");
    bench_push(&bench, "owned:1", "--layer tree --keep-times", false);
    AUTO(image) *image = bench_pull(&bench, store, "owned:1", NULL);

    mount_for(image, &users.map, "a");
    assert_string_equal(shell("stat -c %u:%g a/root a/root/file a/root/mine/file | tr '\\n' ' '"),
                        "1879048192:1879048192 1879048192:1879048192 1879048204:1879048226 ");
    shell("echo more >>a/root/file; chown 1879048199 a/root/mine/file; mkdir a/root/new");
    assert_string_equal(shell("stat -c %u a/root/file a/root/mine/file | tr '\\n' ' '"),
                        "1879048192 1879048199 ");
    mount_for(image, &node_users, "b");
    assert_string_equal(shell("stat -c %u:%g b/root/file b/root/mine/file | tr '\\n' ' '"),
                        "0:0 12:34 ");
    assert_string_equal(shell("cat b/root/file"), "x");
    unmount("a");
    unmount("b");
}

TEST(a_user_beyond_theirs_is_nobody)
{
    shell("mkdir -p far; echo x >far/file; chown 70000 far/file");
    bench_push(&bench, "far:1", "--layer far --keep-times", false);
    AUTO(image) *image = bench_pull(&bench, store, "far:1", NULL);

    mount_for(image, &users.map, "far1");
    assert_string_equal(shell("stat -c %u far1/root/file"), "65534");
    unmount("far1");
}

TEST(layers_that_are_named_by_descriptors_are_theirs_too)
{
    AUTO(text) *options = text_new(65536);

    shell("mkdir -p empty");
    text_add(options, "--busybox");
    for (int i = 1; i < 120; i++)
        text_addf(options, " --layer empty --text n%d=%d", i, i);
    bench_push(&bench, "high:1", options->bytes, false);
    AUTO(image) *image = bench_pull(&bench, store, "high:1", NULL);
    mount_for(image, &users.map, "high");
    assert_string_equal(shell("stat -c %u high/root/n1 high/root/n119 | tr '\\n' ' '"),
                        "1879048192 1879048192 ");
    unmount("high");
}

TEST(costs_next_to_nothing)
{
    AUTO(image) *image = bench_pull(&bench, store, "owned:1", NULL);
    const struct idmap *const whose[] = {&node_users, &users.map};

    for (size_t i = 0; i < COUNT_OF(whose); i++) {
        int64_t mounting = 0;
        for (int k = 0; k < 50; k++) {
            int64_t begin = clock_boot_ns();
            mount_for(image, whose[i], "quick");
            mounting += clock_boot_ns() - begin;
            unmount("quick");
        }
        print_message("# mount%s %.3f ms\n", i ? " for users of their own" : "",
                      (double)mounting / 50e6);
    }
}

TEST(says_whether_it_works_here_and_leaves_nothing)
{
    struct idmap none = {"/dev/null", TEST_USERS_FIRST}, other = {users.path, 12345};
    char mounts[16];

    text_copy(mounts, sizeof mounts, shell("wc -l </proc/self/mountinfo"));
    for (int i = 0; i < 3; i++) {
        if (!image_users_try(store, &users.map, &err))
            fail_msg("%s", err.text);
    }
    assert_false(image_users_try(store, &none, &err));
    assert_false(image_users_try(store, &other, &err)); /* not what it maps to */
    assert_true(image_users_try(store, &users.map, &err));
    assert_string_equal(shell("ls store/temp | wc -l"), "0");
    assert_string_equal(shell("wc -l </proc/self/mountinfo"), mounts);
}

static int set_up(void **state UNUSED)
{
    bench_init(&bench, NULL);
    store = bench_open(&bench, "store", NULL);
    test_users_begin(&users);
    return 0;
}

static int tear_down(void **state UNUSED)
{
    test_users_end(&users);
    image_store_close(TAKE(store));
    bench_done(&bench);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(their_root_owns_what_is_roots_and_changes_nothing_below),
        cmocka_unit_test(a_user_beyond_theirs_is_nobody),
        cmocka_unit_test(layers_that_are_named_by_descriptors_are_theirs_too),
        cmocka_unit_test(costs_next_to_nothing),
        cmocka_unit_test(says_whether_it_works_here_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
