/* node-agent/supervise/recover.c, and what it stands on: an agent killed at each moment of a group's life, and the next
 * one. Whenever it dies, everything that was asked for comes about, nothing runs twice, and each second is metered
 * once. */
#include "tests/unit/supervise/node.h"
#include "tests/unit/unit.h"

#include "base/file.h"
#include "node-agent/runtime/fake.h"

#include <dirent.h>
#include <string.h>

enum { AWAY_S = 3, MOMENTS_MAX = 2000 };

/* ---- what must hold ---- */

#define HOLDS(what, ...)                                                               \
    do {                                                                               \
        if (!(what)) {                                                                 \
            char said[400];                                                            \
            text_format(said, sizeof said, __VA_ARGS__);                               \
            fail_msg("killed at moment %lld, then %lld, %s: %s", (long long)killed_at, \
                     (long long)killed_again_at, node->killed_at, said);               \
        }                                                                              \
    } while (0)

static int64_t killed_at, killed_again_at;

static size_t files_below(const char *name)
{
    char path[128];
    size_t count = 0;

    text_format(path, sizeof path, "%s/%s", node->folder, name);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return count;
}

static void nothing_is_left(void)
{
    HOLDS(node->address == 0, "its network is still up");
    for (size_t i = 0; i < COUNT_OF(node->holders); i++)
        HOLDS(!node->holders[i][0], "%s holds an image", node->holders[i]);
    HOLDS(files_below("orders") == 0, "an order is still there");
    HOLDS(files_below("groups") == 0, "its folder is still there");
}

static int64_t starts_of(int64_t incarnation, const char *name)
{
    size_t count;
    int64_t starts = 0;
    const struct fake_run *all = fake_runtime_runs(node->runtime, &count);

    for (size_t i = 0; i < count; i++)
        starts += all[i].incarnation == incarnation && strcmp(all[i].name, name) == 0;
    return starts;
}

/* Those of the runs before it among them, as far as it was started in their place (§10.6). */
static void its_starts_are_events(int64_t incarnation, int64_t own)
{
    const struct seen *seen = &node->seen[incarnation];
    int64_t all = 0;

    for (int64_t i = 1; i <= incarnation; i++)
        all += starts_of(i, "web");
    HOLDS(seen->created_events == seen->started_events && seen->started_events >= own &&
              seen->started_events <= all && (node->addresses > 1 || seen->started_events == all),
          "run %lld tells %lld Created, %lld Started of %lld", (long long)incarnation,
          (long long)seen->created_events, (long long)seen->started_events, (long long)all);
}

static void run_started_as_often_as_it_must(int64_t incarnation)
{
    const struct seen *seen = &node->seen[incarnation];
    int64_t web = starts_of(incarnation, "web"), side = starts_of(incarnation, "side");
    int64_t wanted = 1 + node->script.restarts;

    HOLDS(web == wanted && side == wanted, "run %lld started %lld and %lld times",
          (long long)incarnation, (long long)web, (long long)side);
    HOLDS(seen->restarts == wanted - 1, "run %lld tells %lld restarts", (long long)incarnation,
          (long long)seen->restarts);
    its_starts_are_events(incarnation, wanted);
}

/* They run once, in their order, and nobody else before they ended. */
static void init_containers_run_first(int64_t incarnation)
{
    size_t count;
    const struct fake_run *all = fake_runtime_runs(node->runtime, &count);
    int64_t first = starts_of(incarnation, "first"), second = starts_of(incarnation, "second");
    int64_t ended = 0;

    HOLDS(first <= 1 && second <= first, "init containers of run %lld ran %lld and %lld times",
          (long long)incarnation, (long long)first, (long long)second);
    HOLDS(second == 1 || starts_of(incarnation, "web") + starts_of(incarnation, "side") == 0,
          "containers of run %lld ran without their init containers", (long long)incarnation);
    for (size_t i = 0; i < count; i++) {
        if (all[i].incarnation != incarnation)
            continue;
        HOLDS(all[i].started_ms >= ended, "%s of run %lld did not wait", all[i].name,
              (long long)incarnation);
        if (strcmp(all[i].name, "first") == 0 || strcmp(all[i].name, "second") == 0)
            ended = all[i].finished_ms;
    }
}

static void each_run_starts_once(void)
{
    for (int64_t i = 1; i <= node->incarnation; i++) {
        if (node->script.init)
            init_containers_run_first(i);
        if (node->script.policy == RESTART_NEVER)
            HOLDS(starts_of(i, "web") <= 1, "run %lld started again", (long long)i);
        else if (node->seen[i].running)
            run_started_as_often_as_it_must(i);
    }
}

static const struct usage_interval *interval_before(const struct usage_interval *one)
{
    const struct usage_interval *before = NULL;

    for (size_t i = 0; i < node->intervals_count; i++) {
        const struct usage_interval *other = &node->intervals[i];
        bool earlier = other->incarnation < one->incarnation ||
                       (other->incarnation == one->incarnation && other->from_s < one->from_s);
        bool later = !before || other->incarnation > before->incarnation ||
                     (other->incarnation == before->incarnation && other->from_s > before->from_s);
        if (earlier && later)
            before = other;
    }
    return before;
}

static void no_second_is_metered_twice(void)
{
    for (size_t i = 0; i < node->intervals_count; i++) {
        const struct usage_interval *one = &node->intervals[i], *before = interval_before(one);
        HOLDS(one->to_s >= one->from_s, "run %lld is metered still", (long long)one->incarnation);
        HOLDS(!before || before->to_s <= one->from_s, "%lld to %lld, then %lld to %lld",
              (long long)(before->from_s % 1000), (long long)(before->to_s % 1000),
              (long long)(one->from_s % 1000), (long long)(one->to_s % 1000));
    }
}

static bool metered(int64_t second)
{
    for (size_t i = 0; i < node->intervals_count; i++) {
        if (node->intervals[i].from_s <= second && second < node->intervals[i].to_s)
            return true;
    }
    return false;
}

static void each_second_of_a_run_is_metered(void)
{
    size_t count;
    const struct fake_run *all = fake_runtime_runs(node->runtime, &count);

    for (size_t i = 0; i < count; i++) {
        HOLDS(all[i].finished_ms > 0, "%s runs still", all[i].name);
        for (int64_t s = all[i].started_ms / 1000; s * 1000 < all[i].finished_ms; s++)
            HOLDS(metered(s), "second %lld of run %lld is not metered", (long long)(s % 1000),
                  (long long)all[i].incarnation);
    }
}

static void what_must_hold_holds(void)
{
    HOLDS(!node->fault[0], "%s", node->fault);
    nothing_is_left();
    each_run_starts_once();
    no_second_is_metered_twice();
    each_second_of_a_run_is_metered();
}

/* ---- killing ---- */

/* The script played with one agent killed at its `first` moment, and if `second` is not 0 the next one at that. False:
 * it came to no such moment. */
static bool kill_at(const struct script *script, int64_t first, int64_t second, void (*also)(void))
{
    node_begin(script);
    killed_at = first;
    killed_again_at = second;
    bool killed = node_live(first);
    if (killed && second > 0) {
        node_pass(AWAY_S);
        killed = node_live(second);
    }
    if (killed) {
        node_pass(AWAY_S);
        node_live(0);
    }
    what_must_hold_holds();
    if (also)
        also();
    node_end();
    return killed;
}

/* The script played once for every `step`-th moment at which its agent can be killed. */
static void kill_at_each(const struct script *script, int64_t step, void (*also)(void))
{
    int64_t moments = 1;

    while (kill_at(script, moments, 0, also))
        moments += step;
    assert_in_range(moments, 80, MOMENTS_MAX);
}

static void kill_everywhere(const struct script *script, void (*also)(void))
{
    kill_at_each(script, 1, also);
}

/* Run 1 goes over to run 2 in its place. */
static void handed_over_without_a_gap(void)
{
    int64_t first = INT64_MAX, last = 0;

    for (size_t i = 0; i < node->intervals_count; i++) {
        const struct usage_interval *one = &node->intervals[i];
        if (one->incarnation == 1 && one->to_s > last)
            last = one->to_s;
        if (one->incarnation == 2 && one->from_s < first)
            first = one->from_s;
    }
    HOLDS(first == last, "run 1 is metered to %lld, run 2 from %lld", (long long)(last % 1000),
          (long long)(first % 1000));
    HOLDS(node->addresses == 1, "the group got another address");
}

TEST(a_group_that_is_restarted_in_place_keeps_address_and_seconds)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},
                                      {ACT_RUN, UNTIL_RUNNING},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_ALWAYS, acts, 0}, handed_over_without_a_gap);
}

static void its_last_run_is_told(void)
{
    HOLDS(node->seen[1].previous_code == 7, "the run before ended with %lld",
          (long long)node->seen[1].previous_code);
}

TEST(a_container_that_policy_starts_again_is_counted_once)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},
                                      {ACT_EXIT, UNTIL_AGAIN},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_ALWAYS, acts, 1}, its_last_run_is_told);
}

static void stopped_is_told_as_stopped(void)
{
    const struct seen *seen = &node->seen[1];

    HOLDS(seen->exit_code == -1, "a stopped container has exit code %lld",
          (long long)seen->exit_code);
    HOLDS(strcmp(seen->detail, "Container stopped per client request") == 0, "it says '%s'",
          seen->detail);
}

TEST(an_agent_that_is_killed_while_it_recovers_loses_nothing)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},
                                      {ACT_RUN, UNTIL_RUNNING},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};
    const struct script script = {RESTART_ALWAYS, acts, 0};

    for (int64_t first = 3; first < 180; first += 17) {
        for (int64_t second = 1; second < 24; second += 3)
            kill_at(&script, first, second, handed_over_without_a_gap);
    }
}

TEST(a_group_that_is_stopped_and_started_holds_nothing_in_between)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},    {ACT_STOP, UNTIL_STOPPED},
                                      {ACT_RUN, UNTIL_RUNNING},    {ACT_STOP, UNTIL_NOW},
                                      {ACT_REMOVE, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_ALWAYS, acts, 0}, stopped_is_told_as_stopped);
}

static void its_exit_code_is_told(void)
{
    if (starts_of(1, "web") == 1)
        HOLDS(node->seen[1].exit_code == 7, "the code is told as %lld",
              (long long)node->seen[1].exit_code);
}

TEST(a_group_that_runs_once_runs_at_most_once)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},
                                      {ACT_EXIT, UNTIL_FINISHED},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_NEVER, acts, 0}, its_exit_code_is_told);
}

/* Alive, it begins the run in the end; killed between the mark and the start, it may not. */
static void began_at_most_once_and_unkilled_it_did(void)
{
    const struct seen *seen = &node->seen[1];
    bool killed = node->killed_at[0];

    HOLDS(starts_of(1, "web") == 1 || killed, "trouble of the node has used up the only run");
    HOLDS(starts_of(1, "web") == 1 || strstr(node->killed_at, "runtime_start") ||
              strstr(node->killed_at, "record_mark_run") || strstr(node->killed_at, "file_replace"),
          "killed there, it had no run at all");
    HOLDS(seen->restarts == 0, "%lld restarts are told", (long long)seen->restarts);
    HOLDS(killed || strstr(seen->of_web.warning, "no process"), "it says '%s'",
          seen->of_web.warning);
}

TEST(trouble_of_the_node_uses_up_no_run)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_BEGUN},
                                      {ACT_EXIT, UNTIL_FINISHED},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(
        &(struct script){
            .policy = RESTART_NEVER, .acts = acts, .creates_failing = 2, .starts_failing = 2},
        began_at_most_once_and_unkilled_it_did);
}

static void its_init_containers_are_told(void)
{
    const struct seen *seen = &node->seen[1];

    HOLDS(seen->containers == 4, "%lld containers are told", (long long)seen->containers);
    if (starts_of(1, "web") == 1)
        HOLDS(strcmp(seen->second_detail, "Completed") == 0, "the second is told as '%s'",
              seen->second_detail);
    else
        HOLDS(seen->failed, "a group that cannot begin has not failed");
}

TEST(init_containers_of_a_group_that_runs_once_run_at_most_once)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_BEGUN},
                                      {ACT_EXIT, UNTIL_FINISHED},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_NEVER, acts, 0, true}, its_init_containers_are_told);
}

TEST(init_containers_run_again_when_their_group_is_restarted)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_RUNNING},
                                      {ACT_RUN, UNTIL_RUNNING},
                                      {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_at_each(&(struct script){RESTART_ALWAYS, acts, 0, true}, 3, handed_over_without_a_gap);
}

static void leave_file(const char *name)
{
    char path[256];
    struct err err = {0};

    text_format(path, sizeof path, "%s/orders", node->folder);
    assert_true(file_make_folders(path, 0700, &err));
    text_format(path, sizeof path, "%s/orders/%s", node->folder, name);
    assert_true(file_replace(path, "{}", 2, 0600, false, &err));
}

/* They hold secrets. */
TEST(orders_of_groups_that_are_not_here_do_not_stay)
{
    static const struct act acts[] = {{ACT_END, UNTIL_NOW}};

    node_begin(&(struct script){RESTART_ALWAYS, acts, 0});
    leave_file(NODE_UID ".json");
    leave_file(NODE_UID ".newest.json");
    leave_file(NODE_UID ".json.Ab12Cd"); /* half written */
    assert_int_equal(files_below("orders"), 3);
    node_agent_free(node_agent_new());
    assert_int_equal(files_below("orders"), 0);
    node_end();
}

/* ---- seconds in which no agent lives (docs/adr/0017) ---- */

static int64_t seconds_metered(void)
{
    int64_t seconds = 0;

    for (size_t i = 0; i < node->intervals_count; i++)
        seconds += node->intervals[i].to_s - node->intervals[i].from_s;
    return seconds;
}

/* The agent dies at the first moment that is called so, and the next one comes an hour later. */
static int64_t seconds_with_an_hour_away(const char *at)
{
    static const struct act acts[] = {
        {ACT_RUN, UNTIL_RUNNING}, {ACT_REMOVE, UNTIL_REMOVED}, {ACT_END, UNTIL_NOW}};
    int64_t seconds;

    node_begin(&(struct script){RESTART_ALWAYS, acts, 0});
    node->kill_at_name = at;
    assert_true(node_live(0));
    node->kill_at_name = NULL;
    killed_at = node->moments;
    node_pass(3600);
    node_live(0);
    what_must_hold_holds();
    seconds = seconds_metered();
    node_end();
    return seconds;
}

TEST(an_hour_in_which_nobody_pulled_is_not_metered)
{
    assert_in_range(seconds_with_an_hour_away("after meter_begin"), 1, 10);
    assert_in_range(seconds_with_an_hour_away("in image_pull"), 1, 10);
    assert_in_range(seconds_with_an_hour_away("before network_group_up"), 1, 10);
}

TEST(an_hour_in_which_the_group_had_its_address_is_metered)
{
    assert_in_range(seconds_with_an_hour_away("after network_group_up"), 3600, 3610);
    assert_in_range(seconds_with_an_hour_away("after runtime_start"), 3600, 3610);
}

TEST(orders_that_overtake_each_other_end_with_the_newest)
{
    static const struct act acts[] = {{ACT_RUN, UNTIL_NOW},     {ACT_RUN, UNTIL_RUNNING},
                                      {ACT_RUN, UNTIL_NOW},     {ACT_STOP, UNTIL_NOW},
                                      {ACT_RUN, UNTIL_RUNNING}, {ACT_REMOVE, UNTIL_REMOVED},
                                      {ACT_END, UNTIL_NOW}};

    kill_everywhere(&(struct script){RESTART_ON_FAILURE, acts, 0}, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_that_is_restarted_in_place_keeps_address_and_seconds),
        cmocka_unit_test(an_agent_that_is_killed_while_it_recovers_loses_nothing),
        cmocka_unit_test(a_container_that_policy_starts_again_is_counted_once),
        cmocka_unit_test(orders_of_groups_that_are_not_here_do_not_stay),
        cmocka_unit_test(an_hour_in_which_nobody_pulled_is_not_metered),
        cmocka_unit_test(an_hour_in_which_the_group_had_its_address_is_metered),
        cmocka_unit_test(a_group_that_is_stopped_and_started_holds_nothing_in_between),
        cmocka_unit_test(a_group_that_runs_once_runs_at_most_once),
        cmocka_unit_test(trouble_of_the_node_uses_up_no_run),
        cmocka_unit_test(init_containers_of_a_group_that_runs_once_run_at_most_once),
        cmocka_unit_test(init_containers_run_again_when_their_group_is_restarted),
        cmocka_unit_test(orders_that_overtake_each_other_end_with_the_newest),
    };

    return RUN_TESTS(tests);
}
