/* Layouts as mountinfo tells them, and what is written into a folder that stands for a
 * hierarchy. */
#include "base/file.h"
#include "node-agent/runtime/cgroup/cgroup.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    text_copy(folder, sizeof folder, "/tmp/berth-cgroup-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct err why;
    (void)state;
    return file_remove_tree(folder, &why) ? 0 : -1;
}

static void put(const char *name, const char *content)
{
    char path[512];
    struct err why;
    text_format(path, sizeof path, "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_true(file_make_folders(path, 0755, &why));
    *slash = '/';
    assert_true(file_replace(path, content, strlen(content), 0644, false, &why));
}

static const char *get(const char *name)
{
    static char content[256];
    char path[512], *bytes;
    size_t size;
    struct err why;
    text_format(path, sizeof path, "%s/%s", folder, name);
    if (!file_read(path, 65536, &bytes, &size, &why))
        return "absent";
    text_copy(content, sizeof content, bytes);
    free(bytes);
    return content;
}

/* Lines of "type mount-point options", completed to those of mountinfo; "%" is the test's
 * folder. */
static bool find(const char *const *lines, const char *name, struct cgroups *out, struct err *err)
{
    char path[128];
    AUTO(text) *table = text_new(65536);
    text_add(table, "22 1 254:0 / / rw,relatime - ext4 /dev/root rw\n");
    for (; *lines; lines++) {
        char type[32], at[64], options[64];
        assert_int_equal(sscanf(*lines, "%31s %63s %63s", type, at, options), 3);
        text_addf(table,
                  "31 23 0:28 / %s%s rw,nosuid,relatime shared:9 master:1 - %s source rw,%s\n",
                  at[0] == '%' ? folder : "", at[0] == '%' ? at + 1 : at, type, options);
    }
    put("mountinfo", table->bytes);
    text_format(path, sizeof path, "%s/mountinfo", folder);
    return cgroups_find(out, path, name, err);
}

static const char *const v1_lines[] = {"cgroup %/cpu cpu,cpuacct",    "cgroup %/memory memory",
                                       "cgroup %/pids pids",          "cgroup %/devices devices",
                                       "cgroup %/freezer freezer",    "cgroup %/cpuset cpuset",
                                       "cgroup %/named name=systemd", NULL};
static const char *const v2_lines[] = {"cgroup2 %/v2 nsdelegate", NULL};

TEST(finds_v1)
{
    struct cgroups cgroups;
    struct err why = {0};
    assert_true(find(v1_lines, "berth/n1", &cgroups, &why));
    assert_int_equal(cgroups.layout, CGROUP_V1);
    assert_int_equal(cgroups.count, 7);
    assert_ptr_equal(cgroup_mount_of(&cgroups, CGROUP_CPU),
                     cgroup_mount_of(&cgroups, CGROUP_CPUACCT));
    assert_non_null(strstr(cgroup_mount_of(&cgroups, CGROUP_MEMORY)->path, "/memory"));
    assert_ptr_equal(cgroup_mount_of_processes(&cgroups),
                     cgroup_mount_of(&cgroups, CGROUP_FREEZER));
}

TEST(finds_mixed)
{
    const char *const lines[] = {"cgroup %/cpu cpu,cpuacct", "cgroup %/memory memory",
                                 "cgroup %/pids pids",       "cgroup %/devices devices",
                                 "cgroup2 %/unified x",      NULL};
    struct cgroups cgroups;
    struct err why = {0};
    put("unified/cgroup.controllers", "hugetlb rdma\n");
    assert_true(find(lines, "berth/n1", &cgroups, &why));
    assert_int_equal(cgroups.layout, CGROUP_MIXED);
    assert_non_null(strstr(cgroup_mount_of_processes(&cgroups)->path, "/memory"));
}

TEST(finds_v2)
{
    struct cgroups cgroups;
    struct err why = {0};
    put("v2/cgroup.controllers", "cpuset cpu io memory pids\n");
    assert_true(find(v2_lines, "system.slice/berth@1/node", &cgroups, &why));
    assert_int_equal(cgroups.layout, CGROUP_V2);
    assert_ptr_equal(cgroup_mount_of(&cgroups, CGROUP_DEVICES), &cgroups.mounts[0]);
}

TEST(says_what_is_missing)
{
    static const char *const none[] = {NULL};
    static const char *const few[] = {"cgroup %/cpu cpu,cpuacct", "cgroup %/pids pids", NULL};
    static const char *const split[] = {"cgroup %/cpu cpu,cpuacct", "cgroup %/pids pids",
                                        "cgroup %/devices devices", "cgroup2 %/split x", NULL};
    struct cgroups cgroups;
    struct err why = {0};
    put("v2/cgroup.controllers", "cpu io pids\n");
    put("split/cgroup.controllers", "memory\n");
    assert_false(find(none, "berth", &cgroups, &why));
    assert_non_null(strstr(why.text, "no cgroups are mounted"));
    assert_false(find(few, "berth", &cgroups, &why));
    assert_non_null(strstr(why.text, "memory, devices"));
    assert_false(find(v2_lines, "berth", &cgroups, &why));
    assert_non_null(strstr(why.text, "(v2) have no controller for memory"));
    assert_false(find(split, "berth", &cgroups, &why));
    assert_non_null(strstr(why.text, "some on v2"));
    assert_int_equal(why.code, ERR_NOT_IMPLEMENTED);
}

TEST(refuses_names_that_lead_elsewhere)
{
    static const char *const bad[] = {"",       "/berth", "berth/", "a//b", "..",
                                      "a/../b", ".",      "a b",    "a\\b", "a/./b"};
    struct cgroups cgroups;
    struct err why = {0};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (find(v1_lines, bad[i], &cgroups, &why))
            fail_msg("\"%s\" was taken", bad[i]);
        assert_int_equal(why.code, ERR_INVALID);
    }
}

/* Files of a folder that the kernel would have put there. */
static void put_group_v1(void)
{
    static const char *const files[] = {
        "cpu/berth/g/cpu.cfs_period_us", "cpu/berth/g/cpu.cfs_quota_us",
        "cpu/berth/g/cpu.shares",        "memory/berth/g/memory.limit_in_bytes",
        "pids/berth/g/pids.max",         "devices/berth/g/devices.deny",
        "devices/berth/g/devices.allow"};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        put(files[i], "");
}

TEST(writes_the_ceilings_of_v1)
{
    struct cgroups cgroups;
    struct err why = {0};
    struct cgroup_limits ceiling = {.cpu_milli = 250, .memory_bytes = 1048576, .pids_max = 99};
    assert_true(find(v1_lines, "berth", &cgroups, &why));
    put_group_v1();
    put("named/tasks", "");
    put("freezer/tasks", "");
    put("cpuset/cpuset.cpus", "0-1\n");
    put("cpuset/berth/cpuset.cpus", "");
    if (!cgroup_make(&cgroups, "g", &why) || !cgroup_limit(&cgroups, "g", &ceiling, &why) ||
        !cgroup_limit_devices(&cgroups, "g", NULL, 0, &why))
        fail_msg("%s", why.text);
    assert_string_equal(get("cpu/berth/g/cpu.cfs_period_us"), "100000");
    assert_string_equal(get("cpu/berth/g/cpu.cfs_quota_us"), "25000");
    assert_string_equal(get("cpu/berth/g/cpu.shares"), "256");
    assert_string_equal(get("memory/berth/g/memory.limit_in_bytes"), "1048576");
    assert_string_equal(get("pids/berth/g/pids.max"), "99");
    assert_string_equal(get("devices/berth/g/devices.deny"), "a");
}

TEST(writes_the_ceilings_of_v2)
{
    struct cgroups cgroups;
    struct err why = {0};
    struct cgroup_limits ceiling = {.cpu_milli = 1000, .memory_bytes = 1048576, .pids_max = 99};
    put("v2/cgroup.controllers", "cpu memory pids\n");
    static const char *const files[] = {
        "v2/cgroup.subtree_control", "v2/berth/cgroup.subtree_control", "v2/berth/g/cpu.max",
        "v2/berth/g/cpu.weight",     "v2/berth/g/memory.max",           "v2/berth/g/pids.max"};
    for (size_t i = 0; i < COUNT_OF(files); i++)
        put(files[i], "");
    assert_true(find(v2_lines, "berth", &cgroups, &why));
    if (!cgroup_make(&cgroups, "g", &why) || !cgroup_limit(&cgroups, "g", &ceiling, &why))
        fail_msg("%s", why.text);
    assert_string_equal(get("v2/cgroup.subtree_control"), "+cpu +memory +pids");
    assert_string_equal(get("v2/berth/cgroup.subtree_control"), "+cpu +memory +pids");
    assert_string_equal(get("v2/berth/g/cgroup.subtree_control"), "absent");
    assert_string_equal(get("v2/berth/g/cpu.max"), "100000 100000");
    assert_string_equal(get("v2/berth/g/cpu.weight"), "39"); /* of 1,024 shares */
    assert_string_equal(get("v2/berth/g/memory.max"), "1048576");
    assert_string_equal(get("v2/berth/g/pids.max"), "99");
}

TEST(writes_the_weight_alone)
{
    struct cgroups v1, v2;
    struct err why = {0};
    put("v2/cgroup.controllers", "cpu memory pids\n");
    put("cpu/berth/w/cpu.shares", "1024");
    put("v2/berth/w/cpu.weight", "100");
    assert_true(find(v1_lines, "berth", &v1, &why) && find(v2_lines, "berth", &v2, &why));
    assert_true(cgroup_weigh(&v1, "w", 4000, &why) && cgroup_weigh(&v2, "w", 4000, &why));
    assert_string_equal(get("cpu/berth/w/cpu.shares"), "4096");
    assert_string_equal(get("v2/berth/w/cpu.weight"), "157");
    assert_string_equal(get("cpu/berth/w/cpu.cfs_quota_us"), "absent");
}

TEST(keeps_to_what_the_kernel_takes)
{
    assert_int_equal(cgroup_cpu_quota_us(10), 1000);
    assert_int_equal(cgroup_cpu_quota_us(1), 1000);
    assert_int_equal(cgroup_cpu_quota_us(31000), 3100000);
    assert_int_equal(cgroup_cpu_shares(1), 2);
    assert_int_equal(cgroup_cpu_shares(1000000), 262144);
}

TEST(reads_what_is_used)
{
    struct cgroups v1, v2;
    struct runtime_use use;
    struct err why = {0};
    put("v2/cgroup.controllers", "cpu memory pids\n");
    put("cpu/berth/g/cpuacct.usage", "123456789\n");
    put("memory/berth/g/memory.usage_in_bytes", "4096\n");
    put("memory/berth/g/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    put("pids/berth/g/pids.current", "3\n");
    put("v2/berth/g/cpu.stat", "usage_usec 5000\nuser_usec 3000\n");
    put("v2/berth/g/memory.current", "8192\n");
    put("v2/berth/g/memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n");
    put("v2/berth/g/pids.current", "4\n");
    assert_true(find(v1_lines, "berth", &v1, &why) && find(v2_lines, "berth", &v2, &why));
    assert_true(cgroup_use(&v1, "g", &use, &why));
    assert_true(use.cpu_ns == 123456789 && use.memory_bytes == 4096 && use.tasks == 3);
    assert_int_equal(cgroup_oom_kills(&v1, "g"), 2);
    assert_true(cgroup_use(&v2, "g", &use, &why));
    assert_true(use.cpu_ns == 5000000 && use.memory_bytes == 8192 && use.tasks == 4);
    assert_int_equal(cgroup_oom_kills(&v2, "g"), 1);
    assert_false(cgroup_use(&v2, "other", &use, &why));
    assert_int_equal(why.code, ERR_NOT_FOUND);
    assert_int_equal(cgroup_oom_kills(&v2, "other"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_v1),
        cmocka_unit_test(finds_mixed),
        cmocka_unit_test(finds_v2),
        cmocka_unit_test(says_what_is_missing),
        cmocka_unit_test(refuses_names_that_lead_elsewhere),
        cmocka_unit_test(writes_the_ceilings_of_v1),
        cmocka_unit_test(writes_the_ceilings_of_v2),
        cmocka_unit_test(writes_the_weight_alone),
        cmocka_unit_test(keeps_to_what_the_kernel_takes),
        cmocka_unit_test(reads_what_is_used),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
