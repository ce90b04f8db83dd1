/* Groups as rows: made, found, listed, changed, removed. */
#include "base/limits.h"
#include "base/text.h"
#include "tests/store/try.h"

#include <string.h>

struct creation {
    struct group_row row;
};

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creation *creation = data;
    return store_group_create(tx, &creation->row, "{}", err);
}

static struct creation of(const char *resource_group, const char *name)
{
    return (struct creation){.row = {.subscription = TRY_SUBSCRIPTION,
                                     .resource_group = resource_group,
                                     .name = name,
                                     .location = "westus",
                                     .spec = TRY_SPEC,
                                     .address_at = 17,
                                     .os = OS_LINUX,
                                     .restart_policy = RESTART_NEVER,
                                     .shape = {250, 512}}};
}

TEST(a_new_group_is_found_as_it_was_written)
{
    AUTO(trial) *trial = trial_new();
    struct creation creation = of("RG", "Web");
    trial_write(trial, create, &creation);
    assert_string_equal(creation.row.resource_group, "rg"); /* as first written */
    struct group_row *row = trial_find(trial, "wEB");
    assert_non_null(row);
    assert_int_equal(row->key, creation.row.key);
    assert_int_equal(row->revision, creation.row.revision);
    assert_string_equal(row->uid, creation.row.uid);
    assert_string_equal(row->name, "Web");
    assert_string_equal(row->resource_group, "rg");
    assert_string_equal(row->subscription, TRY_SUBSCRIPTION);
    assert_string_equal(row->spec, TRY_SPEC);
    assert_int_equal(row->address_at, 17);
    assert_int_equal(row->state, GROUP_PENDING);
    assert_int_equal(row->provisioning, PROVISIONING_PENDING);
    assert_int_equal(row->wanted, WANTED_RUN);
    assert_int_equal(row->restart_policy, RESTART_NEVER);
    assert_int_equal(row->os, OS_LINUX);
    assert_int_equal(row->shape.cpu_milli, 250);
    assert_int_equal(row->shape.memory_mib, 512);
    assert_int_equal(row->generation, 1);
    assert_int_equal(row->incarnation, 1);
    assert_true(row->waits && row->living && row->created_ms > 0);
    assert_true(!row->status && !row->events && !row->address && row->node_key == 0);
    struct operation_row *operation = trial_operation(trial, row->operation_key);
    assert_string_equal(operation->id, row->operation_id);
    assert_int_equal(operation->kind, OPERATION_CREATE);
    assert_string_equal(operation->subscription, TRY_SUBSCRIPTION);
    assert_string_equal(operation->location, "westus");
    assert_string_equal(
        operation->resource,
        "/subscriptions/" TRY_SUBSCRIPTION
        "/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/Web");
}

TEST(a_name_is_taken_once_and_its_resource_group_must_exist)
{
    AUTO(trial) *trial = trial_new();
    struct creation first = of("rg", "g"), second = of("rg", "G"), nowhere = of("none", "g");
    trial_write(trial, create, &first);
    assert_int_equal(trial_refused(trial, create, &second), ERR_CONFLICT);
    assert_int_equal(trial_refused(trial, create, &nowhere), ERR_RESOURCE_GROUP_NOT_FOUND);
    assert_int_equal(trial_order(trial, "g", ORDER_REMOVE), ERR_OK);
    trial_write(trial, create, &second);
    assert_string_not_equal(first.row.uid, second.row.uid);
    assert_true(second.row.key > first.row.key);
}

/* ---- lists ---- */

static size_t walk(struct trial *trial, const char *resource_group, size_t rows_max, int64_t *keys)
{
    struct err err = {0};
    struct group_page page = {0};
    size_t count = 0;
    do {
        AUTO(tx) *tx = store_read(trial->store, &err);
        assert_true(store_group_list(tx, TRY_SUBSCRIPTION, resource_group, page.next_key, rows_max,
                                     trial->arena, &page, &err));
        assert_true(page.count <= rows_max);
        for (size_t i = 0; i < page.count; i++)
            keys[count++] = page.rows[i].key;
        if (page.count > 0)
            assert_string_equal(page.rows[0].spec, TRY_SPEC);
    } while (page.next_key);
    return count;
}

static bool put_other(struct tx *tx, void *data UNUSED, struct err *err)
{
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = "other", .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

TEST(groups_are_listed_by_pages_of_any_size)
{
    AUTO(trial) *trial = trial_new();
    int64_t keys[64];
    trial_write(trial, put_other, NULL);
    for (int i = 0; i < 12; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        struct creation creation = of(i % 3 == 0 ? "other" : "rg", name);
        trial_write(trial, create, &creation);
    }
    for (size_t rows_max = 1; rows_max < 14; rows_max++) {
        assert_int_equal(walk(trial, NULL, rows_max, keys), 12);
        assert_int_equal(walk(trial, "RG", rows_max, keys), 8);
        assert_int_equal(walk(trial, "other", rows_max, keys), 4);
        assert_int_equal(walk(trial, "none", rows_max, keys), 0);
    }
}

TEST(a_removed_group_is_not_listed_while_its_node_has_it)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t keys[4], key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    assert_int_equal(walk(trial, NULL, 10, keys), 1);
    assert_int_equal(trial_order(trial, "g", ORDER_REMOVE), ERR_OK);
    assert_non_null(trial_get(trial, key));
    assert_int_equal(walk(trial, NULL, 10, keys), 0);
    assert_int_equal(walk(trial, "rg", 10, keys), 0);
}

TEST(a_walk_lists_each_group_once_however_it_changes)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    struct group_page page = {0};
    int64_t seen[64];
    size_t count = 0;
    char name[16];
    for (int i = 0; i < 10; i++) {
        text_format(name, sizeof name, "g%d", i);
        trial_create(trial, name);
    }
    do {
        {
            AUTO(tx) *tx = store_read(trial->store, &err);
            assert_true(store_group_list(tx, TRY_SUBSCRIPTION, "rg", page.next_key, 3, trial->arena,
                                         &page, &err));
        }
        for (size_t i = 0; i < page.count; i++)
            seen[count++] = page.rows[i].key;
        text_format(name, sizeof name, "g%zu", count); /* the next one goes, the first changes */
        if (count < 10)
            assert_int_equal(trial_order(trial, name, ORDER_REMOVE), ERR_OK);
        assert_int_equal(trial_order(trial, "g0", ORDER_UPDATE), ERR_OK);
    } while (page.next_key);
    assert_true(count >= 7 && count <= 10);
    for (size_t i = 1; i < count; i++)
        assert_true(seen[i] > seen[i - 1]);
}

/* ---- operations ---- */

struct sweep {
    int64_t started_before_ms, ended_before_ms;
};

static bool sweep(struct tx *tx, void *data, struct err *err)
{
    struct sweep *it = data;
    return store_operation_sweep(tx, it->started_before_ms, it->ended_before_ms, err);
}

TEST(an_operation_that_takes_too_long_fails_and_the_group_goes_on_trying)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "g");
    struct sweep early = {1, 1}, late = {INT64_MAX, 1}, old = {1, INT64_MAX};
    trial_write(trial, sweep, &early);
    int64_t operation_key = trial_get(trial, key)->operation_key;
    assert_int_equal(trial_operation(trial, operation_key)->status, OPERATION_PENDING);
    trial_write(trial, sweep, &late);
    struct operation_row *operation = trial_operation(trial, operation_key);
    assert_int_equal(operation->status, OPERATION_FAILED);
    assert_non_null(operation->error_code);
    assert_non_null(strstr(operation->error_text, "1800"));
    struct group_row *row = trial_get(trial, key);
    assert_true(row->waits && row->state == GROUP_PENDING &&
                row->provisioning == PROVISIONING_FAILED);
    assert_int_equal(trial_place(trial, key, &a), ERR_OK);
    struct group_status status = {
        .uid = row->uid, .incarnation = 1, .state = GROUP_RUNNING, .provisioned = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    assert_int_equal(trial_get(trial, key)->provisioning, PROVISIONING_SUCCEEDED);
    trial_write(trial, sweep, &old);
    assert_null(trial_operation(trial, operation_key));
}

/* ---- events ---- */

struct event_told {
    int64_t key;
    const char *message;
};

static bool tell_event(struct tx *tx, void *data, struct err *err)
{
    struct event_told *told = data;
    return store_group_event(tx, told->key, "Warning", "Waiting", told->message, err);
}

TEST(equal_newest_events_are_merged_and_the_oldest_dropped)
{
    AUTO(trial) *trial = trial_new();
    struct event_told told = {trial_create(trial, "g"), "no \"room\""};
    for (int i = 0; i < 3; i++)
        trial_write(trial, tell_event, &told);
    const char *events = trial_get(trial, told.key)->events;
    assert_int_equal(events[0], '[');
    assert_non_null(strstr(events, "\"count\":3"));
    assert_non_null(strstr(events, "no \\\"room\\\""));
    assert_null(strstr(events, "},{"));
    for (int i = 0; i < LIMIT_EVENTS_MAX + 5; i++) {
        char message[32];
        text_format(message, sizeof message, "message %d.", i);
        told.message = message;
        trial_write(trial, tell_event, &told);
    }
    events = trial_get(trial, told.key)->events;
    assert_null(strstr(events, "room"));
    assert_null(strstr(events, "message 4."));
    assert_non_null(strstr(events, "message 5."));
    assert_non_null(strstr(events, "message 104."));
}

/* The revision is what clients compare (ETags). */
TEST(whatever_is_shown_of_a_group_changes_its_revision)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    struct event_told told = {trial_create(trial, "g"), "no room"};
    int64_t revision = trial_get(trial, told.key)->revision;
    trial_write(trial, tell_event, &told);
    assert_true(trial_get(trial, told.key)->revision > revision);
    trial_place(trial, told.key, &a);
    struct group_status status = {.uid = trial_get(trial, told.key)->uid,
                                  .incarnation = 1,
                                  .state = GROUP_RUNNING,
                                  .provisioned = true};
    struct report report = {.statuses = &status, .statuses_count = 1};
    revision = trial_get(trial, told.key)->revision;
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    assert_true(trial_get(trial, told.key)->revision > revision);
    revision = trial_get(trial, told.key)->revision;
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK); /* nothing new */
    assert_int_equal(trial_get(trial, told.key)->revision, revision);
    assert_int_equal(trial_order(trial, "g", ORDER_RETAG), ERR_OK);
    assert_true(trial_get(trial, told.key)->revision > revision);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_group_is_found_as_it_was_written),
        cmocka_unit_test(a_name_is_taken_once_and_its_resource_group_must_exist),
        cmocka_unit_test(groups_are_listed_by_pages_of_any_size),
        cmocka_unit_test(a_removed_group_is_not_listed_while_its_node_has_it),
        cmocka_unit_test(a_walk_lists_each_group_once_however_it_changes),
        cmocka_unit_test(an_operation_that_takes_too_long_fails_and_the_group_goes_on_trying),
        cmocka_unit_test(equal_newest_events_are_merged_and_the_oldest_dropped),
        cmocka_unit_test(whatever_is_shown_of_a_group_changes_its_revision),
    };
    return RUN_TESTS(tests);
}
