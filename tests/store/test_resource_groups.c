/* Resource groups: put, listed, and deleted bit by bit. */
#include "base/limits.h"
#include "base/text.h"
#include "tests/store/try.h"

#include <string.h>

struct put {
    struct resource_group_row row;
    bool created;
};

static bool put(struct tx *tx, void *data, struct err *err)
{
    struct put *it = data;
    return store_resource_group_put(tx, &it->row, &it->created, err);
}

static struct put rg(const char *name, const char *location, const char *tags)
{
    return (struct put){
        .row = {
            .subscription = TRY_SUBSCRIPTION, .name = name, .location = location, .tags = tags}};
}

static struct resource_group_row *find_rg(struct trial *trial, const char *name)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    struct resource_group_row *row =
        store_resource_group_find(tx, TRY_SUBSCRIPTION, name, trial->arena, &err);
    assert_int_equal(err.code, ERR_OK);
    return row;
}

TEST(a_resource_group_keeps_its_name_and_place_and_takes_new_tags)
{
    AUTO(trial) *trial = trial_new();
    struct put first = rg("Web-RG", "westus", "{\"a\":\"1\"}"),
               again = rg("web-rg", "WestUS", "{\"a\":\"2\"}");
    struct put elsewhere = rg("web-rg", "eastus", "{}");
    first.row.managed_by = "somebody";
    trial_write(trial, put, &first);
    assert_true(first.created);
    assert_string_equal(find_rg(trial, "web-rg")->managed_by, "somebody");
    trial_write(trial, put, &again);
    assert_false(again.created);
    assert_int_equal(again.row.key, first.row.key);
    assert_true(again.row.revision > first.row.revision);
    assert_int_equal(trial_refused(trial, put, &elsewhere), ERR_RESOURCE_GROUP_LOCATION);
    struct resource_group_row *row = find_rg(trial, "WEB-RG");
    assert_string_equal(row->name, "Web-RG");
    assert_string_equal(row->location, "westus");
    assert_string_equal(row->tags, "{\"a\":\"2\"}");
    assert_null(row->managed_by);
    assert_false(row->deleting);
    assert_null(find_rg(trial, "other"));
}

/* ---- lists ---- */

static size_t count_listed(struct trial *trial, const struct resource_group_question *question)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct resource_group_page page = {0};
    size_t count = 0;
    do {
        assert_true(
            store_resource_group_list(tx, question, page.next_key, 4, trial->arena, &page, &err));
        assert_true(page.count > 0 || page.next_key == 0);
        count += page.count;
    } while (page.next_key);
    return count;
}

static size_t count_tagged(struct trial *trial, const char *tag, const char *value)
{
    return count_listed(trial, &(struct resource_group_question){TRY_SUBSCRIPTION, tag, value});
}

TEST(resource_groups_are_listed_by_pages)
{
    AUTO(trial) *trial = trial_new();
    char names[10][16];
    for (int i = 0; i < 10; i++) {
        text_format(names[i], sizeof names[i], "rg%d", i);
        struct put one = rg(names[i], "westus",
                            i % 2 ? "{\"Env\":\"prod\"}" : "{\"env\":\"test\",\"odd\":\"no\"}");
        trial_write(trial, put, &one);
    }
    assert_int_equal(count_tagged(trial, NULL, NULL), 11);
    assert_int_equal(count_tagged(trial, "ENV", NULL), 10);
    assert_int_equal(count_tagged(trial, "env", "test"), 5);
    assert_int_equal(count_tagged(trial, "env", "Test"), 0);
    assert_int_equal(count_tagged(trial, "odd", "no"), 5);
    assert_int_equal(count_tagged(trial, "none", NULL), 0);
    assert_int_equal(count_listed(trial, &(struct resource_group_question){.subscription = "x"}),
                     0);
}

/* ---- deleting ---- */

struct deletion_of {
    const char *name;
    int64_t key;
};

static bool delete_rg(struct tx *tx, void *data, struct err *err)
{
    struct deletion_of *deletion = data;
    return store_resource_group_delete(tx, TRY_SUBSCRIPTION, deletion->name, &deletion->key, err);
}

struct sweep {
    int64_t from, after;
    bool more;
};

static bool sweep_once(struct tx *tx, void *data, struct err *err)
{
    struct sweep *sweep = data;
    sweep->after = sweep->from;
    return store_resource_group_sweep(tx, &sweep->after, &sweep->more, err);
}

static int sweep_all(struct trial *trial)
{
    struct sweep sweep = {0};
    int rounds = 0;
    do {
        trial_write(trial, sweep_once, &sweep);
        sweep.from = sweep.after;
        rounds++;
    } while (sweep.more);
    return rounds;
}

static enum deletion state_of(struct trial *trial, int64_t key)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    enum deletion deletion;
    assert_true(store_resource_group_deletion(tx, TRY_SUBSCRIPTION, key, &deletion, &err));
    return deletion;
}

static void forget(struct trial *trial, struct trial_node *node, const char *uid)
{
    struct group_status status = {.uid = uid, .incarnation = 1, .removed = true, .released = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

TEST(deleting_a_resource_group_removes_what_is_in_it_and_ends_when_its_nodes_have_forgotten_it)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t waiting = trial_create(trial, "waiting"), running = trial_create(trial, "running");
    struct deletion_of deletion = {.name = "RG"}, again = {.name = "rg"}, gone = {.name = "rg"};
    struct put meanwhile = rg("rg", "westus", "{}"), anew = rg("Rg", "eastus", "{}");
    trial_place(trial, running, &a);
    int64_t operation_key = trial_get(trial, waiting)->operation_key;
    int64_t key = find_rg(trial, "rg")->key;
    assert_int_equal(state_of(trial, key), DELETION_NONE);
    trial_write(trial, delete_rg, &deletion);
    assert_int_equal(deletion.key, key);
    assert_true(find_rg(trial, "rg")->deleting);
    assert_int_equal(state_of(trial, key), DELETION_GOES_ON);
    assert_null(trial_find(trial, "waiting"));
    assert_null(trial_get(trial, waiting));
    assert_int_equal(trial_operation(trial, operation_key)->status, OPERATION_CANCELED);
    assert_int_equal(trial_get(trial, running)->wanted,
                     WANTED_REMOVE); /* until its node has forgotten it */
    trial_write(trial, delete_rg, &again);
    assert_int_equal(again.key, key);
    assert_int_equal(trial_refused(trial, put, &meanwhile), ERR_RESOURCE_GROUP_DELETING);
    sweep_all(trial);
    assert_int_equal(state_of(trial, key), DELETION_GOES_ON);
    forget(trial, &a, trial_get(trial, running)->uid);
    assert_null(trial_get(trial, running));
    assert_null(find_rg(trial, "rg"));
    assert_int_equal(state_of(trial, key), DELETION_DONE);
    trial_write(trial, delete_rg, &gone);
    assert_int_equal(gone.key, 0);
    trial_write(trial, put, &anew); /* the name is free, with another place */
    assert_true(anew.created);
    assert_int_equal(state_of(trial, anew.row.key), DELETION_NONE);
    trial_create(trial, "running");
}

struct creation {
    struct group_row row;
};

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creation *creation = data;
    return store_group_create(tx, &creation->row, "{}", err);
}

TEST(nothing_is_put_into_a_resource_group_that_is_being_deleted)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct deletion_of deletion = {.name = "rg"};
    trial_place(trial, trial_create(trial, "g"), &a);
    trial_write(trial, delete_rg, &deletion);
    struct creation late = {.row = {.subscription = TRY_SUBSCRIPTION,
                                    .resource_group = "RG",
                                    .name = "late",
                                    .location = "westus",
                                    .spec = TRY_SPEC,
                                    .os = OS_LINUX,
                                    .shape = {1000, 1024}}};
    assert_int_equal(trial_refused(trial, create, &late), ERR_RESOURCE_GROUP_DELETING);
}

TEST(an_empty_resource_group_is_gone_at_once_with_its_tags)
{
    AUTO(trial) *trial = trial_new();
    struct put one = rg("empty", "westus", "{\"env\":\"prod\"}");
    struct deletion_of deletion = {.name = "empty"};
    trial_write(trial, put, &one);
    assert_int_equal(count_tagged(trial, "env", NULL), 1);
    trial_write(trial, delete_rg, &deletion);
    assert_null(find_rg(trial, "empty"));
    assert_int_equal(state_of(trial, deletion.key), DELETION_DONE);
    assert_int_equal(count_tagged(trial, "env", NULL), 0);
}

static bool create_many(struct tx *tx, void *data, struct err *err)
{
    char name[32];
    for (int i = 0; i < 200; i++) {
        text_format(name, sizeof name, "g%d-%d", *(int *)data, i);
        struct group_row row = {.subscription = TRY_SUBSCRIPTION,
                                .resource_group = "rg",
                                .name = name,
                                .location = "westus",
                                .spec = TRY_SPEC,
                                .os = OS_LINUX,
                                .shape = {1000, 1024}};
        if (!store_group_create(tx, &row, "{}", err))
            return false;
    }
    return true;
}

TEST(a_large_one_is_emptied_in_batches_and_a_restart_carries_on)
{
    AUTO(trial) *trial = trial_new();
    struct deletion_of deletion = {.name = "rg"};
    for (int i = 0; i < 8; i++)
        trial_write(trial, create_many, &i); /* 1,600: three batches and a rest */
    trial_write(trial, delete_rg, &deletion);
    assert_null(trial_find(trial, "g0-0"));
    assert_non_null(trial_find(trial, "g7-199"));
    trial_reopen(trial);
    assert_int_equal(state_of(trial, deletion.key), DELETION_GOES_ON);
    assert_int_equal(sweep_all(trial), 3);
    assert_null(trial_find(trial, "g7-199"));
    assert_int_equal(state_of(trial, deletion.key), DELETION_DONE);
    assert_int_equal(sweep_all(trial), 1);
}

struct lost {
    struct trial_node *node;
};

static bool lose(struct tx *tx, void *data, struct err *err)
{
    const struct lost *lost = data;
    return store_node_lost(tx, lost->node->key, lost->node->epoch, true, err);
}

TEST(a_lost_node_does_not_hold_up_a_deletion)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct deletion_of deletion = {.name = "rg"};
    int64_t running = trial_create(trial, "running");
    trial_place(trial, running, &a);
    trial_write(trial, delete_rg, &deletion);
    sweep_all(trial);
    assert_int_equal(state_of(trial, deletion.key), DELETION_GOES_ON);
    trial_write(trial, lose, &(struct lost){&a});
    sweep_all(trial);
    assert_int_equal(state_of(trial, deletion.key), DELETION_DONE);
    assert_non_null(trial_get(trial, running)); /* the node is told when it comes back */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resource_group_keeps_its_name_and_place_and_takes_new_tags),
        cmocka_unit_test(resource_groups_are_listed_by_pages),
        cmocka_unit_test(
            deleting_a_resource_group_removes_what_is_in_it_and_ends_when_its_nodes_have_forgotten_it),
        cmocka_unit_test(nothing_is_put_into_a_resource_group_that_is_being_deleted),
        cmocka_unit_test(an_empty_resource_group_is_gone_at_once_with_its_tags),
        cmocka_unit_test(a_large_one_is_emptied_in_batches_and_a_restart_carries_on),
        cmocka_unit_test(a_lost_node_does_not_hold_up_a_deletion),
    };
    return RUN_TESTS(tests);
}
