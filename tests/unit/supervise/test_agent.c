/* A living agent when the world around it fails: what cannot be looked at, taken or prepared now is done later. */
#include "tests/unit/supervise/node.h"
#include "tests/unit/unit.h"

#include "base/file.h"
#include "node-agent/runtime/fake.h"

#include <string.h>

/* ---- orders that cannot be taken ---- */

static int orders_failing;

struct order *__real_order_new(const struct assignment *assignment, struct err *err);
struct order *__wrap_order_new(const struct assignment *assignment, struct err *err);
struct order *__wrap_order_new(const struct assignment *assignment, struct err *err)
{
    if (orders_failing == 0)
        return __real_order_new(assignment, err);
    orders_failing--;
    err_set(err, ERR_BUSY, "no memory for an order");
    return NULL;
}

/* ---- playing ---- */

static const struct act runs_and_goes[] = {
    {ACT_RUN, UNTIL_RUNNING}, {ACT_REMOVE, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};
static const struct act runs_on[] = {{ACT_RUN, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};
static const struct act runs_and_ends[] = {
    {ACT_RUN, UNTIL_FINISHED}, {ACT_REMOVE, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};

static struct agent *begin(enum restart_policy policy, const struct act *acts)
{
    node_begin(&(struct script){policy, acts, 0});
    struct agent *agent = node_agent_new();
    plane_advance();
    fakes_tell_desired();
    return agent;
}

/* Seconds of the agent's life; what the link is asked for comes. */
static void seconds(struct agent *agent, int count)
{
    for (int round = 0; round < count * 10; round++) {
        int64_t asked = node->asked;
        node_round(agent);
        if (plane_advance() || node->asked > asked)
            fakes_tell_desired();
    }
}

static void end(struct agent *agent)
{
    node_agent_free(agent);
    node_end();
}

/* ---- what must hold ---- */

TEST(an_end_that_could_not_be_looked_at_is_looked_at_again)
{
    struct agent *agent = begin(RESTART_NEVER, runs_and_ends);

    seconds(agent, 2);
    assert_true(node->seen[1].running);
    fake_runtime_fail(node->runtime, FAKE_FIND, ERR_IO, "too many open files");
    fake_runtime_end(node->runtime, NODE_UID, "web", 7, false);
    node_round(agent);
    node_round(agent);
    assert_int_equal(node->seen[1].exit_code, -1);
    seconds(agent, 2);
    assert_int_equal(node->seen[1].exit_code, 7);
    end(agent);
}

TEST(a_start_whose_container_could_not_be_looked_at_tells_its_end_all_the_same)
{
    struct agent *agent = begin(RESTART_NEVER, runs_and_ends);

    for (int round = 0; round < 20; round++)
        fake_runtime_fail(node->runtime, FAKE_FIND, ERR_IO, "too many open files"),
            node_round(agent);
    fake_runtime_end(node->runtime, NODE_UID, "web", 7, false);
    seconds(agent, 3);
    assert_int_equal(node->seen[1].exit_code, 7);
    end(agent);
}

static size_t runs_begun(void)
{
    size_t count;

    (void)fake_runtime_runs(node->runtime, &count);
    return count;
}

/* The plane gave up on this node meanwhile, and may have placed its groups elsewhere. */
TEST(a_node_that_joins_again_starts_nothing_before_it_is_told_what_is_its)
{
    struct agent *agent = begin(RESTART_ALWAYS, runs_on);

    seconds(agent, 2);
    size_t begun = runs_begun();
    fake_runtime_end(node->runtime, NODE_UID, "web", EXIT_KILLED, false); /* by the fence */
    fakes_tell_joined();
    for (int round = 0; round < 300; round++)
        node_round(agent);
    assert_int_equal(runs_begun(), begun);
    fakes_tell_desired();
    seconds(agent, 2);
    assert_int_equal(runs_begun(), begun + 1);
    end(agent);
}

TEST(a_container_that_somebody_removed_has_ended)
{
    struct agent *agent = begin(RESTART_NEVER, runs_and_ends);
    struct err err = {0};

    seconds(agent, 2);
    assert_true(runtime_remove(node->runtime, NODE_UID, "web", &err));
    hosted_member(agent_find(agent, NODE_UID), "web")->look = agent->looks = true;
    seconds(agent, 2);
    assert_string_equal(node->seen[1].detail, "Error");
    assert_int_equal(node->seen[1].exit_code, -1);
    end(agent);
}

TEST(an_order_that_could_not_be_taken_is_asked_for_again)
{
    orders_failing = 2;
    struct agent *agent = begin(RESTART_ALWAYS, runs_and_goes);

    seconds(agent, 1);
    assert_int_equal(node->asked, 1);
    assert_int_equal(node->ask_after, 0);
    seconds(agent, 4);
    assert_true(node->asked >= 2);
    assert_true(node->seen[1].running);
    int64_t asked = node->asked;
    seconds(agent, 5);
    assert_int_equal(node->asked, asked);
    end(agent);
}

TEST(an_order_that_can_never_be_taken_is_asked_for_ever_more_rarely)
{
    orders_failing = 1000;
    struct agent *agent = begin(RESTART_ALWAYS, runs_and_goes);

    seconds(agent, 120);
    assert_in_range(node->asked, 6, 9);
    orders_failing = 0;
    end(agent);
}

TEST(a_later_order_does_not_hide_one_that_was_not_taken)
{
    struct desired nothing = {.revision = 9};

    orders_failing = 1;
    struct agent *agent = begin(RESTART_ALWAYS, runs_on);
    node_round(agent);
    agent_take_desired(agent, 5, &nothing); /* from behind the gap */
    assert_int_equal(agent->taken_revision, 0);
    agent_take_desired(agent, 0, &nothing);
    assert_int_equal(agent->taken_revision, 9);
    end(agent);
}

TEST(a_mount_whose_name_would_lead_out_of_the_group_is_refused)
{
    AUTO(arena) *arena = arena_new(1 << 20);
    struct volume_mount mount = {.name = "../../../etc", .mount_path = "/etc"};
    struct agent *agent = begin(RESTART_ALWAYS, runs_on);

    node_round(agent);
    node->incarnation = 2;
    struct desired desired = plane_desired(arena);
    desired.assignments[0].group->properties->containers[0].properties->mounts = &mount;
    desired.assignments[0].group->properties->containers[0].properties->mounts_count = 1;
    agent_take_desired(agent, 0, &desired);
    assert_int_equal(agent_find(agent, NODE_UID)->newest_incarnation, 1);
    end(agent);
}

/* ---- a reboot ---- */

static int64_t starts_of(const char *name)
{
    size_t count;
    int64_t starts = 0;
    const struct fake_run *all = fake_runtime_runs(node->runtime, &count);

    for (size_t i = 0; i < count; i++)
        starts += strcmp(all[i].name, name) == 0;
    return starts;
}

/* The agent ends, and the network and every container with it. */
static struct agent *reboot(struct agent *agent)
{
    struct err err = {0};

    node_agent_free(agent);
    assert_true(runtime_group_down(node->runtime, NODE_UID, &err));
    node->address = 0;
    agent = node_agent_new();
    fakes_tell_desired();
    return agent;
}

static void begin_and_reboot(enum restart_policy policy)
{
    node_begin(&(struct script){policy, runs_on, 0, true});
    struct agent *agent = node_agent_new();
    plane_advance();
    fakes_tell_desired();
    seconds(agent, 3);
    assert_true(node->seen[1].running);
    agent = reboot(agent);
    seconds(agent, 15);
    node_agent_free(agent);
}

TEST(after_a_reboot_init_containers_come_first_again)
{
    size_t count;

    begin_and_reboot(RESTART_ALWAYS);
    const struct fake_run *all = fake_runtime_runs(node->runtime, &count);
    assert_int_equal(count, 8);
    assert_string_equal(all[4].name, "first");
    assert_string_equal(all[5].name, "second");
    assert_true(all[6].started_ms >= all[5].finished_ms);
    assert_int_equal(starts_of("web"), 2);
    assert_int_equal(node->seen[1].restarts, 1);
    node_end();
}

TEST(after_a_reboot_nothing_of_a_group_that_runs_once_runs_again)
{
    begin_and_reboot(RESTART_NEVER);
    assert_int_equal(starts_of("first"), 1);
    assert_int_equal(starts_of("web"), 1);
    assert_true(node->seen[1].failed);
    node_end();
}

/* ---- what a prepare failed at ---- */

static void until_warned(struct agent *agent)
{
    const struct seen *seen = &node->seen[1];

    for (int round = 0; round < 50 && !seen->of_web.warnings && !seen->of_group.warnings; round++)
        node_round(agent);
}

static const struct seen *failing(enum job_part part, enum err_code code)
{
    static struct seen seen;

    struct agent *agent = begin(RESTART_ALWAYS, runs_on);
    node->failing_part = part;
    node->failing_code = code;
    node->failing = 1;
    if (part == PART_LIMITS)
        fake_runtime_fail(node->runtime, FAKE_GROUP_UP, code, "as the test wants");
    until_warned(agent);
    seen = node->seen[1];
    if (err_code_retry(code)) {
        seconds(agent, 15);
        assert_true(node->seen[1].running);
    }
    end(agent);
    return &seen;
}

TEST(an_image_that_cannot_be_pulled_is_told_by_its_container)
{
    const struct seen *seen = failing(PART_IMAGE, ERR_REGISTRY_RESPONSE);

    assert_string_equal(seen->of_web.name, "Failed");
    assert_string_equal(seen->of_web.warning, "Failed to pull image \"i\": as the test wants");
    assert_string_equal(seen->of_web.again, "Back-off pulling image \"i\"");
    assert_int_equal(seen->of_group.warnings, 0);
}

TEST(a_network_that_cannot_be_had_is_told_by_the_group_and_not_as_an_image)
{
    const struct seen *seen = failing(PART_NETWORK, ERR_NO_CAPACITY);

    assert_string_equal(seen->of_group.name, "Failed");
    assert_string_equal(seen->of_group.warning,
                        "Failed to connect the group to its network: as the test wants");
    assert_string_equal(seen->of_group.again, "Back-off connecting the group to its network");
    assert_int_equal(seen->of_web.warnings, 0);
}

TEST(limits_that_cannot_be_set_fail_the_group_with_their_own_words)
{
    const struct seen *seen = failing(PART_LIMITS, ERR_INVALID);

    assert_int_equal(seen->state, GROUP_FAILED);
    assert_string_equal(seen->failure, "as the test wants");
    assert_string_equal(seen->of_group.warning,
                        "Failed to set the limits of the group: as the test wants");
    assert_string_equal(seen->of_group.again, "");
    assert_int_equal(seen->of_web.warnings, 0);
}

TEST(logs_whose_folder_cannot_be_made_are_told_by_the_group)
{
    char path[256];
    struct err err = {0};
    struct agent *agent = begin(RESTART_ALWAYS, runs_on);

    text_format(path, sizeof path, "%s/groups/" NODE_UID, node->folder);
    assert_true(file_make_folders(path, 0700, &err));
    text_format(path, sizeof path, "%s/groups/" NODE_UID "/logs", node->folder);
    assert_true(file_replace(path, "", 0, 0600, false, &err));
    until_warned(agent);
    assert_string_equal(node->seen[1].of_group.name, "Failed");
    assert_int_equal(node->seen[1].of_web.warnings, 0);
    end(agent);
}

TEST(a_volume_that_cannot_be_mounted_yet_is_told_and_tried_again)
{
    const struct seen *seen = failing(PART_VOLUMES, ERR_IO);

    assert_string_equal(seen->of_group.name, "FailedMount");
    assert_string_equal(seen->of_group.warning, "Failed to mount: as the test wants");
    assert_string_equal(seen->of_group.again, "Back-off mounting the volumes");
    assert_int_equal(seen->of_web.warnings, 0);
    assert_string_equal(seen->failure, "");
}

TEST(a_volume_that_can_never_be_mounted_ends_the_group)
{
    const struct seen *seen = failing(PART_VOLUMES, ERR_VOLUME);

    assert_string_equal(seen->of_group.name, "FailedMount");
    assert_string_equal(seen->of_group.again, "");
    assert_string_equal(seen->failure, "as the test wants");
}

TEST(failures_that_repeat_are_counted_and_not_listed_again)
{
    struct agent *agent = begin(RESTART_ALWAYS, runs_on);

    node->failing_part = PART_IMAGE;
    node->failing_code = ERR_REGISTRY_RESPONSE;
    node->failing = 3;
    seconds(agent, 80);
    const struct member *web = hosted_member(agent_find(agent, NODE_UID), "web");
    assert_int_equal(node->seen[1].of_web.warnings, 3);
    assert_int_equal(web->happenings.count,
                     6); /* Pulling, Failed, BackOff, Pulled, Created, Started */
    end(agent);
}

/* ---- local disks ---- */

TEST(a_local_disk_is_removed_once_no_group_has_it_and_told_until_that_is_known)
{
    static const char *ids[] = {"11111111-2222-8333-8444-555555555555"};
    const struct text_list leaving = {true, ids, 1};
    node_begin(&(struct script){RESTART_ALWAYS, runs_on, 0});
    text_copy(node->disk, sizeof node->disk, ids[0]);
    struct agent *agent = node_agent_new();
    plane_advance();
    fakes_tell_desired();
    seconds(agent, 3);
    assert_true(node->seen[1].running);
    assert_true(agent_take_leaving(agent, &leaving));
    assert_true(agent_take_leaving(agent, &leaving));
    seconds(agent, 3);
    assert_int_equal(node->disk_removals, 0);
    node->wanted = WANTED_REMOVE;
    node->disks_failing = 1;
    node->revision++;
    fakes_tell_desired();
    seconds(agent, 8);
    assert_int_equal(node->disk_removals, 2);
    assert_true(node->disks_told >= 1);
    assert_int_equal(agent->leaving.count, 0);
    end(agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_local_disk_is_removed_once_no_group_has_it_and_told_until_that_is_known),
        cmocka_unit_test(an_end_that_could_not_be_looked_at_is_looked_at_again),
        cmocka_unit_test(a_start_whose_container_could_not_be_looked_at_tells_its_end_all_the_same),
        cmocka_unit_test(a_node_that_joins_again_starts_nothing_before_it_is_told_what_is_its),
        cmocka_unit_test(a_container_that_somebody_removed_has_ended),
        cmocka_unit_test(an_order_that_could_not_be_taken_is_asked_for_again),
        cmocka_unit_test(an_order_that_can_never_be_taken_is_asked_for_ever_more_rarely),
        cmocka_unit_test(a_later_order_does_not_hide_one_that_was_not_taken),
        cmocka_unit_test(a_mount_whose_name_would_lead_out_of_the_group_is_refused),
        cmocka_unit_test(after_a_reboot_init_containers_come_first_again),
        cmocka_unit_test(after_a_reboot_nothing_of_a_group_that_runs_once_runs_again),
        cmocka_unit_test(an_image_that_cannot_be_pulled_is_told_by_its_container),
        cmocka_unit_test(a_network_that_cannot_be_had_is_told_by_the_group_and_not_as_an_image),
        cmocka_unit_test(limits_that_cannot_be_set_fail_the_group_with_their_own_words),
        cmocka_unit_test(logs_whose_folder_cannot_be_made_are_told_by_the_group),
        cmocka_unit_test(a_volume_that_cannot_be_mounted_yet_is_told_and_tried_again),
        cmocka_unit_test(a_volume_that_can_never_be_mounted_ends_the_group),
        cmocka_unit_test(failures_that_repeat_are_counted_and_not_listed_again),
    };

    return RUN_TESTS(tests);
}
