/* Devices out of CDI files, and who holds them: over restarts, and when files change meanwhile. */
#include "base/file.h"
#include "base/text.h"
#include "node-agent/device/device.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ONE "11111111-2222-4333-8444-555555555555"
#define TWO "21111111-2222-4333-8444-555555555555"

static char folder[64], cdi[96], held[96];

static const char gpus[] =
    "{\"cdiVersion\":\"0.6.0\",\"kind\":\"berth.test/gpu\",\"annotations\":{\"a\":\"b\"},"
    "\"containerEdits\":{\"env\":[\"DRIVER=1\"],\"mounts\":[{\"hostPath\":\"/lib/x\","
    "\"containerPath\":\"/usr/x\",\"options\":[\"ro\",\"nosuid\"]}],\"hooks\":[{\"hookName\":"
    "\"createContainer\",\"path\":\"/bin/true\",\"args\":[\"true\"]}]},\"devices\":["
    "{\"name\":\"0\",\"containerEdits\":{\"env\":[\"GPU0=1\"],\"deviceNodes\":[{\"path\":"
    "\"/dev/gpu0\",\"type\":\"c\",\"major\":1,\"minor\":3,\"permissions\":\"rw\"}]}},"
    "{\"name\":\"1\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/gpu1\",\"hostPath\":"
    "\"/dev/zero\"}]}},{\"name\":\"2\"},{\"name\":\"all\"}]}";

static void write_file(const char *name, const char *json)
{
    char path[160];
    struct err why = {0};
    text_format(path, sizeof path, "%s/%s", cdi, name);
    assert_true(file_replace(path, json, strlen(json), 0600, false, &why));
}

static int begin(void **state)
{
    struct err why = {0};
    (void)state;
    text_copy(folder, sizeof folder, "/tmp/berth-device-XXXXXX");
    assert_non_null(mkdtemp(folder));
    text_format(cdi, sizeof cdi, "%s/cdi", folder);
    text_format(held, sizeof held, "%s/held", folder);
    assert_true(file_make_folders(cdi, 0700, &why));
    write_file("gpus.json", gpus);
    write_file("README", "no CDI file");
    return 0;
}

static int end(void **state)
{
    struct err why = {0};
    (void)state;
    assert_true(file_remove_tree(folder, &why));
    return 0;
}

static struct devices *opened(struct err *err)
{
    static const char *dirs[] = {"/no/such/folder", cdi};
    static struct text_pair kinds[] = {{"K80", "berth.test/gpu"}, {"v100", "other.test/gpu"}};
    return devices_open(&(struct devices_options){.dirs = {true, dirs, 2},
                                                  .kinds = {true, kinds, 2},
                                                  .folder = held},
                        err);
}

static bool take(struct devices *devices, const char *uid, const char *container, int64_t count,
                 struct arena *arena, struct device_edits *edits)
{
    struct err why = {0};
    bool taken = devices_take(devices, uid, container, 0, count, arena, edits, &why);
    assert_true(taken || why.code == ERR_NO_CAPACITY);
    return taken;
}

TEST(counts_the_devices_of_each_sku_and_none_twice)
{
    struct err why = {0};
    int64_t counts[GPU_SKUS];
    AUTO(devices) *devices = opened(&why);
    assert_non_null(devices);
    devices_gpus(devices, counts);
    assert_int_equal(counts[0], 3); /* "all" is none of its own */
    assert_int_equal(counts[1], 0);
    assert_int_equal(counts[2], 0);
}

TEST(gives_a_container_what_the_files_say)
{
    struct err why = {0};
    struct device_edits edits;
    AUTO(arena) *arena = arena_new(1 << 20);
    AUTO(devices) *devices = opened(&why);
    assert_true(take(devices, ONE, "web", 2, arena, &edits));
    assert_int_equal(edits.env.count, 2); /* of the file once, though there are two devices */
    assert_string_equal(edits.env.items[0], "DRIVER=1");
    assert_string_equal(edits.env.items[1], "GPU0=1");
    assert_int_equal(edits.nodes_count, 2);
    assert_string_equal(edits.nodes[0].path, "/dev/gpu0");
    assert_string_equal(edits.nodes[1].host_path, "/dev/zero");
    assert_int_equal(edits.mounts_count, 1);
    assert_int_equal(edits.hooks_count, 1);
    assert_string_equal(edits.hooks[0].name, "createContainer");
    assert_true(devices_give(devices, ONE, &why));
}

TEST(hands_no_device_out_twice_whoever_restarts)
{
    struct err why = {0};
    struct device_edits edits;
    AUTO(arena) *arena = arena_new(1 << 20);
    {
        AUTO(devices) *devices = opened(&why);
        assert_true(take(devices, ONE, "web", 2, arena, &edits));
        assert_false(take(devices, TWO, "web", 2, arena, &edits));
        assert_true(take(devices, TWO, "web", 1, arena, &edits));
        assert_int_equal(edits.nodes_count, 0); /* device 2 has none */
    }
    AUTO(devices) *devices = opened(&why);
    assert_non_null(devices);
    assert_false(take(devices, TWO, "other", 1, arena, &edits));
    assert_true(take(devices, ONE, "web", 2, arena, &edits)); /* again: the same */
    assert_string_equal(edits.nodes[0].path, "/dev/gpu0");
    assert_true(devices_give(devices, ONE, &why));
    assert_true(devices_give(devices, ONE, &why));
    assert_true(take(devices, TWO, "other", 2, arena, &edits));
    assert_true(devices_give(devices, TWO, &why));
}

TEST(refuses_files_that_are_no_cdi_files)
{
    static const char *const bad[] = {
        "{",
        "{\"cdiVersion\":\"0.6.0\"}",
        "{\"cdiVersion\":\"0.6.0\",\"kind\":\"plain\"}",
        "{\"cdiVersion\":\"0.6.0\",\"kind\":\"a/b\",\"devices\":[{\"name\":\"x y\"}]}",
        "{\"cdiVersion\":\"0.6.0\",\"kind\":\"a/b\",\"containerEdits\":{\"hooks\":[{\"hookName\":"
        "\"whenever\",\"path\":\"/x\"}]}}",
        "{\"cdiVersion\":\"0.6.0\",\"kind\":\"a/b\",\"containerEdits\":{\"deviceNodes\":[{\"path\":"
        "\"/dev/x\",\"permissions\":\"rwmx\"}]}}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err why = {0};
        write_file("bad.json", bad[i]);
        struct devices *devices = opened(&why);
        if (devices)
            fail_msg("case %zu was taken", i);
        assert_non_null(strstr(why.text, "bad.json"));
    }
    char path[160];
    text_format(path, sizeof path, "%s/bad.json", cdi);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_the_devices_of_each_sku_and_none_twice),
        cmocka_unit_test(gives_a_container_what_the_files_say),
        cmocka_unit_test(hands_no_device_out_twice_whoever_restarts),
        cmocka_unit_test(refuses_files_that_are_no_cdi_files),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
