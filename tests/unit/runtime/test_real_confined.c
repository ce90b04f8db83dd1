/* Real containers. What containers are given, and what they may not. */
#include "tests/unit/runtime/real.h"

#include "model/capability.h"
#include "model/seccomp_profile.h"

#include <sched.h>

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

/* ---- what it was asked to be given ---- */

#define STATUS_LINES(names) "grep -E '^(" names "):' /proc/self/status"

TEST(has_the_capabilities_it_was_given_and_no_more)
{
    struct runtime_rights rights = {.capabilities = CAPABILITY_BIT(10) | CAPABILITY_BIT(12),
                                    .named = CAPABILITY_BIT(12)};
    struct runtime_container container =
        real_container("given", STATUS_LINES("CapEff|CapBnd|CapAmb|NoNewPrivs"));
    container.rights = &rights;
    real_run(&container, "CapEff:\t0000000000001400\nCapBnd:\t0000000000001400\n"
                         "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
    container.user = 1000;
    rights.may_gain = true;
    real_run(&container, "CapEff:\t0000000000001000\nCapBnd:\t0000000000001400\n"
                         "CapAmb:\t0000000000001000\nNoNewPrivs:\t0\n");
}

TEST(rules_the_node_when_it_is_privileged)
{
    struct runtime_rights rights = {
        .privileged = true, .may_gain = true, .capabilities = CAPABILITY_EVERY};
    struct runtime_container container = real_container(
        "privileged",
        STATUS_LINES(
            "NoNewPrivs|Seccomp") "; mount -t tmpfs none /tmp && echo "
                                  "mounted; test -e /dev/node-null && test -e /dev/vda && echo "
                                  "device; echo x > "
                                  "/dev/node-null && "
                                  "echo wrote; test -w /proc/sys/kernel/panic && echo writable");
    const struct runtime_device device = {"/dev/node-null", 'c', 1, 3, 0666, 0, 0, "rwm"};
    container.devices = &device;
    container.devices_count = 1;
    container.rights = &rights;
    real_run(&container, "NoNewPrivs:\t0\nSeccomp:\t0\nmounted\ndevice\nwrote\nwritable\n");
}

TEST(may_use_the_device_it_was_given_and_cannot_make_another)
{
    /* 1:11 is the kernel's log: no container has it by itself. */
    const struct runtime_device device = {"/dev/full-copy", 'c', 1, 7, 0666, 0, 0, "rw"};
    struct runtime_container container = real_container(
        "device", "echo x 2>/dev/null > /dev/full-copy || echo full; "
                  "mknod /tmp/kmsg c 1 11; head -c1 /tmp/kmsg 2>/dev/null || echo refused");
    container.devices = &device;
    container.devices_count = 1;
    real_run(&container, "full\nrefused\n");
}

/* mkdir, and nothing else, is refused with ENOSPC. */
TEST(makes_the_system_calls_that_its_profile_allows)
{
    const char *calls[] = {"mkdir", "mkdirat"};
    struct seccomp_rule rule = {.names = {.given = true, .items = calls, .count = 2},
                                .action = fields_word(seccomp_action_words, "SCMP_ACT_ERRNO"),
                                .error = {GIVEN_VALUE, ENOSPC}};
    struct seccomp_profile profile = {.fallback =
                                          fields_word(seccomp_action_words, "SCMP_ACT_ALLOW"),
                                      .rules = &rule,
                                      .rules_count = 1};
    struct runtime_rights rights = {.capabilities = capabilities_of(NULL), .profile = &profile};
    struct runtime_container container = real_container(
        "profile",
        "mkdir /tmp/no 2>&1 | grep -o 'No space'; touch /tmp/yes && echo yes; " STATUS_LINES(
            "Seccomp"));
    container.rights = &rights;
    real_run(&container, "No space\nyes\nSeccomp:\t2\n");
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
    assert_true(real_cgroup_file("limits", "cpu", "cpu.shares", "cpu.weight", value, sizeof value));
    assert_string_equal(value, v2 ? "20" : "512");
    struct runtime_use use = {0}, all = {0};
    OK(runtime_use(real.runtime, real.uid, "limits", &use, &err));
    OK(runtime_use(real.runtime, real.uid, NULL, &all, &err));
    assert_true(use.cpu_ns > 0 && use.memory_bytes > 0 && use.tasks >= 1 && use.tasks <= 3);
    assert_true(all.cpu_ns >= use.cpu_ns && all.memory_bytes >= use.memory_bytes);
    OK(runtime_remove(real.runtime, real.uid, "limits", &err));
}

/* Two that want all there is of one processor: the kernel's share follows the request, not the limit.
 * Over two seconds the quotient of 4 is off by a few percent; half of it is far from an equal share. */
TEST(shares_the_processor_by_request_when_it_is_short)
{
    static const char spin[] = "exec taskset 1 sh -c 'echo ready; while :; do :; done'";
    char before[ID_SIZE];
    text_copy(before, sizeof before, real.uid);
    id_random(real.uid); /* a group of its own, with little CPU */
    struct runtime_group group = {real.uid, 400, 256 << 20};
    struct runtime_container small = real_container("small", spin),
                             big = real_container("big", spin);
    struct runtime_use first[2] = {{0}}, last[2] = {{0}};
    int64_t used[2];
    char value[64];
    small.cpu_milli = big.cpu_milli = 400;
    small.cpu_weight_milli = 80;
    big.cpu_weight_milli = 320;
    OK(runtime_group_up(real.runtime, &group, &err));
    real_start(&small);
    real_start(&big);
    assert_true(real_cgroup_file("big", "cpu", "cpu.shares", "cpu.weight", value, sizeof value));
    bool v2 = strcmp(runtime_cgroup_layout(real.runtime), "v2") == 0;
    assert_string_equal(value, v2 ? "13" : "327");
    real_log_until("small", "ready");
    real_log_until("big", "ready");
    OK(runtime_use(real.runtime, real.uid, "small", &first[0], &err));
    OK(runtime_use(real.runtime, real.uid, "big", &first[1], &err));
    usleep(2500000);
    OK(runtime_use(real.runtime, real.uid, "small", &last[0], &err));
    OK(runtime_use(real.runtime, real.uid, "big", &last[1], &err));
    for (int i = 0; i < 2; i++)
        used[i] = last[i].cpu_ns - first[i].cpu_ns;
    OK(runtime_group_down(real.runtime, real.uid, &err));
    text_copy(real.uid, sizeof real.uid, before);
    assert_true(used[0] > 0 && used[0] + used[1] < 2500000000 * 6 / 10);
    if (used[1] < used[0] * 2)
        fail_msg("big used %lld ms, small %lld ms", (long long)used[1] / 1000000,
                 (long long)used[0] / 1000000);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets_its_environment_folder_and_user),
        cmocka_unit_test(sees_its_mounts_and_not_those_of_the_node),
        cmocka_unit_test(shares_memory_files_with_its_group),
        cmocka_unit_test(joins_the_namespaces_of_its_group),
        cmocka_unit_test(runs_in_an_image_with_nothing_but_its_program),
        cmocka_unit_test(mounts_over_links_without_leaving_the_image),
        cmocka_unit_test(has_few_rights),
        cmocka_unit_test(has_the_capabilities_it_was_given_and_no_more),
        cmocka_unit_test(rules_the_node_when_it_is_privileged),
        cmocka_unit_test(may_use_the_device_it_was_given_and_cannot_make_another),
        cmocka_unit_test(makes_the_system_calls_that_its_profile_allows),
        cmocka_unit_test(cannot_reach_the_node_through_proc_and_sys),
        cmocka_unit_test(lives_in_a_cgroup_of_its_own_and_sees_no_other),
        cmocka_unit_test(is_held_to_its_limits),
        cmocka_unit_test(shares_the_processor_by_request_when_it_is_short),
        cmocka_unit_test(cannot_make_more_processes_than_allowed),
    };
    return REAL_TESTS(tests, argc, argv);
}
