#include "base/process.h"

#include "base/clock.h"
#include "base/thread.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

static struct process_result result;
static struct err err;

#define ARGV(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }

static bool run(const struct process *process, struct text *out, struct text *errors)
{
    result = (struct process_result){.exit_code = -1};
    err = (struct err){0};
    return process_run(process, out, errors, &result, &err);
}

TEST(captures_output_and_errors_apart_or_together)
{
    AUTO(text) *out = text_new(1000);
    AUTO(text) *errors = text_new(1000);
    struct process process = {.argv = ARGV("sh", "-c", "echo out; echo error >&2; exit 3")};
    assert_true(run(&process, out, errors));
    assert_int_equal(result.exit_code, 3);
    assert_string_equal(out->bytes, "out\n");
    assert_string_equal(errors->bytes, "error\n");
    text_clear(out);
    assert_true(run(&process, out, out));
    assert_string_equal(out->bytes, "out\nerror\n");
    assert_true(run(&process, NULL, NULL));
    assert_int_equal(result.exit_code, 3);
}

TEST(gives_input_of_any_size)
{
    AUTO(text) *out = text_new(4 << 20);
    static char input[2 << 20];
    memset(input, 'a', sizeof input);
    struct process process = {.argv = ARGV("cat"), .input = input, .input_size = sizeof input};
    assert_true(run(&process, out, NULL));
    assert_int_equal(out->size, sizeof input);
    text_clear(out);
    process.argv = ARGV("true"); /* does not read it */
    assert_true(run(&process, out, NULL));
    assert_int_equal(result.exit_code, 0);
    process = (struct process){.argv = ARGV("cat")};
    assert_true(run(&process, out, NULL));
    assert_string_equal(out->bytes, "");
}

TEST(keeps_the_beginning_of_too_much_output)
{
    AUTO(text) *out = text_new(10);
    struct process process = {.argv = ARGV("sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x")};
    assert_true(run(&process, out, NULL));
    assert_int_equal(result.exit_code, 0);
    assert_false(text_ok(out));
    assert_string_equal(out->bytes, "xxxxxxxxxx");
}

TEST(says_what_cannot_be_run)
{
    struct process process = {.argv = ARGV("no-such-program-anywhere")};
    assert_false(run(&process, NULL, NULL));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.text, "cannot run no-such-program-anywhere: No such file or directory");
    process.argv = ARGV("/etc/passwd");
    assert_false(run(&process, NULL, NULL));
    assert_int_equal(err.os_errno, EACCES);
}

TEST(tells_the_signal_that_ended_it)
{
    struct process process = {.argv = ARGV("sh", "-c", "kill -SEGV $$")};
    assert_true(run(&process, NULL, NULL));
    assert_int_equal(result.exit_code, 128 + SIGSEGV);
}

TEST(ends_it_at_the_deadline_with_its_children)
{
    AUTO(text) *out = text_new(1000);
    int64_t before = clock_boot_ns();
    struct process process = {.argv = ARGV("sh", "-c", "sleep 100 & echo $!; wait"),
                              .timeout_ms = 100};
    assert_true(run(&process, out, NULL));
    assert_true(result.timed_out);
    assert_false(result.cancelled);
    assert_int_equal(result.exit_code, 128 + SIGTERM);
    assert_true(clock_boot_ns() - before < 1500000000);
    int64_t child = 0;
    out->bytes[strcspn(out->bytes, "\n")] = '\0';
    assert_true(text_to_int(out->bytes, &child));
    for (int i = 0; i < 100 && kill((pid_t)child, 0) == 0; i++)
        usleep(10000); /* until it is reaped by whoever adopts it */
}

TEST(kills_what_does_not_listen)
{
    struct process process = {.argv = ARGV("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"),
                              .timeout_ms = 50};
    assert_true(run(&process, NULL, NULL));
    assert_true(result.timed_out);
    assert_int_equal(result.exit_code, 128 + SIGKILL);
}

static void *ring_soon(void *bell)
{
    usleep(50000);
    bell_ring(bell);
    return NULL;
}

TEST(can_be_cancelled)
{
    struct bell bell;
    pthread_t thread;
    assert_true(bell_init(&bell, &err));
    assert_true(thread_start(&thread, "ringer", ring_soon, &bell, &err));
    struct process process = {.argv = ARGV("sleep", "100"), .cancel_fd = &bell.fd};
    assert_true(run(&process, NULL, NULL));
    assert_true(result.cancelled);
    assert_false(result.timed_out);
    pthread_join(thread, NULL);
    bell_done(&bell);
}

TEST(does_not_wait_for_what_it_leaves_running)
{
    AUTO(text) *out = text_new(1000);
    int64_t before = clock_boot_ns();
    struct process process = {.argv = ARGV("sh", "-c", "sleep 3 & echo started")};
    assert_true(run(&process, out, NULL));
    assert_string_equal(out->bytes, "started\n");
    assert_true(clock_boot_ns() - before < 2000000000);
}

TEST(inherits_no_descriptors_and_no_blocked_signals)
{
    AUTO(text) *out = text_new(10000);
    AUTO_CLOSE int leaked = open("/dev/null", O_RDONLY); /* not close-on-exec on purpose */
    assert_true(leaked > 2);
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    struct process process = {
        .argv = ARGV("sh", "-c", "ls /proc/$$/fd; exec grep -E 'Sig(Blk|Ign)' /proc/self/status")};
    assert_true(run(&process, out, NULL));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert_string_equal(out->bytes,
                        "0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

/* Each is the other's place. */
TEST(hands_over_the_descriptors_given)
{
    AUTO(text) *out = text_new(1000);
    AUTO_CLOSE int first = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int second = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int third = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[] = {third, second, first};
    struct process process = {
        .argv = ARGV("sh", "-c", "for n in 3 4 5 6; do readlink /proc/$$/fd/$n || echo none; done"),
        .fds = fds,
        .fds_count = COUNT_OF(fds)};
    assert_true(run(&process, out, NULL));
    assert_true(text_has_prefix(out->bytes, "/dev/null\n/etc/hostname\n/proc/"));
    assert_non_null(strstr(out->bytes, "/comm\nnone\n"));
    process.argv = ARGV("/nowhere/at/all");
    assert_false(run(&process, out, NULL));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

TEST(finds_a_program_beside_the_running_one)
{
    char path[PATH_MAX], small[8];

    assert_true(process_beside("test_base_process", path, sizeof path));
    assert_int_equal(access(path, X_OK), 0);
    assert_false(process_beside("test_base_process", small, sizeof small));
}

TEST(uses_the_environment_given)
{
    AUTO(text) *out = text_new(10000);
    struct process process = {.argv = ARGV("env"), .envp = ARGV("ONLY=this")};
    assert_true(run(&process, out, NULL));
    assert_string_equal(out->bytes, "ONLY=this\n");
}

static bool change_folder(void *context)
{
    return chdir(context) == 0;
}

TEST(runs_the_hook_in_the_child)
{
    AUTO(text) *out = text_new(10000);
    struct process process = {.argv = ARGV("pwd"), .in_child = change_folder, .context = "/proc"};
    assert_true(run(&process, out, NULL));
    assert_string_equal(out->bytes, "/proc\n");
    process.context = "/no/such/folder";
    assert_false(run(&process, out, NULL));
    assert_int_equal(err.os_errno, ENOENT);
}

static bool note_that_it_ran(void *context)
{
    *(volatile int *)context = 1;
    return true;
}

/* A copy of the heap would have kept the note to itself. */
TEST(starts_a_program_without_copying_the_heap)
{
#ifdef __SANITIZE_THREAD__
    skip(); /* its vfork() is fork() */
#endif
    volatile int ran = 0;
    struct process process = {
        .argv = ARGV("true"), .in_child = note_that_it_ran, .context = (void *)&ran};
    assert_true(run(&process, NULL, NULL));
    assert_int_equal(ran, 1);
}

static void *run_many(void *failed)
{
    for (int i = 0; i < 50; i++) {
        AUTO(text) *out = text_new(100);
        struct process process = {.argv = ARGV("echo", "word")};
        struct process_result ended;
        struct err why;
        if (!process_run(&process, out, NULL, &ended, &why) || strcmp(out->bytes, "word\n") != 0)
            *(atomic_int *)failed += 1;
    }
    return NULL;
}

TEST(runs_programs_from_many_threads_at_once)
{
    pthread_t threads[4];
    atomic_int failed = 0;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_true(thread_start(&threads[i], "runner", run_many, &failed, &err));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(captures_output_and_errors_apart_or_together),
        cmocka_unit_test(gives_input_of_any_size),
        cmocka_unit_test(keeps_the_beginning_of_too_much_output),
        cmocka_unit_test(says_what_cannot_be_run),
        cmocka_unit_test(tells_the_signal_that_ended_it),
        cmocka_unit_test(ends_it_at_the_deadline_with_its_children),
        cmocka_unit_test(kills_what_does_not_listen),
        cmocka_unit_test(can_be_cancelled),
        cmocka_unit_test(does_not_wait_for_what_it_leaves_running),
        cmocka_unit_test(inherits_no_descriptors_and_no_blocked_signals),
        cmocka_unit_test(hands_over_the_descriptors_given),
        cmocka_unit_test(finds_a_program_beside_the_running_one),
        cmocka_unit_test(uses_the_environment_given),
        cmocka_unit_test(runs_the_hook_in_the_child),
        cmocka_unit_test(starts_a_program_without_copying_the_heap),
        cmocka_unit_test(runs_programs_from_many_threads_at_once),
    };
    return RUN_TESTS(tests);
}
