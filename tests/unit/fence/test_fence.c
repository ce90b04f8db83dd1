/* Real processes in real cgroups, of each kind that this machine has. Runs as root. */
#include "node-agent/fence/fence.h"
#include "node-agent/fence/lease.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MS = 1000000, KINDS_MAX = 3, SLEEPERS = 5, KILL_MS = 300, RESIDENT_KB_MAX = 1024 };

static const char *program; /* berth-fence */
static struct err err;
static char run_dir[64];
static struct {
    char folder[128];
    const char *name;
} kinds[KINDS_MAX];
static size_t kinds_count;
static const char *folders[KINDS_MAX];

/* ---- cgroups of the test ---- */

static void kind_try(const char *name, const char *parent, const char *proof)
{
    char path[128];
    text_format(path, sizeof path, "%s/%s", parent, proof);
    if (!file_exists(path))
        return;
    text_format(kinds[kinds_count].folder, sizeof kinds[0].folder, "%s/berth-fence-test-%d", parent,
                (int)getpid());
    kinds[kinds_count].name = name;
    folders[kinds_count] = kinds[kinds_count].folder;
    kinds_count++;
}

static void child_path(size_t kind, const char *child, char out[160])
{
    text_format(out, 160, "%s%s", kinds[kind].folder, child);
}

static bool kind_make(size_t kind)
{
    char path[160];
    static const char *const children[] = {"", "/group", "/group/web"};
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        child_path(kind, children[i], path);
        if (mkdir(path, 0755) != 0)
            return false;
    }
    return true;
}

static void kind_remove(size_t kind)
{
    char path[160];
    static const char *const children[] = {"/group/web", "/group", ""};
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        child_path(kind, children[i], path);
        for (int tries = 0; rmdir(path) != 0 && errno == EBUSY && tries < 100; tries++)
            usleep(10000);
    }
}

static bool enter(size_t kind, const char *child)
{
    char path[176], folder[160];
    child_path(kind, child, folder);
    text_format(path, sizeof path, "%s/cgroup.procs", folder);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, "0", 1) == 1;
}

static void sleep_on(void)
{
    for (;;)
        pause();
}

/* Its number changes all the time: it lives on in ever new children. */
static void hop_on(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        usleep(100);
        if (fork() > 0)
            _exit(0);
    }
}

/* Returns when the process is in its cgroup, or dead already. */
static pid_t started(size_t kind, const char *child, void (*live)(void))
{
    int entered[2];
    char byte;
    assert_int_equal(pipe2(entered, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (!enter(kind, child) || write(entered[1], "", 1) != 1)
            _exit(1);
        close(entered[1]);
        live();
    }
    close(entered[1]);
    assert_true(read(entered[0], &byte, 1) >= 0);
    close(entered[0]);
    return pid;
}

static pid_t sleeper(size_t kind, const char *child)
{
    return started(kind, child, sleep_on);
}

static bool empty(size_t kind)
{
    static const char *const children[] = {"/group/web", "/group", ""};
    for (size_t i = 0; i < COUNT_OF(children); i++) {
        char path[176], folder[160];
        AUTO_FREE char *bytes = NULL;
        size_t size = 0;
        child_path(kind, children[i], folder);
        text_format(path, sizeof path, "%s/cgroup.procs", folder);
        if (!file_read(path, 65536, &bytes, &size, &err) || size > 0)
            return false;
    }
    return true;
}

static bool empty_within(size_t kind, int wait_ms)
{
    int64_t until = clock_boot_ns() + (int64_t)wait_ms * MS;
    while (!empty(kind)) {
        if (clock_boot_ns() > until)
            return false;
        usleep(1000);
    }
    return true;
}

static void reap(void)
{
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
}

/* ---- the fence of the test ---- */

static struct fence *start(void)
{
    struct fence_options options = {
        .program = program, .run_dir = run_dir, .cgroups = folders, .cgroups_count = kinds_count};
    struct fence *fence = fence_start(&options, &err);
    if (!fence)
        fail_msg("%s", err.text);
    return fence;
}

static int64_t in_ms(int64_t ms)
{
    return clock_boot_ns() + ms * MS;
}

static pid_t fence_pid(void)
{
    char path[96];
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    text_format(path, sizeof path, "%s/fence", run_dir);
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
    return fd >= 0 && fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK ? whole.l_pid : 0;
}

static int suite_up(void **state UNUSED)
{
    kind_try("v1 freezer", "/sys/fs/cgroup/freezer", "cgroup.procs");
    kind_try("v1 pids", "/sys/fs/cgroup/pids", "cgroup.procs");
    kind_try("v2", "/sys/fs/cgroup", "cgroup.controllers");
    if (kinds_count < KINDS_MAX)
        kind_try("v2 beside v1", "/sys/fs/cgroup/unified", "cgroup.controllers");
    text_copy(run_dir, sizeof run_dir, "/dev/shm/berth-fence-XXXXXX");
    return kinds_count > 0 && mkdtemp(run_dir) ? 0 : -1;
}

static int suite_down(void **state UNUSED)
{
    return file_remove_tree(run_dir, &err) ? 0 : -1;
}

static int up(void **state UNUSED)
{
    for (size_t i = 0; i < kinds_count; i++) {
        if (!kind_make(i))
            return -1;
    }
    return 0;
}

static int down(void **state UNUSED)
{
    bool stopped = fence_stop(run_dir, &err);
    pid_t left = fence_pid();
    for (size_t i = 0; i < kinds_count; i++)
        kind_remove(i);
    reap();
    return stopped && left == 0 ? 0 : -1;
}

/* ---- tests ---- */

TEST(kills_everything_when_the_lease_runs_out)
{
    int64_t fenced_ms;
    for (size_t kind = 0; kind < kinds_count; kind++) {
        AUTO(fence) *fence = start();
        for (int i = 0; i < SLEEPERS; i++)
            assert_true(sleeper(kind, i % 2 ? "/group" : "/group/web") > 0);
        assert_true(fence_renew(fence, in_ms(200)));
        int64_t deadline_ms = clock_now_ms() + 200;
        usleep(150000);
        assert_false(empty(kind));
        assert_false(fence_fenced_at(fence, &fenced_ms));
        usleep(50000);
        assert_true(empty_within(kind, KILL_MS));
        print_message("%s: empty %d ms after the deadline\n", kinds[kind].name,
                      (int)(clock_now_ms() - deadline_ms));
        assert_true(fence_fenced_at(fence, &fenced_ms));
        assert_in_range(fenced_ms, deadline_ms - 5, deadline_ms + KILL_MS);
        assert_false(fence_renew(fence, in_ms(60000)));
        reap();
        fence_reset(fence, in_ms(60000));
        assert_false(fence_fenced_at(fence, &fenced_ms));
        assert_true(fence_stop(run_dir, &err));
    }
}

TEST(catches_what_keeps_changing_its_number)
{
    for (size_t kind = 0; kind < kinds_count; kind++) {
        if (strcmp(kinds[kind].name, "v1 pids") == 0)
            continue; /* cannot be frozen: that is why the freezer's folder comes first */
        AUTO(fence) *fence = start();
        assert_true(started(kind, "/group/web", hop_on) > 0);
        assert_true(fence_renew(fence, in_ms(50)));
        usleep(50000);
        assert_true(empty_within(kind, KILL_MS));
        usleep(20000);
        assert_true(empty(kind));
        reap();
        assert_true(fence_stop(run_dir, &err));
    }
}

TEST(renewing_keeps_everything)
{
    AUTO(fence) *fence = start();
    int64_t fenced_ms;
    pid_t pid = sleeper(0, "/group/web");
    for (int i = 0; i < 20; i++) {
        assert_true(fence_renew(fence, in_ms(100)));
        assert_true(fence_renew(fence, in_ms(50))); /* never moves back */
        usleep(25000);
    }
    assert_false(fence_fenced_at(fence, &fenced_ms));
    assert_int_equal(kill(pid, 0), 0);
    assert_false(empty(0));
    assert_int_equal(kill(pid, SIGKILL), 0);
}

TEST(a_fence_that_was_never_renewed_kills_nothing)
{
    AUTO(fence) *fence = start();
    assert_non_null(fence);
    pid_t pid = sleeper(0, "/group");
    usleep(400000);
    assert_false(empty(0));
    assert_int_equal(kill(pid, SIGKILL), 0);
}

TEST(goes_on_killing_until_the_agent_has_understood)
{
    AUTO(fence) *fence = start();
    assert_true(fence_renew(fence, in_ms(1)));
    usleep(50000);
    for (int i = 0; i < 200 && !fence_finished(fence); i++)
        usleep(5000);
    assert_true(fence_finished(fence));
    sleeper(0, "/group/web");
    assert_true(empty_within(0, KILL_MS));
    fence_reset(fence, in_ms(60000));
    pid_t pid = sleeper(0, "/group/web");
    usleep(300000);
    assert_false(empty(0));
    assert_int_equal(kill(pid, SIGKILL), 0);
}

/* An agent that starts a fence, renews once, and is killed. */
static void agent_life(int64_t lease_ms)
{
    pid_t agent = fork();
    if (agent == 0) {
        struct fence *fence = start();
        if (!fence_renew(fence, in_ms(lease_ms)))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(agent, &status, 0), agent);
    assert_true(WIFSIGNALED(status));
}

TEST(fences_when_the_agent_is_dead)
{
    int64_t fenced_ms;
    sleeper(0, "/group/web");
    agent_life(300);
    assert_false(empty(0));
    usleep(250000);
    assert_true(empty_within(0, 50 + KILL_MS));
    AUTO(fence) *fence = start(); /* the agent comes back and is told */
    assert_true(fence_fenced_at(fence, &fenced_ms));
    assert_in_range(fenced_ms, clock_now_ms() - 2000, clock_now_ms());
}

TEST(an_agent_that_comes_back_in_time_finds_the_same_process)
{
    int64_t fenced_ms;
    pid_t pid = sleeper(0, "/group/web");
    agent_life(400);
    pid_t first = fence_pid();
    assert_true(first > 0);
    AUTO(fence) *fence = start();
    assert_int_equal(fence_pid(), first);
    assert_true(fence_renew(fence, in_ms(60000)));
    usleep(600000);
    assert_false(fence_fenced_at(fence, &fenced_ms));
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
}

static bool readable(int fd, int wait_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, wait_ms) == 1;
}

TEST(a_dead_fence_is_noticed_and_started_again_with_its_lease)
{
    AUTO(fence) *fence = start();
    int64_t fenced_ms;
    pid_t first = fence_pid();
    sleeper(0, "/group/web");
    assert_true(fence_renew(fence, in_ms(100)));
    assert_false(readable(fence_fd(fence), 0));
    assert_int_equal(kill(first, SIGKILL), 0);
    assert_true(readable(fence_fd(fence), 1000));
    usleep(150000);
    assert_false(empty(0)); /* nobody watched */
    assert_true(fence_restart(fence, &err));
    assert_false(readable(fence_fd(fence), 0));
    assert_int_not_equal(fence_pid(), first);
    assert_true(empty_within(0, KILL_MS));
    assert_true(fence_fenced_at(fence, &fenced_ms));
}

TEST(other_folders_need_another_process)
{
    AUTO(fence) *fence = start();
    pid_t first = fence_pid();
    const char *other[] = {"/sys/fs/cgroup/nowhere"};
    struct fence_options options = {
        .program = program, .run_dir = run_dir, .cgroups = other, .cgroups_count = 1};
    AUTO(fence) *second = fence_start(&options, &err);
    assert_non_null(second);
    assert_int_not_equal(fence_pid(), first);
    assert_true(readable(fence_fd(fence), 1000));
    assert_true(fence_renew(second, in_ms(10))); /* a folder that is not there has no processes */
    for (int i = 0; i < 100 && !fence_finished(second); i++)
        usleep(5000);
    assert_true(fence_finished(second));
}

/* ---- public addresses ---- */

/* Runs ip, here; true when it agrees. `said` gets what it prints. */
static bool ip_says(const char *const *words, struct text *said)
{
    AUTO(text) *errors = text_new(1024);
    struct process process = {.argv = words, .timeout_ms = 5000};
    struct process_result result;
    return errors && process_run(&process, said, errors, &result, &err) && result.exit_code == 0;
}

static bool loopback_add(const char *address)
{
    const char *const words[] = {"ip", "addr", "add", address, "dev", "lo", NULL};
    AUTO(text) *said = text_new(4096);
    return ip_says(words, said);
}

static bool loopback_has(const char *address)
{
    static const char *const words[] = {"ip", "-o", "addr", "show", "dev", "lo", NULL};
    AUTO(text) *said = text_new(4096);
    assert_true(ip_says(words, said));
    return strstr(said->bytes, address);
}

TEST(takes_the_addresses_on_record_off_the_links_as_long_as_it_has_fired)
{
    char folder[96], path[128];
    assert_int_equal(unshare(CLONE_NEWNET), 0); /* links of the test's own */
    text_format(folder, sizeof folder, "%s/public", run_dir);
    assert_true(file_make_folders(folder, 0755, &err));
    text_format(path, sizeof path, "%s/192.0.2.7", folder);
    assert_true(file_replace(path, "", 0, 0644, false, &err));
    assert_true(loopback_add("192.0.2.7/32") && loopback_add("192.0.2.8/32"));
    struct fence_options options = {.program = program,
                                    .run_dir = run_dir,
                                    .cgroups = folders,
                                    .cgroups_count = 1,
                                    .addresses = folder};
    AUTO(fence) *fence = fence_start(&options, &err);
    assert_non_null(fence);
    assert_true(fence_renew(fence, in_ms(60)));
    assert_true(loopback_has("192.0.2.7/32"));
    for (int i = 0; i < 100 && !fence_finished(fence); i++)
        usleep(5000);
    usleep(20000);
    assert_false(loopback_has("192.0.2.7/32"));
    assert_false(file_exists(path));
    assert_true(loopback_has("192.0.2.8/32")); /* of this node alone */
    assert_true(loopback_add("192.0.2.7/32")); /* another's by now: it stays */
    usleep(2 * LEASE_SWEEP_MS * 1000);
    assert_true(loopback_has("192.0.2.7/32"));
    assert_true(file_replace(path, "", 0, 0644, false, &err)); /* a start that was under way */
    usleep(2 * LEASE_SWEEP_MS * 1000);
    assert_false(loopback_has("192.0.2.7/32"));
}

TEST(a_lease_of_another_boot_is_none)
{
    char path[96];
    pid_t pid = sleeper(0, "/group/web");
    struct lease *lease = calloc(1, sizeof *lease);
    lease->magic = LEASE_MAGIC;
    lease->deadline_ns = 1;
    text_copy(lease->boot_id, sizeof lease->boot_id, "0b0b0b0b-0000-4000-8000-000000000000");
    text_format(path, sizeof path, "%s/fence", run_dir);
    assert_true(file_replace(path, (const char *)lease, sizeof *lease, 0600, false, &err));
    free(lease);
    AUTO(fence) *fence = start();
    assert_non_null(fence);
    usleep(200000);
    assert_false(empty(0));
    assert_int_equal(kill(pid, SIGKILL), 0);
}

TEST(says_why_it_cannot_start)
{
    struct fence_options options = {.program = "/nowhere/berth-fence",
                                    .run_dir = run_dir,
                                    .cgroups = folders,
                                    .cgroups_count = 1};
    assert_null(fence_start(&options, &err));
    assert_non_null(strstr(err.text, "/nowhere/berth-fence"));
    options.program = "/bin/true";
    assert_null(fence_start(&options, &err));
    assert_non_null(strstr(err.text, "did not start"));
    options.program = program;
    options.cgroups_count = 0;
    assert_null(fence_start(&options, &err));
    assert_true(fence_stop(run_dir, &err));
    assert_true(fence_stop(run_dir, &err)); /* again is harmless */
    assert_true(fence_stop("/dev/shm/berth-no-such-folder", &err));
}

static int64_t status_kb(pid_t pid, const char *key)
{
    char path[64];
    AUTO_FREE char *bytes = NULL;
    size_t size;
    text_format(path, sizeof path, "/proc/%d/status", (int)pid);
    assert_true(file_read(path, 65536, &bytes, &size, &err));
    const char *at = strstr(bytes, key);
    assert_non_null(at);
    return strtol(at + strlen(key), NULL, 10);
}

static bool proc_is(pid_t pid, const char *name, const char *expected)
{
    char path[64];
    AUTO_FREE char *bytes = NULL;
    size_t size;
    text_format(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return file_read(path, 4096, &bytes, &size, &err) && text_has_prefix(bytes, expected);
}

/* Root without CAP_SYS_RESOURCE, as in many virtual machines, may not. */
static bool may_be_spared(void)
{
    AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "-1", 2) != 2)
        return false;
    return write(fd, "0", 1) == 1;
}

TEST(is_small_and_stands_alone)
{
    AUTO(fence) *fence = start();
    assert_non_null(fence);
    pid_t pid = fence_pid();
    int64_t resident_kb = status_kb(pid, "VmRSS:");
    print_message("berth-fence holds %d KiB, %d KiB of it locked\n", (int)resident_kb,
                  (int)status_kb(pid, "VmLck:"));
    assert_true(resident_kb < RESIDENT_KB_MAX);
    assert_true(status_kb(pid, "VmLck:") > 0);
    assert_int_not_equal(status_kb(pid, "PPid:"), getpid());
    assert_int_equal(getsid(pid), status_kb(pid, "NSsid:"));
    assert_int_not_equal(getsid(pid), getsid(0));
    assert_true(proc_is(pid, "oom_score_adj", may_be_spared() ? "-1000\n" : "0\n"));
}

#define WITH_CGROUPS(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        WITH_CGROUPS(kills_everything_when_the_lease_runs_out),
        WITH_CGROUPS(catches_what_keeps_changing_its_number),
        WITH_CGROUPS(renewing_keeps_everything),
        WITH_CGROUPS(a_fence_that_was_never_renewed_kills_nothing),
        WITH_CGROUPS(goes_on_killing_until_the_agent_has_understood),
        WITH_CGROUPS(fences_when_the_agent_is_dead),
        WITH_CGROUPS(an_agent_that_comes_back_in_time_finds_the_same_process),
        WITH_CGROUPS(a_dead_fence_is_noticed_and_started_again_with_its_lease),
        WITH_CGROUPS(other_folders_need_another_process),
        WITH_CGROUPS(takes_the_addresses_on_record_off_the_links_as_long_as_it_has_fired),
        WITH_CGROUPS(a_lease_of_another_boot_is_none),
        WITH_CGROUPS(says_why_it_cannot_start),
        WITH_CGROUPS(is_small_and_stands_alone),
    };
    CHECK(argc == 2);
    program = argv[1];
    return cmocka_run_group_tests(tests, suite_up, suite_down);
}
