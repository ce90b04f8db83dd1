/* Real containers: what they may, how they end, what stays. */
#include "tests/unit/runtime/real.h"

#include <pthread.h>
#include <sched.h>

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

/* ---- what it is given ---- */

TEST(gets_its_environment_folder_and_user)
{
    const char *env[] = {"PATH=/bin", "TEXT=two words \"quoted\" \\ \xC3\xA9"};
    uint32_t groups[] = {44, 45};
    struct runtime_container container =
        real_container("user", "echo \"$TEXT\"; pwd; id -u; id -g; id -G; hostname");
    container.env = (struct text_list){.given = true, .items = env, .count = 2};
    container.working_dir = "/tmp/made/here";
    container.user = 1000;
    container.user_group = 100;
    container.groups = groups;
    container.groups_count = 2;
    real_run(&container,
             "two words \"quoted\" \\ \xC3\xA9\n/tmp/made/here\n1000\n100\n100 44 45\nharbour\n");
}

TEST(sees_its_mounts_and_not_those_of_the_node)
{
    char source[REAL_PATH];
    text_format(source, sizeof source, "%s/shared", real.folder);
    mkdir(source, 0777);
    chmod(source, 0777);
    struct runtime_mount mounts[] = {{source, "/data", false}, {source, "/again", true}};
    struct runtime_container container = real_container(
        "mounts",
        "echo kept > /data/file; cat /again/file; touch /again/x 2>/dev/null || echo read-only; "
        "grep -c tmp/berth-runtime /proc/mounts; df -m /dev/shm | grep -c ' 64 '");
    container.mounts = mounts;
    container.mounts_count = 2;
    real_run(&container, "kept\nread-only\n0\n1\n");
}

TEST(shares_memory_files_with_its_group)
{
    struct runtime_container one = real_container("one", "echo shared > /dev/shm/word");
    struct runtime_container two = real_container("two", "cat /dev/shm/word");
    real_run(&one, "");
    real_run(&two, "shared\n");
}

TEST(joins_the_namespaces_of_its_group)
{
    char net[64], ipc[64], uts[64];
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t holder = fork();
    if (holder == 0) {
        bool made = unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0 &&
                    sethostname("berth", 5) == 0;
        if (write(ready[1], made ? "y" : "n", 1) == 1)
            pause();
        _exit(0);
    }
    char made = 0;
    assert_true(read(ready[0], &made, 1) == 1 && made == 'y');
    text_format(net, sizeof net, "/proc/%d/ns/net", (int)holder);
    text_format(ipc, sizeof ipc, "/proc/%d/ns/ipc", (int)holder);
    text_format(uts, sizeof uts, "/proc/%d/ns/uts", (int)holder);
    struct runtime_container container =
        real_container("joined", "hostname; grep -c : /proc/net/dev; ls -d /dev/mqueue");
    container.net_path = net;
    container.ipc_path = ipc;
    container.uts_path = uts;
    real_run(&container, "berth\n1\n/dev/mqueue\n");
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

TEST(runs_in_an_image_with_nothing_but_its_program)
{
    char root[REAL_PATH], path[REAL_PATH], *bytes;
    size_t size;
    const char *args[] = {"/app", "echo", "alone"};
    struct runtime_container container = real_container("scratch", "");
    text_format(root, sizeof root, "%s/scratch", real.folder);
    text_format(path, sizeof path, "%s/busybox", root);
    mkdir(root, 0755);
    OK(file_read("/bin/busybox", 64 << 20, &bytes, &size, &err));
    OK(file_replace(path, bytes, size, 0755, false, &err));
    free(bytes);
    args[0] = "/busybox";
    container.root = root;
    container.args = (struct text_list){.given = true, .items = args, .count = 3};
    real_run(&container, "alone\n");
}

/* As Ubuntu's /etc/resolv.conf: a link to what is not in the image, or out of it. */
TEST(mounts_over_links_without_leaving_the_image)
{
    char source[REAL_PATH], link[REAL_PATH];
    struct err why;
    text_format(source, sizeof source, "%s/resolv", real.folder);
    assert_true(file_replace(source, "nameserver\n", 11, 0644, false, &why));
    text_format(link, sizeof link, "%s/etc/resolv.conf", real.root);
    assert_int_equal(symlink("../../../../../../run/systemd/stub", link), 0);
    struct runtime_mount mount = {source, "/etc/resolv.conf", false};
    struct runtime_container container = real_container("links", "cat /etc/resolv.conf");
    container.mounts = &mount;
    container.mounts_count = 1;
    real_run(&container, "nameserver\n");
    assert_false(file_exists("/run/systemd/stub"));
    unlink(link);
}

/* ---- what it may not ---- */

TEST(has_few_rights)
{
    struct runtime_container container = real_container(
        "rights", "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' "
                  "/proc/self/status | grep -v filters");
    char expected[400];
    text_format(expected, sizeof expected,
                "CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\n"
                "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
                "00000000a80425fb", "00000000a80425fb", "00000000a80425fb");
    real_run(&container, expected);
    container.user = 1000;
    text_format(expected, sizeof expected,
                "CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t%s\n"
                "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
                "0000000000000000", "0000000000000000", "00000000a80425fb");
    real_run(&container, expected);
}

TEST(cannot_reach_the_node_through_proc_and_sys)
{
    struct runtime_container container = real_container(
        "paths",
        "echo 1 2>/dev/null > /proc/sys/kernel/panic && echo wrote; "
        "echo b 2>/dev/null > /proc/sysrq-trigger && echo wrote; "
        "echo 0 2>/dev/null > /sys/kernel/mm/ksm/run && echo wrote; "
        "ls /sys/firmware /proc/acpi 2>/dev/null | grep -v : | grep .; "
        "mkdir /sys/fs/cgroup/memory/mine 2>/dev/null && echo made; "
        "mount -t tmpfs none /tmp 2>/dev/null && echo mounted; "
        "head -c1 /dev/vda 2>/dev/null; "
        "test $(ls /proc | grep -c '^[0-9]*$') -lt 6 && echo alone; cat /proc/self/oom_score_adj");
    real_run(&container, "alone\n500\n");
}

TEST(lives_in_a_cgroup_of_its_own_and_sees_no_other)
{
    struct runtime_container container = real_container(
        "cgroup", "cat /proc/self/cgroup | grep -v ':/$'; ls /sys/fs/cgroup | grep -c .");
    char log[4096];
    real_start(&container);
    real_wait("cgroup");
    real_log("cgroup", log, sizeof log);
    assert_true(log[0] >= '1' && log[0] <= '9'); /* no path but "/" */
    OK(runtime_remove(real.runtime, real.uid, "cgroup", &err));
}

TEST(is_held_to_its_limits)
{
    char value[256];
    struct runtime_container container = real_container("limits", "echo ready; sleep 100");
    container.pids_max = 33;
    real_start(&container);
    real_log_until("limits", "ready");
    bool v2 = strcmp(runtime_cgroup_layout(real.runtime), "v2") == 0;
    assert_true(real_cgroup_file("limits", "memory", "memory.limit_in_bytes", "memory.max", value,
                                 sizeof value));
    assert_string_equal(value, "67108864");
    assert_true(
        real_cgroup_file("limits", "cpu", "cpu.cfs_quota_us", "cpu.max", value, sizeof value));
    assert_string_equal(value, v2 ? "50000 100000" : "50000");
    assert_true(real_cgroup_file("limits", "pids", "pids.max", "pids.max", value, sizeof value));
    assert_string_equal(value, "33");
    assert_true(real_cgroup_file(NULL, "memory", "memory.limit_in_bytes", "memory.max", value,
                                 sizeof value));
    assert_string_equal(value, "268435456");
    assert_true(real_cgroup_file(NULL, "cpu", "cpu.cfs_quota_us", "cpu.max", value, sizeof value));
    assert_string_equal(value, v2 ? "200000 100000" : "200000");
    if (!v2) {
        assert_true(real_cgroup_file("limits", "devices", "devices.list", "", value, sizeof value));
        assert_string_not_equal(value, "a *:* rwm");
    }
    struct runtime_use use = {0}, all = {0};
    OK(runtime_use(real.runtime, real.uid, "limits", &use, &err));
    OK(runtime_use(real.runtime, real.uid, NULL, &all, &err));
    assert_true(use.cpu_ns > 0 && use.memory_bytes > 0 && use.tasks >= 1 && use.tasks <= 3);
    assert_true(all.cpu_ns >= use.cpu_ns && all.memory_bytes >= use.memory_bytes);
    OK(runtime_remove(real.runtime, real.uid, "limits", &err));
}

TEST(cannot_make_more_processes_than_allowed)
{
    struct runtime_container container =
        real_container("fork", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done 2>&1; wait");
    container.pids_max = 6;
    real_start(&container);
    real_wait("fork");
    char log[4096];
    real_log("fork", log, sizeof log);
    assert_non_null(strstr(log, "fork"));
    OK(runtime_remove(real.runtime, real.uid, "fork", &err));
}

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
        containers[i].memory_bytes = 16 << 20;
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

/* ---- logs ---- */

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
    AUTO(text) *text = text_new(4 << 20);
    AUTO(text) *expected = text_new(4 << 20);
    struct runtime_log_query query = {.tail = -1};
    OK(runtime_log_read(container.log_path, &query, text, &err));
    for (int i = 0; i < 60000; i++)
        text_addf(expected, "%d\n", i);
    assert_int_equal(text->size, expected->size);
    assert_memory_equal(text->bytes, expected->bytes, expected->size);
    OK(runtime_remove(real.runtime, real.uid, "talker", &err));
    OK(runtime_log_remove(container.log_path, &err));
    assert_false(file_exists(path));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_exit_code),
        cmocka_unit_test(tells_the_signal_that_ended_it),
        cmocka_unit_test(tells_that_memory_ran_out),
        cmocka_unit_test(says_which_command_cannot_be_run),
        cmocka_unit_test(gets_its_environment_folder_and_user),
        cmocka_unit_test(sees_its_mounts_and_not_those_of_the_node),
        cmocka_unit_test(shares_memory_files_with_its_group),
        cmocka_unit_test(joins_the_namespaces_of_its_group),
        cmocka_unit_test(runs_in_an_image_with_nothing_but_its_program),
        cmocka_unit_test(mounts_over_links_without_leaving_the_image),
        cmocka_unit_test(has_few_rights),
        cmocka_unit_test(cannot_reach_the_node_through_proc_and_sys),
        cmocka_unit_test(lives_in_a_cgroup_of_its_own_and_sees_no_other),
        cmocka_unit_test(is_held_to_its_limits),
        cmocka_unit_test(cannot_make_more_processes_than_allowed),
        cmocka_unit_test(outlives_the_agent_that_started_it),
        cmocka_unit_test(finds_what_ended_while_no_agent_was_there),
        cmocka_unit_test(does_not_open_twice),
        cmocka_unit_test(removes_what_an_agent_left_half_created),
        cmocka_unit_test(notices_that_its_conmon_was_killed),
        cmocka_unit_test(is_gone_when_it_dies_with_its_conmon),
        cmocka_unit_test(creates_several_at_once),
        cmocka_unit_test(starts_once),
        cmocka_unit_test(needs_its_group),
        cmocka_unit_test(takes_a_group_down_with_all_that_runs_in_it),
        cmocka_unit_test(removes_a_fork_bomb),
        cmocka_unit_test(kills_a_group_and_keeps_its_containers_to_look_at),
        cmocka_unit_test(rotates_without_losing_a_line),
    };
    real.program = argc > 1 ? argv[1] : "crun";
    if (getenv("BERTH_TEST_DEBUG"))
        log_configure(LOG_DEBUG, false);
    return cmocka_run_group_tests(tests, real_begin, real_end);
}
