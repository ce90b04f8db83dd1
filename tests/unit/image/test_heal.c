/* An image store that others damage, fill, or give too little room. */
#include "base/text.h"
#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct bench bench;
static struct image_store *store;
static struct err err;

static void open_store(const char *name, int64_t bytes_max)
{
    const struct image_store_options options = {.bytes_max = bytes_max};

    store = bench_open(&bench, name, &options);
}

/* What the file holds that a container of the image would see. */
static const char *content(const struct image *image, const char *file)
{
    static char said[128];
    char line[128];
    const char *folder = bench_path(&bench, "container");
    const char *root = bench_path(&bench, "container/root");

    if (!image_mount(store, image, &node_users, folder, root, &err))
        fail_msg("%s", err.text);
    assert_true(text_format(line, sizeof line, "cat container/root/%s; true", file));
    bench_shell(&bench, line, said, sizeof said);
    assert_true(image_unmount(root, &err));
    return said;
}

static void damaged_by(const char *store_name, const char *line, bool reopen)
{
    open_store(store_name, 0);
    AUTO(image) *image = bench_pull(&bench, store, "hurt:1", NULL);
    assert_string_equal(content(image, "etc/motd"), "hello");
    if (reopen)
        image_store_close(TAKE(store));
    bench_shell(&bench, line, NULL, 0);
    if (reopen)
        open_store(store_name, 0);
    AUTO(image) *healed = bench_pull(&bench, store, "hurt:1", NULL);
    assert_string_equal(content(healed, "etc/motd"), "hello");
    image_store_close(TAKE(store));
}

TEST(a_damaged_layer_is_fetched_again_before_it_is_used)
{
    bench_push(&bench, "hurt:1", "--text etc/motd=hello", false);
    damaged_by("cut", "for f in cut/layers/*/fs/etc/motd; do : >$f; done", false);
    damaged_by("gone", "rm -r gone/layers/*/fs", false);
    damaged_by("file", "rm file/layers/*/fs/etc/motd", true);
    damaged_by("owner", "chown 7:7 owner/layers/*/fs/etc/motd", true);
    damaged_by("about", "for f in about/layers/*/about; do echo '{' >$f; done", true);
    damaged_by("manifest", "for f in manifest/images/*/manifest; do echo '{}' >$f; done", true);
    damaged_by("folder", "rm -r folder/layers/*/fs", true);
}

TEST(who_runs_on_a_damaged_layer_keeps_it)
{
    char said[64];
    const char *root = bench_path(&bench, "running/root");

    bench_push(&bench, "hurt:1", "--text etc/motd=hello --text etc/other=there", false);
    open_store("running-store", 0);
    AUTO(image) *image = bench_pull(&bench, store, "hurt:1", "group.web");
    assert_true(image_mount(store, image, &node_users, bench_path(&bench, "running"), root, &err));
    bench_shell(&bench, "for f in running-store/layers/*/fs/etc/motd; do : >$f; done", NULL, 0);
    AUTO(image) *healed = bench_pull(&bench, store, "hurt:1", "group.other");
    assert_string_equal(content(healed, "etc/motd"), "hello");
    struct image_collected gone;
    assert_true(image_collect(store, 4102444800000, &gone, &err));
    bench_shell(&bench, "cat running/root/etc/other", said, sizeof said);
    assert_string_equal(said, "there");
    assert_true(image_unmount(root, &err));
    image_release(store, "group.web");
    image_release(store, "group.other");
    assert_true(image_collect(store, 4102444800000, &gone, &err));
    bench_shell(&bench, "ls running-store/damaged | wc -l", said, sizeof said);
    assert_string_equal(said, "0");
}

/* 1.5 MB that do not compress. */
static void push_big(const char *name)
{
    char options[128];

    bench_shell(&bench, "head -c 1500000 /dev/urandom >noise", NULL, 0);
    assert_true(text_format(options, sizeof options, "--file a=%s", bench_path(&bench, "noise")));
    bench_push(&bench, name, options, false);
}

TEST(unused_images_make_room_and_those_in_use_never_do)
{
    push_big("big:1");
    push_big("big:2");
    push_big("big:3");
    open_store("small", 4 << 20);
    AUTO(image) *first = bench_pull(&bench, store, "big:1", NULL);
    assert_non_null(first);
    AUTO(image) *second = bench_pull(&bench, store, "big:2", "group.web");
    struct image_row *rows;
    size_t count;
    AUTO(arena) *arena = arena_new(1 << 20);
    assert_true(image_list(store, arena, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_non_null(strstr(rows[0].reference, "big:2"));
    assert_true(image_hold(store, second, "group.more", &err));
    image_store_close(TAKE(store));
    open_store("small", 2 << 20);
    AUTO(image) *third = bench_try(&bench, store, "big:3", (struct image_request){0}, &err);
    assert_null(third);
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.text, "/big:3"));
    assert_non_null(strstr(err.text, "2 MB are to be fetched"));
    assert_non_null(strstr(err.text, "image_bytes_max"));
    AUTO(image) *held = image_held(store, "group.web", &err);
    assert_non_null(held);
    image_release(store, "group.web");
    image_release(store, "group.more");
    AUTO(image) *now = bench_try(&bench, store, "big:3", (struct image_request){0}, &err);
    if (!now)
        fail_msg("%s", err.text);
}

static int set_up(void **state UNUSED)
{
    bench_init(&bench, NULL);
    return 0;
}

static int close_after(void **state UNUSED)
{
    if (store)
        image_store_close(TAKE(store));
    return 0;
}

static int tear_down(void **state UNUSED)
{
    bench_done(&bench);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_damaged_layer_is_fetched_again_before_it_is_used, close_after),
        cmocka_unit_test_teardown(who_runs_on_a_damaged_layer_keeps_it, close_after),
        cmocka_unit_test_teardown(unused_images_make_room_and_those_in_use_never_do, close_after),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
