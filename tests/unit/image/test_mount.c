#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct bench bench;
static struct image_store *store;
static struct err err;

static void mount_at(struct image *image, const char *folder)
{
    char root[128];

    assert_true(text_format(root, sizeof root, "%s/root", folder));
    if (!image_mount(store, image, &node_users, bench_path(&bench, folder),
                     bench_path(&bench, root), &err))
        fail_msg("%s", err.text);
}

static void unmount_at(const char *folder)
{
    char root[128];

    assert_true(text_format(root, sizeof root, "%s/root", folder));
    if (!image_unmount(bench_path(&bench, root), &err))
        fail_msg("%s", err.text);
}

static const char *shell(const char *line)
{
    static char said[256];

    bench_shell(&bench, line, said, sizeof said);
    return said;
}

TEST(containers_write_to_folders_of_their_own)
{
    bench_push(&bench, "shared:1", "--busybox --text etc/motd=image", false);
    AUTO(image) *image = bench_pull(&bench, store, "shared:1", NULL);

    mount_at(image, "a");
    mount_at(image, "b");
    shell("echo mine >a/root/etc/motd; rm a/root/etc/passwd");
    assert_string_equal(shell("cat a/root/etc/motd"), "mine");
    assert_string_equal(shell("cat b/root/etc/motd"), "image");
    assert_string_equal(shell("[ -e b/root/etc/passwd ] && echo there"), "there");
    unmount_at("a");
    unmount_at("b");
    unmount_at("a");
    mount_at(image, "a");
    assert_string_equal(shell("cat a/root/etc/motd"), "image"); /* begins empty */
    unmount_at("a");
}

TEST(mounted_already_is_success_and_changes_nothing)
{
    AUTO(image) *image = bench_pull(&bench, store, "shared:1", NULL);

    mount_at(image, "again");
    shell("echo mine >again/root/etc/motd");
    mount_at(image, "again");
    assert_string_equal(shell("cat again/root/etc/motd"), "mine");
    assert_string_equal(shell("grep -c again/root /proc/self/mountinfo"), "1");
    /* As after a restart of the agent. */
    image_store_close(TAKE(store));
    store = bench_open(&bench, "store", NULL);
    mount_at(image, "again");
    assert_string_equal(shell("cat again/root/etc/motd"), "mine");
    unmount_at("again");
    assert_string_equal(shell("grep -c again/root /proc/self/mountinfo || true"), "0");
}

TEST(a_busy_mount_goes_too)
{
    AUTO(image) *image = bench_pull(&bench, store, "shared:1", NULL);

    mount_at(image, "busy");
    int fd = open(bench_path(&bench, "busy/root/etc/motd"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    unmount_at("busy");
    close(fd);
    assert_string_equal(shell("grep -c busy/root /proc/self/mountinfo || true"), "0");
}

TEST(as_many_layers_as_an_image_may_have_are_mounted)
{
    AUTO(text) *options = text_new(65536);

    text_add(options, "--busybox");
    for (int i = 1; i < 127; i++)
        text_addf(options, " --layer empty --text n%d=%d", i, i);
    bench_push(&bench, "high:1", options->bytes, false);
    AUTO(image) *image = bench_pull(&bench, store, "high:1", NULL);
    assert_int_equal(image->layers.count, 127);
    int64_t begin = clock_boot_ns();
    mount_at(image, "high");
    print_message("# mount of 127 layers %.2f ms\n", (double)(clock_boot_ns() - begin) / 1e6);
    assert_string_equal(shell("cat high/root/n1 high/root/n126"), "1126");
    unmount_at("high");
    bench_push(&bench, "high:2", (text_add(options, " --layer empty --text x=x"), options->bytes),
               false);
    struct err refused;
    assert_null(bench_try(&bench, store, "high:2", (struct image_request){0}, &refused));
    assert_non_null(strstr(refused.text, "more layers than can be stacked"));
}

TEST(the_root_looks_as_the_image_says)
{
    shell("mkdir -p tree/sub; chmod 0555 tree; echo x >tree/sub/file; chmod 1777 tree/sub; chown "
          "12:34 tree/sub");
    bench_push(&bench, "modes:1", "--layer tree --keep-times", false);
    AUTO(image) *image = bench_pull(&bench, store, "modes:1", NULL);

    mount_at(image, "modes");
    assert_string_equal(shell("stat -c %a:%u:%g modes/root/sub"), "1777:12:34");
    assert_string_equal(shell("stat -c %a modes/root"), "755");
    unmount_at("modes");
}

TEST(mounting_is_quick)
{
    AUTO(image) *image = bench_pull(&bench, store, "shared:1", NULL);
    int64_t mounting = 0, unmounting = 0;

    for (int i = 0; i < 50; i++) {
        int64_t begin = clock_boot_ns();
        mount_at(image, "quick");
        int64_t mounted = clock_boot_ns();
        unmount_at("quick");
        mounting += mounted - begin;
        unmounting += clock_boot_ns() - mounted;
    }
    print_message("# mount %.3f ms, unmount %.3f ms\n", (double)mounting / 50e6,
                  (double)unmounting / 50e6);
}

TEST(says_where_it_cannot_mount)
{
    AUTO(image) *image = bench_pull(&bench, store, "shared:1", NULL);

    assert_false(image_mount(store, image, &node_users, bench_path(&bench, "co:lon"),
                             bench_path(&bench, "x"), &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(
        image_mount(store, image, &node_users, "/proc/self", bench_path(&bench, "x"), &err));
    assert_true(image_unmount(bench_path(&bench, "never"), &err));
}

/* ---- users ---- */

static struct image_user find(const char *user)
{
    struct image_user found;

    if (!image_user_find(bench_path(&bench, "users"), user, &found, &err))
        fail_msg("%s", err.text);
    return found;
}

static void must_not_find(const char *user)
{
    struct image_user found;

    assert_false(image_user_find(bench_path(&bench, "users"), user, &found, &err));
    assert_int_equal(err.code, ERR_INVALID);
}

TEST(finds_users_by_the_image_own_files)
{
    shell("mkdir -p users/etc; printf "
          "'root:x:0:0:root:/root:/bin/sh\\nbroken\\napp:x:1000:1001:App:/srv/app:/bin/sh\\n"
          "noid:x:abc:1::/:\\n' >users/etc/passwd; printf "
          "'root:x:0:\\nstaff:x:50:app,other\\nwheel:x:60:apple,app\\n"
          "app:x:1001:app\\n' >users/etc/group");
    assert_string_equal(find("").home, "/root");
    assert_int_equal(find("app").uid, 1000);
    assert_int_equal(find("app").gid, 1001);
    assert_string_equal(find("app").home, "/srv/app");
    assert_int_equal(find("app").groups_count, 2);
    assert_int_equal(find("app").groups[1], 60);
    assert_int_equal(find("1000").gid, 1001); /* known by its number */
    assert_int_equal(find("4242").uid, 4242);
    assert_int_equal(find("4242").gid, 0);
    assert_string_equal(find("4242").home, "/");
    assert_int_equal(find("4242:77").gid, 77);
    assert_int_equal(find("app:staff").gid, 50);
    assert_int_equal(find("app:staff").groups_count, 0);
    must_not_find("nobody");
    must_not_find("app:nogroup");
    must_not_find("-1");
    must_not_find("4294967295");
    must_not_find("99999999999999999999");
}

TEST(files_of_users_that_lead_outside_are_not_read)
{
    shell("mkdir -p users/etc; echo 'evil:x:666:666::/:' >passwd; ln -sf ../../passwd "
          "users/etc/passwd");
    must_not_find("evil");
    assert_int_equal(find("5").uid, 5);
    shell("rm users/etc/passwd; mkfifo users/etc/passwd");
    must_not_find("evil"); /* and does not wait */
    shell("rm users/etc/passwd users/etc/group");
    must_not_find("root");
    assert_int_equal(find("0:0").uid, 0);
}

static int set_up(void **state)
{
    (void)state;
    bench_init(&bench, NULL);
    bench_shell(&bench, "mkdir empty", NULL, 0);
    store = bench_open(&bench, "store", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    image_store_close(TAKE(store));
    bench_done(&bench);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_write_to_folders_of_their_own),
        cmocka_unit_test(mounted_already_is_success_and_changes_nothing),
        cmocka_unit_test(a_busy_mount_goes_too),
        cmocka_unit_test(as_many_layers_as_an_image_may_have_are_mounted),
        cmocka_unit_test(the_root_looks_as_the_image_says),
        cmocka_unit_test(mounting_is_quick),
        cmocka_unit_test(says_where_it_cannot_mount),
        cmocka_unit_test(finds_users_by_the_image_own_files),
        cmocka_unit_test(files_of_users_that_lead_outside_are_not_read),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
