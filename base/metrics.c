#include "base/metrics.h"

#include "base/err.h"

#include <stdatomic.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

static const struct {
    const char *name;
    enum kind kind;
    const char *doc;
} metrics[METRIC_COUNT] = {
#define X(name, kind, doc) {#name, kind, doc},
#include "base/metrics.def"
#undef X
};

/* Upper bounds, in nanoseconds and as printed: 100 us to 60 s, what a request or a start may take.
 */
static const struct {
    int64_t ns;
    const char *seconds;
} buckets[] = {
    {100000, "0.0001"},  {250000, "0.00025"}, {500000, "0.0005"},  {1000000, "0.001"},
    {2500000, "0.0025"}, {5000000, "0.005"},  {10000000, "0.01"},  {25000000, "0.025"},
    {50000000, "0.05"},  {100000000, "0.1"},  {250000000, "0.25"}, {500000000, "0.5"},
    {1000000000, "1"},   {2500000000, "2.5"}, {5000000000, "5"},   {10000000000, "10"},
    {30000000000, "30"}, {60000000000, "60"},
};

/* A cache line for each, so that threads counting different things do not meet. */
struct cell {
    _Alignas(64) _Atomic int64_t value; /* histograms: the sum in nanoseconds */
    _Atomic int64_t counts[COUNT_OF(buckets) + 1];
};

static struct cell cells[METRIC_COUNT];

static void add(_Atomic int64_t *number, int64_t amount)
{
    atomic_fetch_add_explicit(number, amount, memory_order_relaxed);
}

static int64_t get(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void metric_add(enum metric metric, int64_t amount)
{
    CHECK(metric < METRIC_COUNT && metrics[metric].kind != HISTOGRAM);
    add(&cells[metric].value, amount);
}

void metric_set(enum metric metric, int64_t value)
{
    CHECK(metric < METRIC_COUNT && metrics[metric].kind == GAUGE);
    atomic_store_explicit(&cells[metric].value, value, memory_order_relaxed);
}

void metric_observe_ns(enum metric metric, int64_t duration_ns)
{
    CHECK(metric < METRIC_COUNT && metrics[metric].kind == HISTOGRAM);
    size_t bucket = 0;
    while (bucket < COUNT_OF(buckets) && duration_ns > buckets[bucket].ns)
        bucket++;
    add(&cells[metric].counts[bucket], 1);
    add(&cells[metric].value, duration_ns);
}

static void print_histogram(const char *name, const struct cell *cell, struct text *out)
{
    int64_t total = 0, sum = get(&cell->value);
    for (size_t i = 0; i <= COUNT_OF(buckets); i++) {
        total += get(&cell->counts[i]);
        text_addf(out, "berth_%s_bucket{le=\"%s\"} %lld\n", name,
                  i < COUNT_OF(buckets) ? buckets[i].seconds : "+Inf", (long long)total);
    }
    text_addf(out, "berth_%s_sum %lld.%09lld\n", name, (long long)(sum / 1000000000),
              (long long)(sum % 1000000000));
    text_addf(out, "berth_%s_count %lld\n", name, (long long)total);
}

void metrics_print(struct text *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const char *name = metrics[i].name;
        text_addf(out, "# HELP berth_%s %s\n# TYPE berth_%s %s\n", name, metrics[i].doc, name,
                  kinds[metrics[i].kind]);
        if (metrics[i].kind == HISTOGRAM)
            print_histogram(name, &cells[i], out);
        else
            text_addf(out, "berth_%s %lld\n", name, (long long)get(&cells[i].value));
    }
}
