/* kill -9 in the middle of commits: what was acknowledged is there afterwards, whole, and nothing half. */
#include "base/text.h"
#include "store/backend.h"
#include "tests/store/try.h"

#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

enum { KILLS = 12, SUBMITTERS = 16, ACKNOWLEDGED_MIN = 20, PATIENCE_S = 120 };

/* ---- the child: creates, and writes each acknowledged name to the pipe ---- */

struct creator {
    struct store *store;
    struct group_row row;
    char name[32];
    int number, pipe_fd;
    bool fails;
};

static _Atomic int made; /* by the first thread, then by the writer */

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creator *creator = data;
    return store_group_create(tx, &creator->row, "{}", err) &&
           (!creator->fails || err_set(err, ERR_PRECONDITION, "undone"));
}

static void submit(struct creator *creator);

static void created(void *data, const struct err *err)
{
    struct creator *creator = data;
    if (!err &&
        write(creator->pipe_fd, creator->name, sizeof creator->name) != sizeof creator->name)
        _exit(3);
    if (err && err->code != ERR_PRECONDITION)
        _exit(4);
    submit(creator);
}

static void submit(struct creator *creator)
{
    struct err err;
    creator->fails = ++made % 13 == 0;
    text_format(creator->name, sizeof creator->name, "%d-%d", (int)getpid(), made);
    creator->row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                      .resource_group = "rg",
                                      .name = creator->name,
                                      .location = "westus",
                                      .spec = TRY_SPEC,
                                      .os = OS_LINUX,
                                      .shape = {1000, 1024}};
    if (!store_submit(creator->store, create, created, creator, &err))
        _exit(5);
}

static void live_until_killed(const struct trial *trial, int pipe_fd)
{
    static struct creator creators[SUBMITTERS];
    struct store_options options = {trial->path, trial->key_path};
    struct err err;
    struct store *store = store_open(&options, &err);
    if (!store)
        _exit(2);
    for (int i = 0; i < SUBMITTERS; i++) {
        creators[i] = (struct creator){.store = store, .number = i, .pipe_fd = pipe_fd};
        submit(&creators[i]);
    }
    for (;;)
        pause();
}

/* ---- the parent ---- */

static void sleep_ms(int64_t ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&wait, NULL);
}

/* Until so many names were acknowledged: on a machine with much to do that may take a while. */
static void wait_for_some(int pipe_fd)
{
    int bytes = 0;
    for (int64_t ms = 0; bytes < ACKNOWLEDGED_MIN * 32; ms++) {
        assert_true(ms < PATIENCE_S * 1000);
        sleep_ms(1);
        assert_int_equal(ioctl(pipe_fd, FIONREAD, &bytes), 0);
    }
}

/* Reads names until the pipe ends; each must be found. */
static void check_one(struct trial *trial, const char *name)
{
    struct group_row *row = trial_find(trial, name);
    if (!row)
        fail_msg("%s was acknowledged and is not there", name);
    else
        assert_non_null(trial_operation(trial, row->operation_key));
    assert_string_equal(row ? row->spec : "", TRY_SPEC);
}

static size_t check_acknowledged(struct trial *trial, int pipe_fd)
{
    char name[32];
    size_t count = 0;
    for (; read(pipe_fd, name, sizeof name) == sizeof name; count++) {
        check_one(trial, name);
        if (count % 100 == 99)
            arena_reset(trial->arena);
    }
    return count;
}

/* Every group has its spec and operation, and nothing is in the file without its group. */
static void check_whole(struct trial *trial)
{
    struct err err = {0};
    int64_t broken = 0;
    AUTO(backend) *backend = backend_open(trial->path, BACKEND_READER, &err);
    assert_non_null(backend);
    assert_true(backend_number(
        backend,
        "select (select count(*) from container_groups g left join group_specs s on s.group_key "
        "= g.key where s.group_key is null) + (select count(*) from group_specs s left join "
        "container_groups g on g.key = s.group_key where g.key is null) + (select count(*) from "
        "container_groups g left join operations o on o.key = g.operation_key where o.key is "
        "null) + (select count(*) from container_groups where key > (select value from counters))",
        &broken, &err));
    assert_int_equal(broken, 0);
    assert_true(backend_check(backend, 10000, &err));
}

TEST(what_was_acknowledged_survives_a_kill)
{
    AUTO(trial) *trial = trial_new();
    size_t acknowledged = 0;
    for (int i = 0; i < KILLS; i++) {
        int ends[2];
        trial_close(trial); /* no threads when forking */
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0) {
            close(ends[0]);
            live_until_killed(trial, ends[1]);
        }
        close(ends[1]);
        wait_for_some(ends[0]);
        sleep_ms(i * 17 % 130);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        trial_reopen(trial);
        acknowledged += check_acknowledged(trial, ends[0]);
        close(ends[0]);
        check_whole(trial);
    }
    assert_true(acknowledged >= (size_t)KILLS * ACKNOWLEDGED_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_acknowledged_survives_a_kill),
    };
    return RUN_TESTS(tests);
}
