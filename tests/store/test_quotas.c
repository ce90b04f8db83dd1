/* What subscriptions hold: never more than the limit whoever comes first, and always what the rows say. */
#include "base/limits.h"
#include "tests/store/recount.h"
#include "tests/store/try.h"
#include "tests/unit/scheduler/seed.h"

#include <semaphore.h>

/* ---- making groups within limits ---- */

struct making {
    struct group_row row;
    struct quota_limits most;
    char name[24];
    struct err err;
    bool failed, spoils;
    sem_t *told;
};

static void making_init(struct making *making, int number, int64_t cpu_milli, int64_t cores)
{
    *making = (struct making){0};
    quota_limits_fill(NULL, 0, TRY_SUBSCRIPTION, "westus", &making->most);
    making->most.most[QUOTA_STANDARD_CORES] = cores;
    text_format(making->name, sizeof making->name, "g%d", number);
    making->row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                     .resource_group = "rg",
                                     .name = making->name,
                                     .location = "westus",
                                     .spec = TRY_SPEC,
                                     .os = OS_LINUX,
                                     .limits = &making->most,
                                     .shape = {cpu_milli, 1024}};
}

static bool make(struct tx *tx, void *data, struct err *err)
{
    struct making *making = data;
    return store_group_create(tx, &making->row, "{}", err) &&
           (!making->spoils || err_set(err, ERR_INVALID, "it is not wanted after all"));
}

static void made(void *data, const struct err *err)
{
    struct making *making = data;
    making->failed = err != NULL;
    if (err)
        making->err = *err;
    sem_post(making->told);
}

static enum err_code make_now(struct trial *trial, struct making *making)
{
    making->err = (struct err){0};
    return store_write(trial->store, make, making, &making->err) ? ERR_OK : making->err.code;
}

/* A group of that size within that many cores. */
static enum err_code create_within(struct trial *trial, int number, int64_t cpu_milli,
                                   int64_t cores)
{
    struct making making;
    making_init(&making, number, cpu_milli, cores);
    return make_now(trial, &making);
}

static int64_t cores(struct trial *trial)
{
    return quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena)
        .used[QUOTA_STANDARD_CORES];
}

static int64_t groups(struct trial *trial)
{
    return quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena).used[QUOTA_GROUPS];
}

/* ---- who comes first ---- */

static bool hold_up(struct tx *tx UNUSED, void *data, struct err *err UNUSED)
{
    while (sem_wait(data) != 0)
        ;
    sem_post(data); /* work may run twice */
    return true;
}

enum { RACERS = 64 };

/* All that are submitted while the writer is held up go into one commit. */
static void race(struct trial *trial, struct making *racers, bool one_batch)
{
    struct err err = {0};
    sem_t held, told;
    sem_init(&held, 0, 0);
    sem_init(&told, 0, 0);
    if (one_batch)
        assert_true(store_submit(trial->store, hold_up, NULL, &held, &err));
    for (int i = 0; i < RACERS; i++) {
        racers[i].told = &told;
        assert_true(store_submit(trial->store, make, made, &racers[i], &err));
    }
    sem_post(&held);
    for (int i = 0; i < RACERS; i++)
        while (sem_wait(&told) != 0)
            ;
    sem_destroy(&held);
    sem_destroy(&told);
}

static void race_for_ten(bool one_batch)
{
    AUTO(trial) *trial = trial_new();
    struct making racers[RACERS];
    int won = 0;
    for (int i = 0; i < RACERS; i++)
        making_init(&racers[i], i, 1000, 10);
    race(trial, racers, one_batch);
    for (int i = 0; i < RACERS; i++) {
        won += !racers[i].failed;
        assert_true(!racers[i].failed || racers[i].err.code == ERR_QUOTA);
    }
    assert_int_equal(won, 10);
    assert_int_equal(cores(trial), 10000);
    assert_int_equal(groups(trial), 10);
}

TEST(creates_that_race_in_one_commit_cannot_both_take_the_last_core)
{
    race_for_ten(true);
}

TEST(creates_that_race_in_several_commits_cannot_both_take_the_last_core)
{
    race_for_ten(false);
}

/* Some fail after they counted: the commit is run again, and only what stayed counts. */
TEST(what_failed_after_it_counted_gives_its_cores_to_the_next)
{
    AUTO(trial) *trial = trial_new();
    struct making racers[RACERS];
    int won = 0;
    for (int i = 0; i < RACERS; i++) {
        making_init(&racers[i], i, 1000, 10);
        racers[i].spoils = i % 2 == 0;
    }
    race(trial, racers, true);
    for (int i = 0; i < RACERS; i++)
        won += !racers[i].failed;
    assert_int_equal(won, 10);
    assert_int_equal(racers[0].err.code, ERR_INVALID);
    assert_int_equal(racers[1].failed, false);
    assert_int_equal(cores(trial), 10000);
}

/* ---- what is told ---- */

TEST(the_refusal_is_in_the_service_s_words)
{
    AUTO(trial) *trial = trial_new();
    struct making making;
    assert_int_equal(create_within(trial, 1, 9500, 10), ERR_OK);
    making_init(&making, 2, 1000, 10);
    assert_int_equal(make_now(trial, &making), ERR_QUOTA);
    assert_non_null(strstr(making.err.text,
                           "Resource type 'Microsoft.ContainerInstance/containerGroups' container "
                           "group quota 'StandardCores' exceeded in region 'westus'. Limit: '10', "
                           "Usage: '9.5' Requested: '1'."));
    making_init(&making, 2, 500, 10);
    making.most.most[QUOTA_GROUPS] = 1;
    assert_int_equal(make_now(trial, &making), ERR_QUOTA);
    assert_non_null(strstr(making.err.text, "'ContainerGroups' exceeded in region 'westus'. "
                                            "Limit: '1', Usage: '1' Requested: '1'."));
}

TEST(a_group_that_stands_is_told_before_the_quota)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create_within(trial, 1, 1000, 1), ERR_OK);
    assert_int_equal(create_within(trial, 1, 1000, 1), ERR_CONFLICT);
    assert_int_equal(create_within(trial, 2, 1000, 1), ERR_QUOTA);
}

TEST(another_location_has_a_quota_of_its_own)
{
    AUTO(trial) *trial = trial_new();
    struct making making;
    assert_int_equal(create_within(trial, 1, 1000, 1), ERR_OK);
    making_init(&making, 2, 1000, 1);
    making.row.location = "eastus";
    assert_int_equal(make_now(trial, &making), ERR_OK);
    assert_int_equal(cores(trial), 1000);
    (void)quotas_agree(trial->store, TRY_SUBSCRIPTION, "eastus", trial->arena);
}

TEST(a_lower_limit_refuses_only_new_groups)
{
    AUTO(trial) *trial = trial_new();
    for (int i = 0; i < 4; i++)
        assert_int_equal(create_within(trial, i, 1000, 4), ERR_OK);
    assert_int_equal(create_within(trial, 4, 1000, 2), ERR_QUOTA);
    assert_int_equal(trial_order(trial, "g0", ORDER_UPDATE), ERR_OK);
    assert_int_equal(trial_order(trial, "g1", ORDER_REMOVE), ERR_OK);
    assert_int_equal(create_within(trial, 4, 1000, 2), ERR_QUOTA);
    assert_int_equal(cores(trial), 3000);
}

/* ---- starting, stopping, finishing ---- */

struct changing {
    struct trial *trial;
    const char *name;
    int64_t cores, cpu_milli;
};

static bool start_or_grow(struct tx *tx, void *data, struct err *err)
{
    const struct changing *changing = data;
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", changing->name};
    struct quota_limits most;
    struct group_row *row = store_group_find(tx, &id, true, changing->trial->arena, err);
    assert_non_null(row);
    quota_limits_fill(NULL, 0, TRY_SUBSCRIPTION, "westus", &most);
    most.most[QUOTA_STANDARD_CORES] = changing->cores;
    row->limits = &most;
    if (changing->cpu_milli == 0)
        return store_group_start(tx, row, err);
    row->shape.cpu_milli = changing->cpu_milli;
    return store_group_update(tx, row, "{}", true, err);
}

static enum err_code change_within(struct trial *trial, const char *name, int64_t cpu_milli,
                                   int64_t most)
{
    struct changing changing = {trial, name, most, cpu_milli};
    struct err err = {0};
    return store_write(trial->store, start_or_grow, &changing, &err) ? ERR_OK : err.code;
}

static enum err_code tell(struct trial *trial, struct trial_node *node, const char *name,
                          enum group_state state, bool released)
{
    struct group_row *row = trial_find(trial, name);
    struct group_status status = {.uid = row->uid,
                                  .incarnation = row->incarnation,
                                  .state = (int)state,
                                  .provisioned = true,
                                  .released = released};
    struct report report = {.statuses = &status, .statuses_count = 1, .watermark_s = 100};
    return trial_report(trial, node, &report);
}

static void says(struct trial *trial, struct trial_node *node, const char *name,
                 enum group_state state, bool released)
{
    assert_int_equal(tell(trial, node, name, state, released), ERR_OK);
}

TEST(a_stopped_group_holds_no_cores_and_a_start_may_be_refused)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    assert_int_equal(create_within(trial, 0, 1000, 2), ERR_OK);
    assert_int_equal(create_within(trial, 1, 1000, 2), ERR_OK);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &node), ERR_OK);
    says(trial, &node, "g0", GROUP_RUNNING, false);
    assert_int_equal(trial_order(trial, "g0", ORDER_STOP), ERR_OK);
    assert_int_equal(cores(trial), 2000); /* it still runs */
    says(trial, &node, "g0", GROUP_STOPPED, true);
    assert_int_equal(cores(trial), 1000);
    assert_int_equal(create_within(trial, 2, 1000, 2), ERR_OK);
    assert_int_equal(change_within(trial, "g0", 0, 2), ERR_QUOTA);
    assert_int_equal(change_within(trial, "g0", 1000, 2), ERR_QUOTA);
    assert_int_equal(trial_find(trial, "g0")->state, GROUP_STOPPED);
    assert_int_equal(trial_order(trial, "g1", ORDER_REMOVE), ERR_OK);
    assert_int_equal(change_within(trial, "g0", 0, 2), ERR_OK);
    assert_int_equal(cores(trial), 2000);
    assert_int_equal(groups(trial), 2);
}

struct reclassing {
    struct trial *trial;
    enum quota_class wanted;
    int64_t spot_cores;
};

static bool deploy_as(struct tx *tx, void *data, struct err *err)
{
    const struct reclassing *reclassing = data;
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", "g0"};
    struct quota_limits most;
    struct group_row *row = store_group_find(tx, &id, true, reclassing->trial->arena, err);
    assert_non_null(row);
    quota_limits_fill(NULL, 0, TRY_SUBSCRIPTION, "westus", &most);
    most.most[QUOTA_SPOT_CORES] = reclassing->spot_cores;
    row->limits = &most;
    row->quota_class = reclassing->wanted;
    return store_group_update(tx, row, "{}", true, err);
}

static enum err_code deploy_class(struct trial *trial, enum quota_class wanted, int64_t spot_cores)
{
    struct reclassing reclassing = {trial, wanted, spot_cores};
    struct err err = {0};
    return store_write(trial->store, deploy_as, &reclassing, &err) ? ERR_OK : err.code;
}

TEST(a_new_deployment_in_another_class_counts_in_that_one)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    assert_int_equal(create_within(trial, 0, 1000, 2), ERR_OK);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &node), ERR_OK);
    says(trial, &node, "g0", GROUP_SUCCEEDED, true);
    assert_int_equal(deploy_class(trial, QUOTA_CLASS_SPOT, 0), ERR_QUOTA);
    assert_int_equal(deploy_class(trial, QUOTA_CLASS_SPOT, 2), ERR_OK);
    assert_int_equal(cores(trial), 0);
    struct group_row *row = trial_find(trial, "g0");
    assert_int_equal(row->quota_class, QUOTA_CLASS_SPOT);
    assert_true(row->shape.spot);
    struct quota_use use = quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena);
    assert_int_equal(use.used[QUOTA_SPOT_CORES], 1000);
    assert_int_equal(use.used[QUOTA_GROUPS], 1);
    assert_int_equal(deploy_class(trial, QUOTA_CLASS_DEDICATED, 2), ERR_OK);
    use = quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena);
    assert_int_equal(use.used[QUOTA_SPOT_CORES], 0);
    assert_int_equal(use.used[QUOTA_GROUPS], 0);
    assert_int_equal(use.used[QUOTA_DEDICATED_GROUPS], 1);
    assert_int_equal(use.used[QUOTA_DEDICATED_CORES], 1000);
}

TEST(a_finished_group_holds_no_cores)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    assert_int_equal(create_within(trial, 0, 1000, 1), ERR_OK);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &node), ERR_OK);
    says(trial, &node, "g0", GROUP_SUCCEEDED, true);
    assert_int_equal(cores(trial), 0);
    assert_int_equal(groups(trial), 1);
    assert_int_equal(create_within(trial, 1, 1000, 1), ERR_OK);
}

TEST(a_deleted_group_counts_no_more_though_its_node_still_has_it)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n");
    assert_int_equal(create_within(trial, 0, 1000, 1), ERR_OK);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &node), ERR_OK);
    says(trial, &node, "g0", GROUP_RUNNING, false);
    assert_int_equal(trial_order(trial, "g0", ORDER_REMOVE), ERR_OK);
    assert_int_equal(groups(trial), 0);
    assert_int_equal(cores(trial), 0);
}

TEST(a_group_in_repair_keeps_its_cores)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node node = trial_join(trial, "n"), other = trial_join(trial, "o");
    assert_int_equal(create_within(trial, 0, 1000, 1), ERR_OK);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &node), ERR_OK);
    says(trial, &node, "g0", GROUP_RUNNING, false);
    assert_int_equal(trial_lose(trial, &node, true), ERR_OK);
    assert_int_equal(cores(trial), 1000);
    assert_int_equal(create_within(trial, 1, 1000, 1), ERR_QUOTA);
    assert_int_equal(trial_place(trial, trial_find(trial, "g0")->key, &other), ERR_OK);
    says(trial, &other, "g0", GROUP_RUNNING, false);
    assert_int_equal(cores(trial), 1000);
}

TEST(a_group_that_grows_takes_only_the_difference)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create_within(trial, 0, 1000, 3), ERR_OK);
    assert_int_equal(change_within(trial, "g0", 4000, 3), ERR_QUOTA);
    assert_int_equal(cores(trial), 1000);
    assert_int_equal(change_within(trial, "g0", 3000, 3), ERR_OK);
    assert_int_equal(cores(trial), 3000);
    assert_int_equal(change_within(trial, "g0", 500, 1), ERR_OK);
    assert_int_equal(cores(trial), 500);
}

TEST(what_is_held_is_there_after_a_new_start)
{
    AUTO(trial) *trial = trial_new();
    assert_int_equal(create_within(trial, 0, 1500, 2), ERR_OK);
    trial_reopen(trial);
    assert_int_equal(cores(trial), 1500);
    assert_int_equal(create_within(trial, 1, 1000, 2), ERR_QUOTA);
}

TEST(a_deleted_resource_group_gives_everything_back)
{
    AUTO(trial) *trial = trial_new();
    for (int i = 0; i < 5; i++)
        assert_int_equal(create_within(trial, i, 1000, 5), ERR_OK);
    trial_drop_resource_group(trial);
    assert_int_equal(groups(trial), 0);
    assert_int_equal(cores(trial), 0);
}

/* ---- any history ---- */

enum { NAMES = 12, STEPS = 400 };

static void random_step(struct trial *trial, struct trial_node *nodes, uint64_t *seed)
{
    static const enum group_state told[] = {GROUP_RUNNING, GROUP_SUCCEEDED, GROUP_FAILED,
                                            GROUP_STOPPED};
    char name[24];
    int number = (int)seed_between(seed, 0, NAMES - 1);
    int64_t what = seed_between(seed, 0, 13);
    struct trial_node *node = &nodes[seed_between(seed, 0, 1)];
    text_format(name, sizeof name, "g%d", number);
    struct group_row *row = trial_find(trial, name);
    if (!row || what == 0) {
        (void)create_within(trial, number, 250 * seed_between(seed, 1, 8), 9);
        return;
    }
    if (what <= 3)
        (void)trial_place(trial, row->key, node);
    else if (what <= 7 && row->node_key == node->key)
        (void)tell(trial, node, name, told[seed_between(seed, 0, 3)], seed_between(seed, 0, 1));
    else if (what == 8)
        (void)trial_order(trial, name, ORDER_STOP);
    else if (what == 9)
        (void)change_within(trial, name, 0, 9);
    else if (what == 10)
        (void)change_within(trial, name, 250 * seed_between(seed, 1, 8), 9);
    else if (what == 11)
        (void)trial_order(trial, name, seed_between(seed, 0, 2) ? ORDER_RESTART : ORDER_REMOVE);
    else if (what == 12)
        (void)trial_lose(trial, node, seed_between(seed, 0, 2));
    else
        trial_rejoin(trial, node);
}

TEST(whatever_happened_the_counters_are_what_the_rows_say)
{
    for (uint64_t start = 1; start <= 6; start++) {
        AUTO(trial) *trial = trial_new();
        struct trial_node nodes[] = {trial_join(trial, "a"), trial_join(trial, "b")};
        uint64_t seed = start;
        for (int i = 0; i < STEPS; i++) {
            random_step(trial, nodes, &seed);
            assert_true(groups(trial) <= NAMES && cores(trial) <= 9000);
            if (i % 100 == 99)
                trial_reopen(trial);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_that_race_in_one_commit_cannot_both_take_the_last_core),
        cmocka_unit_test(creates_that_race_in_several_commits_cannot_both_take_the_last_core),
        cmocka_unit_test(what_failed_after_it_counted_gives_its_cores_to_the_next),
        cmocka_unit_test(the_refusal_is_in_the_service_s_words),
        cmocka_unit_test(a_group_that_stands_is_told_before_the_quota),
        cmocka_unit_test(another_location_has_a_quota_of_its_own),
        cmocka_unit_test(a_lower_limit_refuses_only_new_groups),
        cmocka_unit_test(a_stopped_group_holds_no_cores_and_a_start_may_be_refused),
        cmocka_unit_test(a_new_deployment_in_another_class_counts_in_that_one),
        cmocka_unit_test(a_finished_group_holds_no_cores),
        cmocka_unit_test(a_deleted_group_counts_no_more_though_its_node_still_has_it),
        cmocka_unit_test(a_group_in_repair_keeps_its_cores),
        cmocka_unit_test(a_group_that_grows_takes_only_the_difference),
        cmocka_unit_test(what_is_held_is_there_after_a_new_start),
        cmocka_unit_test(a_deleted_resource_group_gives_everything_back),
        cmocka_unit_test(whatever_happened_the_counters_are_what_the_rows_say),
    };
    return RUN_TESTS(tests);
}
