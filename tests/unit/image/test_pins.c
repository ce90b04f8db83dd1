/* What a name meant once is had again whatever it means by now, also without the registry, and by nobody who brings no
 * credential for it. */
#include "base/digest.h"
#include "base/text.h"
#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include <string.h>

static struct bench bench;
static struct image_store *store;
static struct err err;

static void close_store(void)
{
    image_store_close(store);
    store = NULL;
}

static struct image *must_pull(const char *name, struct image_request request)
{
    struct image *image = bench_try(&bench, store, name, request, &err);

    if (!image)
        fail_msg("%s: %s", name, err.text);
    return image;
}

static void must_fail(const char *name, struct image_request request, const char *words)
{
    AUTO(image) *image = bench_try(&bench, store, name, request, &err);

    assert_null(image);
    if (!strstr(err.text, words))
        fail_msg("'%s' is not in: %s", words, err.text);
}

/* As the plane knows it: the digest of the document that the tag stands for. */
static void digest_in_registry(const char *name, char out[DIGEST_SIZE])
{
    char line[256];

    assert_true(text_format(line, sizeof line,
                            "skopeo inspect --raw --tls-verify=false docker://%s/%s | sha256sum | "
                            "sed 's/^/sha256:/;s/ .*//'",
                            bench.host, name));
    bench_shell(&bench, line, out, DIGEST_SIZE);
    assert_true(digest_valid(out));
}

TEST(a_pinned_name_means_what_it_meant_after_it_moved)
{
    char first[DIGEST_SIZE];

    bench_push(&bench, "pin:1", "--text a=first --index", false);
    digest_in_registry("pin:1", first);
    store = bench_open(&bench, "moved", NULL);
    AUTO(image) *before = must_pull("pin:1", (struct image_request){.pin = first});
    bench_push(&bench, "pin:1", "--text a=second --index", false);
    AUTO(image) *now = must_pull("pin:1", (struct image_request){.policy = IMAGE_ALWAYS});
    AUTO(image) *pinned = must_pull("pin:1", (struct image_request){.pin = first});
    assert_string_not_equal(now->digest, before->digest);
    assert_ptr_equal(pinned, before);
    close_store();
    store = bench_open(&bench, "elsewhere", NULL); /* another node */
    AUTO(image) *there = must_pull("pin:1", (struct image_request){.pin = first});
    assert_string_equal(there->digest, before->digest);
}

TEST(a_pinned_image_needs_no_registry_by_either_of_its_digests)
{
    char index[DIGEST_SIZE];

    bench_push(&bench, "both:latest", "--text a=both --index", false);
    digest_in_registry("both:latest", index);
    store = bench_open(&bench, "both", NULL);
    AUTO(image) *image = must_pull("both", (struct image_request){.policy = IMAGE_USUAL});
    assert_string_not_equal(image->digest, index);
    bench_stop_registry(&bench);
    const char *pins[] = {index, image->digest};
    for (size_t i = 0; i < COUNT_OF(pins); i++) {
        AUTO(image) *again =
            must_pull("both", (struct image_request){.policy = IMAGE_USUAL, .pin = pins[i]});
        assert_ptr_equal(again, image);
    }
    must_fail("both", (struct image_request){.policy = IMAGE_USUAL}, "cannot be reached");
    bench_start_registry(&bench, NULL);
}

TEST(names_that_nobody_wrote_are_not_listed)
{
    char digest[DIGEST_SIZE], by_digest[128];
    struct image_row *rows;
    size_t count;
    AUTO(arena) *arena = arena_new(1 << 20);

    bench_push(&bench, "listed:1", "--text a=listed", false);
    digest_in_registry("listed:1", digest);
    store = bench_open(&bench, "listed", NULL);
    AUTO(image) *image = must_pull("listed:1", (struct image_request){.pin = digest});
    close_store();
    store = bench_open(&bench, "listed", NULL);
    assert_true(image_list(store, arena, &rows, &count, &err));
    assert_int_equal(count, 1);
    assert_non_null(strstr(rows[0].reference, "/listed:1"));
    assert_string_equal(rows[0].digest, image->digest);
    assert_true(text_format(by_digest, sizeof by_digest, "listed@%s", digest));
    AUTO(image) *written = must_pull(by_digest, (struct image_request){.policy = IMAGE_ALWAYS});
    assert_ptr_not_equal(written, NULL);
    assert_true(image_list(store, arena, &rows, &count, &err));
    assert_int_equal(count, 2);
}

TEST(a_digest_that_the_registry_lost_is_told_as_such)
{
    const char *gone = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    bench_push(&bench, "lost:1", "--text a=lost", false);
    store = bench_open(&bench, "lost", NULL);
    must_fail("lost:1", (struct image_request){.pin = gone},
              "when the group was created or updated");
}

TEST(a_private_image_stays_private_and_usable_when_the_agent_comes_back)
{
    struct image_credential right = {bench.host, "tester", "secret"}, wrong = right;
    struct image_request with_right = {.credentials = &right, .credentials_count = 1};
    struct image_request with_wrong = {.credentials = &wrong, .credentials_count = 1};
    char digest[DIGEST_SIZE];

    wrong.password = "guessed";
    bench_push(&bench, "mine:1", "--text a=mine", false);
    digest_in_registry("mine:1", digest);
    bench_stop_registry(&bench);
    bench_start_registry(&bench, "secret");
    store = bench_open(&bench, "mine", NULL);
    with_right.holder = "group.web";
    AUTO(image) *first = must_pull("mine:1", with_right);
    close_store();
    bench_stop_registry(&bench);
    store = bench_open(&bench, "mine", NULL);
    AUTO(image) *held = image_held(store, "group.web", &err);
    assert_non_null(held);
    must_fail("mine:1", (struct image_request){0}, "cannot be reached");
    must_fail("mine:1", with_wrong, "cannot be reached");
    must_fail("mine:1", (struct image_request){.pin = digest}, "cannot be reached");
    with_wrong.pin = with_right.pin = digest;
    must_fail("mine:1", with_wrong, "cannot be reached");
    AUTO(image) *again = must_pull("mine:1", with_right);
    assert_string_equal(again->digest, first->digest);
    char found[64];
    bench_shell(&bench, "{ grep -rlE 'secret|guessed|dGVzdGVyOnNlY3JldA' mine || true; } | wc -l",
                found, sizeof found);
    assert_string_equal(found, "0");
}

static int set_up(void **state UNUSED)
{
    bench_init(&bench, NULL);
    return 0;
}

static int close_after(void **state UNUSED)
{
    close_store();
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
        cmocka_unit_test_teardown(a_pinned_name_means_what_it_meant_after_it_moved, close_after),
        cmocka_unit_test_teardown(a_pinned_image_needs_no_registry_by_either_of_its_digests,
                                  close_after),
        cmocka_unit_test_teardown(names_that_nobody_wrote_are_not_listed, close_after),
        cmocka_unit_test_teardown(a_digest_that_the_registry_lost_is_told_as_such, close_after),
        cmocka_unit_test_teardown(
            a_private_image_stays_private_and_usable_when_the_agent_comes_back, close_after),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
