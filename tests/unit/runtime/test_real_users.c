/* Real containers with users of their own. */
#include "tests/unit/runtime/real.h"
#include "tests/unit/unit_users.h"

static struct test_users users;
static char root[REAL_PATH], net[64], ipc[64], uts[64];

/* Their root as image_mount() would show it to them. */
static void begin(void)
{
    test_users_begin(&users);
    text_format(net, sizeof net, "/proc/%d/ns/net", (int)users.holder);
    text_format(ipc, sizeof ipc, "/proc/%d/ns/ipc", (int)users.holder);
    text_format(uts, sizeof uts, "/proc/%d/ns/uts", (int)users.holder);
    text_format(root, sizeof root, "%s/theirs", real.folder);
    mkdir(root, 0700);
    OK(idmap_mount(real.root, root, &users.map, 0, &err));
}

static void end(void)
{
    assert_int_equal(umount2(root, MNT_DETACH), 0);
    test_users_end(&users);
}

static struct runtime_container theirs(const char *name, const char *shell_command)
{
    struct runtime_container container = real_container(name, shell_command);
    container.users = users.map;
    container.root = root;
    container.net_path = net;
    container.ipc_path = ipc;
    container.uts_path = uts;
    return container;
}

TEST(its_root_is_nobody_on_the_node)
{
    begin();
    struct runtime_container container =
        theirs("root", "id -u; cat /proc/self/uid_map | tr -s ' '; stat -c %u /bin; touch /here && "
                       "stat -c %u /here; rm /here; mknod /null c 1 3 2>/dev/null || echo no");
    real_run(&container, "0\n 0 1879048192 65536\n0\n0\nno\n");
    end();
}

TEST(it_opens_its_outputs_again)
{
    begin();
    struct runtime_container container =
        theirs("outputs", "echo once > /dev/stdout; echo twice > /proc/self/fd/2");
    real_run(&container, "once\ntwice\n");
    end();
}

TEST(its_devices_belong_to_whom_they_are_meant_for_and_go_with_it)
{
    struct runtime_device devices[] = {{"/dev/odd", 'c', 1, 5, 0620, 3, 4, "rw"},
                                       {"/dev/deep/er", 'c', 1, 3, 0666, 0, 0, "rw"}};
    char folder[REAL_PATH];
    begin();
    struct runtime_container container =
        theirs("devices", "stat -c %u:%g:%a /dev/odd /dev/deep/er; head -c 3 /dev/odd | wc -c; "
                          "echo x > /dev/deep/er && echo written");
    container.devices = devices;
    container.devices_count = 2;
    real_run(&container, "3:4:620\n0:0:666\n3\nwritten\n");
    text_format(folder, sizeof folder, "%s/runtime/dev", real.run_dir);
    assert_int_equal(rmdir(folder), -1); /* the tmpfs of them all, which is empty: */
    assert_int_equal(errno, EBUSY);
    text_format(folder, sizeof folder, "%s/runtime/dev/%s.devices", real.run_dir, real.uid);
    assert_false(file_exists(folder));
    end();
}

TEST(an_agent_that_comes_back_finds_whose_it_is)
{
    begin();
    struct runtime_container container = theirs("kept", "sleep 600");
    real_start(&container);
    real_reopen();
    const char *args[] = {"/bin/sh", "-c", "echo said > /dev/stdout; /bin/id -u"};
    struct text_list command = {true, args, 3};
    int exit_code = -1;
    struct err why = {0};
    struct runtime_command *running =
        runtime_command_begin(real.runtime, real.uid, "kept", &command, &why);
    assert_non_null(running);
    for (int i = 0; i < 2000 && !runtime_command_ended(running, &exit_code); i++)
        usleep(10000);
    assert_string_equal(runtime_command_output(running), "said\n0\n");
    assert_int_equal(exit_code, 0);
    runtime_command_free(running);
    OK(runtime_remove(real.runtime, real.uid, "kept", &err));
    end();
}

/* 0: it can; else how it says that it cannot. */
static int tries(bool covered)
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        bool ready = unshare(CLONE_NEWNS) == 0 &&
                     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                     (!covered || mount("/dev/null", "/proc/uptime", NULL, MS_BIND, NULL) == 0);
        bool can = ready && runtime_users_try(real.runtime, &err);
        _exit(!ready ? 1 : can ? 0 : strstr(err.text, "a part of /proc") ? 2 : 3);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(says_whether_it_can_and_why_not)
{
    assert_true(runtime_takes_users(real.runtime, NULL));
    assert_false(runtime_takes_users(real.runtime, "unknown"));
    assert_int_equal(tries(false), 0);
    assert_int_equal(tries(true), 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_whether_it_can_and_why_not), /* and opens the way to the root */
        cmocka_unit_test(its_root_is_nobody_on_the_node),
        cmocka_unit_test(it_opens_its_outputs_again),
        cmocka_unit_test(its_devices_belong_to_whom_they_are_meant_for_and_go_with_it),
        cmocka_unit_test(an_agent_that_comes_back_finds_whose_it_is),
    };
    return REAL_TESTS(tests, argc, argv);
}
