/* node-agent/supervise/record.h and status.h */
#include "tests/unit/unit.h"

#include "base/file.h"
#include "node-agent/supervise/record.h"
#include "node-agent/supervise/status.h"

#include <stdlib.h>

static char folder[] = "/tmp/berth-record-XXXXXX";

static int begin(void **state UNUSED)
{
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state UNUSED)
{
    struct err err = {0};

    return file_remove_tree(folder, &err) ? 0 : -1;
}

static struct hosted *some_group(void)
{
    struct err err = {0};
    struct hosted *group = hosted_new("00000000-0000-4000-8000-000000000001", &err);

    assert_non_null(group);
    assert_true(hosted_members(group, 1, &err));
    group->incarnation = group->newest_incarnation = 3;
    group->stage = STAGE_UP;
    group->policy = RESTART_ON_FAILURE;
    text_copy(group->address, sizeof group->address, "10.0.0.2");
    struct member *member = &group->members[0];
    text_copy(member->name, sizeof member->name, "web");
    member->phase = MEMBER_RUNNING;
    member->starts = 2;
    member->restarts = 1;
    member->current = (struct run){.started_ms = 1700000000000, .exit_code = -1};
    member->previous = (struct run){1600000000000, 1600000001000, 7, "Error"};
    happenings_add(&member->happenings, 1700000000000, true, "Failed", "it \"%s\"", "broke");
    happenings_add(&member->happenings, 1700000005000, true, "Failed", "it \"%s\"", "broke");
    return group;
}

TEST(a_saved_group_comes_back_as_it_was)
{
    struct err err = {0};
    AUTO(hosted) *group = some_group();
    AUTO(hosted) *loaded = NULL;

    assert_true(record_save(group, folder, &err));
    loaded = record_load(folder, &err);
    assert_non_null(loaded);
    assert_string_equal(loaded->uid, group->uid);
    assert_int_equal(loaded->incarnation, 3);
    assert_int_equal(loaded->stage, STAGE_UP);
    assert_int_equal(loaded->policy, RESTART_ON_FAILURE);
    assert_string_equal(loaded->address, "10.0.0.2");
    assert_int_equal(loaded->members[0].phase, MEMBER_RUNNING);
    assert_int_equal(loaded->members[0].restarts, 1);
    assert_int_equal(loaded->members[0].current.exit_code, -1);
    assert_int_equal(loaded->members[0].previous.exit_code, 7);
    assert_int_equal(loaded->members[0].happenings.count, 1);
    assert_int_equal(loaded->members[0].happenings.items[0].count, 2);
    assert_string_equal(loaded->members[0].happenings.items[0].message, "it \"broke\"");
}

TEST(how_far_a_pull_is_replaces_what_it_said_before)
{
    struct happenings list = {0};

    happenings_add(&list, 1000, false, "Pulling", "pulling image \"a\"");
    happenings_add(&list, 1000, false, "Pulling", "pulling image \"b\"");
    assert_true(happenings_retell(&list, 2000, "Pulling", "pulling image \"a\"",
                                  "pulling image \"a\": 42 % of 312 MB"));
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].message, "pulling image \"a\": 42 % of 312 MB");
    assert_int_equal(list.items[0].count, 1);
    assert_int_equal(list.items[0].last_ms, 2000);
    assert_false(happenings_retell(&list, 3000, "Pulling", "pulling image \"c\"", "x"));
    happenings_done(&list);
}

TEST(an_absent_record_is_not_found_and_a_torn_one_is_refused)
{
    struct err err = {0};
    char path[128];

    assert_null(record_load("/tmp/berth-no-such-folder", &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    text_format(path, sizeof path, "%s/record.json", folder);
    assert_true(file_replace(path, "{\"uid\":", 7, 0600, false, &err));
    assert_null(record_load(folder, &err));
}

TEST(a_container_is_marked_once_for_each_incarnation)
{
    struct err err = {0};

    assert_true(record_mark_run(folder, "web", 1, &err));
    assert_false(record_mark_run(folder, "web", 1, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    err = (struct err){0};
    assert_true(record_mark_run(folder, "web", 2, &err));
}

TEST(a_mark_that_was_taken_back_lets_the_container_run)
{
    struct err err = {0};

    assert_true(record_may_run(folder, "once", 1, &err));
    assert_true(record_mark_run(folder, "once", 1, &err));
    assert_false(record_may_run(folder, "once", 1, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    err = (struct err){0};
    assert_true(record_may_run(folder, "once", 2, &err));
    assert_true(record_unmark_run(folder, "once", 1, &err));
    assert_true(record_unmark_run(folder, "once", 1, &err));
    assert_true(record_may_run(folder, "once", 1, &err));
    assert_true(record_mark_run(folder, "once", 1, &err));
}

TEST(a_running_container_is_told_with_its_last_run)
{
    AUTO(hosted) *group = some_group();
    AUTO(arena) *arena = arena_new(1 << 20);
    struct group_status status;

    assert_true(status_of(group, arena, &status));
    assert_int_equal(status.state, GROUP_RUNNING);
    assert_true(status.provisioned);
    assert_false(status.released);
    assert_string_equal(status.address, "10.0.0.2");
    const struct container_view *view = status.containers[0].view;
    assert_string_equal(view->current_state->state, "Running");
    assert_int_equal(view->current_state->exit_code.given, GIVEN_ABSENT);
    assert_string_equal(view->previous_state->state, "Terminated");
    assert_int_equal(view->previous_state->exit_code.value, 7);
    assert_string_equal(view->events[0].type, "Warning");
    assert_string_equal(view->events[0].last_timestamp, "2023-11-14T22:13:25Z");
}

TEST(a_container_between_two_runs_waits)
{
    AUTO(hosted) *group = some_group();
    AUTO(arena) *arena = arena_new(1 << 20);
    struct group_status status;

    member_ended(group, &group->members[0],
                 &(struct ending){1700000001000, 1700000001000, 1, NULL});
    assert_true(status_of(group, arena, &status));
    const struct container_view *view = status.containers[0].view;
    assert_string_equal(view->current_state->state, "Waiting");
    assert_string_equal(view->previous_state->detail_status, "Error");
    assert_int_equal(view->previous_state->exit_code.value, 1);
    assert_int_equal(status.state, GROUP_RUNNING);
}

TEST(a_container_that_a_client_stopped_ran_before)
{
    AUTO(hosted) *group = some_group();
    AUTO(arena) *arena = arena_new(1 << 20);
    struct group_status status;

    group->stage = STAGE_ENDING;
    member_ended(group, &group->members[0],
                 &(struct ending){1700000009000, 1700000009000, -1, run_was_stopped});
    assert_true(status_of(group, arena, &status));
    const struct container_view *view = status.containers[0].view;
    assert_string_equal(view->current_state->state, "Terminated");
    assert_string_equal(view->current_state->detail_status, "Container stopped per client request");
    assert_int_equal(view->current_state->exit_code.given, GIVEN_ABSENT);
    assert_string_equal(view->previous_state->state, "Running");
    assert_string_equal(view->previous_state->start_time, view->current_state->start_time);
    assert_null(view->previous_state->finish_time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_group_comes_back_as_it_was),
        cmocka_unit_test(an_absent_record_is_not_found_and_a_torn_one_is_refused),
        cmocka_unit_test(a_container_is_marked_once_for_each_incarnation),
        cmocka_unit_test(a_mark_that_was_taken_back_lets_the_container_run),
        cmocka_unit_test(a_running_container_is_told_with_its_last_run),
        cmocka_unit_test(how_far_a_pull_is_replaces_what_it_said_before),
        cmocka_unit_test(a_container_between_two_runs_waits),
        cmocka_unit_test(a_container_that_a_client_stopped_ran_before),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
