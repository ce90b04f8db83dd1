/* A commit on its way to the disk: who runs meanwhile, who is told when, and what a failure means. The sync is held at
 * a gate, or made to fail. */
#include "base/text.h"
#include "tests/store/try.h"
#include "tests/unit/held_sync.h"

#include <sched.h>
#include <string.h>
#include <sys/stat.h>

/* ---- work ---- */

struct piece {
    const char *name;
    bool refused; /* before it writes */
    _Atomic bool ran, told;
    enum err_code code;
    int place; /* among those that were told */
};

static int told_count;

static bool work(struct tx *tx, void *data, struct err *err)
{
    struct piece *piece = data;
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = piece->name, .location = "westus", .tags = "{}"};
    bool created;
    bool ok = piece->refused ? err_set(err, ERR_PRECONDITION, "not this one")
                             : store_resource_group_put(tx, &row, &created, err);
    piece->ran = true;
    return ok;
}

static void told(void *data, const struct err *err)
{
    struct piece *piece = data;
    piece->code = err ? err->code : ERR_OK;
    piece->place = told_count++;
    piece->told = true;
}

static void submit(struct trial *trial, struct piece *piece)
{
    struct err err = {0};
    assert_true(store_submit(trial->store, work, told, piece, &err));
}

static void wait_until(const _Atomic bool *flag)
{
    while (!atomic_load(flag))
        sched_yield();
}

static bool exists(struct trial *trial, const char *name)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    return store_resource_group_find(tx, TRY_SUBSCRIPTION, name, trial->arena, &err) != NULL;
}

static void on_changes(void *context, const struct change *changes UNUSED, size_t count UNUSED)
{
    ++*(int *)context;
}

/* ---- tests ---- */

TEST(nobody_is_told_before_the_disk_has_it)
{
    AUTO(trial) *trial = trial_new();
    struct piece first = {.name = "first"};
    sync_hold();
    submit(trial, &first);
    sync_reached();
    assert_true(exists(trial, "first")); /* readers may see it */
    assert_false(store_settled(trial->store));
    assert_false(first.told);
    sync_let_go(false);
    wait_until(&first.told);
    assert_int_equal(first.code, ERR_OK);
    assert_true(store_settled(trial->store));
}

TEST(work_that_comes_meanwhile_runs_and_shares_the_next_commit)
{
    AUTO(trial) *trial = trial_new();
    struct piece pieces[] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
    int calls = 0;
    told_count = 0;
    store_listen(trial->store, on_changes, &calls);
    sync_hold();
    submit(trial, &pieces[0]);
    sync_reached();
    for (size_t i = 1; i < COUNT_OF(pieces); i++) {
        submit(trial, &pieces[i]);
        wait_until(&pieces[i].ran);
    }
    assert_false(pieces[0].told || pieces[1].told || pieces[2].told);
    assert_false(exists(trial, "b")); /* not committed */
    sync_let_go(false);
    wait_until(&pieces[2].told);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pieces[i].place, i);
    assert_int_equal(held_sync.count, 2);
    trial_close(trial); /* listeners are told after those who wait */
    assert_true(calls <= 2);
    trial_reopen(trial);
    assert_true(exists(trial, "a") && exists(trial, "b") && exists(trial, "c"));
}

/* What it was refused for may be in the commit before. */
TEST(a_refusal_waits_for_what_it_saw)
{
    AUTO(trial) *trial = trial_new();
    struct piece first = {.name = "first"}, refused = {.name = "no", .refused = true};
    sync_hold();
    submit(trial, &first);
    sync_reached();
    submit(trial, &refused);
    wait_until(&refused.ran);
    assert_false(refused.told);
    sync_let_go(false);
    wait_until(&refused.told);
    assert_true(first.told);
    assert_int_equal(refused.code, ERR_PRECONDITION);
    assert_true(store_settled(trial->store));
    assert_int_equal(held_sync.count, 1); /* it wrote nothing */
}

TEST(a_failed_sync_stops_the_store)
{
    AUTO(trial) *trial = trial_new();
    struct piece first = {.name = "first"}, second = {.name = "second"};
    struct err err = {0};
    sync_hold();
    submit(trial, &first);
    sync_reached();
    submit(trial, &second);
    wait_until(&second.ran);
    sync_let_go(true);
    wait_until(&second.told);
    assert_int_equal(first.code, ERR_STORAGE);
    assert_int_equal(second.code, ERR_STORAGE);
    assert_false(exists(trial, "second"));
    assert_false(store_settled(trial->store));
    assert_false(store_submit(trial->store, work, told, &first, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.text, "stopped writing"));
    held_sync.fails = false;
}

static int64_t log_size(const struct trial *trial)
{
    char path[128];
    struct stat found;
    text_format(path, sizeof path, "%s-wal", trial->path);
    assert_int_equal(stat(path, &found), 0);
    return found.st_size;
}

/* A sync that follows a longer file takes twice as long. */
TEST(few_commits_make_the_log_longer)
{
    AUTO(trial) *trial = trial_new();
    int64_t before = log_size(trial);
    assert_true(before > 0 && before % (1 << 20) == 0);
    for (int i = 0; i < 10; i++) {
        struct piece piece = {.name = "g"};
        trial_write(trial, work, &piece);
    }
    assert_int_equal(log_size(trial), before);
}

TEST(closing_waits_for_the_disk)
{
    AUTO(trial) *trial = trial_new();
    struct piece pieces[20] = {0};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i].name = "g";
        submit(trial, &pieces[i]);
    }
    trial_close(trial);
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        assert_true(pieces[i].told && pieces[i].code == ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_told_before_the_disk_has_it),
        cmocka_unit_test(work_that_comes_meanwhile_runs_and_shares_the_next_commit),
        cmocka_unit_test(a_refusal_waits_for_what_it_saw),
        cmocka_unit_test(a_failed_sync_stops_the_store),
        cmocka_unit_test(few_commits_make_the_log_longer),
        cmocka_unit_test(closing_waits_for_the_disk),
    };
    return RUN_TESTS(tests);
}
