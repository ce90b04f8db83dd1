#include "base/thread.h"

#include "tests/unit/unit.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Runs `wrong` in a child and tells whether it was stopped by CHECK. */
static bool is_stopped(void (*wrong)(void))
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit no_core = {0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        close(STDERR_FILENO);
        wrong();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

TEST(takes_locks_in_order)
{
    struct lock first, second;
    lock_init(&first, LOCK_SCHEDULER);
    lock_init(&second, LOCK_STORE_QUEUE);
    for (int round = 0; round < 2; round++) {
        WITH_LOCK(&first);
        WITH_LOCK(&second);
    }
    lock_take(&second);
    lock_release(&second);
    lock_done(&first);
    lock_done(&second);
}

static void take_backwards(void)
{
    struct lock first, second;
    lock_init(&first, LOCK_SCHEDULER);
    lock_init(&second, LOCK_STORE_QUEUE);
    lock_take(&second);
    lock_take(&first);
}

static void take_twice(void)
{
    struct lock lock;
    lock_init(&lock, LOCK_SCHEDULER);
    lock_take(&lock);
    lock_take(&lock);
}

static void release_what_is_free(void)
{
    struct lock lock;
    lock_init(&lock, LOCK_SCHEDULER);
    lock_release(&lock);
}

TEST(stops_on_a_wrong_order)
{
    assert_true(is_stopped(take_backwards));
    assert_true(is_stopped(take_twice));
    assert_true(is_stopped(release_what_is_free));
}

TEST(keeps_rings_until_somebody_waits)
{
    struct bell bell;
    struct err err;
    assert_true(bell_init(&bell, &err));
    assert_false(bell_wait(&bell, 0));
    bell_ring(&bell);
    bell_ring(&bell);
    assert_true(bell_wait(&bell, -1));
    assert_false(bell_wait(&bell, 10));
    bell_done(&bell);
}

struct meeting {
    struct bell there, back;
    char name[16];
    bool signals_blocked;
};

static void *answer(void *context)
{
    struct meeting *meeting = context;
    sigset_t blocked;
    if (bell_wait(&meeting->there, -1)) {
        pthread_sigmask(SIG_SETMASK, NULL, &blocked);
        meeting->signals_blocked = sigismember(&blocked, SIGTERM) == 1;
        pthread_getname_np(pthread_self(), meeting->name, sizeof meeting->name);
        bell_ring(&meeting->back);
    }
    return NULL;
}

TEST(starts_named_threads_that_take_no_signals)
{
    struct meeting meeting = {0};
    struct err err;
    pthread_t thread;
    assert_true(bell_init(&meeting.there, &err) && bell_init(&meeting.back, &err));
    assert_true(thread_start(&thread, "a-name-that-is-too-long", answer, &meeting, &err));
    bell_ring(&meeting.there);
    assert_true(bell_wait(&meeting.back, 10000));
    pthread_join(thread, NULL);
    assert_true(meeting.signals_blocked);
    assert_string_equal(meeting.name, "a-name-that-is-");
    bell_done(&meeting.there);
    bell_done(&meeting.back);
}

struct kept {
    int nth;
    cpu_set_t may, cores;
};

static void *keep(void *context)
{
    struct kept *kept = context;
    CHECK(sched_getaffinity(0, sizeof kept->may, &kept->may) == 0);
    thread_keep_to_core(kept->nth);
    CHECK(sched_getaffinity(0, sizeof kept->cores, &kept->cores) == 0);
    return NULL;
}

/* On a machine of more cores, or of one, threads stay where they may be. */
TEST(threads_of_a_small_machine_keep_to_cores_of_their_own)
{
    struct kept kept[2] = {{.nth = 0}, {.nth = 1}};
    cpu_set_t both;
    struct err err;
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        assert_true(thread_start(&thread, "kept", keep, &kept[i], &err));
        pthread_join(thread, NULL);
    }
    int count = CPU_COUNT(&kept[0].may);
    bool small = count == 2 || count == 3;
    CPU_AND(&both, &kept[0].cores, &kept[1].cores);
    assert_int_equal(CPU_COUNT(&kept[0].cores), small ? 1 : count);
    assert_int_equal(CPU_COUNT(&kept[1].cores), small ? 1 : count);
    assert_int_equal(CPU_COUNT(&both), small ? 0 : count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_locks_in_order),
        cmocka_unit_test(stops_on_a_wrong_order),
        cmocka_unit_test(keeps_rings_until_somebody_waits),
        cmocka_unit_test(starts_named_threads_that_take_no_signals),
        cmocka_unit_test(threads_of_a_small_machine_keep_to_cores_of_their_own),
    };
    return RUN_TESTS(tests);
}
