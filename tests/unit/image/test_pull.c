#include "tests/unit/image/bench.h"
#include "tests/unit/unit.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "base/thread.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

static struct bench bench;
static struct image_store *store; /* of the test that runs */
static struct err err;

static void close_store(void)
{
    image_store_close(TAKE(store));
}

/* Mounts it, runs a command line in it, and returns the first line it prints. */
static const char *run_in(struct image *image, const char *line)
{
    static char said[256];
    char shell[512];
    const char *folder = bench_path(&bench, "container");
    const char *root = bench_path(&bench, "container/root");

    if (!image_mount(store, image, &node_users, folder, root, &err))
        fail_msg("%s", err.text);
    assert_true(text_format(shell, sizeof shell, "chroot container/root /bin/sh -c '%s'", line));
    bench_shell(&bench, shell, said, sizeof said);
    assert_true(image_unmount(root, &err));
    assert_true(file_remove_tree(folder, &err));
    return said;
}

static void must_fail(struct image *image, enum err_code code, const char *words)
{
    assert_null(image);
    if (err.code != code || !strstr(err.text, words))
        fail_msg("%s (%s)", err.text, err_code_name(err.code));
}

/* ---- forms of images ---- */

TEST(a_pulled_image_is_mounted_and_runs)
{
    bench_push(
        &bench, "web:1",
        "--busybox --text etc/motd=hi --env A=1 --workdir /tmp --user 0:0 --stop-signal SIGQUIT "
        "--expose 80/tcp --entrypoint /bin/sh --cmd -c true",
        false);
    store = bench_open(&bench, "store", NULL);
    int64_t begin = clock_boot_ns();
    AUTO(image) *image = bench_pull(&bench, store, "web:1", "one");
    int64_t pulled = clock_boot_ns();
    AUTO(image) *again = bench_pull(&bench, store, "web:1", "one");
    int64_t present = clock_boot_ns();

    print_message("# pull of %lld bytes %.1f ms, present %.3f ms\n", (long long)image->bytes,
                  (double)(pulled - begin) / 1e6, (double)(present - pulled) / 1e6);
    assert_ptr_equal(image, again);
    assert_string_equal(image->entrypoint.items[0], "/bin/sh");
    assert_string_equal(image->cmd.items[1], "true");
    assert_string_equal(image->env.items[0], "A=1");
    assert_string_equal(image->working_dir, "/tmp");
    assert_string_equal(image->user, "0:0");
    assert_string_equal(image->stop_signal, "SIGQUIT");
    assert_string_equal(image->exposed_ports.items[0], "80/tcp");
    assert_true(image->bytes > 2000000 && image->bytes < 4000000);
    assert_string_equal(run_in(image, "cat /etc/motd"), "hi");
    close_store();
}

TEST(layers_delete_and_replace_what_is_below)
{
    bench_push(
        &bench, "layers:1",
        "--busybox --text etc/one=1 --text etc/two=2 --text opt/old=x --busybox --text etc/one=new "
        "--delete 2:etc/two --opaque 2:opt --text opt/new=x",
        false);
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *image = bench_pull(&bench, store, "layers:1", NULL);

    assert_int_equal(image->layers.count, 2);
    assert_string_equal(run_in(image, "echo $(cat /etc/one; ls /opt; ls /etc)"),
                        "newnew group one passwd");
    close_store();
}

TEST(all_forms_of_images_are_understood)
{
    static const struct {
        const char *name, *options;
        bool docker;
    } forms[] = {
        {"form:docker", "--busybox --text etc/motd=docker", true},
        {"form:zstd", "--busybox --text etc/motd=zstd --compress zstd", false},
        {"form:plain", "--busybox --text etc/motd=plain --compress none", false},
        {"form:index", "--busybox --text etc/motd=index --index", false},
    };
    store = bench_open(&bench, "store", NULL);

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        bench_push(&bench, forms[i].name, forms[i].options, forms[i].docker);
        AUTO(image) *image = bench_pull(&bench, store, forms[i].name, NULL);
        assert_string_equal(run_in(image, "cat /etc/motd"), strchr(forms[i].name, ':') + 1);
    }
    close_store();
}

TEST(an_image_is_found_by_its_digest)
{
    char name[128];

    bench_push(&bench, "small:1", "--text a=digest", false);
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *by_tag = bench_pull(&bench, store, "small:1", NULL);
    assert_true(text_format(name, sizeof name, "small@%s", by_tag->digest));
    AUTO(image) *by_digest = bench_pull(&bench, store, name, NULL);
    assert_ptr_equal(by_tag, by_digest);
    assert_true(text_format(name, sizeof name, "small:ignored@%s", by_tag->digest));
    AUTO(image) *by_both = bench_pull(&bench, store, name, NULL);
    assert_ptr_equal(by_tag, by_both);
    close_store();
}

/* ---- what is at hand is not fetched again ---- */

TEST(a_layer_at_hand_is_not_fetched_again)
{
    bench_push(&bench, "base:1", "--text base=shared", false);
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *base = bench_pull(&bench, store, "base:1", NULL);
    bench_push(&bench, "above:1", "--text base=shared --layer empty --text above=own", false);
    /* Whoever asked for the shared blob now would not get it. */
    bench_shell(&bench,
                "b=$(python3 -c \"import json; "
                "m=json.load(open('made/index.json'))['manifests'][0]['digest'][7:]; "
                "print(json.load(open('made/blobs/sha256/'+m))['layers'][0]['digest'][7:])\"); "
                "rm registry/docker/registry/v2/blobs/sha256/*/$b/data",
                NULL, 0);
    AUTO(image) *above = bench_pull(&bench, store, "above:1", NULL);
    assert_int_equal(above->layers.count, 2);
    assert_string_equal(above->layers.items[0], base->layers.items[0]);
    close_store();
}

TEST(no_registry_is_needed_for_what_is_present)
{
    bench_push(&bench, "small:2", "--text a=present", false);
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *first = bench_pull(&bench, store, "small:2", NULL);
    bench_stop_registry(&bench);
    AUTO(image) *again = bench_pull(&bench, store, "small:2", NULL);
    assert_ptr_equal(first, again);
    struct image *asked =
        bench_try(&bench, store, "small:2", (struct image_request){.policy = IMAGE_ALWAYS}, &err);
    must_fail(asked, ERR_REGISTRY_RESPONSE, "cannot be reached");
    assert_true(err_code_retry(err.code));
    close_store();
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *after = bench_pull(&bench, store, "small:2", NULL);
    assert_string_equal(after->digest, first->digest);
    close_store();
    bench_start_registry(&bench, NULL);
}

TEST(a_tag_that_moved_is_seen_when_asked_for)
{
    struct image_request always = {.policy = IMAGE_ALWAYS};

    bench_push(&bench, "moving:1", "--text a=before", false);
    store = bench_open(&bench, "store", NULL);
    AUTO(image) *before = bench_pull(&bench, store, "moving:1", NULL);
    bench_push(&bench, "moving:1", "--text a=after", false);
    AUTO(image) *present = bench_pull(&bench, store, "moving:1", NULL);
    assert_ptr_equal(present, before);
    AUTO(image) *after = bench_try(&bench, store, "moving:1", always, &err);
    assert_non_null(after);
    assert_string_not_equal(after->digest, before->digest);
    struct image_request usual = {.policy = IMAGE_USUAL};
    bench_push(&bench, "moving:1", "--text a=later", false);
    bench_push(&bench, "moving:latest", "--text a=later", false);
    AUTO(image) *now = bench_try(&bench, store, "moving:1", usual, &err);
    assert_ptr_equal(now, after);
    AUTO(image) *latest = bench_try(&bench, store, "moving", usual, &err);
    bench_push(&bench, "moving:latest", "--text a=latest", false);
    AUTO(image) *newest = bench_try(&bench, store, "moving", usual, &err);
    assert_true(latest && newest);
    assert_string_not_equal(latest->digest, newest->digest);
    close_store();
}

/* ---- failures in words ---- */

TEST(says_what_went_wrong)
{
    struct image_request usual = {.cancel_fd = -1};
    char reference[128];

    bench_push(&bench, "foreign:1", "--text a=1 --architecture arm64", false);
    bench_push(&bench, "foreign:2", "--text a=2 --architecture s390x --index", false);
    store = bench_open(&bench, "store", NULL);
    must_fail(bench_try(&bench, store, "nothing:1", usual, &err), ERR_IMAGE_INACCESSIBLE,
              "not found");
    must_fail(bench_try(&bench, store, "foreign:1", usual, &err), ERR_IMAGE_PLATFORM,
              "linux/arm64");
    must_fail(bench_try(&bench, store, "foreign:2", usual, &err), ERR_IMAGE_PLATFORM,
              "linux/s390x");
    must_fail(bench_try(&bench, store, "Wrong", usual, &err), ERR_IMAGE_REFERENCE, "lower-case");
    must_fail(
        bench_try(&bench, store,
                  "foreign@sha256:0000000000000000000000000000000000000000000000000000000000000000",
                  usual, &err),
        ERR_IMAGE_INACCESSIBLE, "not found");
    close_store();
    const struct image_store_options secure = {.unpacker = UNPACK_PROGRAM};
    store = image_store_open(bench_path(&bench, "store"), &secure, &err);
    assert_non_null(store);
    assert_true(text_format(reference, sizeof reference, "%s/x", bench.host));
    usual.reference = reference;
    must_fail(image_pull(store, &usual, &err), ERR_IMAGE_INACCESSIBLE, "not listed as insecure");
    close_store();
}

static struct text *told;

static void tell(const char *words, void *context)
{
    assert_ptr_equal(context, &told);
    text_addf(told, "%s\n", words);
}

TEST(tells_of_each_step)
{
    struct image_request request = {.progress = tell, .context = &told};

    bench_push(&bench, "told:1", "--text a=told", false);
    told = text_new(65536);
    const struct image_store_options options = {
        .skopeo = bench_program(
            &bench, "[ -e once ] || { touch once; echo 'level=fatal msg=\"i/o timeout\"' >&2; "
                    "exit 1; }; exec $skopeo \"$@\"")};
    store = bench_open(&bench, "store", &options);
    AUTO(image) *image = bench_try(&bench, store, "told:1", request, &err);
    if (!image)
        fail_msg("%s", err.text);
    assert_non_null(strstr(told->bytes, "pulling image \"127.0.0.1:"));
    assert_non_null(strstr(told->bytes, "\nRetrying to pull image \""));
    assert_non_null(strstr(told->bytes, "\nSuccessfully pulled image \""));
    text_clear(told);
    AUTO(image) *present = bench_try(&bench, store, "told:1", request, &err);
    assert_non_null(present);
    assert_int_equal(told->size, 0);
    text_free(told);
    close_store();
}

/* ---- believing nothing ---- */

static void pull_through(const char *name, const char *lines, const char *words)
{
    const struct image_store_options options = {.skopeo = bench_program(&bench, lines)};
    store = bench_open(&bench, "doubting", &options);
    char listed[64];

    must_fail(bench_try(&bench, store, name, (struct image_request){0}, &err),
              ERR_IMAGE_INACCESSIBLE, words);
    close_store();
    bench_shell(&bench,
                "ls doubting/temp doubting/layers doubting/images | grep -v : | grep . | wc -l",
                listed, sizeof listed);
    assert_string_equal(listed, "0");
}

TEST(what_is_not_what_its_digest_says_is_refused)
{
    char name[128];
    char digest[80];

    bench_push(&bench, "honest:1", "--text a=honest", false);
    bench_shell(&bench,
                "python3 -c \"import json; "
                "print(json.load(open('made/index.json'))['manifests'][0]['digest'])\"",
                digest, sizeof digest);
    assert_true(text_format(name, sizeof name, "honest@%s", digest));
    pull_through(
        name,
        "case \"$*\" in *config=false*) $skopeo \"$@\"; echo ;; *) exec $skopeo \"$@\";; esac",
        "was asked for");
    pull_through(
        "honest:1",
        "case \"$*\" in *config=true*) $skopeo \"$@\"; echo ;; *) exec $skopeo \"$@\";; esac",
        "was asked for");
    pull_through("honest:1",
                 "case \"$*\" in copy*) side=$PWD/side; mkdir -p $side/blobs/sha256; "
                 "$skopeo $(echo \"$@\" | sed \"s#$PWD/doubting/temp/[^/]*#$side#g\"); "
                 "for b in $side/blobs/sha256/*; do echo >>$b; done; "
                 "mv -f $side/blobs/sha256/* doubting/temp/*/blobs/sha256/;; "
                 "*) exec $skopeo \"$@\";; esac",
                 "arrived as");
}

TEST(a_layer_larger_than_announced_is_not_written)
{
    bench_push(&bench, "large:1", "--text a=large", false);
    pull_through(
        "large:1",
        "case \"$*\" in copy*) head -c 8000000 /dev/zero >doubting/temp/huge || { "
        "rm doubting/temp/huge; echo 'level=fatal msg=\"file too large\"' >&2; exit 1; };; "
        "*) exec $skopeo \"$@\";; esac",
        "larger than its manifest says");
}

TEST(a_layer_larger_than_its_manifest_says_is_cut_off)
{
    /* Nine megabytes that cannot be compressed, announced as ten bytes. */
    bench_shell(&bench, "mkdir -p noise; head -c 9000000 /dev/urandom >noise/noise", NULL, 0);
    bench_push(&bench, "lying:1", "--layer noise", false);
    bench_shell(
        &bench,
        "python3 -c \"\n"
        "import hashlib, json, sys, urllib.request\n"
        "at = 'made/blobs/sha256/' + "
        "json.load(open('made/index.json'))['manifests'][0]['digest'][7:]\n"
        "manifest = json.load(open(at))\n"
        "manifest['layers'][0]['size'] = 10\n"
        "address = open('registry.yml').read().split('addr: \\\"')[1].split('\\\"')[0]\n"
        "urllib.request.urlopen(urllib.request.Request('http://' + address + "
        "'/v2/lying/manifests/2', "
        "json.dumps(manifest).encode(), {'Content-Type': manifest['mediaType']}, method='PUT'))\n"
        "\"",
        NULL, 0);
    store = bench_open(&bench, "store", NULL);
    must_fail(bench_try(&bench, store, "lying:2", (struct image_request){0}, &err),
              ERR_IMAGE_INACCESSIBLE, "larger than its manifest says");
}

TEST(a_full_disk_is_told_and_nothing_is_left)
{
    bench_push(&bench, "wide:1", "--busybox", false);
    bench_shell(&bench, "mkdir narrow; mount -t tmpfs -o size=2m none narrow", NULL, 0);
    store = bench_open(&bench, "narrow/store", NULL);
    struct image *image = bench_try(&bench, store, "wide:1", (struct image_request){0}, &err);
    close_store();
    char left[64];
    bench_shell(&bench,
                "ls narrow/store/temp narrow/store/layers narrow/store/images | grep -v : | grep . "
                "| wc -l; "
                "umount narrow",
                left, sizeof left);
    must_fail(image, ERR_STORAGE, "No space left");
    assert_string_equal(left, "0");
}

TEST(says_that_skopeo_is_missing)
{
    const struct image_store_options options = {.skopeo = "/nowhere/skopeo"};

    store = bench_open(&bench, "store", &options);
    must_fail(bench_try(&bench, store, "absent:1", (struct image_request){0}, &err), ERR_IO,
              "/nowhere/skopeo");
}

/* ---- at the same time ---- */

struct puller {
    pthread_t thread;
    struct image_store *store;
    const char *name;
    int cancel_fd;
    struct image *image;
    struct err err;
};

static void *run_puller(void *context)
{
    struct puller *puller = context;
    char reference[128];
    struct image_request request = {.reference = reference, .cancel_fd = puller->cancel_fd};

    if (text_format(reference, sizeof reference, "%s/%s", bench.host, puller->name))
        puller->image = image_pull(puller->store, &request, &puller->err);
    return NULL;
}

static void start(struct puller *puller, const char *name, int cancel_fd)
{
    *puller = (struct puller){.store = store, .name = name, .cancel_fd = cancel_fd};
    assert_true(thread_start(&puller->thread, "puller", run_puller, puller, &err));
}

static void join(struct puller *puller)
{
    pthread_join(puller->thread, NULL);
}

static const char counting[] = "echo \"$1\" >>calls; sleep 0.1; exec $skopeo \"$@\"";

TEST(pulls_of_one_image_at_once_do_the_work_once)
{
    struct puller pullers[8];
    char calls[64];

    bench_push(&bench, "crowd:1", "--busybox --text a=crowd", false);
    bench_shell(&bench, "rm -f calls", NULL, 0);
    const struct image_store_options options = {.skopeo = bench_program(&bench, counting)};
    store = bench_open(&bench, "crowd", &options);
    for (size_t i = 0; i < COUNT_OF(pullers); i++)
        start(&pullers[i], "crowd:1", -1);
    for (size_t i = 0; i < COUNT_OF(pullers); i++)
        join(&pullers[i]);
    for (size_t i = 0; i < COUNT_OF(pullers); i++) {
        if (!pullers[i].image)
            fail_msg("%s", pullers[i].err.text);
        assert_ptr_equal(pullers[i].image, pullers[0].image);
    }
    for (size_t i = 0; i < COUNT_OF(pullers); i++)
        image_free(pullers[i].image);
    bench_shell(&bench, "echo $(cat calls)", calls, sizeof calls);
    assert_string_equal(calls, "inspect inspect copy");
    close_store();
}

TEST(images_with_a_common_layer_share_it_when_pulled_at_once)
{
    struct puller pullers[4];
    char names[4][32], options[128];

    for (int i = 0; i < 4; i++) {
        assert_true(text_format(names[i], sizeof names[i], "common%d:1", i));
        assert_true(
            text_format(options, sizeof options, "--busybox --layer empty --text own=%d", i));
        bench_push(&bench, names[i], options, false);
    }
    const struct image_store_options slow = {.skopeo = bench_program(&bench, counting)};
    store = bench_open(&bench, "common", &slow);
    for (size_t i = 0; i < 4; i++)
        start(&pullers[i], names[i], -1);
    for (size_t i = 0; i < 4; i++)
        join(&pullers[i]);
    for (size_t i = 0; i < 4; i++) {
        if (!pullers[i].image)
            fail_msg("%s", pullers[i].err.text);
        assert_string_equal(pullers[i].image->layers.items[0], pullers[0].image->layers.items[0]);
        image_free(pullers[i].image);
    }
    char layers[16];
    bench_shell(&bench, "ls common/layers | wc -l", layers, sizeof layers);
    assert_string_equal(layers, "5");
    close_store();
}

TEST(a_pull_is_given_up_when_told)
{
    struct puller puller;

    bench_push(&bench, "slow:1", "--text a=slow", false);
    const struct image_store_options options = {.skopeo = bench_program(&bench, "exec sleep 30")};
    store = bench_open(&bench, "slow", &options);
    AUTO_CLOSE int bell = eventfd(0, EFD_CLOEXEC);
    start(&puller, "slow:1", bell);
    int64_t begin = clock_now_ms();
    assert_int_equal(eventfd_write(bell, 1), 0);
    join(&puller);
    assert_null(puller.image);
    assert_int_equal(puller.err.code, ERR_CLOSED);
    assert_true(clock_now_ms() - begin < 3000);
    close_store();
}

TEST(who_waited_goes_on_when_the_leader_gives_up)
{
    struct puller leader, follower;

    bench_push(&bench, "led:1", "--text a=led", false);
    bench_shell(&bench, "rm -f calls", NULL, 0);
    const struct image_store_options options = {
        .skopeo = bench_program(
            &bench, "[ -e calls ] || { touch calls; exec sleep 30; }; exec $skopeo \"$@\"")};
    store = bench_open(&bench, "led", &options);
    AUTO_CLOSE int bell = eventfd(0, EFD_CLOEXEC);
    start(&leader, "led:1", bell);
    bench_shell(&bench, "while ! [ -e calls ]; do sleep 0.05; done", NULL, 0);
    start(&follower, "led:1", -1);
    bench_shell(&bench, "sleep 0.2", NULL, 0);
    assert_int_equal(eventfd_write(bell, 1), 0);
    join(&leader);
    join(&follower);
    assert_int_equal(leader.err.code, ERR_CLOSED);
    if (!follower.image)
        fail_msg("%s", follower.err.text);
    image_free(follower.image);
    close_store();
}

/* ---- credentials; the last, because the registry asks for them from now on ---- */

TEST(a_private_image_is_for_those_with_its_credential)
{
    struct image_credential right = {bench.host, "tester", "secret"}, wrong = right,
                            elsewhere = right;
    struct image_request with_right = {.credentials = &right, .credentials_count = 1};
    struct image_request with_wrong = {.credentials = &wrong, .credentials_count = 1};
    struct image_request with_other = {.credentials = &elsewhere, .credentials_count = 1};
    const struct image_store_options options = {
        .skopeo = bench_program(
            &bench, "tr '\\0' ' ' </proc/$$/cmdline >>seen; env >>seen; exec $skopeo \"$@\"")};

    wrong.password = "guessed";
    elsewhere.server = "docker.io";
    bench_stop_registry(&bench);
    bench_start_registry(&bench, "secret");
    bench_push(&bench, "private:1", "--text a=private", false);
    store = bench_open(&bench, "private", &options);
    must_fail(bench_try(&bench, store, "private:1", (struct image_request){0}, &err),
              ERR_IMAGE_INACCESSIBLE, "another credential");
    must_fail(bench_try(&bench, store, "private:1", with_wrong, &err), ERR_IMAGE_INACCESSIBLE,
              "another credential");
    must_fail(bench_try(&bench, store, "private:1", with_other, &err), ERR_IMAGE_INACCESSIBLE,
              "another credential");
    AUTO(image) *mine = bench_try(&bench, store, "private:1", with_right, &err);
    if (!mine)
        fail_msg("%s", err.text);
    /* It is here now, and still not for everyone. */
    must_fail(bench_try(&bench, store, "private:1", (struct image_request){0}, &err),
              ERR_IMAGE_INACCESSIBLE, "another credential");
    must_fail(bench_try(&bench, store, "private:1", with_wrong, &err), ERR_IMAGE_INACCESSIBLE,
              "another credential");
    bench_stop_registry(&bench);
    AUTO(image) *again = bench_try(&bench, store, "private:1", with_right, &err);
    assert_ptr_equal(again, mine);
    close_store();
    /* Neither on disk nor among what other users of the machine can list. */
    char found[64];
    bench_shell(&bench,
                "{ grep -rlE 'secret|guessed|dGVzdGVyOnNlY3JldA' private seen || true; } | wc -l",
                found, sizeof found);
    assert_string_equal(found, "0");
}

static int set_up(void **state)
{
    (void)state;
    bench_init(&bench, NULL);
    bench_shell(&bench, "mkdir empty", NULL, 0);
    return 0;
}

static int close_after(void **state)
{
    (void)state;
    close_store();
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
        cmocka_unit_test_teardown(a_pulled_image_is_mounted_and_runs, close_after),
        cmocka_unit_test_teardown(layers_delete_and_replace_what_is_below, close_after),
        cmocka_unit_test_teardown(all_forms_of_images_are_understood, close_after),
        cmocka_unit_test_teardown(an_image_is_found_by_its_digest, close_after),
        cmocka_unit_test_teardown(a_layer_at_hand_is_not_fetched_again, close_after),
        cmocka_unit_test_teardown(no_registry_is_needed_for_what_is_present, close_after),
        cmocka_unit_test_teardown(a_tag_that_moved_is_seen_when_asked_for, close_after),
        cmocka_unit_test_teardown(says_what_went_wrong, close_after),
        cmocka_unit_test_teardown(tells_of_each_step, close_after),
        cmocka_unit_test_teardown(what_is_not_what_its_digest_says_is_refused, close_after),
        cmocka_unit_test_teardown(a_layer_larger_than_announced_is_not_written, close_after),
        cmocka_unit_test_teardown(a_layer_larger_than_its_manifest_says_is_cut_off, close_after),
        cmocka_unit_test_teardown(a_full_disk_is_told_and_nothing_is_left, close_after),
        cmocka_unit_test_teardown(says_that_skopeo_is_missing, close_after),
        cmocka_unit_test_teardown(pulls_of_one_image_at_once_do_the_work_once, close_after),
        cmocka_unit_test_teardown(images_with_a_common_layer_share_it_when_pulled_at_once,
                                  close_after),
        cmocka_unit_test_teardown(a_pull_is_given_up_when_told, close_after),
        cmocka_unit_test_teardown(who_waited_goes_on_when_the_leader_gives_up, close_after),
        cmocka_unit_test_teardown(a_private_image_is_for_those_with_its_credential, close_after),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
