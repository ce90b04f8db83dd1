#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "node-agent/image/image.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct bench bench;

static struct image_store *open_store(const char *name)
{
    char root[128];
    const char *insecure[] = {bench.host};
    const struct image_store_options options = {.insecure = {true, insecure, 1}};
    struct err err = {0};

    assert_true(text_format(root, sizeof root, "%s/%s", bench.folder, name));
    struct image_store *store = image_store_open(root, &options, &err);
    if (!store)
        fail_msg("%s", err.text);
    return store;
}

static struct image *pull(struct image_store *store, const char *name, const char *holder)
{
    char reference[128];
    struct image_request request = {.reference = reference, .holder = holder, .cancel_fd = -1};
    struct err err = {0};

    assert_true(text_format(reference, sizeof reference, "%s/%s", bench.host, name));
    struct image *image = image_pull(store, &request, &err);
    if (!image)
        fail_msg("%s", err.text);
    return image;
}

TEST(a_pulled_image_is_mounted_and_runs)
{
    bench_push(&bench, "busybox:1", "--cmd /bin/true", false);
    struct image_store *store = open_store("store");
    int64_t start = clock_boot_ns();
    AUTO(image) *image = pull(store, "busybox:1", "one");
    int64_t pulled = clock_boot_ns();
    AUTO(image) *again = pull(store, "busybox:1", NULL);
    int64_t present = clock_boot_ns();
    char folder[128], root[128];
    struct err err = {0};
    assert_true(text_format(folder, sizeof folder, "%s/c1", bench.folder));
    assert_true(text_format(root, sizeof root, "%s/c1/root", bench.folder));
    if (!image_mount(store, image, folder, root, &err))
        fail_msg("%s", err.text);
    int64_t mounted = clock_boot_ns();
    char said[64];
    bench_shell(&bench, "chroot c1/root /bin/busybox echo hello", said, sizeof said);
    assert_string_equal(said, "hello");
    int64_t before = clock_boot_ns();
    assert_true(image_unmount(root, &err));
    int64_t unmounted = clock_boot_ns();
    print_message("# pull %.2f ms, present %.3f ms, mount %.2f ms, unmount %.2f ms\n",
                  (double)(pulled - start) / 1e6, (double)(present - pulled) / 1e6,
                  (double)(mounted - present) / 1e6, (double)(unmounted - before) / 1e6);
    image_release(store, "one");
    image_store_close(store);
}

static int set_up(void **state)
{
    (void)state;
    log_configure(LOG_DEBUG, false);
    bench_init(&bench, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bench_done(&bench);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pulled_image_is_mounted_and_runs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
