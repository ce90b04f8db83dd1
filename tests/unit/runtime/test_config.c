/* The OCI configuration as a document: what is in it, and that nothing a client writes gets out
 * of its string. */
#include "base/limits.h"
#include "model/capability.h"
#include "node-agent/runtime/oci/config.h"
#include "node-agent/runtime/oci/seccomp.h"
#include "tests/unit/unit.h"

#include <jansson.h>
#include <string.h>
#include <sys/statvfs.h>

static const char *args[] = {"/bin/app", "--say", "a \"b\" \\ \n \x01 \xC3\xA9"};
static const char *env[] = {"PATH=/bin", "KEY=\",\"env\":[\"X=1\"],\"x\":\""};
static const uint32_t groups[] = {7, 4294967295U};
static const struct runtime_mount mounts[] = {{"/node/\"data\"", "/data", false},
                                              {"/node/hosts", "/etc/hosts", true}};

static struct runtime_container container(void)
{
    return (struct runtime_container){
        .uid = "6f0d2f6e-6a55-4f6b-9d6c-5f1f0a0b0c0d",
        .name = "web",
        .root = "/roots/web",
        .args = {.given = true, .items = args, .count = 3},
        .env = {.given = true, .items = env, .count = 2},
        .groups = groups,
        .groups_count = 2,
        .mounts = mounts,
        .mounts_count = 2,
        .net_path = "/ns/net",
        .ipc_path = "/ns/ipc",
        .uts_path = "/ns/uts",
        .hostname = "ignored",
        .cpu_milli = 1500,
        .memory_bytes = 1 << 30,
        .log_path = "/log",
    };
}

static struct config_node node(void)
{
    return (struct config_node){
        .cgroup_path = "/berth/n/g/c", .with_limits = true, .shm_path = "/shm", .files_max = 1024};
}

static json_t *made(const struct runtime_container *of, const struct config_node *on)
{
    json_error_t where;
    AUTO(text) *text = text_new(1 << 20);
    config_add(text, of, on);
    assert_true(text_ok(text));
    json_t *config = json_loads(text->bytes, JSON_REJECT_DUPLICATES, &where);
    if (!config)
        fail_msg("%s at %d in %s", where.text, where.position, text->bytes);
    return config;
}

/* "process.user.uid", "mounts.0.type"; aborts the test when it is not there. */
static const json_t *at(const json_t *value, const char *path)
{
    while (*path) {
        char name[64];
        size_t size = strcspn(path, ".");
        int64_t index;
        text_format(name, sizeof name, "%.*s", (int)size, path);
        value = text_to_int(name, &index) ? json_array_get(value, (size_t)index)
                                          : json_object_get(value, name);
        if (!value)
            fail_msg("there is no %s", path);
        path += size + (path[size] ? 1 : 0);
    }
    return value;
}

static const char *word(const json_t *value, const char *path)
{
    return json_string_value(at(value, path));
}

static int64_t number(const json_t *value, const char *path)
{
    return json_integer_value(at(value, path));
}

static const json_t *mount_at(const json_t *config, const char *target)
{
    size_t index;
    const json_t *mount, *list = at(config, "mounts");
    json_array_foreach((json_t *)(uintptr_t)list, index,
                       mount) if (strcmp(json_string_value(json_object_get(mount, "destination")),
                                         target) == 0) return mount;
    fail_msg("nothing is mounted on %s", target);
    return NULL;
}

static bool has_word(const json_t *list, const char *wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), wanted) == 0)
            return true;
    return false;
}

TEST(keeps_clients_words_within_their_strings)
{
    struct runtime_container of = container();
    struct config_node on = node();
    json_t *config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "process.args")), 3);
    assert_string_equal(word(config, "process.args.2"), args[2]);
    assert_int_equal(json_array_size(at(config, "process.env")), 2);
    assert_string_equal(word(config, "process.env.1"), env[1]);
    assert_string_equal(word(mount_at(config, "/data"), "source"), "/node/\"data\"");
    json_decref(config);
}

TEST(gives_the_user_and_its_groups)
{
    struct runtime_container of = container();
    struct config_node on = node();
    of.user = 1000;
    of.user_group = 4294967295U;
    json_t *config = made(&of, &on);
    assert_int_equal(number(config, "process.user.uid"), 1000);
    assert_int_equal(number(config, "process.user.gid"), 4294967295LL);
    assert_int_equal(number(config, "process.user.additionalGids.1"), 4294967295LL);
    assert_null(json_object_get(at(config, "process.capabilities"), "effective"));
    json_decref(config);
}

TEST(drops_all_but_fourteen_capabilities)
{
    static const char *const sets[] = {"process.capabilities.bounding",
                                       "process.capabilities.effective",
                                       "process.capabilities.permitted"};
    struct runtime_container of = container();
    struct config_node on = node();
    json_t *config = made(&of, &on);
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        assert_int_equal(json_array_size(at(config, sets[i])), 14);
        assert_false(has_word(at(config, sets[i]), "CAP_SYS_ADMIN"));
    }
    assert_null(json_object_get(at(config, "process.capabilities"), "ambient"));
    assert_null(json_object_get(at(config, "process.capabilities"), "inheritable"));
    assert_true(json_is_true(at(config, "process.noNewPrivileges")));
    json_decref(config);
}

TEST(joins_the_namespaces_of_its_group)
{
    struct runtime_container of = container();
    struct config_node on = node();
    json_t *config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "linux.namespaces")), 6);
    assert_string_equal(word(config, "linux.namespaces.3.path"), "/ns/net");
    assert_string_equal(word(config, "linux.namespaces.4.path"), "/ns/ipc");
    assert_string_equal(word(config, "linux.namespaces.5.path"), "/ns/uts");
    assert_null(json_object_get(config, "hostname")); /* that of the group stays */
    json_decref(config);
    of.net_path = of.ipc_path = of.uts_path = NULL;
    config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "linux.namespaces")), 6);
    assert_null(json_object_get(at(config, "linux.namespaces.3"), "path"));
    assert_string_equal(word(config, "hostname"), "ignored");
    json_decref(config);
}

TEST(mounts_what_it_is_told_the_way_it_is_told)
{
    struct runtime_container of = container();
    struct config_node on = node();
    json_t *config = made(&of, &on);
    assert_true(has_word(at(mount_at(config, "/data"), "options"), "rw"));
    assert_true(has_word(at(mount_at(config, "/etc/hosts"), "options"), "ro"));
    assert_true(has_word(at(mount_at(config, "/sys"), "options"), "ro"));
    assert_true(has_word(at(mount_at(config, "/sys/fs/cgroup"), "options"), "ro"));
    assert_string_equal(word(mount_at(config, "/dev/shm"), "source"), "/shm");
    assert_true(has_word(at(config, "linux.maskedPaths"), "/proc/kcore"));
    assert_true(has_word(at(config, "linux.readonlyPaths"), "/proc/sys"));
    json_decref(config);
    on.shm_path = NULL;
    config = made(&of, &on);
    assert_string_equal(word(mount_at(config, "/dev/shm"), "type"), "tmpfs");
    json_decref(config);
}

TEST(sets_limits_unless_the_agent_has)
{
    struct runtime_container of = container();
    struct config_node on = node();
    json_t *config = made(&of, &on);
    assert_int_equal(number(config, "linux.resources.cpu.quota"), 150000);
    assert_int_equal(number(config, "linux.resources.cpu.period"), 100000);
    assert_int_equal(number(config, "linux.resources.memory.limit"), 1 << 30);
    assert_int_equal(number(config, "linux.resources.pids.limit"), LIMIT_CONTAINER_PIDS_MAX);
    assert_int_equal(number(config, "process.rlimits.0.hard"), 1024);
    json_decref(config);
    on.with_limits = false;
    config = made(&of, &on);
    assert_null(json_object_get(at(config, "linux"), "resources"));
    json_decref(config);
}

TEST(weighs_by_the_request_and_stops_at_the_limit)
{
    struct runtime_container of = container();
    struct config_node on = node();
    of.cpu_weight_milli = 500;
    json_t *config = made(&of, &on);
    assert_int_equal(number(config, "linux.resources.cpu.quota"), 150000);
    assert_int_equal(number(config, "linux.resources.cpu.shares"), 512);
    json_decref(config);
}

TEST(gives_the_capabilities_asked_for_and_no_others)
{
    struct runtime_rights rights = {.capabilities = 1 << 12 | 1 << 10, .named = 1 << 12};
    struct runtime_container of = container();
    struct config_node on = node();
    of.rights = &rights;
    json_t *config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "process.capabilities.effective")), 2);
    assert_true(has_word(at(config, "process.capabilities.effective"), "CAP_NET_ADMIN"));
    assert_true(json_is_true(at(config, "process.noNewPrivileges")));
    json_decref(config);
    of.user = 1000; /* what was named it has, whoever it is */
    rights.may_gain = true;
    config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "process.capabilities.bounding")), 2);
    assert_int_equal(json_array_size(at(config, "process.capabilities.ambient")), 1);
    assert_string_equal(word(config, "process.capabilities.ambient.0"), "CAP_NET_ADMIN");
    assert_true(json_is_false(at(config, "process.noNewPrivileges")));
    json_decref(config);
}

TEST(leaves_a_privileged_container_unconfined_but_for_what_the_agent_lacks)
{
    struct runtime_rights rights = {.privileged = true, .capabilities = CAPABILITY_EVERY};
    struct runtime_container of = container();
    struct config_node on = node();
    of.rights = &rights;
    on.capabilities_held = CAPABILITY_EVERY & ~CAPABILITY_BIT(24);
    on.seccomp_json = "{}";
    json_t *config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "process.capabilities.effective")), 40);
    assert_null(json_object_get(at(config, "linux"), "seccomp"));
    assert_int_equal(json_array_size(at(config, "linux.maskedPaths")), 0);
    assert_int_equal(json_array_size(at(config, "linux.readonlyPaths")), 0);
    assert_false(has_word(at(mount_at(config, "/sys"), "options"), "ro"));
    assert_true(json_is_true(at(config, "linux.resources.devices.0.allow")));
    json_decref(config);
}

TEST(makes_the_devices_it_is_given_and_allows_them)
{
    const struct runtime_device device = {"/dev/\"odd\"", 'c', 1, 7, 0660, 3, 4, "rw"};
    struct runtime_container of = container();
    struct config_node on = node();
    of.devices = &device;
    of.devices_count = 1;
    json_t *config = made(&of, &on);
    assert_string_equal(word(config, "linux.devices.0.path"), "/dev/\"odd\"");
    assert_int_equal(number(config, "linux.devices.0.minor"), 7);
    assert_int_equal(number(config, "linux.devices.0.fileMode"), 0660);
    assert_true(json_is_false(at(config, "linux.resources.devices.0.allow")));
    assert_string_equal(word(config, "linux.resources.devices.1.access"), "rw");
    json_decref(config);
}

TEST(joins_users_and_says_their_ids_where_the_runtime_wants_them)
{
    struct runtime_container of = container();
    struct config_node on = node();
    of.users = (struct idmap){"/ns/user", 1879048192};
    on.root_path = "/run/root";
    json_t *config = made(&of, &on);
    assert_string_equal(word(config, "linux.namespaces.6.type"), "user");
    assert_string_equal(word(config, "linux.namespaces.6.path"), "/ns/user");
    assert_null(json_object_get(at(config, "linux"), "uidMappings"));
    assert_string_equal(word(config, "root.path"), "/run/root");
    json_decref(config);
    on.maps_users = true;
    config = made(&of, &on);
    assert_int_equal(number(config, "linux.uidMappings.0.hostID"), 1879048192);
    assert_int_equal(number(config, "linux.gidMappings.0.containerID"), 0);
    assert_int_equal(number(config, "linux.gidMappings.0.size"), LIMIT_GROUP_USERS);
    json_decref(config);
    of.users = node_users;
    config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "linux.namespaces")), 6);
    assert_null(json_object_get(at(config, "linux"), "uidMappings"));
    json_decref(config);
}

TEST(mounts_the_devices_of_users_of_their_own_and_allows_them)
{
    const struct runtime_device device = {"/dev/gpu", 'c', 1, 7, 0660, 3, 4, "rw"};
    struct runtime_container of = container();
    struct config_node on = node();
    of.users = (struct idmap){"/ns/user", 1879048192};
    of.devices = &device;
    of.devices_count = 1;
    on.devices_path = "/run/dev/c";
    json_t *config = made(&of, &on);
    assert_null(json_object_get(at(config, "linux"), "devices"));
    assert_string_equal(word(mount_at(config, "/dev/gpu"), "source"), "/run/dev/c/0");
    assert_false(has_word(at(mount_at(config, "/dev/gpu"), "options"), "nodev"));
    assert_int_equal(number(config, "linux.resources.devices.1.minor"), 7);
    json_decref(config);
}

TEST(keeps_what_users_of_their_own_cannot_take_off_a_mount)
{
    static const char *const sources[] = {"/", "/proc", "/sys", "/dev/pts", "/dev/shm"};
    struct runtime_container of = container();
    struct config_node on = node();
    for (size_t i = 0; i < 2 * COUNT_OF(sources); i++) {
        const struct runtime_mount mount = {sources[i / 2], "/there", false};
        struct statvfs seen = {0};
        (void)statvfs(mount.source, &seen);
        of.users = i % 2 ? (struct idmap){"/ns/user", 1879048192} : node_users;
        of.mounts = &mount;
        of.mounts_count = 1;
        json_t *config = made(&of, &on);
        assert_int_equal(has_word(at(mount_at(config, "/there"), "options"), "noexec"),
                         i % 2 && (seen.f_flag & ST_NOEXEC));
        json_decref(config);
    }
}

/* {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"archMap":[{"architecture":"SCMP_ARCH_X86_64",
 * "subArchitectures":["SCMP_ARCH_X86"]},{"architecture":"SCMP_ARCH_AARCH64"}],"syscalls":[
 * {"names":["a"],"action":"SCMP_ACT_ALLOW","args":[{"index":1,"value":7,"op":"SCMP_CMP_EQ"}]},
 * {"name":"old","action":"SCMP_ACT_LOG"},
 * {"names":["b"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
 * {"names":["c"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390"]}},
 * {"names":["d"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"99.0"}},
 * {"names":["e"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_CHOWN"]}}]} */
static const char profile_text[] =
    "eyJkZWZhdWx0QWN0aW9uIjoiU0NNUF9BQ1RfRVJSTk8iLCJkZWZhdWx0RXJybm9SZXQiOjM4LCJhcmNoTWFwIjpbeyJhcm"
    "NoaXRlY3R1cmUiOiJTQ01QX0FSQ0hfWDg2XzY0Iiwic3ViQXJjaGl0ZWN0dXJlcyI6WyJTQ01QX0FSQ0hfWDg2Il19LHsi"
    "YXJjaGl0ZWN0dXJlIjoiU0NNUF9BUkNIX0FBUkNINjQifV0sInN5c2NhbGxzIjpbeyJuYW1lcyI6WyJhIl0sImFjdGlvbi"
    "I6IlNDTVBfQUNUX0FMTE9XIiwiYXJncyI6W3siaW5kZXgiOjEsInZhbHVlIjo3LCJvcCI6IlNDTVBfQ01QX0VRIn1dfSx7"
    "Im5hbWUiOiJvbGQiLCJhY3Rpb24iOiJTQ01QX0FDVF9MT0cifSx7Im5hbWVzIjpbImIiXSwiYWN0aW9uIjoiU0NNUF9BQ1"
    "RfQUxMT1ciLCJpbmNsdWRlcyI6eyJjYXBzIjpbIkNBUF9TWVNfQURNSU4iXX19LHsibmFtZXMiOlsiYyJdLCJhY3Rpb24i"
    "OiJTQ01QX0FDVF9BTExPVyIsImluY2x1ZGVzIjp7ImFyY2hlcyI6WyJzMzkwIl19fSx7Im5hbWVzIjpbImQiXSwiYWN0aW"
    "9uIjoiU0NNUF9BQ1RfQUxMT1ciLCJpbmNsdWRlcyI6eyJtaW5LZXJuZWwiOiI5OS4wIn19LHsibmFtZXMiOlsiZSJdLCJh"
    "Y3Rpb24iOiJTQ01QX0FDVF9BTExPVyIsImV4Y2x1ZGVzIjp7ImNhcHMiOlsiQ0FQX0NIT1dOIl19fV19";

TEST(takes_a_clients_profile_and_decides_its_conditions)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct seccomp_profile profile;
    struct runtime_rights rights = {.capabilities = 1, .profile = &profile};
    struct runtime_container of = container();
    struct config_node on = node();
    const char *fault = seccomp_profile_read(profile_text, arena, &profile);
    assert_null(fault);
    of.rights = &rights;
    on.seccomp_json = "{}";
    on.seccomp_bpf = "none";
    json_t *config = made(&of, &on);
    assert_null(json_object_get(config, "annotations"));
    assert_int_equal(number(config, "linux.seccomp.defaultErrnoRet"), 38);
    assert_int_equal(json_array_size(at(config, "linux.seccomp.syscalls")), 2);
    assert_int_equal(number(config, "linux.seccomp.syscalls.0.args.0.value"), 7);
    assert_string_equal(word(config, "linux.seccomp.syscalls.1.names.0"), "old");
#if defined(__x86_64__)
    assert_string_equal(word(config, "linux.seccomp.architectures.1"), "SCMP_ARCH_X86");
#endif
    json_decref(config);
    rights.capabilities = CAPABILITY_BIT(21);
    config = made(&of, &on);
    assert_int_equal(json_array_size(at(config, "linux.seccomp.syscalls")), 4);
    json_decref(config);
}

TEST(has_a_profile_that_names_each_call_once)
{
    AUTO(text) *profile = text_new(1 << 20);
    seccomp_add_json(profile);
    json_t *seen = json_object(), *json = json_loads(profile->bytes, 0, NULL);
    assert_non_null(json);
    assert_string_equal(word(json, "defaultAction"), "SCMP_ACT_ERRNO");
    size_t index, inner;
    const json_t *rule, *name;
    json_array_foreach((json_t *)(uintptr_t)at(json, "syscalls"), index, rule)
    {
        if (json_object_get(rule, "args"))
            continue;
        json_array_foreach((json_t *)(uintptr_t)at(rule, "names"), inner, name)
        {
            const char *call = json_string_value(name);
            if (json_object_get(seen, call))
                fail_msg("%s stands twice in seccomp.def", call);
            json_object_set_new(seen, call, json_string(word(rule, "action")));
        }
    }
    assert_string_equal(word(seen, "openat"), "SCMP_ACT_ALLOW");
    assert_string_equal(word(seen, "mount"), "SCMP_ACT_ERRNO");
    assert_null(json_object_get(seen, "clone3"));
    assert_null(json_object_get(seen, "clone")); /* with conditions only */
    json_decref(seen);
    json_decref(json);
}

TEST(compiles_the_profile)
{
    AUTO(text) *bpf = text_new(1 << 20);
    struct err why = {0};
    assert_true(seccomp_add_bpf(bpf, &why));
    assert_true(bpf->size > 1000 && bpf->size % 4 == 0);
    assert_true(bpf->size / 4 * 3 / 8 <= 4096); /* the kernel's ceiling of instructions */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_clients_words_within_their_strings),
        cmocka_unit_test(gives_the_user_and_its_groups),
        cmocka_unit_test(drops_all_but_fourteen_capabilities),
        cmocka_unit_test(joins_the_namespaces_of_its_group),
        cmocka_unit_test(mounts_what_it_is_told_the_way_it_is_told),
        cmocka_unit_test(sets_limits_unless_the_agent_has),
        cmocka_unit_test(weighs_by_the_request_and_stops_at_the_limit),
        cmocka_unit_test(gives_the_capabilities_asked_for_and_no_others),
        cmocka_unit_test(leaves_a_privileged_container_unconfined_but_for_what_the_agent_lacks),
        cmocka_unit_test(makes_the_devices_it_is_given_and_allows_them),
        cmocka_unit_test(joins_users_and_says_their_ids_where_the_runtime_wants_them),
        cmocka_unit_test(mounts_the_devices_of_users_of_their_own_and_allows_them),
        cmocka_unit_test(keeps_what_users_of_their_own_cannot_take_off_a_mount),
        cmocka_unit_test(takes_a_clients_profile_and_decides_its_conditions),
        cmocka_unit_test(has_a_profile_that_names_each_call_once),
        cmocka_unit_test(compiles_the_profile),
    };
    return RUN_TESTS(tests);
}
