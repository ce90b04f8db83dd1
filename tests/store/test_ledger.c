/* The ledger: what nodes tell in whatever order and however often is counted once, to the second. */
#include "base/text.h"
#include "tests/store/try.h"

#include <string.h>

/* ---- small stories ---- */

static const char *uid_of(struct trial *trial, const char *name)
{
    return trial_find(trial, name)->uid;
}

/* Told with a watermark; to_s 0: still held. */
static void tell(struct trial *trial, struct trial_node *node, const char *uid, int64_t incarnation,
                 int64_t from_s, int64_t to_s, int64_t watermark_s)
{
    struct usage_interval interval = {uid, incarnation, from_s, to_s, 1500, 2048};
    struct report report = {
        .intervals = &interval, .intervals_count = 1, .watermark_s = watermark_s};
    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

static void mark(struct trial *trial, struct trial_node *node, int64_t watermark_s)
{
    struct report report = {.watermark_s = watermark_s};
    assert_int_equal(trial_report(trial, node, &report), ERR_OK);
}

static struct usage_page page_of(struct trial *trial, const char *group, int64_t from_s,
                                 int64_t to_s)
{
    struct err err = {0};
    struct usage_page page = {0};
    struct resource_id id = {TRY_SUBSCRIPTION, "RG", group};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    assert_true(store_usage_list(tx, &id, from_s, to_s, 0, 100, trial->arena, &page, &err));
    return page;
}

TEST(an_open_interval_counts_up_to_its_node_s_watermark)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    trial_place(trial, trial_create(trial, "Web"), &a);
    const char *uid = uid_of(trial, "web");
    tell(trial, &a, uid, 1, 100, 0, 100);
    assert_int_equal(trial_seconds(trial, "web", 0, 1000), 0);
    mark(trial, &a, 130);
    assert_int_equal(trial_seconds(trial, "web", 0, 1000), 30);
    mark(trial, &a, 120); /* only up */
    assert_int_equal(trial_seconds(trial, "web", 0, 1000), 30);
    assert_int_equal(trial_seconds(trial, "web", 0, 110), 10);
    assert_int_equal(trial_seconds(trial, "web", 110, 120), 10);
    assert_int_equal(trial_seconds(trial, "web", 130, 200), 0);
    struct usage_page page = page_of(trial, "wEB", 105, 1000);
    assert_int_equal(page.count, 1);
    assert_true(page.rows[0].open);
    assert_string_equal(page.rows[0].uid, uid);
    assert_string_equal(page.rows[0].node, "a");
    assert_string_equal(
        page.rows[0].resource,
        "/subscriptions/" TRY_SUBSCRIPTION
        "/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/Web");
    assert_int_equal(page.rows[0].from_s, 105);
    assert_int_equal(page.rows[0].to_s, 130);
    assert_int_equal(page.rows[0].cpu_milli, 1500);
    assert_int_equal(page.rows[0].memory_mib, 2048);
    tell(trial, &a, uid, 1, 100, 140, 150);
    assert_int_equal(trial_seconds(trial, "web", 0, 1000), 40);
}

TEST(an_end_never_moves)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    trial_place(trial, trial_create(trial, "g"), &a);
    const char *uid = uid_of(trial, "g");
    tell(trial, &a, uid, 1, 100, 120, 130);
    tell(trial, &a, uid, 1, 100, 125, 130);
    tell(trial, &a, uid, 1, 100, 110, 130);
    tell(trial, &a, uid, 1, 100, 0, 130);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 20);
}

TEST(nonsense_is_passed_over)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    trial_place(trial, trial_create(trial, "g"), &a);
    const char *uid = uid_of(trial, "g");
    tell(trial, &a, uid, 1, 100, 50, 130);
    tell(trial, &a, uid, 0, 100, 120, 130);
    tell(trial, &a, uid, 1, -5, 120, 130);
    tell(trial, &a, "ffffffff-0000-7000-8000-000000000000", 1, 100, 120, 130);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 0);
    assert_int_equal(trial_seconds(trial, NULL, 0, 1000), 0);
}

TEST(a_deleted_group_stays_in_the_ledger)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    const char *uid = uid_of(trial, "g");
    tell(trial, &a, uid, 1, 100, 150, 160);
    assert_int_equal(trial_order(trial, "g", ORDER_REMOVE), ERR_OK);
    struct group_status status = {
        .uid = uid, .incarnation = 1, .state = GROUP_STOPPED, .released = true, .removed = true};
    struct report report = {.statuses = &status, .statuses_count = 1, .watermark_s = 170};
    assert_int_equal(trial_report(trial, &a, &report), ERR_OK);
    assert_null(trial_get(trial, key));
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 50);
    /* Another life of the name; both count. */
    trial_place(trial, trial_create(trial, "G"), &a);
    tell(trial, &a, uid_of(trial, "g"), 1, 200, 210, 220);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 60);
    assert_int_equal(trial_seconds(trial, NULL, 0, 1000), 60);
    assert_int_equal(page_of(trial, "g", 0, 1000).count, 2);
}

TEST(a_lost_node_is_exact_again_when_it_comes_back)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    int64_t key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    const char *uid = uid_of(trial, "g");
    tell(trial, &a, uid, 1, 100, 0, 110);
    assert_int_equal(trial_lose(trial, &a, true), ERR_OK);
    assert_int_equal(trial_place(trial, key, &b), ERR_OK);
    tell(trial, &b, uid, 2, 125, 0, 130);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 10 + 5);
    mark(trial, &b, 140);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 10 + 15);
    trial_rejoin(trial, &a);
    tell(trial, &a, uid, 1, 100, 118, 200); /* it fenced itself at 118 */
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 18 + 15);
}

TEST(no_second_is_counted_in_two_runs)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a"), b = trial_join(trial, "b");
    int64_t key = trial_create(trial, "g");
    trial_place(trial, key, &a);
    const char *uid = uid_of(trial, "g");
    tell(trial, &a, uid, 1, 100, 120, 125);
    tell(trial, &b, uid, 2, 118, 130, 140); /* b's clock is behind */
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 30);
    tell(trial, &a, uid, 3, 129, 0, 150);
    tell(trial, &b, uid, 4, 145, 160, 170); /* run 3 was told up to 150 */
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 60);
    tell(trial, &a, uid, 3, 129, 155, 180);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 60);
}

TEST(a_removed_node_s_intervals_end_at_its_watermark)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    trial_place(trial, trial_create(trial, "g"), &a);
    tell(trial, &a, uid_of(trial, "g"), 1, 100, 0, 125);
    trial_remove_node(trial, &a);
    struct usage_page page = page_of(trial, "g", 0, 1000);
    assert_int_equal(page.count, 1);
    assert_false(page.rows[0].open);
    assert_int_equal(page.rows[0].to_s, 125);
    assert_string_equal(page.rows[0].node, "a");
}

/* ---- any history ---- */

enum { GROUPS = 4, NODES = 3, RUNS = 12, STEPS = 160 };

struct told {
    int group, node;
    int64_t incarnation, from_s, to_s;
    bool end_known; /* its node has seen the end */
};

struct history {
    uint64_t seed;
    struct trial *trial;
    struct trial_node nodes[NODES];
    const char *uids[GROUPS];
    char names[GROUPS][8];
    struct told runs[GROUPS * RUNS];
    size_t count;
    int64_t told_s[NODES]; /* each node's time so far */
};

static uint64_t next(struct history *history) /* splitmix64 */
{
    uint64_t z = history->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t upto(struct history *history, int64_t below)
{
    return (int64_t)(next(history) % (uint64_t)below);
}

/* Runs of a group follow each other with gaps, on any nodes. */
static void invent(struct history *history)
{
    for (int group = 0; group < GROUPS; group++) {
        int64_t now_s = 1000 + upto(history, 50);
        for (int run = 1; run <= RUNS; run++) {
            int64_t long_s = 1 + upto(history, 40);
            history->runs[history->count++] = (struct told){.group = group,
                                                            .node = (int)upto(history, NODES),
                                                            .incarnation = run,
                                                            .from_s = now_s,
                                                            .to_s = now_s + long_s};
            now_s += long_s + upto(history, 20);
        }
    }
}

/* Everything the node knows so far (its acknowledgements are lost at will), some of it twice. */
static void report_of(struct history *history, int node)
{
    struct usage_interval intervals[2 * GROUPS * RUNS];
    size_t count = 0;
    int64_t now_s = history->told_s[node];
    for (size_t i = 0; i < history->count; i++) {
        const struct told *run = &history->runs[i];
        if (run->node != node || run->from_s > now_s || upto(history, 4) == 0)
            continue;
        for (int64_t times = 1 + upto(history, 2); times > 0; times--)
            intervals[count++] = (struct usage_interval){history->uids[run->group],
                                                         run->incarnation,
                                                         run->from_s,
                                                         run->to_s <= now_s ? run->to_s : 0,
                                                         1000,
                                                         1024};
    }
    struct report report = {.intervals = intervals, .intervals_count = count};
    assert_int_equal(trial_report(history->trial, &history->nodes[node], &report), ERR_OK);
}

/* The last word of a node: everything, and the watermark. */
static void full_report_of(struct history *history, int node)
{
    struct usage_interval intervals[GROUPS * RUNS];
    size_t count = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct told *run = &history->runs[i];
        if (run->node == node && run->from_s <= history->told_s[node])
            intervals[count++] =
                (struct usage_interval){history->uids[run->group],
                                        run->incarnation,
                                        run->from_s,
                                        run->to_s <= history->told_s[node] ? run->to_s : 0,
                                        1000,
                                        1024};
    }
    struct report report = {
        .intervals = intervals, .intervals_count = count, .watermark_s = history->told_s[node]};
    assert_int_equal(trial_report(history->trial, &history->nodes[node], &report), ERR_OK);
}

/* Seconds that each node vouches for. */
static int64_t truth(const struct history *history, int group, int64_t from_s, int64_t to_s)
{
    int64_t sum = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct told *run = &history->runs[i];
        int64_t begin = run->from_s > from_s ? run->from_s : from_s,
                end = run->to_s < to_s ? run->to_s : to_s;
        if (history->told_s[run->node] < end)
            end = history->told_s[run->node];
        if (run->group == group && end > begin)
            sum += end - begin;
    }
    return sum;
}

static void begin_history(struct history *history, uint64_t seed, struct trial *trial)
{
    *history = (struct history){.seed = seed, .trial = trial};
    for (int i = 0; i < NODES; i++)
        history->nodes[i] = trial_join(trial, (const char *[]){"a", "b", "c"}[i]);
    for (int i = 0; i < GROUPS; i++) {
        text_format(history->names[i], sizeof history->names[i], "g%d", i);
        trial_place(trial, trial_create(trial, history->names[i]), &history->nodes[0]);
        history->uids[i] = trial_find(trial, history->names[i])->uid;
    }
    for (int i = 0; i < NODES; i++)
        history->told_s[i] = 1000;
    invent(history);
}

static void compare(struct history *history, uint64_t seed)
{
    int64_t from_s = 990 + upto(history, 600), to_s = from_s + upto(history, 400), whole = 0;
    for (int group = 0; group < GROUPS; group++) {
        int64_t is = trial_seconds(history->trial, history->names[group], from_s, to_s);
        int64_t right = truth(history, group, from_s, to_s);
        if (is != right)
            fail_msg("seed %llu: group %d holds %lld, not %lld, in [%lld, %lld)",
                     (unsigned long long)seed, group, (long long)is, (long long)right,
                     (long long)from_s, (long long)to_s);
        whole += is;
    }
    assert_int_equal(trial_seconds(history->trial, NULL, from_s, to_s), whole);
}

TEST(any_order_and_any_repetition_gives_the_exact_sum)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        AUTO(trial) *trial = trial_new();
        struct history history;
        begin_history(&history, seed, trial);
        for (int step = 0; step < STEPS; step++) {
            int node = (int)upto(&history, NODES);
            history.told_s[node] += upto(&history, 30);
            if (upto(&history, 3) > 0) {
                report_of(&history, node); /* vouches for nothing yet */
            }
            full_report_of(&history, node);
            if (step % 16 == 15)
                compare(&history, seed);
        }
        for (int node = 0; node < NODES; node++) {
            history.told_s[node] = 5000;
            full_report_of(&history, node);
        }
        for (int i = 0; i < 5; i++)
            compare(&history, seed);
    }
}

/* Nodes whose clocks disagree claim overlapping seconds: none is counted twice, and what is counted was claimed. */
TEST(claims_that_overlap_are_counted_once)
{
    for (uint64_t seed = 100; seed < 112; seed++) {
        AUTO(trial) *trial = trial_new();
        struct history history;
        begin_history(&history, seed, trial);
        for (size_t i = 0; i < history.count; i++) {
            history.runs[i].from_s += upto(&history, 7) - 3;
            history.runs[i].to_s = history.runs[i].from_s + 1 + upto(&history, 60);
        }
        for (int step = 0; step < STEPS; step++) {
            int node = (int)upto(&history, NODES);
            history.told_s[node] += upto(&history, 30);
            report_of(&history, node);
            full_report_of(&history, node);
        }
        for (int group = 0; group < GROUPS; group++) {
            struct usage_page page = page_of(trial, history.names[group], 0, 100000);
            for (size_t i = 0; i < page.count; i++) {
                assert_true(page.rows[i].from_s < page.rows[i].to_s);
                assert_true(i == 0 || page.rows[i - 1].to_s <= page.rows[i].from_s);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_interval_counts_up_to_its_node_s_watermark),
        cmocka_unit_test(an_end_never_moves),
        cmocka_unit_test(nonsense_is_passed_over),
        cmocka_unit_test(a_deleted_group_stays_in_the_ledger),
        cmocka_unit_test(a_lost_node_is_exact_again_when_it_comes_back),
        cmocka_unit_test(no_second_is_counted_in_two_runs),
        cmocka_unit_test(a_removed_node_s_intervals_end_at_its_watermark),
        cmocka_unit_test(any_order_and_any_repetition_gives_the_exact_sum),
        cmocka_unit_test(claims_that_overlap_are_counted_once),
    };
    return RUN_TESTS(tests);
}
