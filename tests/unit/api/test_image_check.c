/* Looks at images with a program that only pretends to be skopeo: what is asked how often, and what
 * requests are told. With real registries: tests/images. */
#include "api/image_check.h"
#include "api/image_looks_inner.h"
#include "api/inside.h"
#include "base/file.h"
#include "base/text.h"
#include "tests/unit/api/serve.h"

#include <string.h>
#include <time.h>

#define CONFIG                                                                     \
    "{\"os\":\"linux\",\"architecture\":\"%s\",\"rootfs\":{\"type\":\"layers\","   \
    "\"diff_ids\":[\"sha256:11111111111111111111111111111111111111111111111111111" \
    "11111111111\"]}}"
#define MANIFEST                                                                                  \
    "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":10},\"layers\":[{\"mediaType\":" \
    "\"application/vnd.oci.image.layer.v1.tar+gzip\",\"size\":10,\"digest\":\"sha256:22222222222" \
    "22222222222222222222222222222222222222222222222222222\"}]}"

static struct served *served;
static struct err err;

static void put_file(const char *name, const char *content, unsigned mode)
{
    char path[128];

    assert_true(text_format(path, sizeof path, "%s/%s", served->folder, name));
    assert_true(file_replace(path, content, strlen(content), mode, false, &err));
}

/* The program writes down each image it is asked for, and then runs these lines of shell. */
static void start(const char *lines, int workers)
{
    char script[1024], program[128], config[512], manifest[512], digest[DIGEST_SIZE];
    struct api_image_check options = {.on = true, .workers = workers, .cache_ms = 60000};

    assert_true(text_format(config, sizeof config, CONFIG, platform_of_machine().architecture));
    digest_of(config, strlen(config), digest);
    assert_true(text_format(manifest, sizeof manifest, MANIFEST, digest));
    put_file("config", config, 0600);
    put_file("manifest", manifest, 0600);
    assert_true(text_format(script, sizeof script,
                            "#!/bin/sh\ncd %s\nfor image; do :; done\n"
                            "case \"$*\" in *config=false*) echo $image >>asked; esac\n%s\n"
                            "case \"$*\" in *config=false*) cat manifest;; *) cat config;; esac\n",
                            served->folder, lines));
    put_file("skopeo", script, 0700);
    assert_true(text_format(program, sizeof program, "%s/skopeo", served->folder));
    options.skopeo = program;
    served->api->looks = image_looks_new(&options, served->store, served->api->waits, &err);
    if (!served->api->looks)
        fail_msg("%s", err.text);
}

/* What was asked for so far, a blank between. */
static void assert_asked(const char *images)
{
    char path[128];
    AUTO_FREE char *said = NULL;
    size_t size = 0;

    assert_true(text_format(path, sizeof path, "%s/asked", served->folder));
    if (!file_read(path, 1 << 20, &said, &size, &err))
        said = strdup("");
    for (char *at = said; *at; at++)
        *at = *at == '\n' ? ' ' : *at;
    assert_string_equal(said, images);
}

static int begin(void **state UNUSED)
{
    err = (struct err){0};
    served = served_new();
    return 0;
}

static int end(void **state UNUSED)
{
    served_free(served);
    return 0;
}

/* ---- looks ---- */

static struct image_look_key key_of(const char *image, struct image_reference *reference,
                                    const struct image_credential *credential)
{
    struct image_look_key key;

    assert_true(image_reference_parse(image, reference, &err));
    image_look_key(served->api->looks, reference, "westus", credential, &key);
    return key;
}

static bool look(const char *image, int64_t *number)
{
    struct image_reference reference;
    struct image_look_key key = key_of(image, &reference, NULL);

    return image_look_begin(served->api->looks, &key, &reference, NULL, number, &err);
}

static enum image_known wait_known(const char *image)
{
    struct image_reference reference;
    struct image_look_key key = key_of(image, &reference, NULL);
    struct image_found found;
    enum image_known known;

    for (int tries = 0; tries < 2000; tries++) {
        known = image_look_find(served->api->looks, &key, 0, false, &found);
        if (known == IMAGE_KNOWN_BAD)
            err = found.outcome;
        if (known != IMAGE_NOT_KNOWN)
            return known;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    return IMAGE_NOT_KNOWN;
}

TEST(who_asks_the_same_waits_for_the_same_look)
{
    int64_t one, same, other;

    start("sleep 0.2", 2);
    assert_true(look("web:1", &one));
    assert_true(look("docker.io/library/web:1", &same));
    assert_true(look("web:2", &other));
    assert_int_equal(one, same);
    assert_int_not_equal(one, other);
    assert_int_equal(wait_known("web:1"), IMAGE_KNOWN_GOOD);
    assert_int_equal(wait_known("web:2"), IMAGE_KNOWN_GOOD);
}

TEST(another_password_user_or_location_is_another_look)
{
    const struct image_credential mine = {"docker.io", "me", "secret"},
                                  wrong = {"docker.io", "me", "Secret"},
                                  others = {"docker.io", "you", "secret"},
                                  shifted = {"docker.io", "mese", "cret"};
    struct image_reference reference;

    start("", 1);
    struct image_look_key key = key_of("web:1", &reference, &mine);
    assert_string_equal(key_of("web:1", &reference, &mine).credential, key.credential);
    assert_string_not_equal(key_of("web:1", &reference, &wrong).credential, key.credential);
    assert_string_not_equal(key_of("web:1", &reference, &others).credential, key.credential);
    assert_string_not_equal(key_of("web:1", &reference, &shifted).credential, key.credential);
    assert_string_equal(key_of("web:1", &reference, NULL).credential, "");
    assert_null(strstr(key.credential, "secret"));
}

TEST(more_looks_than_may_wait_are_refused_at_once)
{
    int64_t number;
    char image[32];

    start("sleep 30", 1);
    for (int i = 0; i < LIMIT_IMAGE_LOOKS_QUEUE + 1; i++) { /* one may be under way */
        assert_true(text_format(image, sizeof image, "web:%d", i));
        if (!look(image, &number))
            break;
    }
    assert_false(look("one:more", &number) && look("one:two", &number));
    assert_int_equal(err.code, ERR_BUSY);
    assert_true(look("web:5", &number)); /* joins one that waits */
}

/* The only worker is busy for long: the test does the others' work. */
static void end_next_look(void)
{
    struct image_looks *looks = served->api->looks;
    WITH_LOCK(&looks->lock);
    struct look *look = look_take_queued(looks);

    assert_non_null(look);
    look_ended(looks, look, (char[DIGEST_SIZE]){""}, &(struct err){.code = ERR_IMAGE_INACCESSIBLE});
}

static size_t looks_under_way(void)
{
    struct image_looks *looks = served->api->looks;
    WITH_LOCK(&looks->lock);
    return looks->busy_count;
}

TEST(the_longest_unused_answers_make_room)
{
    int64_t number;
    char image[48];

    start("sleep 30", 1);
    assert_true(look("busy.example/web", &number));
    while (looks_under_way() == 0)
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    for (int i = 0; i < LIMIT_IMAGE_LOOKS_MAX + 50; i++) {
        assert_true(text_format(image, sizeof image, "r%d.example/web", i));
        assert_true(look(image, &number));
        end_next_look();
        assert_int_equal(wait_known("r0.example/web"), IMAGE_KNOWN_BAD); /* it is used */
    }
    assert_int_equal(wait_known(image), IMAGE_KNOWN_BAD);
    assert_int_equal(served->api->looks->count, LIMIT_IMAGE_LOOKS_MAX);
    struct image_reference reference;
    struct image_look_key second = key_of("r1.example/web", &reference, NULL),
                          busy = key_of("busy.example/web", &reference, NULL);
    struct image_found unused;
    assert_int_equal(image_look_find(served->api->looks, &second, 0, false, &unused),
                     IMAGE_NOT_KNOWN);
    int64_t again;
    assert_true(image_look_begin(served->api->looks, &busy, &reference, NULL, &again, &err));
    assert_int_equal(again, 1); /* the one under way is still there */
}

TEST(a_program_that_cannot_run_says_nothing_of_the_image)
{
    int64_t number;

    start("", 1);
    put_file("skopeo", "#!/nowhere/at-all\n", 0700);
    assert_true(look("web:1", &number));
    assert_int_equal(wait_known("web:1"), IMAGE_KNOWN_BAD);
    assert_int_equal(err.code, ERR_IO);
    struct image_reference reference;
    struct image_look_key key = key_of("web:1", &reference, NULL);
    /* Not kept: who asks now has it looked at anew. */
    struct image_found unused;
    assert_int_equal(image_look_find(served->api->looks, &key, INT64_MAX, false, &unused),
                     IMAGE_NOT_KNOWN);
}

/* ---- requests ---- */

struct asking {
    struct request request;
    _Atomic int resumed;
    int went_on;
};

static void resume(struct request *request)
{
    atomic_fetch_add(&CONTAINER_OF(request, struct asking, request)->resumed, 1);
}

static bool go_on(struct request *request, struct err *failure UNUSED)
{
    CONTAINER_OF(request, struct asking, request)->went_on++;
    return true;
}

static const struct transport transport = {.resume = resume};

/* As the server would, until it is answered. */
static bool run(struct asking *asking, const struct container_group *group)
{
    struct request *request = &asking->request;
    bool done;

    *asking = (struct asking){.request = {.api = served->api, .transport = &transport}};
    err = (struct err){0};
    request->arena = arena_new(LIMIT_REQUEST_ARENA_MAX);
    request->out = text_new(LIMIT_REQUEST_ARENA_MAX);
    request->names[0] = SERVE_SUBSCRIPTION;
    request->names[1] = "rg";
    request->names[2] = "web";
    request->begun_ns = clock_boot_ns();
    problems_init(&request->problems, request->arena);
    done = image_check(request, group, go_on, &err);
    for (int waits = 0; done && !asking->went_on; waits++) {
        wait_begin(request);
        for (int tries = 0; atomic_load(&asking->resumed) <= waits; tries++) {
            assert_true(tries < 2000);
            nanosleep(&(struct timespec){0, 10000000}, NULL);
        }
        done = request->wait.then(request, &err);
    }
    return done;
}

static void asking_done(struct asking *asking)
{
    arena_free(asking->request.arena);
    text_free(asking->request.out);
}

static struct resource_amounts amounts = {.cpu = {GIVEN_VALUE, 1000},
                                          .memory_gb = {GIVEN_VALUE, 1000}};
static struct resource_requirements resources = {.requests = &amounts};
static struct container_properties web = {.image = "web:1", .resources = &resources},
                                   side = {.image = "side:1"};
static struct container containers[] = {{"web", &web}}, before[] = {{"before", &side}};
static struct group_properties properties = {.containers = containers,
                                             .containers_count = 1,
                                             .init_containers = before,
                                             .init_containers_count = 1};
static const struct container_group group = {.location = "westus", .properties = &properties};

TEST(init_containers_are_looked_at_too)
{
    struct asking asking;

    start("case $image in *side*) echo 'level=fatal msg=\"manifest unknown\"' >&2; exit 1; esac",
          1);
    assert_false(run(&asking, &group));
    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
    assert_string_equal(err.field, "properties.initContainers[0].properties.image");
    assert_non_null(
        strstr(err.text, "The image 'side:1' in container group 'web' is not accessible."));
    assert_asked("docker://docker.io/library/web:1 docker://docker.io/library/side:1 ");
    asking_done(&asking);
}

TEST(what_trying_again_does_not_repair_is_told_first)
{
    struct asking asking;

    start("case $image in *web*) echo 'level=fatal msg=\"connection refused\"' >&2; exit 1;; "
          "*) echo 'level=fatal msg=\"manifest unknown\"' >&2; exit 1; esac",
          2);
    assert_false(run(&asking, &group));
    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
    assert_int_equal(asking.request.problems.count, 2);
    assert_int_equal(asking.request.problems.items[1].code, ERR_REGISTRY_RESPONSE);
    assert_non_null(strstr(asking.request.problems.items[1].text, "'index.docker.io'"));
    asking_done(&asking);
}

TEST(what_is_known_costs_no_wait)
{
    struct asking asking;

    start("", 2);
    assert_true(run(&asking, &group));
    assert_true(atomic_load(&asking.resumed) > 0);
    asking_done(&asking);
    assert_true(run(&asking, &group));
    assert_int_equal(asking.went_on, 1);
    assert_int_equal(atomic_load(&asking.resumed), 0);
    asking_done(&asking);
}

TEST(a_group_that_finds_no_room_is_handed_on_without_a_look)
{
    struct asking asking;

    start("", 2);
    atomic_store(&served->full, true);
    assert_true(run(&asking, &group));
    assert_int_equal(asking.went_on, 1);
    assert_asked("");
    asking_done(&asking);
    atomic_store(&served->full, false);
    assert_true(run(&asking, &group));
    assert_int_equal(atomic_load(&served->admitted), atomic_load(&served->undone));
    asking_done(&asking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_asks_the_same_waits_for_the_same_look, begin, end),
        cmocka_unit_test_setup_teardown(another_password_user_or_location_is_another_look, begin,
                                        end),
        cmocka_unit_test_setup_teardown(more_looks_than_may_wait_are_refused_at_once, begin, end),
        cmocka_unit_test_setup_teardown(the_longest_unused_answers_make_room, begin, end),
        cmocka_unit_test_setup_teardown(a_program_that_cannot_run_says_nothing_of_the_image, begin,
                                        end),
        cmocka_unit_test_setup_teardown(init_containers_are_looked_at_too, begin, end),
        cmocka_unit_test_setup_teardown(what_trying_again_does_not_repair_is_told_first, begin,
                                        end),
        cmocka_unit_test_setup_teardown(what_is_known_costs_no_wait, begin, end),
        cmocka_unit_test_setup_teardown(a_group_that_finds_no_room_is_handed_on_without_a_look,
                                        begin, end),
    };
    return RUN_TESTS(tests);
}
