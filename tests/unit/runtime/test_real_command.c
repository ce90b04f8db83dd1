/* Real containers. Commands that are run in one beside its own. */
#include "tests/unit/runtime/real.h"

enum { EXEC_WAIT_MS = 10000, NOBODY = 65534 };

static struct runtime_command *begin(const char *name, const char *shell_command)
{
    const char *args[] = {"/bin/busybox", "sh", "-c", shell_command};
    struct text_list command = {.given = true, .items = args, .count = COUNT_OF(args)};
    struct err why = {0};
    struct runtime_command *exec =
        runtime_command_begin(real.runtime, real.uid, name, &command, &why);
    if (!exec)
        fail_msg("%s", why.text);
    return exec;
}

/* Its code; -1 when it still runs after the time. */
static int end_of(struct runtime_command *exec, int64_t wait_ms)
{
    int64_t until_ns = clock_boot_ns() + wait_ms * 1000000;
    int code = -1;
    while (!runtime_command_ended(exec, &code) && clock_boot_ns() < until_ns) {
        struct pollfd ready = {.fd = runtime_command_fd(exec), .events = POLLIN};
        poll(&ready, 1, 50);
    }
    return code;
}

static int run(const char *name, const char *shell_command, char *out, size_t size)
{
    AUTO(runtime_command) *exec = begin(name, shell_command);
    int code = end_of(exec, EXEC_WAIT_MS);
    text_copy(out, size, runtime_command_output(exec));
    return code;
}

static void start_sleeper(const char *name)
{
    struct runtime_container container = real_container(name, "echo ready; exec sleep 1000");
    real_start(&container);
    real_log_until(name, "ready");
}

TEST(tells_what_a_command_wrote_and_how_it_ended)
{
    char out[256];
    start_sleeper("web");
    assert_int_equal(run("web", "echo out; echo err >&2; exit 3", out, sizeof out), 3);
    assert_true(strstr(out, "out\n") && strstr(out, "err\n")); /* runc carries them apart */
    assert_int_equal(run("web", "true", out, sizeof out), 0);
    assert_string_equal(out, "");
    assert_int_equal(run("web", "kill -9 $$", out, sizeof out), 137);
    OK(runtime_remove(real.runtime, real.uid, "web", &err));
}

TEST(a_command_has_what_the_container_has)
{
    static const char show[] = "id; pwd; echo $FLAVOUR; cat /proc/self/cgroup;"
                               "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; ulimit -n";
    static const char *env[] = {"PATH=/bin", "FLAVOUR=salt and 'vinegar'"};
    char own[4096], command[4096], own_show[512];
    struct runtime_container container = real_container("same", "");
    text_format(own_show, sizeof own_show, "%s; echo ready; exec sleep 1000", show);
    const char *args[] = {"/bin/busybox", "sh", "-c", own_show};
    container.args = (struct text_list){.given = true, .items = args, .count = COUNT_OF(args)};
    container.env = (struct text_list){.given = true, .items = env, .count = COUNT_OF(env)};
    container.working_dir = "/somewhere";
    container.user = container.user_group = NOBODY;
    real_start(&container);
    real_log_until("same", "ready");
    real_log("same", own, sizeof own);
    assert_int_equal(run("same", show, command, sizeof command), 0);
    assert_non_null(strstr(command, "salt and 'vinegar'\n"));
    assert_non_null(strstr(command, "Seccomp:\t2"));
    char *ready = strstr(own, "ready");
    assert_non_null(ready);
    *ready = '\0';
    assert_string_equal(command, own);
    OK(runtime_remove(real.runtime, real.uid, "same", &err));
}

/* What comes through its terminal, until it has ended; its code. */
static int talk(const struct runtime_terminal *terminal, const char *typed, char *out, size_t size)
{
    size_t count = 0;
    int status;
    assert_int_equal(write(terminal->fd, typed, strlen(typed)), strlen(typed));
    while (count < size - 1) {
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, EXEC_WAIT_MS) == 1
                          ? read(terminal->fd, out + count, size - 1 - count)
                          : -1;
        if (got <= 0) /* EIO: nobody has the other side any more */
            break;
        count += (size_t)got;
    }
    out[count] = '\0';
    assert_int_equal(waitpid(terminal->pid, &status, 0), terminal->pid);
    return WEXITSTATUS(status);
}

TEST(a_command_with_a_terminal_has_its_size_what_is_typed_and_what_the_container_has)
{
    static const char *env[] = {"PATH=/bin", "FLAVOUR=salt"};
    const char *args[] = {"/bin/busybox", "sh", "-c",
                          "read word; stty size; echo $word $FLAVOUR $(id -u) $(pwd); exit 7"};
    struct text_list command = {.given = true, .items = args, .count = COUNT_OF(args)};
    struct runtime_container container = real_container("typed", "echo ready; exec sleep 1000");
    struct runtime_exec exec = {
        .uid = real.uid, .name = "typed", .args = &command, .rows = 33, .columns = 77};
    struct runtime_terminal terminal = {.fd = -1, .said_fd = -1};
    char out[4096];
    container.env = (struct text_list){.given = true, .items = env, .count = COUNT_OF(env)};
    container.working_dir = "/somewhere";
    container.user = container.user_group = NOBODY;
    real_start(&container);
    real_log_until("typed", "ready");
    OK(runtime_exec(real.runtime, &exec, &terminal, &err));
    assert_true(terminal.fd >= 0);
    assert_int_equal(talk(&terminal, "hello\r", out, sizeof out), 7);
    assert_non_null(strstr(out, "33 77\r\n"));
    assert_non_null(strstr(out, "hello salt 65534 /somewhere\r\n"));
    close(terminal.fd);
    close(terminal.said_fd);
    OK(runtime_remove(real.runtime, real.uid, "typed", &err));
    assert_int_equal(real_processes_below(), 0);
}

TEST(says_that_a_command_is_not_there)
{
    const char *args[] = {"/no/such/program"};
    struct text_list command = {.given = true, .items = args, .count = 1};
    struct err why = {0};
    start_sleeper("web");
    AUTO(runtime_command) *exec =
        runtime_command_begin(real.runtime, real.uid, "web", &command, &why);
    assert_non_null(exec);
    assert_int_not_equal(end_of(exec, EXEC_WAIT_MS), 0);
    assert_non_null(strstr(runtime_command_output(exec), "/no/such/program"));
    OK(runtime_remove(real.runtime, real.uid, "web", &err));
    assert_null(runtime_command_begin(real.runtime, real.uid, "web", &command, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
}

TEST(a_command_that_is_ended_leaves_nothing)
{
    start_sleeper("web");
    int64_t before = real_processes_below();
    struct runtime_command *exec = begin("web", "trap '' TERM; echo on; sleep 900; sleep 900");
    while (!strstr(runtime_command_output(exec), "on"))
        assert_int_equal(end_of(exec, 20), -1);
    assert_true(real_processes_below() > before);
    runtime_command_free(exec);
    for (int tries = 0; tries < 100 && real_processes_below() != before; tries++)
        usleep(20000);
    assert_int_equal(real_processes_below(), before);
    runtime_command_free(begin("web", "sleep 900")); /* before it has even begun */
    for (int tries = 0; tries < 100 && real_processes_below() != before; tries++)
        usleep(20000);
    assert_int_equal(real_processes_below(), before);
    OK(runtime_remove(real.runtime, real.uid, "web", &err));
    assert_int_equal(real_processes_below(), 0);
}

TEST(output_is_kept_up_to_its_ceiling)
{
    start_sleeper("web");
    AUTO(runtime_command) *exec = begin("web", "yes | head -c 1000000; exit 5");
    assert_int_equal(end_of(exec, EXEC_WAIT_MS), 5);
    assert_int_equal(strlen(runtime_command_output(exec)), LIMIT_PROBE_OUTPUT_MAX);
    OK(runtime_remove(real.runtime, real.uid, "web", &err));
}

TEST(what_a_command_sent_to_the_background_delays_nobody)
{
    char out[256];
    start_sleeper("web");
    int64_t begun_ns = clock_boot_ns();
    /* runc carries the outputs itself, and waits for all who hold them. */
    const char *command = strcmp(real.program, "crun") == 0
                              ? "sleep 30 & echo gone"
                              : "sleep 30 >/dev/null 2>&1 & echo gone";
    assert_int_equal(run("web", command, out, sizeof out), 0);
    assert_true(clock_boot_ns() - begun_ns < INT64_C(5000000000));
    assert_string_equal(out, "gone\n");
    OK(runtime_remove(real.runtime, real.uid, "web", &err));
    assert_int_equal(real_processes_below(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_a_command_wrote_and_how_it_ended),
        cmocka_unit_test(a_command_has_what_the_container_has),
        cmocka_unit_test(
            a_command_with_a_terminal_has_its_size_what_is_typed_and_what_the_container_has),
        cmocka_unit_test(says_that_a_command_is_not_there),
        cmocka_unit_test(a_command_that_is_ended_leaves_nothing),
        cmocka_unit_test(output_is_kept_up_to_its_ceiling),
        cmocka_unit_test(what_a_command_sent_to_the_background_delays_nobody),
    };
    return REAL_TESTS(tests, argc, argv);
}
