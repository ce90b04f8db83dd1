/* The ledger as those read it who bill: what tells prices apart, and pages that give every interval once, wherever in a
 * history they are. */
#include "base/text.h"
#include "tests/store/try.h"

#include <string.h>

enum { HOUR_S = 3600, DAY_S = 86400 };

static struct trial *trial;
static struct trial_node node;

static int up(void **state UNUSED)
{
    trial = trial_new();
    node = trial_join(trial, "a");
    return 0;
}

static int down(void **state UNUSED)
{
    trial_free(trial);
    return 0;
}

static void tell(struct usage_interval interval, int64_t watermark_s)
{
    struct report report = {
        .intervals = &interval, .intervals_count = 1, .watermark_s = watermark_s};
    assert_int_equal(trial_report(trial, &node, &report), ERR_OK);
}

static struct opt_int given(int64_t value)
{
    return (struct opt_int){GIVEN_VALUE, value};
}

static struct usage_page list(const char *resource_group, const char *group, int64_t from_s,
                              int64_t to_s, int64_t after_key, size_t rows_max)
{
    struct err err = {0};
    struct usage_page page = {0};
    struct resource_id id = {TRY_SUBSCRIPTION, resource_group, group};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    assert_true(
        store_usage_list(tx, &id, from_s, to_s, after_key, rows_max, trial->arena, &page, &err));
    return page;
}

static struct usage_row first_of(const char *group)
{
    struct usage_page page = list("rg", group, 0, 1000, 0, 10);
    assert_int_equal(page.count, 1);
    return page.rows[0];
}

/* ---- prices ---- */

TEST(gpus_and_class_are_kept_as_first_told)
{
    trial_place(trial, trial_create(trial, "g"), &node);
    const char *uid = trial_find(trial, "g")->uid;
    int64_t gpus = gpus_of(0, 1) + gpus_of(2, 4);
    struct usage_interval told = {uid, 1, 100, 0, 1500, 2048, given(gpus), given(QUOTA_CLASS_V100)};
    tell(told, 110);
    assert_int_equal(first_of("g").gpus, gpus);
    assert_int_equal(first_of("g").price_class, QUOTA_CLASS_V100);
    assert_string_equal(first_of("g").os, "Linux");
    told.gpus.value = gpus_of(1, 7); /* told again with other words: what stands stands */
    told.price_class.value = QUOTA_CLASS_SPOT;
    told.to_s = 120;
    tell(told, 130);
    tell(told, 130);
    assert_int_equal(first_of("g").gpus, gpus);
    assert_int_equal(first_of("g").price_class, QUOTA_CLASS_V100);
    assert_int_equal(trial_seconds(trial, "g", 0, 1000), 20);
}

struct growing {
    const char *name;
    enum quota_class wanted;
    int64_t gpus;
};

static bool grow(struct tx *tx, void *data, struct err *err)
{
    const struct growing *growing = data;
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", growing->name};
    struct group_row *row = store_group_find(tx, &id, true, trial->arena, err);
    row->quota_class = growing->wanted;
    row->shape.gpus = growing->gpus;
    return store_group_update(tx, row, "{}", true, err);
}

TEST(what_an_older_agent_does_not_tell_is_what_the_run_was_ordered_with)
{
    trial_create(trial, "g");
    struct growing growing = {"g", QUOTA_CLASS_P100, gpus_of(1, 2)};
    trial_write(trial, grow, &growing);
    struct group_row *row = trial_find(trial, "g");
    assert_int_equal(trial_place(trial, row->key, &node), ERR_OK);
    tell((struct usage_interval){row->uid, row->incarnation, 100, 150, 1500, 2048}, 200);
    assert_int_equal(first_of("g").gpus, gpus_of(1, 2));
    assert_int_equal(first_of("g").price_class, QUOTA_CLASS_P100);
}

TEST(a_class_that_is_none_is_taken_from_the_group)
{
    trial_place(trial, trial_create_spot(trial, "g", RESTART_ALWAYS), &node);
    const char *uid = trial_find(trial, "g")->uid;
    tell((struct usage_interval){uid, 1, 100, 150, 1500, 2048, given(0), given(99)}, 200);
    assert_int_equal(first_of("g").price_class, QUOTA_CLASS_SPOT);
}

/* ---- pages ---- */

enum { SPANS = 60 };

struct span {
    int64_t start_s, end_s; /* end 0: open */
};

static const int64_t lengths_s[] = {1,          59,        HOUR_S - 1, HOUR_S,         HOUR_S + 1,
                                    DAY_S - 1,  DAY_S,     DAY_S + 1,  32 * DAY_S - 1, 32 * DAY_S,
                                    33 * DAY_S, 2 * DAY_S, 90 * DAY_S, 5 * HOUR_S,     0};

/* One interval each of many groups, of every length that a page must not miss. */
static void invent(struct span *spans, int64_t watermark_s)
{
    struct usage_interval told[SPANS];
    for (int i = 0; i < SPANS; i++) {
        char name[16];
        int64_t length_s = lengths_s[i % (int)COUNT_OF(lengths_s)];
        int64_t start_s = 100 * DAY_S + (i * 7919 % 100) * DAY_S + i % 7;
        text_format(name, sizeof name, "g%d", i);
        trial_place(trial, trial_create(trial, name), &node);
        spans[i] = (struct span){start_s, length_s ? start_s + length_s : 0};
        told[i] = (struct usage_interval){
            trial_find(trial, name)->uid, 1, start_s, spans[i].end_s, 1000, 1024};
    }
    struct report report = {
        .intervals = told, .intervals_count = SPANS, .watermark_s = watermark_s};
    assert_int_equal(trial_report(trial, &node, &report), ERR_OK);
}

/* All pages of a question: how many intervals, how many seconds. */
static void walk(const char *resource_group, int64_t from_s, int64_t to_s, size_t *count,
                 int64_t *seconds)
{
    struct usage_page page = {0};
    int64_t begun_s = 0;
    *count = 0;
    *seconds = 0;
    do {
        page = list(resource_group, NULL, from_s, to_s, page.next_key, 4);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(resource_group || page.rows[i].from_s >= begun_s); /* oldest first */
            begun_s = page.rows[i].from_s;
            *seconds += page.rows[i].to_s - page.rows[i].from_s;
        }
        *count += page.count;
    } while (page.next_key != 0);
}

TEST(a_time_finds_every_interval_that_touches_it_however_long)
{
    struct span spans[SPANS];
    int64_t watermark_s = 300 * DAY_S;
    invent(spans, watermark_s);
    for (int64_t from_s = 99 * DAY_S; from_s < 305 * DAY_S; from_s += 13 * DAY_S + 1800) {
        for (int64_t long_s = 1; long_s < 40 * DAY_S; long_s *= 60) {
            size_t wanted = 0, count;
            int64_t held = 0, seconds;
            for (int i = 0; i < SPANS; i++) {
                int64_t end_s = spans[i].end_s ? spans[i].end_s : watermark_s;
                int64_t low = spans[i].start_s > from_s ? spans[i].start_s : from_s;
                int64_t high = end_s < from_s + long_s ? end_s : from_s + long_s;
                wanted += low < high;
                held += low < high ? high - low : 0;
            }
            walk(NULL, from_s, from_s + long_s, &count, &seconds);
            assert_int_equal(count, wanted);
            assert_int_equal(seconds, held);
            if (long_s > 3600)
                continue;
            walk("RG", from_s, from_s + long_s, &count, &seconds);
            assert_int_equal(count, wanted);
            assert_int_equal(seconds, held);
        }
    }
    assert_int_equal(list("none", NULL, 0, INT64_MAX, 0, 10).count, 0);
}

/* ---- ends ---- */

static struct usage_page ended(int64_t after_key, size_t rows_max)
{
    struct err err = {0};
    struct usage_page page = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    assert_true(
        store_usage_ended(tx, TRY_SUBSCRIPTION, after_key, rows_max, trial->arena, &page, &err));
    return page;
}

TEST(who_reads_ends_from_where_it_stood_gets_each_once_in_whatever_order_they_come)
{
    enum { RUNS = 40 };
    const char *uids[RUNS];
    int seen[RUNS] = {0};
    int64_t after = 0;
    for (int i = 0; i < RUNS; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        trial_place(trial, trial_create(trial, name), &node);
        uids[i] = trial_find(trial, name)->uid;
        tell((struct usage_interval){uids[i], 1, 1000 + i, 0, 1000, 1024}, 0);
    }
    assert_int_equal(ended(0, 10).count, 0);
    for (int i = 0; i < RUNS; i++) {
        int which =
            i * 17 %
            RUNS; /* they end in another order than they began, and are told again and again */
        for (int times = 0; times < 2; times++)
            tell((struct usage_interval){uids[which], 1, 1000 + which, 2000, 1000, 1024}, 0);
        if (i % 3 != 0)
            continue;
        struct usage_page page;
        do {
            page = ended(after, 2);
            for (size_t k = 0; k < page.count; k++)
                for (int n = 0; n < RUNS; n++)
                    seen[n] += strcmp(uids[n], page.rows[k].uid) == 0;
            after = page.last_key;
        } while (page.next_key != 0);
    }
    for (int n = 0; n < RUNS; n++)
        assert_int_equal(seen[n], 1);
    assert_int_equal(ended(after, 10).count, 0);
    assert_int_equal(ended(after, 10).last_key, after);
}

TEST(a_removed_node_ends_what_was_open_there)
{
    trial_place(trial, trial_create(trial, "g"), &node);
    tell((struct usage_interval){trial_find(trial, "g")->uid, 1, 100, 0, 1000, 1024}, 125);
    assert_int_equal(ended(0, 10).count, 0);
    trial_remove_node(trial, &node);
    assert_int_equal(ended(0, 10).count, 1);
    assert_int_equal(ended(0, 10).rows[0].to_s, 125);
}

#define IN_TRIAL(test) cmocka_unit_test_setup_teardown(test, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TRIAL(gpus_and_class_are_kept_as_first_told),
        IN_TRIAL(what_an_older_agent_does_not_tell_is_what_the_run_was_ordered_with),
        IN_TRIAL(a_class_that_is_none_is_taken_from_the_group),
        IN_TRIAL(a_time_finds_every_interval_that_touches_it_however_long),
        IN_TRIAL(who_reads_ends_from_where_it_stood_gets_each_once_in_whatever_order_they_come),
        IN_TRIAL(a_removed_node_ends_what_was_open_there),
    };
    return RUN_TESTS(tests);
}
