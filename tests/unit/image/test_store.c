#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct bench bench;
static struct image_store *store;
static struct err err;

static const int64_t hour_ms = 3600 * 1000;

static void reopen(const struct image_store_options *options)
{
    image_store_close(TAKE(store));
    store = bench_open(&bench, "store", options);
}

/* Images of one layer each, named after their only file. */
static struct image *make(const char *name, const char *holder)
{
    char reference[64], options[64];

    assert_true(text_format(reference, sizeof reference, "%s:1", name));
    assert_true(text_format(options, sizeof options, "--text %s=content", name));
    bench_push(&bench, reference, options, false);
    return bench_pull(&bench, store, reference, holder);
}

static void pull_again(const char *name, const char *holder)
{
    image_free(bench_pull(&bench, store, name, holder));
}

static int count_of(const char *kind)
{
    char line[64], said[16];
    int64_t count;

    assert_true(text_format(line, sizeof line, "ls store/%s | wc -l", kind));
    bench_shell(&bench, line, said, sizeof said);
    assert_true(text_to_int(said, &count));
    return (int)count;
}

static struct image_collected collect(int64_t now_ms)
{
    struct image_collected collected = {0};

    if (!image_collect(store, now_ms, &collected, &err))
        fail_msg("%s", err.text);
    return collected;
}

static bool known(const char *name)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct image_row *rows;
    size_t count;
    bool found = false;

    assert_true(image_list(store, arena, &rows, &count, &err));
    for (size_t i = 0; i < count; i++)
        found = found || strstr(rows[i].reference, name);
    return found;
}

/* ---- holding ---- */

TEST(a_held_image_is_never_collected)
{
    const struct image_store_options greedy = {.bytes_max = 1, .keep_ms = 1}, roomy = {0};

    reopen(&roomy);
    AUTO(image) *image = make("held", "container-1");
    reopen(&greedy);
    int64_t later = clock_now_ms() + hour_ms;
    assert_int_equal(collect(later).images, 0);
    reopen(&greedy); /* as after kill -9: nothing is said at the end */
    assert_int_equal(collect(later).images, 0);
    AUTO(image) *held = image_held(store, "container-1", &err);
    assert_non_null(held);
    assert_string_equal(held->digest, image->digest);
    image_release(store, "container-1");
    image_release(store, "container-1");
    assert_null(image_held(store, "container-1", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    struct image_collected collected = collect(clock_now_ms() + hour_ms);
    assert_int_equal(collected.images, 1);
    assert_int_equal(collected.layers, 1);
    assert_true(collected.bytes > 0);
    assert_int_equal(count_of("images") + count_of("layers") + count_of("references") +
                         count_of("holds") + count_of("trash"),
                     0);
    assert_false(image_hold(store, image, "container-2", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static bool keep_even(const char *holder, void *context)
{
    ++*(int *)context;
    return strcmp(holder, "h2") == 0 || strcmp(holder, "h4") == 0;
}

TEST(holders_that_are_gone_are_released)
{
    int asked = 0;
    char name[8];

    reopen(NULL);
    AUTO(image) *image = make("many", NULL);
    for (int i = 1; i <= 5; i++) {
        assert_true(text_format(name, sizeof name, "h%d", i));
        assert_true(image_hold(store, image, name, &err));
    }
    image_release_others(store, keep_even, &asked);
    assert_int_equal(asked, 5);
    assert_int_equal(count_of("holds"), 2);
    reopen(NULL);
    AUTO(image) *kept = image_held(store, "h4", &err);
    assert_non_null(kept);
    assert_null(image_held(store, "h1", &err));
    image_release(store, "h2");
    image_release(store, "h4");
}

TEST(names_of_holders_stay_names)
{
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", "a b", "a\n", ".hidden"};

    reopen(NULL);
    AUTO(image) *image = make("named", NULL);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(image_hold(store, image, bad[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
        image_release(store, bad[i]);
    }
}

/* ---- collecting ---- */

TEST(collects_what_nobody_used_for_long)
{
    const struct image_store_options week = {.keep_ms = 7 * 24 * hour_ms};
    int64_t now = clock_now_ms();

    reopen(&week);
    AUTO(image) *image = make("aging", NULL);
    assert_int_equal(collect(now + 6 * 24 * hour_ms).images, 0);
    assert_true(known("aging"));
    assert_true(collect(now + 8 * 24 * hour_ms).images >= 1);
    assert_false(known("aging"));
    AUTO(image) *again = bench_pull(&bench, store, "aging:1", NULL);
    assert_string_equal(again->digest, image->digest);
}

TEST(makes_room_beginning_with_the_longest_unused)
{
    struct image_store_options room = {.bytes_max = 0};

    collect(clock_now_ms()); /* settles what other tests left */
    AUTO(image) *one = make("first", NULL);
    AUTO(image) *two = make("second", NULL);
    AUTO(image) *three = make("third", NULL);
    const struct timespec pause = {0, 20 * 1000000};
    nanosleep(&pause, NULL);
    pull_again("first:1", NULL);
    nanosleep(&pause, NULL);
    pull_again("third:1", NULL);
    room.bytes_max = one->bytes + three->bytes;
    image_store_close(TAKE(store));
    bench_shell(&bench, "touch -d '2 hours ago' store/images/*", NULL, 0);
    /* "second" is the oldest by far. */
    char line[256];
    assert_true(
        text_format(line, sizeof line, "touch -d '9 hours ago' store/images/%s", two->digest + 7));
    bench_shell(&bench, line, NULL, 0);
    store = bench_open(&bench, "store", &room);
    struct image_collected collected = collect(clock_now_ms());
    assert_true(collected.images >= 1);
    assert_false(known("second:1"));
    assert_true(known("first:1") || known("third:1"));
}

TEST(an_image_in_use_a_moment_ago_stays)
{
    const struct image_store_options greedy = {.bytes_max = 1, .keep_ms = 1}, roomy = {0};

    reopen(&roomy);
    image_free(make("fresh", NULL));
    reopen(&greedy);
    collect(clock_now_ms() + LIMIT_IMAGE_GRACE_MS / 2);
    assert_true(known("fresh"));
    collect(clock_now_ms() + 2 * LIMIT_IMAGE_GRACE_MS);
    assert_false(known("fresh"));
}

TEST(a_shared_layer_stays_as_long_as_one_image_needs_it)
{
    const struct image_store_options day = {.keep_ms = 24 * hour_ms};

    reopen(&day);
    collect(clock_now_ms() + 48 * hour_ms);
    bench_push(&bench, "lower:1", "--text base=1", false);
    bench_push(&bench, "upper:1", "--text base=1 --layer empty --text own=1", false);
    pull_again("lower:1", NULL);
    pull_again("upper:1", "user");
    assert_int_equal(count_of("layers"), 2);
    assert_int_equal(collect(clock_now_ms() + 48 * hour_ms).images, 1);
    assert_int_equal(count_of("layers"), 2);
    assert_false(known("lower"));
    image_release(store, "user");
    assert_int_equal(collect(clock_now_ms() + 48 * hour_ms).layers, 2);
    assert_int_equal(count_of("layers"), 0);
}

/* ---- opening ---- */

TEST(one_process_at_a_time)
{
    const struct image_store_options options = {.unpacker = UNPACK_PROGRAM};

    reopen(NULL);
    assert_null(image_store_open(bench_path(&bench, "store"), &options, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
}

TEST(a_missing_unpacker_is_told_at_the_start)
{
    const struct image_store_options options = {.unpacker = "/nowhere/berth-unpack"};

    assert_null(image_store_open(bench_path(&bench, "other"), &options, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nowhere/berth-unpack"));
}

TEST(what_was_never_synced_is_not_believed_after_a_reboot)
{
    reopen(NULL);
    collect(clock_now_ms());
    image_free(make("synced", NULL));
    collect(clock_now_ms());
    AUTO(image) *unsynced = make("unsynced", NULL);
    image_store_close(TAKE(store));
    bench_shell(&bench, "sed -i 's/\"boot\":\"[^\"]*\"/\"boot\":\"another\"/' store/layers/*/about",
                NULL, 0);
    store = bench_open(&bench, "store", NULL);
    assert_true(known("/synced"));
    assert_false(known("unsynced"));
    AUTO(image) *again = bench_pull(&bench, store, "unsynced:1", NULL);
    assert_string_equal(again->digest, unsynced->digest);
}

TEST(what_is_damaged_is_dropped_and_pulled_again)
{
    static const char *const damages[] = {
        "echo >>store/images/%s/manifest", "rm store/images/%s/config",
        ": >store/images/%s/config",       "rm -r store/layers/*",
        "rm store/layers/*/about",         "echo x >store/layers/zz",
        ": >store/holds/broken",           "mkdir store/references/x",
        "echo '{}' >store/references/y",
    };

    reopen(NULL);
    AUTO(image) *image = make("damaged", NULL);
    for (size_t i = 0; i < COUNT_OF(damages); i++) {
        AUTO(text) *line = text_new(1024);
        const char *at = strstr(damages[i], "%s");
        text_add_n(line, damages[i], at ? (size_t)(at - damages[i]) : strlen(damages[i]));
        if (at)
            text_addf(line, "%s%s", image->digest + 7, at + 2);
        image_store_close(TAKE(store));
        bench_shell(&bench, line->bytes, NULL, 0);
        store = bench_open(&bench, "store", NULL);
        AUTO(image) *again = bench_pull(&bench, store, "damaged:1", "holder");
        assert_string_equal(again->digest, image->digest);
        image_release(store, "holder");
    }
    assert_int_equal(count_of("holds"), 0);
}

/* A process of its own pulls and is killed at some moment, again and again. */
TEST(a_crash_at_any_moment_leaves_a_store_that_works)
{
    char said[64];

    bench_push(&bench, "crash:1", "--busybox --layer empty --text own=crash", false);
    image_store_close(TAKE(store));
    for (int i = 0; i < 25; i++) {
        bench_shell(&bench, "rm -rf store/images/* store/references/*; rm -rf store/layers/*", NULL,
                    0);
        pid_t child = fork();
        if (child == 0) {
            store = bench_open(&bench, "store", NULL);
            image_free(bench_pull(&bench, store, "crash:1", "crasher"));
            _exit(0);
        }
        assert_true(child > 0);
        nanosleep(&(struct timespec){0, (long)i * 6 * 1000000}, NULL);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        store = bench_open(&bench, "store", NULL);
        AUTO(image) *image = bench_pull(&bench, store, "crash:1", "survivor");
        const char *root = bench_path(&bench, "c/root");
        if (!image_mount(store, image, &node_users, bench_path(&bench, "c"), root, &err))
            fail_msg("%s", err.text);
        bench_shell(&bench, "chroot c/root /bin/cat own", said, sizeof said);
        assert_true(image_unmount(root, &err));
        assert_string_equal(said, "crash");
        image_release(store, "survivor");
        image_store_close(TAKE(store));
    }
    store = bench_open(&bench, "store", NULL);
    assert_int_equal(count_of("temp"), 0);
    image_release(store, "crasher");
}

static int set_up(void **state)
{
    (void)state;
    bench_init(&bench, NULL);
    bench_shell(&bench, "mkdir empty", NULL, 0);
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
        cmocka_unit_test(a_held_image_is_never_collected),
        cmocka_unit_test(holders_that_are_gone_are_released),
        cmocka_unit_test(names_of_holders_stay_names),
        cmocka_unit_test(collects_what_nobody_used_for_long),
        cmocka_unit_test(makes_room_beginning_with_the_longest_unused),
        cmocka_unit_test(an_image_in_use_a_moment_ago_stays),
        cmocka_unit_test(a_shared_layer_stays_as_long_as_one_image_needs_it),
        cmocka_unit_test(one_process_at_a_time),
        cmocka_unit_test(a_missing_unpacker_is_told_at_the_start),
        cmocka_unit_test(what_was_never_synced_is_not_believed_after_a_reboot),
        cmocka_unit_test(what_is_damaged_is_dropped_and_pulled_again),
        cmocka_unit_test(a_crash_at_any_moment_leaves_a_store_that_works),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
