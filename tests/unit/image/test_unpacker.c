/* The process that unpacks: what it cannot do, what is made of its answers, and when it ends. */
#include "tests/unit/image/made.h"
#include "tests/unit/unit.h"

#include "base/file.h"
#include "base/text.h"
#include "node-agent/image/unpack_answer.h"
#include "node-agent/image/unpack_confine.h"
#include "node-agent/image/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

static char folder[64];
static struct err err;

static const char *path_of(const char *name)
{
    static char path[256];

    assert_true(text_format(path, sizeof path, "%s/%s", folder, name));
    return path;
}

/* ---- confined ---- */

/* In a child that confines itself to "root": whether `tried` comes out as wanted. */
static bool confined(bool (*tried)(int root))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        int root = open(path_of("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int lower = open(path_of("lower"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const struct unpack unpack = {
            .root = root, .lowers = &lower, .lowers_count = 1, .bytes_max = 1 << 20};
        struct err why = {0};
        if (!unpack_confine(&unpack, &why))
            _exit(2);
        _exit(tried(root) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 0;
}

static bool fills_its_folder(int root)
{
    int fd = openat(root, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    return fd >= 0 && write(fd, "x", 1) == 1 && fchown(fd, 7, 8) == 0 && fchmod(fd, 04755) == 0 &&
           mkdirat(root, "d", 0700) == 0 && linkat(root, "file", root, "d/hard", 0) == 0 &&
           mknodat(root, "null", S_IFCHR | 0600, 0) == 0;
}

static bool reads_outside(int root UNUSED)
{
    return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0;
}

static bool writes_outside(int root UNUSED)
{
    return open(path_of("outside"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

static bool writes_below(int root UNUSED)
{
    return open(path_of("lower/evil"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0;
}

static bool speaks(int root UNUSED)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 || socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool mounts(int root UNUSED)
{
    return mount("none", path_of("lower"), "tmpfs", 0, NULL) == 0 || umount("/proc") == 0;
}

static bool starts_or_ends_others(int root UNUSED)
{
    execl("/bin/true", "true", (char *)NULL);
    return kill(getppid(), 0) == 0 || fork() >= 0;
}

static bool fills_the_disk(int root)
{
    int fd = openat(root, "large", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    return fd < 0 || pwrite(fd, "x", 1, 2 << 20) == 1 || errno != EFBIG;
}

TEST(it_fills_its_folder_with_files_of_all_kinds_and_owners)
{
    struct stat seen;

    assert_true(confined(fills_its_folder));
    assert_int_equal(lstat(path_of("root/d/hard"), &seen), 0);
    assert_int_equal(seen.st_uid, 7);
    assert_int_equal(seen.st_mode & 07777, 04755);
}

TEST(it_reaches_no_other_folder_no_network_no_mount_and_no_process)
{
    assert_false(confined(reads_outside));
    assert_false(confined(writes_outside));
    assert_false(confined(writes_below));
    assert_false(confined(speaks));
    assert_false(confined(mounts));
    assert_false(confined(starts_or_ends_others));
    assert_false(confined(fills_the_disk));
}

/* ---- answers ---- */

static struct tree_debts debts;

static struct text *an_answer(void)
{
    struct err none = {0};
    struct text *answer = text_new(UNPACK_ANSWER_MAX);
    struct tree_debts owed = {
        .items = {{strdup("etc/motd"), true}, {NULL, false}, {strdup("usr"), false}}, .count = 3};

    unpack_answer_print(&none, &(struct unpacked){4096, 3}, &owed, answer);
    assert_true(text_ok(answer));
    tree_debts_done(&owed);
    return answer;
}

static bool understood(const char *bytes, size_t size, struct tree_debts *owed)
{
    AUTO_FREE char *copy =
        malloc(size ? size : 1); /* of that size alone, so that reading past it shows */
    struct unpacked unpacked;

    assert_non_null(copy);
    memcpy(copy, bytes, size);
    bool read = unpack_answer_read(copy, size, &err, &unpacked, owed);
    tree_debts_done(&debts);
    return read;
}

TEST(an_answer_comes_across_whole)
{
    AUTO(text) *answer = an_answer();
    struct unpacked unpacked;

    assert_true(unpack_answer_read(answer->bytes, answer->size, &err, &unpacked, &debts));
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(unpacked.bytes, 4096);
    assert_int_equal(unpacked.files, 3);
    assert_int_equal(debts.count, 2);
    assert_string_equal(debts.items[0].path, "etc/motd");
    assert_true(debts.items[0].hides);
    assert_string_equal(debts.items[1].path, "usr");
    tree_debts_done(&debts);
}

TEST(an_answer_that_is_cut_or_longer_is_none)
{
    AUTO(text) *answer = an_answer();

    for (size_t size = 0; size < answer->size; size++)
        assert_false(understood(answer->bytes, size, &debts));
    assert_true(understood(answer->bytes, answer->size, &debts));
    assert_false(understood(answer->bytes, answer->size, NULL)); /* nobody asked for debts */
    text_add(answer, "x");
    assert_false(understood(answer->bytes, answer->size, &debts));
}

TEST(an_answer_of_any_bytes_does_no_harm)
{
    AUTO(text) *answer = an_answer();
    unsigned seed = 1;

    for (int round = 0; round < 20000; round++) {
        AUTO_FREE char *bytes = malloc(answer->size);
        assert_non_null(bytes);
        memcpy(bytes, answer->bytes, answer->size);
        for (int i = 0; i < 3; i++) {
            seed = seed * 1103515245 + 12345;
            bytes[seed / 65536 % (i == 0 ? 40 : answer->size)] = (char)(seed >> 8);
        }
        (void)understood(bytes, answer->size, &debts);
    }
}

/* ---- the process ---- */

static const char *script(const char *lines)
{
    static char path[256];
    AUTO(text) *text = text_new(4096);

    text_addf(text, "#!/bin/sh\n%s\n", lines);
    assert_true(file_replace(path_of("program"), text->bytes, text->size, 0755, false, &err));
    assert_true(text_copy(path, sizeof path, path_of("program")));
    return path;
}

static bool run(const char *program, int cancel_fd)
{
    static const char nothing[1024];
    AUTO_CLOSE int blob = made_file(nothing, sizeof nothing);
    AUTO_CLOSE int root = open(path_of("root"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct unpack unpack = {
        .blob = blob, .root = root, .bytes_max = 1 << 20, .files_max = 10, .cancel_fd = cancel_fd};
    struct unpacked unpacked;

    err = (struct err){0};
    return unpacker_run(program, &unpack, &unpacked, &err);
}

TEST(a_process_that_ends_without_an_answer_is_told)
{
    assert_false(run(script("kill -SEGV $$"), -1));
    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
    assert_non_null(strstr(err.text, "signal 11"));
    assert_false(run(script("kill -KILL $$"), -1));
    assert_int_equal(err.code, ERR_BUSY); /* memory ran out: another time, perhaps */
    assert_false(run(script("echo no such locale >&2; exit 1"), -1));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.text, "no such locale"));
    assert_false(run(script("echo rubbish"), -1));
    assert_int_equal(err.code, ERR_IO);
    assert_false(run("/nowhere/berth-unpack", -1));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(run(UNPACK_PROGRAM, -1));
}

static bool soon(bool (*holds)(pid_t), pid_t pid)
{
    for (int tries = 0; tries < 500; tries++) {
        if (holds(pid))
            return true;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    return false;
}

static pid_t noted_pid(void)
{
    AUTO_FREE char *bytes = NULL;
    struct err none;
    int64_t pid = 0;

    if (!file_read(path_of("pid"), 100, &bytes, NULL, &none))
        return 0;
    bytes[strcspn(bytes, "\n")] = '\0';
    return text_to_int(bytes, &pid) ? (pid_t)pid : 0;
}

static bool is_noted(pid_t pid UNUSED)
{
    return noted_pid() > 0;
}

static bool is_gone(pid_t pid)
{
    char path[64], state = 'X';
    AUTO_FREE char *bytes = NULL;
    struct err none;

    text_format(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (file_read(path, 4096, &bytes, NULL, &none) && strrchr(bytes, ')'))
        state = strrchr(bytes, ')')[2];
    return state == 'X' || state == 'Z';
}

TEST(it_ends_with_an_agent_that_is_killed)
{
    char lines[512];

    assert_true(text_format(lines, sizeof lines, "echo $$ >%s; exec sleep 60", path_of("pid")));
    const char *program = script(lines);
    pid_t agent = fork();
    if (agent == 0) {
        (void)run(program, -1);
        _exit(0);
    }
    assert_true(soon(is_noted, 0));
    pid_t child = noted_pid();
    assert_false(is_gone(child));
    assert_int_equal(kill(agent, SIGKILL), 0);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    assert_true(soon(is_gone, child));
}

/* ---- around each test ---- */

static int set_up(void **state)
{
    (void)state;
    assert_true(text_copy(folder, sizeof folder, "/tmp/berth-unpacker-XXXXXX"));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(path_of("root"), 0755), 0);
    assert_int_equal(mkdir(path_of("lower"), 0755), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_true(file_remove_tree(folder, &err));
    return 0;
}

#define AROUND(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AROUND(it_fills_its_folder_with_files_of_all_kinds_and_owners),
        AROUND(it_reaches_no_other_folder_no_network_no_mount_and_no_process),
        AROUND(an_answer_comes_across_whole),
        AROUND(an_answer_that_is_cut_or_longer_is_none),
        AROUND(an_answer_of_any_bytes_does_no_harm),
        AROUND(a_process_that_ends_without_an_answer_is_told),
        AROUND(it_ends_with_an_agent_that_is_killed),
    };

    return RUN_TESTS(tests);
}
