#include "tests/unit/unit.h"

#include "registry/registry.h"

#include <string.h>

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define CONFIG "\"config\":{\"mediaType\":\"x\",\"digest\":\"" D1 "\",\"size\":10}"
#define LAYER(size)                                                                   \
    "{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"" D2 \
    "\",\"size\":" size "}"

static struct arena *arena;
static struct err err;

static bool read_manifest(const char *json, struct manifest *out)
{
    memset(&err, 0, sizeof err);
    return manifest_read(json, strlen(json), arena, out, &err);
}

TEST(reads_a_manifest)
{
    struct manifest manifest;

    assert_true(read_manifest("{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER("5") "," LAYER(
                                  "6") "],\"annotations\":{\"a\":\"b\"}}",
                              &manifest));
    assert_false(manifest_is_index(&manifest));
    assert_int_equal(manifest.layers_count, 2);
    assert_int_equal(manifest.layers[1].size, 6);
    assert_string_equal(manifest.config->digest, D1);
}

TEST(refuses_manifests_that_cannot_be_used)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"", "cannot be read"},
        {"[]", "cannot be read"},
        {"{\"schemaVersion\":1,\"fsLayers\":[]}", "older"},
        {"{\"schemaVersion\":2}", "no configuration"},
        {"{\"schemaVersion\":2," CONFIG "}", "no layers"},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"x\",\"digest\":\"" D2
         "\",\"size\":1}]}",
         "unknown here"},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER("-1") "]}", "too large"},
        {"{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER("9223372036854775807") "]}",
         "too large"},
        {"{\"schemaVersion\":2," CONFIG
         ",\"layers\":[" LAYER("9000000000") "," LAYER("9000000000") "]}",
         "too large"},
        {"{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:../../etc\",\"size\":1}}",
         "no configuration"},
        {"{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha512:1\",\"size\":1}]}", "no sha256"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct manifest manifest;
        if (read_manifest(cases[i].json, &manifest) || !strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].json, err.text);
        assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
    }
}

TEST(refuses_more_layers_than_can_be_stacked)
{
    AUTO(text) *json = text_new(1 << 20);
    struct manifest manifest;

    text_add(json, "{\"schemaVersion\":2," CONFIG ",\"layers\":[");
    for (int i = 0; i < 128; i++)
        text_add(json, i ? "," LAYER("1") : LAYER("1"));
    text_add(json, "]}");
    assert_false(read_manifest(json->bytes, &manifest));
    assert_non_null(strstr(err.text, "more layers"));
}

#define ENTRY(digest, os, arch, more)                                  \
    "{\"digest\":\"" digest "\",\"size\":1,\"platform\":{\"os\":\"" os \
    "\",\"architecture\":\"" arch "\"" more "}}"

TEST(chooses_the_image_for_this_machine)
{
    const struct platform amd64 = {"linux", "amd64", NULL}, armv7 = {"linux", "arm", "v7"};
    struct manifest index;

    assert_true(read_manifest(
        "{\"schemaVersion\":2,\"manifests\":[" ENTRY(D2, "linux", "arm", ",\"variant\":\"v6\"") "," ENTRY(
            D2, "windows", "amd64",
            ",\"os.version\":\"10\"") "," ENTRY(D1, "linux", "amd64",
                                                "") "," ENTRY(D1, "linux", "arm",
                                                              ",\"variant\":\"v7\"") "]}",
        &index));
    assert_true(manifest_is_index(&index));
    assert_ptr_equal(manifest_choose(&index, &amd64, &err), &index.manifests[2]);
    assert_ptr_equal(manifest_choose(&index, &armv7, &err), &index.manifests[3]);
}

TEST(names_the_platforms_there_are)
{
    const struct platform amd64 = {"linux", "amd64", NULL};
    struct manifest index;

    assert_true(read_manifest(
        "{\"schemaVersion\":2,\"manifests\":[" ENTRY(
            D2, "linux", "arm64",
            ",\"variant\":\"v8\"") "," ENTRY(D2, "linux", "s390x",
                                             "") "," ENTRY(D2, "unknown", "unknown", "") "]}",
        &index));
    assert_null(manifest_choose(&index, &amd64, &err));
    assert_int_equal(err.code, ERR_IMAGE_PLATFORM);
    assert_non_null(strstr(err.text, "linux/arm64/v8, linux/s390x\""));
    assert_non_null(strstr(err.text, "linux/amd64"));
}

static bool read_config(const char *json, struct image_config *out)
{
    memset(&err, 0, sizeof err);
    return image_config_read(json, strlen(json), arena, out, &err);
}

TEST(reads_what_to_run)
{
    struct image_config config;

    assert_true(
        read_config("{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"User\":\"app:app\","
                    "\"ExposedPorts\":{\"80/tcp\":{},"
                    "\"53/udp\":{\"x\":\"9/tcp\"}},\"Env\":[\"PATH=/"
                    "bin\",\"A=\\\"1\\\"\"],\"Entrypoint\":[\"/init\"],\"Cmd\":[\"a\",\"b c\"],"
                    "\"WorkingDir\":\"/"
                    "srv\",\"StopSignal\":\"SIGQUIT\",\"Labels\":{\"a\":\"b\"},\"Volumes\":null},"
                    "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1
                    "\"]},\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}]}",
                    &config));
    assert_int_equal(config.entrypoint.count, 1);
    assert_string_equal(config.cmd.items[1], "b c");
    assert_string_equal(config.env.items[1], "A=\"1\"");
    assert_string_equal(config.working_dir, "/srv");
    assert_string_equal(config.user, "app:app");
    assert_string_equal(config.stop_signal, "SIGQUIT");
    assert_int_equal(config.exposed_ports.count, 2);
    assert_string_equal(config.exposed_ports.items[0], "80/tcp");
    assert_string_equal(config.exposed_ports.items[1], "53/udp");
    assert_string_equal(config.diff_ids.items[0], D1);
}

TEST(an_image_may_leave_out_nearly_everything)
{
    struct image_config config;

    assert_true(read_config("{\"config\":{\"User\":\"\",\"Cmd\":null,\"WorkingDir\":\"\"},"
                            "\"rootfs\":{\"diff_ids\":[\"" D1 "\"]}}",
                            &config));
    assert_null(config.user);
    assert_null(config.working_dir);
    assert_int_equal(config.cmd.count, 0);
    assert_true(read_config("{\"config\":null,\"rootfs\":{\"diff_ids\":[\"" D1 "\"]}}", &config));
}

TEST(refuses_configurations_without_layers)
{
    static const char *const cases[] = {
        "{}",
        "[]",
        "{\"rootfs\":{}}",
        "{\"rootfs\":{\"diff_ids\":[]}}",
        "{\"rootfs\":{\"diff_ids\":[\"x\"]}}",
        "{\"rootfs\":{\"diff_ids\":[null]}}",
        ("{\"config\":[],\"rootfs\":{\"diff_ids\":[\"" D1 "\"]}}"),
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct image_config config;
        if (read_config(cases[i], &config))
            fail_msg("%s", cases[i]);
        assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
    }
}

TEST(an_image_for_another_platform_does_not_fit)
{
    const struct platform amd64 = {"linux", "amd64", NULL};
    struct image_config config = {.os = "linux", .architecture = "amd64"};

    assert_true(image_config_fits(&config, &amd64, &err));
    config.architecture = "arm64";
    assert_false(image_config_fits(&config, &amd64, &err));
    assert_int_equal(err.code, ERR_IMAGE_PLATFORM);
    config.os = NULL;
    assert_false(image_config_fits(&config, &amd64, &err));
}

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(1 << 22);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_manifest),
        cmocka_unit_test(refuses_manifests_that_cannot_be_used),
        cmocka_unit_test(refuses_more_layers_than_can_be_stacked),
        cmocka_unit_test(chooses_the_image_for_this_machine),
        cmocka_unit_test(names_the_platforms_there_are),
        cmocka_unit_test(reads_what_to_run),
        cmocka_unit_test(an_image_may_leave_out_nearly_everything),
        cmocka_unit_test(refuses_configurations_without_layers),
        cmocka_unit_test(an_image_for_another_platform_does_not_fit),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
