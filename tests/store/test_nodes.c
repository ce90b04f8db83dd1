/* Nodes: joining, coming back, being known; the queue and what nodes are told; measured use. */
#include "base/limits.h"
#include "base/text.h"
#include "tests/store/try.h"

#include <string.h>

/* ---- joining ---- */

struct joining {
    struct trial *trial;
    struct join_request request;
    struct node_capacity capacity;
    struct node_row row;
    const char *credential;
};

static bool join(struct tx *tx, void *data, struct err *err)
{
    struct joining *joining = data;
    joining->request.capacity = &joining->capacity;
    return store_node_join(tx, &joining->request, &joining->row, &joining->credential,
                           joining->trial->arena, err);
}

static struct joining of(struct trial *trial, const char *name, const char *id,
                         const char *credential)
{
    return (struct joining){.trial = trial,
                            .request = {.name = name,
                                        .node_id = id,
                                        .credential = credential,
                                        .boot_id = "b",
                                        .location = "westus",
                                        .os = "Linux",
                                        .architecture = "amd64"},
                            .capacity = {4000, 8192}};
}

static struct err check(struct trial *trial, const char *id, const char *credential, int64_t *key,
                        int64_t *epoch)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    bool ok = store_node_check(tx, id, credential, key, epoch, &err);
    assert_true(ok == (err.code == ERR_OK));
    return err;
}

static struct node_row *find(struct trial *trial, const char *name)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct node_row *row = store_node_find(tx, name, trial->arena, &err);
    assert_int_equal(err.code, ERR_OK);
    return row;
}

TEST(a_node_is_known_by_its_credential)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key, epoch;
    assert_int_equal(check(trial, a.id, a.credential, &key, &epoch).code, ERR_OK);
    assert_int_equal(key, a.key);
    assert_int_equal(epoch, 1);
    assert_int_equal(check(trial, a.id, "wrong", &key, &epoch).code, ERR_UNAUTHENTICATED);
    assert_int_equal(check(trial, a.id, "", &key, &epoch).code, ERR_UNAUTHENTICATED);
    assert_int_equal(check(trial, a.id, NULL, &key, &epoch).code, ERR_UNAUTHENTICATED);
    assert_int_equal(check(trial, "nobody", a.credential, &key, &epoch).code, ERR_UNAUTHENTICATED);
    trial_rejoin(trial, &a);
    assert_int_equal(check(trial, a.id, a.credential, &key, &epoch).code, ERR_OK);
    assert_int_equal(epoch, 2);
}

TEST(a_join_is_refused_when_it_is_not_who_it_says)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct joining thief = of(trial, "a", a.id, "stolen?"), twin = of(trial, "A", NULL, NULL);
    struct joining stranger = of(trial, "x", "00000000-0000-4000-8000-000000000000", "t");
    struct joining renamed = of(trial, "b", a.id, a.credential);
    assert_int_equal(trial_refused(trial, join, &thief), ERR_UNAUTHENTICATED);
    assert_int_equal(trial_refused(trial, join, &twin), ERR_NODE_NAME_TAKEN);
    assert_int_equal(trial_refused(trial, join, &stranger), ERR_NODE_UNKNOWN);
    trial_write(trial, join, &renamed);
    assert_int_equal(renamed.row.key, a.key);
    assert_null(find(trial, "a"));
    assert_int_equal(find(trial, "B")->cpu_milli, 4000);
    assert_string_equal(find(trial, a.id)->name, "b");
}

TEST(a_removed_node_is_gone_and_its_name_free)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key, epoch;
    trial_remove_node(trial, &a);
    assert_null(find(trial, "a"));
    assert_int_equal(check(trial, a.id, a.credential, &key, &epoch).code, ERR_UNAUTHENTICATED);
    struct joining ghost = of(trial, "a", a.id, a.credential);
    assert_int_equal(trial_refused(trial, join, &ghost), ERR_NODE_UNKNOWN);
    assert_true(trial_join(trial, "a").key > a.key);
}

static bool cordon(struct tx *tx, void *data, struct err *err)
{
    return store_node_cordon(tx, *(int64_t *)data, true, err);
}

TEST(nothing_is_placed_on_a_cordoned_node)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "g");
    trial_write(trial, cordon, &a.key);
    assert_true(find(trial, "a")->cordoned);
    assert_int_equal(trial_place(trial, key, &a), ERR_NODE_EPOCH);
    trial_rejoin(trial, &a); /* the operator's word stays */
    assert_true(find(trial, "a")->cordoned);
}

TEST(a_report_of_another_epoch_is_refused_and_a_late_one_passed_over)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct node_capacity more = {8000, 4096}, less = {1000, 1024};
    struct report new = {.sequence = 10, .capacity = &more, .watermark_s = 50};
    struct report late = {.sequence = 9, .capacity = &less, .watermark_s = 60};
    assert_int_equal(trial_report(trial, &a, &new), ERR_OK);
    assert_int_equal(trial_report(trial, &a, &late), ERR_OK);
    assert_int_equal(find(trial, "a")->cpu_milli, 8000);
    assert_int_equal(find(trial, "a")->watermark_s, 50);
    struct trial_node before = a;
    trial_rejoin(trial, &a);
    assert_int_equal(trial_report(trial, &before, &new), ERR_NODE_EPOCH);
    assert_int_equal(trial_report(trial, &a, &late), ERR_OK); /* counted anew since the join */
    assert_int_equal(find(trial, "a")->cpu_milli, 1000);
    assert_int_equal(find(trial, "a")->watermark_s, 60);
}

/* ---- the queue ---- */

static size_t pending(struct trial *trial, int64_t after, size_t rows_max,
                      struct pending_row **rows)
{
    struct err err = {0};
    size_t count = 0;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(store_pending_list(tx, after, rows_max, trial->arena, rows, &count, &err));
    return count;
}

TEST(the_queue_is_in_the_order_of_arrival)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t first = trial_create(trial, "first"), second = trial_create(trial, "second"),
            third = trial_create(trial, "third");
    struct pending_row *rows;
    assert_int_equal(trial_order(trial, "first", ORDER_RETAG), ERR_OK); /* keeps its place */
    assert_int_equal(pending(trial, 0, 10, &rows), 3);
    assert_int_equal(rows[0].group_key, first);
    assert_int_equal(rows[1].group_key, second);
    assert_int_equal(rows[2].group_key, third);
    assert_int_equal(rows[2].shape.cpu_milli, 1000);
    assert_string_equal(rows[2].location, "westus");
    assert_int_equal(pending(trial, rows[1].revision, 10, &rows), 1);
    assert_int_equal(pending(trial, 0, 2, &rows), 2);
    assert_int_equal(trial_place(trial, second, &a), ERR_OK);
    assert_int_equal(pending(trial, 0, 10, &rows), 2);
    assert_int_equal(rows[1].group_key, third);
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct pending_row *row = store_pending_find(tx, first, trial->arena, &err);
    assert_int_equal(row->incarnation, 1);
    assert_null(store_pending_find(tx, second, trial->arena, &err));
    assert_int_equal(err.code, ERR_OK);
}

/* The scheduler lists what came since it last looked: another run is another one that waits. */
TEST(another_run_waits_anew)
{
    AUTO(trial) *trial = trial_new();
    int64_t first = trial_create(trial, "first"), second = trial_create(trial, "second");
    struct pending_row *rows;
    assert_int_equal(pending(trial, 0, 10, &rows), 2);
    int64_t seen = rows[1].revision;
    assert_int_equal(trial_order(trial, "first", ORDER_UPDATE), ERR_OK);
    assert_int_equal(pending(trial, seen, 10, &rows), 1);
    assert_int_equal(rows[0].group_key, first);
    assert_int_equal(rows[0].incarnation, 2);
    assert_int_equal(pending(trial, 0, 10, &rows), 2);
    assert_int_equal(rows[0].group_key, second);
}

/* ---- what nodes are told ---- */

static bool waits(struct trial *trial, const struct trial_node *node, int64_t after)
{
    struct err err = {0};
    bool any = false;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(store_desired_waits(tx, node->key, after, &any, &err));
    return any;
}

TEST(a_node_is_told_what_is_new)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    assert_false(waits(trial, &a, 0));
    trial_place(trial, trial_create(trial, "one"), &a);
    trial_place(trial, trial_create(trial, "two"), &b);
    assert_true(waits(trial, &a, 0));
    struct desired *all = trial_desired(trial, &a, 0);
    assert_true(all->complete);
    assert_int_equal(all->assignments_count, 1);
    struct assignment *one = &all->assignments[0];
    assert_int_equal(one->wanted, WANTED_RUN);
    assert_int_equal(one->incarnation, 1);
    assert_string_equal(one->name, "one");
    assert_string_equal(one->resource_group, "rg");
    assert_string_equal(one->subscription, TRY_SUBSCRIPTION);
    assert_int_equal(one->cpu_milli, 1000);
    assert_int_equal(one->memory_mib, 1024);
    assert_string_equal(one->group->properties->containers[0].properties->image, "alpine");
    assert_false(waits(trial, &a, all->revision));
    assert_int_equal(trial_order(trial, "one", ORDER_STOP), ERR_OK);
    assert_true(waits(trial, &a, all->revision));
    struct desired *then = trial_desired(trial, &a, all->revision);
    assert_int_equal(then->assignments_count, 1);
    assert_int_equal(then->assignments[0].wanted, WANTED_STOP);
    assert_true(then->revision > all->revision);
}

TEST(a_node_is_told_in_pages)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    size_t groups = (size_t)LIMIT_LINK_DESIRED_PAGE + 10, count = 0;
    for (size_t i = 0; i < groups; i++) {
        char name[16];
        text_format(name, sizeof name, "g%zu", i);
        trial_place(trial, trial_create(trial, name), &a);
    }
    struct desired *page = trial_desired(trial, &a, 0);
    assert_false(page->complete);
    assert_int_equal(page->assignments_count, LIMIT_LINK_DESIRED_PAGE);
    count = page->assignments_count;
    page = trial_desired(trial, &a, page->revision);
    assert_true(page->complete);
    assert_int_equal(count + page->assignments_count, groups);
}

static size_t assignments(struct trial *trial, struct assignment_row **rows)
{
    struct err err = {0};
    size_t count = 0;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(store_assignment_list(tx, trial->arena, rows, &count, &err));
    return count;
}

TEST(capacity_is_held_until_the_node_lets_go)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct assignment_row *rows;
    for (int i = 0; i < 40; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        trial_place(trial, trial_create(trial, name), &a);
    }
    assert_int_equal(assignments(trial, &rows), 40);
    for (size_t i = 0; i < 40; i++)
        assert_true(!rows[i].released && rows[i].node_key == a.key &&
                    rows[i].shape.cpu_milli == 1000 && rows[i].uid);
    struct group_status status = {.uid = rows[5].uid,
                                  .incarnation = 1,
                                  .state = GROUP_SUCCEEDED,
                                  .provisioned = true,
                                  .released = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    assert_int_equal(assignments(trial, &rows), 40);
    assert_true(rows[5].released);
    assert_false(rows[6].released);
}

TEST(what_changed_in_a_status_is_a_change_of_the_group)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    struct container_status container = {.name = "c",
                                         .view = &(struct container_view){.restart_count = 1}};
    struct group_status status = {.uid = trial_get(trial, key)->uid,
                                  .incarnation = 1,
                                  .state = GROUP_RUNNING,
                                  .provisioned = true,
                                  .address = "10.0.0.9",
                                  .containers = &container,
                                  .containers_count = 1};
    struct report first = {.statuses = &status, .statuses_count = 1}, second = first;
    assert_int_equal(trial_report(trial, &a, &first), ERR_OK);
    struct group_row *before = trial_get(trial, key);
    assert_string_equal(before->address, "10.0.0.9");
    assert_non_null(strstr(before->status, "\"restartCount\":1"));
    container.view->restart_count = 2;
    assert_int_equal(trial_report(trial, &a, &second), ERR_OK);
    struct group_row *after = trial_get(trial, key);
    assert_non_null(strstr(after->status, "\"restartCount\":2"));
    assert_true(after->revision > before->revision);
}

/* ---- measured use ---- */

TEST(the_newest_sample_of_each_container_is_kept)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    const char *uid = trial_get(trial, key)->uid;
    struct use_sample samples[] = {
        {.second = 10,
         .uid = uid,
         .incarnation = 1,
         .container = "c",
         .cpu_ns = 5,
         .memory_bytes = 7},
        {.second = 11,
         .uid = uid,
         .incarnation = 1,
         .container = "c",
         .cpu_ns = 9,
         .memory_bytes = 8,
         .rx_bytes = 3},
        {.second = 9, .uid = uid, .incarnation = 1, .container = "c", .cpu_ns = 1},
        {.second = 11, .uid = uid, .incarnation = 1, .container = "d", .cpu_ns = 2},
        {.second = 11, .uid = "unknown", .incarnation = 1, .container = "d", .cpu_ns = 2},
    };
    struct report report = {.samples = samples, .samples_count = COUNT_OF(samples)};
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    struct err err = {0};
    struct use_row *rows;
    size_t count;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(store_use_list(tx, key, trial->arena, &rows, &count, &err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].container, "c");
    assert_int_equal(rows[0].second, 11);
    assert_int_equal(rows[0].cpu_ns, 9);
    assert_int_equal(rows[0].rx_bytes, 3);
    assert_string_equal(rows[1].container, "d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_known_by_its_credential),
        cmocka_unit_test(a_join_is_refused_when_it_is_not_who_it_says),
        cmocka_unit_test(a_removed_node_is_gone_and_its_name_free),
        cmocka_unit_test(nothing_is_placed_on_a_cordoned_node),
        cmocka_unit_test(a_report_of_another_epoch_is_refused_and_a_late_one_passed_over),
        cmocka_unit_test(the_queue_is_in_the_order_of_arrival),
        cmocka_unit_test(another_run_waits_anew),
        cmocka_unit_test(a_node_is_told_what_is_new),
        cmocka_unit_test(a_node_is_told_in_pages),
        cmocka_unit_test(capacity_is_held_until_the_node_lets_go),
        cmocka_unit_test(what_changed_in_a_status_is_a_change_of_the_group),
        cmocka_unit_test(the_newest_sample_of_each_container_is_kept),
    };
    return RUN_TESTS(tests);
}
