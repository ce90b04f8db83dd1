/* Real containers. Life without the agent: it is killed, its conmons are, and nothing is lost or left. */
#include "tests/unit/runtime/real.h"

#include <dirent.h>

/* ---- life without the agent ---- */

static int64_t conmon_of(const char *name)
{
    char path[REAL_PATH], *bytes;
    size_t size;
    int64_t pid = 0;
    text_format(path, sizeof path, "%s/runtime/c/%s/%s/conmon.pid", real.run_dir, real.uid, name);
    OK(file_read(path, 64, &bytes, &size, &err));
    assert_true(text_to_int(bytes, &pid));
    free(bytes);
    return pid;
}

TEST(outlives_the_agent_that_started_it)
{
    struct runtime_container container = real_container(
        "lives", "echo ready; while :; do sleep 0.05; test -e /tmp/end && exit 5; done");
    char ending[REAL_PATH];
    text_format(ending, sizeof ending, "%s/tmp/end", real.root);
    unlink(ending);
    runtime_free(real.runtime);
    pid_t agent = fork();
    if (agent == 0) {
        real.runtime = runtime_open(&real.options, &(struct err){0});
        int64_t started;
        struct err why;
        bool up = real.runtime && runtime_create(real.runtime, &container, &why) &&
                  runtime_start(real.runtime, real.uid, "lives", &started, &why);
        kill(getpid(), up ? SIGKILL : SIGTERM);
    }
    int status;
    waitpid(agent, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    OK(real.runtime = runtime_open(&real.options, &err));
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    assert_int_equal(count, 1);
    assert_string_equal(found[0].name, "lives");
    assert_string_equal(found[0].uid, real.uid);
    assert_int_equal(found[0].phase, RUNTIME_RUNNING);
    assert_int_equal(found[0].incarnation, 7);
    assert_true(found[0].started_ms > 0 && found[0].pid > 0);
    real_log_until("lives", "ready");
    int fd = open(ending, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    close(fd);
    assert_int_equal(real_wait("lives").exit_code, 5);
    unlink(ending);
    OK(runtime_remove(real.runtime, real.uid, "lives", &err));
}

TEST(finds_what_ended_while_no_agent_was_there)
{
    struct runtime_container container = real_container("early", "exit 3");
    real_start(&container);
    runtime_free(real.runtime);
    usleep(300000);
    OK(real.runtime = runtime_open(&real.options, &err));
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(found[0].phase, RUNTIME_EXITED);
    assert_int_equal(found[0].exit_code, 3);
    OK(runtime_remove(real.runtime, real.uid, "early", &err));
}

TEST(does_not_open_twice)
{
    struct err why = {0};
    assert_null(runtime_open(&real.options, &why));
    assert_int_equal(why.code, ERR_CONFLICT);
}

TEST(removes_what_an_agent_left_half_created)
{
    char path[REAL_PATH];
    struct runtime_container container = real_container("half", "sleep 100");
    OK(runtime_create(real.runtime, &container, &err));
    text_format(path, sizeof path, "%s/runtime/c/%s/half/record", real.run_dir, real.uid);
    assert_int_equal(unlink(path), 0);
    real_reopen();
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    assert_int_equal(count, 0);
    assert_int_equal(real_processes_below(), 0);
    OK(runtime_create(real.runtime, &container, &err));
    assert_int_equal(real_find("half").phase, RUNTIME_CREATED);
    OK(runtime_remove(real.runtime, real.uid, "half", &err));
}

TEST(takes_back_a_start_that_was_only_written_down)
{
    char path[REAL_PATH], *bytes, *at;
    size_t size;
    int64_t started;
    struct runtime_found *found;
    struct runtime_container container = real_container("noted", "exit 8");
    OK(runtime_create(real.runtime, &container, &err));
    text_format(path, sizeof path, "%s/runtime/c/%s/noted/record", real.run_dir, real.uid);
    OK(file_read(path, 8192, &bytes, &size, &err));
    assert_non_null(at = strstr(bytes, "\"started_ms\":0"));
    at[strlen("\"started_ms\":")] = '9';
    OK(file_replace(path, bytes, size, 0600, false, &err));
    free(bytes);
    assert_int_equal(real_find("noted").phase, RUNTIME_RUNNING);
    real_reopen();
    OK(runtime_list(real.runtime, real.arena, &found, &size, &err));
    assert_int_equal(size, 1);
    assert_int_equal(found[0].phase, RUNTIME_CREATED);
    OK(runtime_start(real.runtime, real.uid, "noted", &started, &err));
    assert_int_equal(real_wait("noted").exit_code, 8);
    OK(runtime_remove(real.runtime, real.uid, "noted", &err));
}

static void remove_found(void)
{
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    for (size_t i = 0; i < count; i++)
        OK(runtime_remove(real.runtime, found[i].uid, found[i].name, &err));
}

/* An agent for as long as it lives: takes over what it finds, then works. */
static void be_agent(void)
{
    struct err why;
    int64_t started;
    struct runtime_container container = real_container("chaos", "sleep 1000");
    real.runtime = runtime_open(&real.options, &why);
    if (!real.runtime) {
        print_error("%s\n", why.text);
        _exit(1);
    }
    remove_found();
    for (;;)
        if (!runtime_create(real.runtime, &container, &why) ||
            !runtime_start(real.runtime, real.uid, "chaos", &started, &why) ||
            !runtime_remove(real.runtime, real.uid, "chaos", &why)) {
            print_error("%s\n", why.text);
            _exit(2);
        }
}

static size_t count_names(const char *folder)
{
    char path[REAL_PATH];
    size_t count = 0;
    text_format(path, sizeof path, "%s/runtime/%s", real.run_dir, folder);
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

TEST(leaves_nothing_when_agents_are_killed_at_any_moment)
{
    char group[64];
    int killed = 0;
    runtime_free(real.runtime);
    for (useconds_t round = 0; round < 40; round++) {
        int status;
        pid_t agent = fork();
        if (agent == 0)
            be_agent();
        usleep(16000 + round * 977);
        kill(agent, SIGKILL);
        waitpid(agent, &status, 0);
        killed += WIFSIGNALED(status);
    }
    OK(real.runtime = runtime_open(&real.options, &err));
    remove_found();
    usleep(200000); /* a conmon that had no pid file yet finds its folder gone */
    remove_found();
    assert_int_equal(killed, 40); /* none had a reason to end by itself */
    assert_int_equal(real_processes_below(), 0);
    assert_int_equal(count_names("oci"), 0);
    text_format(group, sizeof group, "c/%s", real.uid);
    assert_int_equal(count_names(group), 0);
}

/* Its output has no reader any more, but it runs, and its end is noticed. */
TEST(notices_that_its_conmon_was_killed)
{
    struct runtime_container container =
        real_container("orphan", "trap '' PIPE; echo ready; sleep 1000");
    char uid[ID_SIZE], name[RUNTIME_NAME_SIZE];
    real_start(&container);
    real_log_until("orphan", "ready");
    struct pollfd told = {.fd = runtime_exit_fd(real.runtime), .events = POLLIN};
    kill((pid_t)conmon_of("orphan"), SIGKILL);
    assert_int_equal(poll(&told, 1, 2000), 1);
    assert_false(runtime_exit_next(real.runtime, uid, name)); /* it runs on */
    assert_int_equal(real_find("orphan").phase, RUNTIME_RUNNING);
    real_reopen();
    struct runtime_found *found;
    size_t count;
    OK(runtime_list(real.runtime, real.arena, &found, &count, &err));
    assert_int_equal(count, 1);
    OK(runtime_signal(real.runtime, real.uid, "orphan", SIGKILL, &err));
    assert_int_equal(real_wait("orphan").phase, RUNTIME_GONE);
    OK(runtime_remove(real.runtime, real.uid, "orphan", &err));
}

TEST(is_gone_when_it_dies_with_its_conmon)
{
    struct runtime_container container = real_container("both", "echo ready; sleep 1000");
    real_start(&container);
    real_log_until("both", "ready");
    pid_t pid = real_find("both").pid;
    pid_t conmon = (pid_t)conmon_of("both");
    kill(conmon, SIGSTOP);
    kill(pid, SIGKILL);
    kill(conmon, SIGKILL);
    assert_int_equal(real_wait("both").phase, RUNTIME_GONE);
    OK(runtime_remove(real.runtime, real.uid, "both", &err));
}

/* ---- logs ---- */

/* All lines from 0 on, whatever file they are in. */
static void has_lines(const struct runtime_container *container, int count)
{
    AUTO(text) *text = text_new(4 << 20);
    AUTO(text) *expected = text_new(4 << 20);
    struct runtime_log_query query = {.tail = -1};
    OK(runtime_log_read(container->log_path, &query, text, &err));
    for (int i = 0; i < count; i++)
        text_addf(expected, "%d\n", i);
    assert_int_equal(text->size, expected->size);
    assert_memory_equal(text->bytes, expected->bytes, expected->size);
}

TEST(rotates_a_log_that_has_grown)
{
    struct stat about;
    struct runtime_container container =
        real_container("grown", "i=0; while [ $i -lt 100000 ]; do echo $i; i=$((i+1)); done");
    real_start(&container);
    while (!real_ended("grown", 10))
        OK(runtime_log_rotate(real.runtime, real.uid, "grown", &err));
    assert_int_equal(stat(container.log_path, &about), 0);
    assert_true(about.st_size < LIMIT_CONTAINER_LOG_FILE_MAX);
    has_lines(&container, 100000);
    OK(runtime_remove(real.runtime, real.uid, "grown", &err));
    OK(runtime_log_remove(container.log_path, &err));
}

TEST(rotates_without_losing_a_line)
{
    struct runtime_container container =
        real_container("talker", "i=0; while [ $i -lt 60000 ]; do echo $i; i=$((i+1)); done");
    char path[REAL_PATH];
    bool rotated = false;
    text_format(path, sizeof path, "%s.1", container.log_path);
    real_start(&container);
    while (!real_ended("talker", 10)) {
        struct stat about;
        if (!rotated && stat(container.log_path, &about) == 0 && about.st_size > 100000) {
            /* As an agent that died after the first half of its work: so few bytes need no
             * rotation yet. */
            assert_int_equal(rename(container.log_path, path), 0);
            rotated = true;
        }
        OK(runtime_log_rotate(real.runtime, real.uid, "talker", &err));
    }
    assert_true(rotated && file_exists(path) && file_exists(container.log_path));
    has_lines(&container, 60000);
    OK(runtime_remove(real.runtime, real.uid, "talker", &err));
    OK(runtime_log_remove(container.log_path, &err));
    assert_false(file_exists(path));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlives_the_agent_that_started_it),
        cmocka_unit_test(finds_what_ended_while_no_agent_was_there),
        cmocka_unit_test(does_not_open_twice),
        cmocka_unit_test(removes_what_an_agent_left_half_created),
        cmocka_unit_test(takes_back_a_start_that_was_only_written_down),
        cmocka_unit_test(leaves_nothing_when_agents_are_killed_at_any_moment),
        cmocka_unit_test(notices_that_its_conmon_was_killed),
        cmocka_unit_test(is_gone_when_it_dies_with_its_conmon),
        cmocka_unit_test(rotates_a_log_that_has_grown),
        cmocka_unit_test(rotates_without_losing_a_line),
    };
    return REAL_TESTS(tests, argc, argv);
}
