/* Real containers. Runtimes of several classes on one node: who shares the node's kernel and who does not. */
#include "tests/unit/runtime/real.h"

static struct runtime_container of_class(const char *class_name, const char *name,
                                         const char *command)
{
    struct runtime_container container = real_container(name, command);
    container.runtime_class = class_name;
    return container;
}

static void first_line(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(out, (int)size, file));
    fclose(file);
}

TEST(tells_the_usual_class_first_and_each_once)
{
    const struct text_list *classes = runtime_classes(real.runtime);
    assert_int_equal(classes->count, 4);
    assert_string_equal(classes->items[0], "crun");
    assert_string_equal(classes->items[1], "runc");
    assert_string_equal(classes->items[2], "runsc");
    assert_string_equal(classes->items[3], "mine");
}

TEST(runs_containers_of_each_class_beside_each_other)
{
    char node[256], seen[4096];
    first_line("/proc/version", node, sizeof node);
    for (size_t i = 0; i < 4; i++) {
        const char *name = runtime_classes(real.runtime)->items[i];
        struct runtime_container container = of_class(name, name, "cat /proc/version; sleep 100");
        real_start(&container);
        real_log_until(name, "version");
        real_log(name, seen, sizeof seen);
        if ((strcmp(seen, node) == 0) != (strcmp(name, "runsc") != 0))
            fail_msg("%s shows %s", name, seen);
    }
    real_reopen(); /* who made which is known to an agent that comes back */
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < 4; i++) {
        const char *name = runtime_classes(real.runtime)->items[i];
        assert_int_equal(real_find(name).phase, RUNTIME_RUNNING);
        OK(runtime_signal(real.runtime, real.uid, name, SIGKILL, &err));
        assert_int_equal(real_wait(name).exit_code, 137);
        OK(runtime_remove(real.runtime, real.uid, name, &err));
    }
}

TEST(gives_a_sandbox_its_exit_code_mounts_user_and_limits)
{
    char source[REAL_PATH], value[64];
    text_format(source, sizeof source, "%s/sandboxed", real.folder);
    mkdir(source, 0777);
    chmod(source, 0777);
    struct runtime_mount mount = {source, "/data", false};
    struct runtime_container container =
        of_class("runsc", "box", "echo kept > /data/file; id -u; exit 7");
    container.mounts = &mount;
    container.mounts_count = 1;
    container.user = 1000;
    real_start(&container);
    assert_int_equal(real_wait("box").exit_code, 7);
    char log[256];
    real_log("box", log, sizeof log);
    assert_string_equal(log, "1000\n");
    OK(runtime_remove(real.runtime, real.uid, "box", &err));
    text_format(source, sizeof source, "%s/sandboxed/file", real.folder);
    assert_true(file_exists(source));
    container = of_class("runsc", "held", "echo ready; sleep 100");
    real_start(&container);
    real_log_until("held", "ready");
    assert_true(real_cgroup_file("held", "memory", "memory.limit_in_bytes", "memory.max", value,
                                 sizeof value));
    assert_string_equal(value, "67108864");
    struct runtime_use use;
    OK(runtime_use(real.runtime, real.uid, "held", &use, &err));
    assert_true(use.memory_bytes > 1 << 20); /* its kernel counts too */
    OK(runtime_remove(real.runtime, real.uid, "held", &err));
}

TEST(leaves_nothing_of_a_sandbox_that_was_killed)
{
    char folder[REAL_PATH];
    struct runtime_container container = of_class("runsc", "gone", "echo ready; sleep 100");
    real_start(&container);
    real_log_until("gone", "ready");
    OK(runtime_group_kill(real.runtime, real.uid, &err));
    real_wait("gone");
    OK(runtime_remove(real.runtime, real.uid, "gone", &err));
    text_format(folder, sizeof folder, "%s/runtime/oci/%s.gone_sandbox:%s.gone.lock", real.run_dir,
                real.uid, real.uid);
    assert_false(file_exists(folder));
    assert_int_equal(real_processes_below(), 0);
}

TEST(refuses_a_class_that_the_node_does_not_have)
{
    struct err why = {0};
    struct runtime_container container = of_class("kata", "none", "true");
    assert_false(runtime_create(real.runtime, &container, &why));
    assert_int_equal(why.code, ERR_RUNTIME_CLASS);
    struct runtime_found found;
    assert_false(runtime_find(real.runtime, real.uid, "none", &found, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
}

TEST(does_not_open_with_a_class_that_does_not_run)
{
    static const char *const bad[] = {"mine=/bin/false", "mine=/no/such", "Not-A-Name", "=x"};
    runtime_free(real.runtime);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct err why = {0};
        struct runtime_options options = real.options;
        options.classes = (struct text_list){true, (const char **)(uintptr_t)&bad[i], 1};
        struct runtime *opened = runtime_open(&options, &why);
        if (opened)
            fail_msg("opened with %s", bad[i]);
        assert_int_not_equal(why.code, ERR_OK);
    }
    OK(real.runtime = runtime_open(&real.options, &err));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_usual_class_first_and_each_once),
        cmocka_unit_test(runs_containers_of_each_class_beside_each_other),
        cmocka_unit_test(gives_a_sandbox_its_exit_code_mounts_user_and_limits),
        cmocka_unit_test(leaves_nothing_of_a_sandbox_that_was_killed),
        cmocka_unit_test(refuses_a_class_that_the_node_does_not_have),
        cmocka_unit_test(does_not_open_with_a_class_that_does_not_run),
    };
    real.classes = "runc runsc mine=/usr/sbin/runc";
    return REAL_TESTS(tests, argc, argv);
}
