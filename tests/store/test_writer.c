/* Group commit: who is told what when work shares a transaction. */
#include "base/limits.h"
#include "base/text.h"
#include "store/tx.h"
#include "tests/store/try.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

/* ---- a gate that keeps the writer busy, so that work gathers behind it ---- */

struct gate {
    sem_t entered, open;
};

static bool wait_at_gate(struct tx *tx UNUSED, void *data, struct err *err UNUSED)
{
    struct gate *gate = data;
    sem_post(&gate->entered);
    while (sem_wait(&gate->open) != 0)
        ;
    sem_post(
        &gate->open); /* who came behind it is in its transaction, and may have that run again */
    return true;
}

static void close_gate(struct trial *trial, struct gate *gate)
{
    struct err err = {0};
    sem_init(&gate->entered, 0, 0);
    sem_init(&gate->open, 0, 0);
    assert_true(store_submit(trial->store, wait_at_gate, NULL, gate, &err));
    while (sem_wait(&gate->entered) != 0)
        ;
}

/* ---- work that makes resource groups ---- */

struct piece {
    const char *name;
    bool fails_before, fails_after; /* having written nothing; having written */
    int runs;
    _Atomic bool told;
    bool failed;
    enum err_code code;
};

static bool put(struct tx *tx, const char *name, struct err *err)
{
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = name, .location = "westus", .tags = "{}"};
    bool created;
    tx_note(tx, (struct change){.kind = CHANGE_NODE, .node_key = 7});
    return store_resource_group_put(tx, &row, &created, err);
}

static bool work(struct tx *tx, void *data, struct err *err)
{
    struct piece *piece = data;
    piece->runs++;
    if (piece->fails_before)
        return err_set(err, ERR_PRECONDITION, "not this one");
    if (!put(tx, piece->name, err))
        return false;
    return !piece->fails_after || err_set(err, ERR_GROUP_UPDATE, "changed its mind");
}

static void told(void *data, const struct err *err)
{
    struct piece *piece = data;
    assert_false(piece->told);
    piece->failed = err != NULL;
    piece->code = err ? err->code : ERR_OK;
    piece->told = true;
}

static bool exists(struct trial *trial, const char *name)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    bool found = store_resource_group_find(tx, TRY_SUBSCRIPTION, name, trial->arena, &err) != NULL;
    assert_int_equal(err.code, ERR_OK);
    return found;
}

struct heard {
    int calls;
    size_t changes;
    int64_t last;
    bool rises;
};

static void listen(void *context, const struct change *changes, size_t count)
{
    struct heard *heard = context;
    heard->calls++;
    heard->changes += count;
    for (size_t i = 0; i < count; i++) {
        heard->rises = heard->rises && changes[i].revision > heard->last;
        heard->last = changes[i].revision;
    }
}

static void submit(struct trial *trial, struct piece *piece)
{
    struct err err = {0};
    assert_true(store_submit(trial->store, work, told, piece, &err));
}

static void settle(struct trial *trial) /* everything before it is done */
{
    struct piece last = {.name = "last"};
    trial_write(trial, work, &last);
}

/* ---- tests ---- */

TEST(one_commit_serves_everyone_who_waits)
{
    AUTO(trial) *trial = trial_new();
    struct gate gate = {0};
    struct piece pieces[100] = {0};
    char names[100][8];
    struct heard heard = {.rises = true};
    store_listen(trial->store, listen, &heard);
    close_gate(trial, &gate);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        text_format(names[i], sizeof names[i], "g%zu", i);
        pieces[i].name = names[i];
        submit(trial, &pieces[i]);
    }
    sem_post(&gate.open);
    settle(trial);
    trial_reopen(trial);           /* listeners are told after those who wait */
    assert_true(heard.calls <= 2); /* the hundred, and perhaps the last one apart */
    assert_int_equal(heard.changes, 101);
    assert_true(heard.rises);
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        assert_true(pieces[i].told && !pieces[i].failed && pieces[i].runs == 1);
        assert_true(exists(trial, names[i]));
    }
}

TEST(work_that_fails_does_not_hurt_the_others)
{
    AUTO(trial) *trial = trial_new();
    struct gate gate = {0};
    struct heard heard = {.rises = true};
    struct piece pieces[] = {
        {.name = "first"},
        {.name = "refused", .fails_before = true},
        {.name = "undone", .fails_after = true},
        {.name = "undone-too", .fails_after = true},
        {.name = "after"},
    };
    store_listen(trial->store, listen, &heard);
    close_gate(trial, &gate);
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        submit(trial, &pieces[i]);
    sem_post(&gate.open);
    settle(trial);
    trial_reopen(trial);
    assert_true(exists(trial, "first") && exists(trial, "after"));
    assert_false(exists(trial, "refused") || exists(trial, "undone") ||
                 exists(trial, "undone-too"));
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        assert_true(pieces[i].told);
        assert_true(pieces[i].runs <= 2);
    }
    assert_int_equal(pieces[1].code, ERR_PRECONDITION);
    assert_int_equal(pieces[2].code, ERR_GROUP_UPDATE);
    assert_int_equal(pieces[3].code, ERR_GROUP_UPDATE);
    assert_false(pieces[0].failed || pieces[4].failed);
    assert_int_equal(heard.changes, 3); /* first, after, last: nothing of what was undone */
    assert_true(heard.rises);
}

TEST(a_full_queue_is_told_at_once)
{
    AUTO(trial) *trial = trial_new();
    struct gate gate = {0};
    struct err err = {0};
    size_t taken = 0;
    close_gate(trial, &gate);
    struct piece piece = {.name = "g"};
    while (taken <= (size_t)LIMIT_STORE_QUEUE_MAX &&
           store_submit(trial->store, work, NULL, &piece, &err))
        taken++;
    assert_int_equal(taken, LIMIT_STORE_QUEUE_MAX);
    assert_int_equal(err.code, ERR_BUSY);
    sem_post(&gate.open);
    trial_close(trial);
    assert_int_equal(piece.runs, LIMIT_STORE_QUEUE_MAX);
}

TEST(closing_finishes_what_was_submitted)
{
    AUTO(trial) *trial = trial_new();
    struct piece pieces[50] = {0};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i].name = "g";
        submit(trial, &pieces[i]);
    }
    trial_close(trial);
    for (size_t i = 0; i < COUNT_OF(pieces); i++)
        assert_true(pieces[i].told && !pieces[i].failed);
    trial_reopen(trial);
    assert_true(exists(trial, "g"));
}

TEST(readers_do_not_wait_and_see_one_state)
{
    AUTO(trial) *trial = trial_new();
    struct gate gate = {0};
    struct err err = {0};
    AUTO(tx) *before = store_read(trial->store, &err);
    assert_non_null(before);
    int64_t revision = tx_revision(before);
    close_gate(trial, &gate);
    struct piece piece = {.name = "new"};
    submit(trial, &piece);
    assert_false(exists(trial, "new")); /* while the writer is in a transaction */
    sem_post(&gate.open);
    settle(trial);
    assert_true(exists(trial, "new"));
    assert_null(store_resource_group_find(before, TRY_SUBSCRIPTION, "new", trial->arena, &err));
    assert_int_equal(tx_revision(before), revision);
}

struct revisions {
    int64_t expected, key;
};

static bool expect_revision(struct tx *tx, void *data, struct err *err)
{
    struct revisions *revisions = data;
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = "numbered", .location = "westus", .tags = "{}"};
    bool created;
    revisions->expected = tx_revision(tx);
    bool ok = store_resource_group_put(tx, &row, &created, err);
    revisions->key = row.revision;
    return ok;
}

TEST(numbers_rise_by_one_and_go_on_after_a_restart)
{
    AUTO(trial) *trial = trial_new();
    struct revisions first, second;
    trial_write(trial, expect_revision, &first);
    assert_int_equal(first.expected, first.key);
    trial_reopen(trial);
    trial_write(trial, expect_revision, &second);
    assert_int_equal(second.expected, second.key);
    assert_int_equal(second.key, first.key + 1);
}

struct crowd {
    struct trial *trial;
    int number, refused;
};

static void *write_many(void *context)
{
    struct crowd *crowd = context;
    for (int i = 0; i < 50; i++) {
        char name[32];
        struct err err = {0};
        struct piece piece = {.name = name, .fails_after = i % 7 == 3};
        text_format(name, sizeof name, "crowd-%d-%d", crowd->number, i);
        bool ok = store_write(crowd->trial->store, work, &piece, &err);
        crowd->refused += !ok;
        AUTO(tx) *tx = store_read(crowd->trial->store, &err);
        AUTO(arena) *arena = arena_new(1 << 20);
        bool there = tx && store_resource_group_find(tx, TRY_SUBSCRIPTION, name, arena, &err);
        CHECK(there == ok);
    }
    return NULL;
}

TEST(a_crowd_of_threads_each_gets_its_own_answer)
{
    AUTO(trial) *trial = trial_new();
    pthread_t threads[8];
    struct crowd crowds[8];
    for (int i = 0; i < 8; i++) {
        crowds[i] = (struct crowd){trial, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(crowds[i].refused, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_commit_serves_everyone_who_waits),
        cmocka_unit_test(work_that_fails_does_not_hurt_the_others),
        cmocka_unit_test(a_full_queue_is_told_at_once),
        cmocka_unit_test(closing_finishes_what_was_submitted),
        cmocka_unit_test(readers_do_not_wait_and_see_one_state),
        cmocka_unit_test(numbers_rise_by_one_and_go_on_after_a_restart),
        cmocka_unit_test(a_crowd_of_threads_each_gets_its_own_answer),
    };
    return RUN_TESTS(tests);
}
