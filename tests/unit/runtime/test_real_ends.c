/* Real containers. How containers end, and in what order calls may come. */
#include "tests/unit/runtime/real.h"

#include <pthread.h>

/* ---- ends ---- */

TEST(tells_the_exit_code)
{
    struct runtime_container container = real_container("code", "echo out; echo err >&2; exit 42");
    struct runtime_found found = real_run(&container, NULL);
    assert_int_equal(found.exit_code, 42);
    assert_false(found.oom_killed);
    assert_int_equal(found.incarnation, 7);
    assert_int_equal(found.restarts, 3);
    assert_int_equal(found.pid, 0);
    assert_true(found.finished_ms >= found.started_ms && found.finished_ms <= clock_now_ms());
}

TEST(tells_the_signal_that_ended_it)
{
    struct runtime_container container =
        real_container("signal", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done");
    real_start(&container);
    real_log_until("signal", "ready");
    OK(runtime_signal(real.runtime, real.uid, "signal", SIGTERM, &err));
    assert_int_equal(real_wait("signal").exit_code, 9);
    OK(runtime_remove(real.runtime, real.uid, "signal", &err));
    real_start(&container);
    OK(runtime_signal(real.runtime, real.uid, "signal", SIGKILL, &err));
    struct runtime_found found = real_wait("signal");
    assert_int_equal(found.exit_code, 137);
    assert_false(found.oom_killed);
    struct err why = {0};
    assert_false(runtime_signal(real.runtime, real.uid, "signal", SIGTERM, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
    OK(runtime_remove(real.runtime, real.uid, "signal", &err));
}

TEST(tells_that_memory_ran_out)
{
    struct runtime_container container =
        real_container("hungry", "x=$(dd if=/dev/zero bs=1M count=60 | tr '\\0' a); echo $x");
    const char *args[] = {"/bin/busybox", "dd",     "if=/dev/zero",
                          "of=/dev/null", "bs=64M", "count=1"};
    container.args = (struct text_list){.given = true, .items = args, .count = COUNT_OF(args)};
    container.memory_bytes = 16 << 20;
    struct runtime_found found = real_run(&container, NULL);
    assert_int_equal(found.exit_code, 137);
    assert_true(found.oom_killed);
}

/* The kernel takes the largest process, which need not be the first one. */
TEST(tells_that_memory_ran_out_when_a_child_was_killed_and_the_container_failed_by_it)
{
    static const char eats[] = "dd if=/dev/zero of=/dev/null bs=64M count=1; ";
    char script[128];
    struct runtime_container container;

    text_format(script, sizeof script, "%s exit $?", eats);
    container = real_container("through", script);
    container.memory_bytes = 16 << 20;
    struct runtime_found found = real_run(&container, NULL);
    assert_int_equal(found.exit_code, 137);
    assert_true(found.oom_killed);
    text_format(script, sizeof script, "%s exit 3", eats);
    container = real_container("own", script);
    container.memory_bytes = 16 << 20;
    found = real_run(&container, NULL);
    assert_int_equal(found.exit_code, 3);
    assert_true(found.oom_killed);
    text_format(script, sizeof script, "%s exit 0", eats);
    container = real_container("unmoved", script);
    container.memory_bytes = 16 << 20;
    found = real_run(&container, NULL);
    assert_int_equal(found.exit_code, 0);
    assert_false(found.oom_killed);
}

TEST(says_which_command_cannot_be_run)
{
    struct err why = {0};
    const char *args[] = {"/no/such/program"};
    struct runtime_container container = real_container("absent", "");
    container.args = (struct text_list){.given = true, .items = args, .count = 1};
    assert_false(runtime_create(real.runtime, &container, &why));
    assert_int_equal(why.code, ERR_INVALID);
    assert_non_null(strstr(why.text, "/no/such/program"));
    assert_null(strstr(why.text, "level="));
    assert_null(strstr(why.text, "\\"));
    assert_false(runtime_find(real.runtime, real.uid, "absent", &(struct runtime_found){0}, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
    assert_int_equal(real_processes_below(), 0);
}

/* ---- several at once ---- */

enum { AT_ONCE = 8 };

static void *run_one(void *context)
{
    const struct runtime_container *container = context;
    real_start(container);
    return NULL;
}

static void *remove_one(void *context)
{
    const struct runtime_container *container = context;
    OK(runtime_remove(real.runtime, container->uid, container->name, &err));
    return NULL;
}

static void in_threads(struct runtime_container *containers, void *(*work)(void *))
{
    pthread_t threads[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &containers[i]), 0);
    for (int i = 0; i < AT_ONCE; i++)
        pthread_join(threads[i], NULL);
}

TEST(creates_several_at_once)
{
    static const char *const names[AT_ONCE] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct runtime_container containers[AT_ONCE];
    for (int i = 0; i < AT_ONCE; i++) {
        containers[i] = real_container(names[i], "exit 6");
        containers[i].memory_bytes = 24 << 20;
    }
    for (int round = 0; round < 3; round++) {
        bool ended[AT_ONCE] = {false};
        char uid[ID_SIZE], name[RUNTIME_NAME_SIZE];
        in_threads(containers, run_one);
        for (int count = 0; count < AT_ONCE;) {
            struct pollfd told = {.fd = runtime_exit_fd(real.runtime), .events = POLLIN};
            assert_int_equal(poll(&told, 1, REAL_WAIT_MS), 1);
            for (; runtime_exit_next(real.runtime, uid, name); count++) {
                assert_false(ended[name[0] - 'a']);
                ended[name[0] - 'a'] = true;
                assert_int_equal(real_find(name).exit_code, 6);
            }
        }
        in_threads(containers, remove_one);
    }
}

/* ---- order of calls ---- */

TEST(starts_once)
{
    int64_t started;
    struct err why = {0};
    struct runtime_container container = real_container("once", "sleep 100");
    real_start(&container);
    assert_false(runtime_start(real.runtime, real.uid, "once", &started, &why));
    assert_int_equal(why.code, ERR_CONFLICT);
    assert_false(runtime_create(real.runtime, &container, &why));
    assert_int_equal(why.code, ERR_CONFLICT);
    OK(runtime_remove(real.runtime, real.uid, "once", &err));
    OK(runtime_remove(real.runtime, real.uid, "once", &err));
    assert_false(runtime_start(real.runtime, real.uid, "once", &started, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
}

TEST(needs_its_group)
{
    struct err why = {0};
    char other[ID_SIZE];
    struct runtime_container container = real_container("alone", "true");
    id_random(other);
    container.uid = other;
    assert_false(runtime_create(real.runtime, &container, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
}

TEST(takes_a_group_down_with_all_that_runs_in_it)
{
    char uid[ID_SIZE];
    id_random(uid);
    struct runtime_group group = {.uid = uid, .cpu_milli = 1000, .memory_bytes = 128 << 20};
    struct runtime_container one = real_container("one", "while :; do sleep 1000 & wait; done");
    struct runtime_container two =
        real_container("two", "trap '' TERM INT HUP; sleep 1000 & sleep 1000 & wait; wait");
    struct runtime_container three = real_container("three", "sleep 1000");
    one.uid = two.uid = three.uid = uid;
    OK(runtime_group_up(real.runtime, &group, &err));
    OK(runtime_group_up(real.runtime, &group, &err));
    real_start(&one);
    real_start(&two);
    OK(runtime_create(real.runtime, &three, &err)); /* never started */
    assert_true(real_processes_below() >= 3);
    int64_t began = clock_boot_ns();
    OK(runtime_group_down(real.runtime, uid, &err));
    assert_true(clock_boot_ns() - began < 5000000000LL);
    assert_int_equal(real_processes_below(), 0);
    OK(runtime_group_down(real.runtime, uid, &err));
}

TEST(removes_a_fork_bomb)
{
    struct runtime_container container = real_container("bomb", "f() { f | f & }; f; sleep 100");
    container.pids_max = 200;
    real_start(&container);
    usleep(200000);
    OK(runtime_remove(real.runtime, real.uid, "bomb", &err));
    assert_int_equal(real_processes_below(), 0);
}

TEST(kills_a_group_and_keeps_its_containers_to_look_at)
{
    struct runtime_container container = real_container("killed", "sleep 100");
    real_start(&container);
    OK(runtime_group_kill(real.runtime, real.uid, &err));
    assert_int_equal(real_wait("killed").exit_code, 137);
    OK(runtime_remove(real.runtime, real.uid, "killed", &err));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_exit_code),
        cmocka_unit_test(tells_the_signal_that_ended_it),
        cmocka_unit_test(tells_that_memory_ran_out),
        cmocka_unit_test(
            tells_that_memory_ran_out_when_a_child_was_killed_and_the_container_failed_by_it),
        cmocka_unit_test(says_which_command_cannot_be_run),
        cmocka_unit_test(creates_several_at_once),
        cmocka_unit_test(starts_once),
        cmocka_unit_test(needs_its_group),
        cmocka_unit_test(takes_a_group_down_with_all_that_runs_in_it),
        cmocka_unit_test(removes_a_fork_bomb),
        cmocka_unit_test(kills_a_group_and_keeps_its_containers_to_look_at),
    };
    return REAL_TESTS(tests, argc, argv);
}
