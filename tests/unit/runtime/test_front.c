/* The front door over the fake runtime: names that are checked, and a fake that keeps the same
 * states as the real one. */
#include "base/limits.h"
#include "node-agent/runtime/fake.h"
#include "tests/unit/unit.h"

#include <poll.h>
#include <signal.h>
#include <string.h>

static const char uid[] = "6f0d2f6e-6a55-4f6b-9d6c-5f1f0a0b0c0d";
static const char *args[] = {"/bin/app"};

static struct runtime_container container(const char *name)
{
    return (struct runtime_container){.uid = uid,
                                      .name = name,
                                      .incarnation = 4,
                                      .root = "/root",
                                      .log_path = "/log",
                                      .args = {.given = true, .items = args, .count = 1}};
}

static struct runtime *with_group(void)
{
    struct err why;
    struct runtime *runtime = fake_runtime_new();
    struct runtime_group group = {.uid = uid};
    assert_true(runtime_group_up(runtime, &group, &why));
    return runtime;
}

TEST(refuses_names_that_could_become_paths)
{
    static const char *const bad[] = {
        "",    ".",
        "..",  "a/b",
        "A",   "a_b",
        "a.b", "a b",
        "a\n", "0123456789012345678901234567890123456789012345678901234567890123"};
    AUTO(runtime) *runtime = with_group();
    struct runtime_found found;
    struct err why = {0};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct runtime_container one = container(bad[i]);
        assert_false(runtime_create(runtime, &one, &why));
        assert_int_equal(why.code, ERR_CONTAINER_NAME);
        assert_false(runtime_find(runtime, uid, bad[i], &found, &why));
        assert_int_equal(why.code, ERR_CONTAINER_NAME);
        assert_false(runtime_remove(runtime, "../../etc", "web", &why));
        assert_int_equal(why.code, ERR_INVALID);
    }
}

TEST(refuses_what_cannot_run)
{
    AUTO(runtime) *runtime = with_group();
    struct runtime_mount mount = {"data", "/data", false};
    struct err why = {0};
    struct runtime_container no_args = container("web"), no_root = container("web"),
                             relative = container("web");
    no_args.args.count = 0;
    no_root.root = "root";
    relative.mounts = &mount;
    relative.mounts_count = 1;
    assert_false(runtime_create(runtime, &no_args, &why));
    assert_non_null(strstr(why.text, "has no command"));
    assert_false(runtime_create(runtime, &no_root, &why));
    assert_false(runtime_create(runtime, &relative, &why));
    assert_int_equal(fake_runtime_calls(runtime, FAKE_CREATE), 0);
}

TEST(refuses_mounts_that_open_its_confinement)
{
    static const char *const bad[] = {"/",    "//",         "/proc", "/proc/sys", "/sys/fs",
                                      "/dev", "/a/../proc", "/a/..", "data"};
    static const char *const good[] = {"/data", "/dev/shm", "/processes", "/a..b"};
    AUTO(runtime) *runtime = with_group();
    struct err why = {0};
    for (size_t i = 0; i < COUNT_OF(bad) + COUNT_OF(good); i++) {
        bool taken = i >= COUNT_OF(bad);
        struct runtime_mount mount = {"/node/data", taken ? good[i - COUNT_OF(bad)] : bad[i],
                                      false};
        struct runtime_container one = container("web");
        one.mounts = &mount;
        one.mounts_count = 1;
        if (runtime_create(runtime, &one, &why) != taken)
            fail_msg("%s was %s", mount.target, taken ? why.text : "taken");
        assert_true(runtime_remove(runtime, uid, "web", &why));
    }
}

TEST(knows_signals_by_name_and_number)
{
    static const struct {
        const char *name;
        int number;
    } cases[] = {
        {"SIGTERM", SIGTERM},
        {"term", SIGTERM},
        {"sigquit", SIGQUIT},
        {"9", 9},
        {"SIGUSR1", SIGUSR1},
        {"WINCH", SIGWINCH},
        {"SIG", 0},
        {"", 0},
        {"0", 0},
        {"-1", 0},
        {"65", 0},
        {"SIGNONE", 0},
        {"9x", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(runtime_signal_number(cases[i].name), cases[i].number);
    assert_int_equal(runtime_signal_number("SIGRTMIN+3"), SIGRTMIN + 3);
    assert_int_equal(runtime_signal_number("RTMAX-1"), SIGRTMAX - 1);
    assert_int_equal(runtime_signal_number("RTMIN+99"), 0);
    assert_int_equal(runtime_signal_number(NULL), 0);
}

TEST(keeps_the_states_of_a_container)
{
    AUTO(runtime) *runtime = with_group();
    char which[ID_SIZE], name[RUNTIME_NAME_SIZE];
    int64_t started = 0;
    struct err why = {0};
    struct runtime_found found;
    struct runtime_container web = container("web");
    assert_true(runtime_create(runtime, &web, &why));
    assert_false(runtime_create(runtime, &web, &why));
    assert_int_equal(why.code, ERR_CONFLICT);
    assert_true(runtime_find(runtime, uid, "web", &found, &why));
    assert_int_equal(found.phase, RUNTIME_CREATED);
    assert_true(runtime_start(runtime, uid, "web", &started, &why));
    assert_true(started > 0);
    assert_false(runtime_exit_next(runtime, which, name));
    fake_runtime_end(runtime, uid, "web", 3, false);
    struct pollfd told = {.fd = runtime_exit_fd(runtime), .events = POLLIN};
    assert_int_equal(poll(&told, 1, 0), 1);
    assert_true(runtime_exit_next(runtime, which, name));
    assert_string_equal(name, "web");
    assert_false(runtime_exit_next(runtime, which, name));
    assert_true(runtime_find(runtime, uid, "web", &found, &why));
    assert_true(found.phase == RUNTIME_EXITED && found.exit_code == 3 && found.incarnation == 4);
    assert_true(runtime_remove(runtime, uid, "web", &why));
    assert_false(runtime_find(runtime, uid, "web", &found, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
}

TEST(fails_when_told_to)
{
    AUTO(runtime) *runtime = with_group();
    struct err why = {0};
    struct runtime_container web = container("web");
    fake_runtime_fail(runtime, FAKE_CREATE, ERR_INVALID, "no such command");
    assert_false(runtime_create(runtime, &web, &why));
    assert_string_equal(why.text, "no such command");
    assert_true(runtime_create(runtime, &web, &why));
    assert_int_equal(fake_runtime_calls(runtime, FAKE_CREATE), 1);
}

TEST(lets_stubborn_containers_ignore_all_but_kill)
{
    AUTO(runtime) *runtime = with_group();
    int64_t started;
    struct err why = {0};
    struct runtime_found found;
    struct runtime_container web = container("web");
    fake_runtime_stubborn(runtime, true);
    assert_true(runtime_create(runtime, &web, &why) &&
                runtime_start(runtime, uid, "web", &started, &why));
    assert_true(runtime_signal(runtime, uid, "web", SIGTERM, &why));
    assert_true(runtime_find(runtime, uid, "web", &found, &why) && found.phase == RUNTIME_RUNNING);
    assert_true(runtime_signal(runtime, uid, "web", SIGKILL, &why));
    assert_true(runtime_find(runtime, uid, "web", &found, &why) && found.exit_code == 137);
}

TEST(commands_run_only_where_a_container_runs)
{
    AUTO(runtime) *runtime = with_group();
    struct text_list command = {.given = true, .items = args, .count = 1}, none = {0};
    struct runtime_container one = container("web");
    struct err why = {0};
    int64_t started_ms;
    int code = -1;
    assert_true(runtime_create(runtime, &one, &why));
    assert_null(runtime_command_begin(runtime, uid, "web", &command, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
    assert_true(runtime_start(runtime, uid, "web", &started_ms, &why));
    assert_null(runtime_command_begin(runtime, uid, "web", &none, &why));
    assert_null(runtime_command_begin(runtime, uid, "../web", &command, &why));
    fake_runtime_command(runtime, 3, "no");
    AUTO(runtime_command) *exec = runtime_command_begin(runtime, uid, "web", &command, &why);
    assert_non_null(exec);
    assert_int_equal(
        poll(&(struct pollfd){.fd = runtime_command_fd(exec), .events = POLLIN}, 1, 1000), 1);
    assert_true(runtime_command_ended(exec, &code));
    assert_int_equal(code, 3);
    assert_string_equal(runtime_command_output(exec), "no");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_names_that_could_become_paths),
        cmocka_unit_test(refuses_what_cannot_run),
        cmocka_unit_test(refuses_mounts_that_open_its_confinement),
        cmocka_unit_test(knows_signals_by_name_and_number),
        cmocka_unit_test(keeps_the_states_of_a_container),
        cmocka_unit_test(fails_when_told_to),
        cmocka_unit_test(lets_stubborn_containers_ignore_all_but_kill),
        cmocka_unit_test(commands_run_only_where_a_container_runs),
    };
    return RUN_TESTS(tests);
}
