/* Pages of a ledger with a long history, asked at its beginning, its middle and its end.
 *
 *     bench_store_usage FOLDER [INTERVALS]
 *
 * Prints one JSON object: milliseconds for a page of 100 (the median of a hundred pages there, and the worst of all), for all
 * ways to ask; and what telling an interval costs. */
#include "base/clock.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { GROUPS = 1000, PAGE = 100, TOLD_AT_ONCE = 1000, NEAR = 100, HOUR_S = 3600, DAY_S = 86400 };

#define SUBSCRIPTION "11111111-2222-3333-4444-555555555555"

static struct store *store;
static struct arena *arena;
static const char *uids[GROUPS];
static int64_t node_key, epoch, sequence, begun_s = 1700000000, ended_s;

static void must(bool ok, const struct err *err)
{
    if (ok)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static double ms_since(int64_t begun_ns)
{
    return (double)(clock_boot_ns() - begun_ns) / 1e6;
}

/* ---- a history ---- */

static bool begin(struct tx *tx, void *data UNUSED, struct err *err)
{
    struct node_capacity capacity = {1000000000, 1000000000};
    struct resource_group_row place = {
        .subscription = SUBSCRIPTION, .name = "rg", .location = "westus", .tags = "{}"};
    struct join_request request = {.name = "n",
                                   .boot_id = "b",
                                   .os = "Linux",
                                   .architecture = "amd64",
                                   .location = "westus",
                                   .capacity = &capacity};
    struct node_row node;
    const char *credential;
    bool fresh;
    if (!store_resource_group_put(tx, &place, &fresh, err) ||
        !store_node_join(tx, &request, &node, &credential, arena, err))
        return false;
    node_key = node.key;
    epoch = node.epoch;
    return true;
}

static bool place_groups(struct tx *tx, void *data UNUSED, struct err *err)
{
    for (int i = 0; i < GROUPS; i++) {
        struct group_row row = {.subscription = SUBSCRIPTION,
                                .resource_group = "rg",
                                .name = arena_format(arena, "g-%04d", i),
                                .location = "westus",
                                .spec = "\"location\":\"westus\"",
                                .os = OS_LINUX,
                                .shape = {100, 128}};
        if (!store_group_create(tx, &row, "{}", err) ||
            !store_assignment_place(tx, row.key, row.incarnation, node_key, epoch, err))
            return false;
        uids[i] = arena_text(arena, row.uid);
    }
    return true;
}

struct telling {
    struct usage_interval intervals[TOLD_AT_ONCE];
    size_t count;
};

static bool tell_work(struct tx *tx, void *data, struct err *err)
{
    struct telling *telling = data;
    struct report report = {.epoch = epoch,
                            .sequence = ++sequence,
                            .watermark_s = ended_s,
                            .intervals = telling->intervals,
                            .intervals_count = telling->count};
    return store_report_apply(tx, node_key, &report, arena, err);
}

/* Most runs take minutes, some hours or days, few months; each group runs again a little later. */
static int64_t length_s(int64_t number)
{
    return number % 997 == 0   ? 40 * DAY_S
           : number % 101 == 0 ? 3 * DAY_S
           : number % 11 == 0  ? 5 * HOUR_S
                               : 300 + number * 7919 % 3000;
}

static double tell_all(int64_t intervals)
{
    static int64_t next_s[GROUPS], runs[GROUPS];
    static struct telling telling;
    struct err err = {0};
    int64_t begun_ns = clock_boot_ns();
    for (int64_t i = 0; i < intervals; i++) {
        int64_t group = i % GROUPS, long_s = length_s(i * 31 + group);
        int64_t from_s = next_s[group] ? next_s[group] : begun_s + group;
        telling.intervals[telling.count++] = (struct usage_interval){
            .uid = uids[group],
            .incarnation = ++runs[group],
            .from_s = from_s,
            .to_s = from_s + long_s,
            .cpu_milli = 100,
            .memory_mib = 128,
            .gpus = {GIVEN_VALUE, 0},
            .price_class = {GIVEN_VALUE, 0},
        };
        next_s[group] = from_s + long_s + 60;
        ended_s = next_s[group] > ended_s ? next_s[group] : ended_s;
        if (telling.count < TOLD_AT_ONCE && i + 1 < intervals)
            continue;
        must(store_write(store, tell_work, &telling, &err), &err);
        telling.count = 0;
    }
    return ms_since(begun_ns) * 1000 / (double)intervals;
}

/* ---- asking ---- */

struct way {
    const char *name;
    bool ended;
    struct resource_id id;
};

static void ask(const struct way *way, int64_t from_s, int64_t to_s, int64_t after,
                struct usage_page *page)
{
    struct err err = {0};
    AUTO(arena) *of_page = arena_new(1 << 22);
    AUTO(tx) *tx = store_read(store, &err);
    must(tx && of_page, &err);
    must(way->ended
             ? store_usage_ended(tx, SUBSCRIPTION, after, PAGE, of_page, page, &err)
             : store_usage_list(tx, &way->id, from_s, to_s, after, PAGE, of_page, page, &err),
         &err);
}

static int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(const double *values, size_t count)
{
    double sorted[NEAR];
    count = count < NEAR ? count : NEAR;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    return count ? sorted[count / 2] : 0;
}

/* All pages, one after the other; the time of each is kept. */
static void walk(const struct way *way, size_t pages_max)
{
    struct usage_page page = {0};
    double *times = calloc(pages_max + 1, sizeof *times), worst = 0;
    size_t pages = 0, rows = 0;
    if (!times)
        exit(1);
    ask(way, 0, 1, 0, &(struct usage_page){0}); /* statements are prepared at their first use */
    do {
        int64_t begun_ns = clock_boot_ns();
        ask(way, 0, INT64_MAX, page.next_key, &page);
        times[pages] = ms_since(begun_ns);
        worst = times[pages] > worst ? times[pages] : worst;
        rows += page.count;
    } while (++pages < pages_max && page.next_key != 0);
    size_t near = pages < NEAR ? pages : NEAR;
    printf(",\"%s\":{\"rows\":%zu,\"first_ms\":%.3f,\"middle_ms\":%.3f,\"last_ms\":%.3f,\"worst_"
           "ms\":%.2f}",
           way->name, rows, median(times, near), median(times + (pages - near) / 2, near),
           median(times + pages - near, near), worst);
    free(times);
}

/* One page of one hour, somewhere. */
static double hour_ms(const struct way *way, int64_t from_s)
{
    double times[NEAR];
    struct usage_page page;
    for (int i = 0; i < NEAR; i++) {
        int64_t begun_ns = clock_boot_ns();
        ask(way, from_s, from_s + HOUR_S, 0, &page);
        times[i] = ms_since(begun_ns);
    }
    return median(times, NEAR);
}

static void hours(const struct way *way, const char *name)
{
    printf(",\"%s\":{\"first_ms\":%.3f,\"middle_ms\":%.3f,\"last_ms\":%.3f}", name,
           hour_ms(way, begun_s + DAY_S), hour_ms(way, begun_s + (ended_s - begun_s) / 2),
           hour_ms(way, ended_s - DAY_S));
}

int main(int argc, char **argv)
{
    static const struct way all = {"subscription", false, {SUBSCRIPTION, NULL, NULL}},
                            ways[] = {{"ended", true, {SUBSCRIPTION, NULL, NULL}},
                                      {"resource_group", false, {SUBSCRIPTION, "rg", NULL}},
                                      {"group", false, {SUBSCRIPTION, "rg", "g-0500"}}};
    int64_t intervals = 1000000;
    char path[512], key_path[512];
    struct err err = {0};
    if (argc < 2 || (argc > 2 && !text_to_int(argv[2], &intervals)))
        return fprintf(stderr, "bench_store_usage FOLDER [INTERVALS]\n"), 2;
    text_format(path, sizeof path, "%s/bench.db", argv[1]);
    text_format(key_path, sizeof key_path, "%s/bench.key", argv[1]);
    store = store_open(&(struct store_options){path, key_path}, &err);
    arena = arena_new((size_t)64 << 20);
    must(store && arena, &err);
    must(store_write(store, begin, NULL, &err) && store_write(store, place_groups, NULL, &err),
         &err);
    size_t pages_max = (size_t)intervals / PAGE + GROUPS;
    printf("{\"intervals\":%lld,\"told_us\":%.1f", (long long)intervals, tell_all(intervals));
    walk(&all, pages_max);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        walk(&ways[i], pages_max);
    hours(&all, "hour");
    hours(&ways[1], "hour_of_resource_group");
    printf("}\n");
    store_close(store);
    arena_free(arena);
    return 0;
}
