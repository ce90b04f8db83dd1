/* Local disks: the first placement says where one is, and from then on it says where groups may run; one goes when nobody
 * has to do with it any more, and its node says so. */
#include "tests/store/try.h"

#include <string.h>

static const char spec[] = TRY_SPEC;

struct naming {
    struct group_row row;
    struct disk_ask disks[2];
    struct err err;
};

static bool create_work(struct tx *tx, void *data, struct err *err)
{
    struct naming *naming = data;
    return store_group_create(tx, &naming->row, "{}", err);
}

static enum err_code create(struct trial *trial, const char *name, const char *disk,
                            int64_t size_bytes, const char *second, int64_t *key)
{
    struct naming naming = {.disks = {{disk, size_bytes}, {second, 0}}};
    naming.row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                    .resource_group = "rg",
                                    .name = name,
                                    .location = "westus",
                                    .spec = spec,
                                    .os = OS_LINUX,
                                    .disks = naming.disks,
                                    .disks_count = second ? 2 : 1,
                                    .shape = {1000, 1024}};
    bool made = store_write(trial->store, create_work, &naming, &naming.err);
    *key = naming.row.key;
    return made ? ERR_OK : naming.err.code;
}

static int64_t created(struct trial *trial, const char *name, const char *disk)
{
    int64_t key;
    assert_int_equal(create(trial, name, disk, 0, NULL, &key), ERR_OK);
    return key;
}

static struct disk_page disks(struct trial *trial)
{
    struct err err = {0};
    struct disk_page page;
    AUTO(tx) *tx = store_read(trial->store, &err);
    struct disk_question question = {TRY_SUBSCRIPTION, NULL};
    assert_non_null(tx);
    assert_true(store_disk_list(tx, &question, 0, 10, trial->arena, &page, &err));
    return page;
}

static int64_t bound_to(struct trial *trial, int64_t key)
{
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    const struct pending_row *row = tx ? store_pending_find(tx, key, trial->arena, &err) : NULL;
    assert_non_null(row);
    return row ? row->disk_node_key : 0;
}

static bool remove_work(struct tx *tx, void *id, struct err *err)
{
    return store_disk_remove(tx, id, err);
}

static enum err_code removed(struct trial *trial, const char *id)
{
    struct err err = {0};
    return store_write(trial->store, remove_work, (char *)(uintptr_t)id, &err) ? ERR_OK : err.code;
}

static void forgotten(struct trial *trial, struct trial_node *node, const char *uid)
{
    struct group_status status = {
        .uid = uid, .incarnation = 1, .state = GROUP_STOPPED, .released = true, .removed = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

/* ---- tests ---- */

TEST(two_groups_that_name_a_disk_at_once_meet_on_one_node)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t one = created(trial, "one", "data"), two = created(trial, "two", "data");
    assert_int_equal(disks(trial).count, 0);
    assert_int_equal(bound_to(trial, two), 0);
    assert_int_equal(trial_place(trial, one, &first), ERR_OK);
    assert_int_equal(bound_to(trial, two), first.key);
    assert_int_equal(trial_place(trial, two, &second), ERR_DISK);
    assert_int_equal(trial_place(trial, two, &first), ERR_OK);
    struct disk_page page = disks(trial);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.rows[0].groups.count, 2);
    const struct desired *desired = trial_desired(trial, &first, 0);
    assert_int_equal(desired->assignments_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(desired->assignments[i].disks_count, 1);
        assert_string_equal(desired->assignments[i].disks[0].name, "data");
        assert_string_equal(desired->assignments[i].disks[0].id, page.rows[0].id);
    }
}

TEST(a_refused_placement_makes_no_disk)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t key, one = created(trial, "one", "data");
    assert_int_equal(trial_place(trial, one, &first), ERR_OK);
    assert_int_equal(create(trial, "two", "data", 0, "more", &key), ERR_OK);
    assert_int_equal(trial_place(trial, key, &second), ERR_DISK);
    assert_int_equal(disks(trial).count, 1);
}

TEST(disks_on_different_nodes_are_refused_together)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t key;
    assert_int_equal(trial_place(trial, created(trial, "one", "data"), &first), ERR_OK);
    assert_int_equal(trial_place(trial, created(trial, "two", "more"), &second), ERR_OK);
    assert_int_equal(create(trial, "both", "data", 0, "more", &key), ERR_DISK);
}

TEST(a_size_stands_once_it_was_said)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n1");
    int64_t first, key;
    assert_int_equal(create(trial, "one", "data", 1 << 30, NULL, &first), ERR_OK);
    assert_int_equal(create(trial, "two", "data", 1 << 29, NULL, &key), ERR_DISK);
    assert_int_equal(trial_place(trial, first, &node), ERR_OK);
    assert_int_equal(disks(trial).rows[0].size_bytes, 1 << 30);
    assert_int_equal(create(trial, "two", "data", 1 << 29, NULL, &key), ERR_DISK);
    assert_int_equal(create(trial, "two", "data", 1 << 30, NULL, &key), ERR_OK);
    int64_t third = created(trial, "three", "data"); /* says nothing, and has what there is */
    assert_int_equal(trial_place(trial, third, &node), ERR_OK);
    const struct desired *desired = trial_desired(trial, &node, 0);
    for (size_t i = 0; i < desired->assignments_count; i++)
        assert_int_equal(desired->assignments[i].disks[0].size_bytes, 1 << 30);
}

struct update {
    const char *name;
    struct disk_ask disk;
};

static bool update_work(struct tx *tx, void *data, struct err *err)
{
    const struct update *update = data;
    AUTO(arena) *arena = arena_new(1 << 20);
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", update->name};
    struct group_row *row = store_group_find(tx, &id, true, arena, err);
    if (!row)
        return false;
    row->disks = &update->disk;
    row->disks_count = 1;
    return store_group_update(tx, row, NULL, true, err);
}

TEST(a_change_keeps_a_group_in_place_only_where_its_disks_are)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t one = created(trial, "one", "data"), two = created(trial, "two", "more");
    struct update fresh = {"one", {"fresh", 0}}, elsewhere = {"one", {"more", 0}};
    assert_int_equal(trial_place(trial, one, &first), ERR_OK);
    assert_int_equal(trial_place(trial, two, &second), ERR_OK);
    trial_write(trial, update_work, &fresh); /* nobody has it: it is made where the group is */
    assert_int_equal(disks(trial).count, 3);
    assert_string_equal(disks(trial).rows[2].node, "n1");
    trial_write(trial, update_work, &elsewhere);
    const struct desired *desired = trial_desired(trial, &first, 0);
    assert_int_equal(desired->assignments_count, 1);
    assert_int_equal(desired->assignments[0].wanted, WANTED_STOP);
    assert_int_equal(disks(trial).rows[0].groups.count, 0);
    assert_int_equal(disks(trial).rows[1].groups.count, 2);
}

TEST(a_lost_node_is_waited_for)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node first = trial_join(trial, "n1"), second = trial_join(trial, "n2");
    int64_t key = created(trial, "one", "data");
    assert_int_equal(trial_place(trial, key, &first), ERR_OK);
    assert_int_equal(trial_lose(trial, &first, true), ERR_OK);
    assert_int_equal(bound_to(trial, key), first.key);
    assert_int_equal(trial_place(trial, key, &second), ERR_DISK);
    assert_non_null(strstr(trial_get(trial, key)->events, "Its local disk 'data' is on node 'n1'"));
    trial_rejoin(trial, &first);
    assert_int_equal(trial_place(trial, key, &first), ERR_OK);
}

TEST(one_is_removed_when_no_group_has_to_do_with_it_and_its_node_says_so)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n1");
    int64_t key = created(trial, "one", "data");
    assert_int_equal(trial_place(trial, key, &node), ERR_OK);
    const char *id = disks(trial).rows[0].id, *uid = trial_get(trial, key)->uid;
    assert_int_equal(removed(trial, id), ERR_DISK);
    assert_int_equal(trial_order(trial, "one", ORDER_REMOVE), ERR_OK);
    assert_int_equal(removed(trial, id), ERR_OK);
    assert_int_equal(trial_desired(trial, &node, 0)->remove_disks.count,
                     0); /* the group is there */
    forgotten(trial, &node, uid);
    trial_reopen(trial);
    const struct desired *desired = trial_desired(trial, &node, 0);
    assert_int_equal(desired->remove_disks.count, 1);
    assert_string_equal(desired->remove_disks.items[0], id);
    assert_true(disks(trial).rows[0].removing);
    struct report report = {.removed_disks = {true, &id, 1}};
    assert_int_equal(trial_report(trial, &node, &report), ERR_OK);
    assert_int_equal(disks(trial).count, 0);
    assert_int_equal(removed(trial, id), ERR_DISK_UNKNOWN);
}

TEST(a_new_one_of_the_name_is_another_disk)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n1"), other = trial_join(trial, "n2");
    int64_t key = created(trial, "one", "data");
    assert_int_equal(trial_place(trial, key, &node), ERR_OK);
    const char *id = disks(trial).rows[0].id, *uid = trial_get(trial, key)->uid;
    assert_int_equal(trial_order(trial, "one", ORDER_REMOVE), ERR_OK);
    forgotten(trial, &node, uid);
    assert_int_equal(removed(trial, id), ERR_OK);
    int64_t again = created(trial, "one", "data");
    assert_int_equal(bound_to(trial, again), 0);
    assert_int_equal(trial_place(trial, again, &other), ERR_OK);
    struct disk_page page = disks(trial);
    assert_int_equal(page.count, 2);
    assert_string_not_equal(page.rows[1].id, id);
}

TEST(they_go_with_their_resource_group_and_with_a_node_that_left)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n1");
    int64_t key = created(trial, "one", "data");
    assert_int_equal(trial_place(trial, key, &node), ERR_OK);
    const char *uid = trial_get(trial, key)->uid;
    trial_drop_resource_group(trial);
    forgotten(trial, &node, uid);
    assert_int_equal(trial_desired(trial, &node, 0)->remove_disks.count, 1);
    trial_remove_node(trial, &node);
    assert_int_equal(disks(trial).count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_groups_that_name_a_disk_at_once_meet_on_one_node),
        cmocka_unit_test(a_refused_placement_makes_no_disk),
        cmocka_unit_test(disks_on_different_nodes_are_refused_together),
        cmocka_unit_test(a_size_stands_once_it_was_said),
        cmocka_unit_test(a_change_keeps_a_group_in_place_only_where_its_disks_are),
        cmocka_unit_test(a_lost_node_is_waited_for),
        cmocka_unit_test(one_is_removed_when_no_group_has_to_do_with_it_and_its_node_says_so),
        cmocka_unit_test(a_new_one_of_the_name_is_another_disk),
        cmocka_unit_test(they_go_with_their_resource_group_and_with_a_node_that_left),
    };
    return RUN_TESTS(tests);
}
