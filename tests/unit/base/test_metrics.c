#include "base/metrics.h"

#include "base/limits.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <string.h>

static const char *printed(void)
{
    static char kept[65536];
    AUTO(text) *out = text_new(sizeof kept - 1);
    metrics_print(out);
    assert_true(text_ok(out));
    text_copy(kept, sizeof kept, out->bytes);
    return kept;
}

static void *count(void *context UNUSED)
{
    for (int i = 0; i < 10000; i++)
        metric_add(METRIC_http_requests_total, 1);
    return NULL;
}

TEST(counts_from_many_threads)
{
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_non_null(
        strstr(printed(),
               "\n# TYPE berth_http_requests_total counter\nberth_http_requests_total 40000\n"));
}

TEST(sets_gauges)
{
    metric_set(METRIC_http_connections, 12);
    metric_add(METRIC_http_connections, -2);
    assert_non_null(strstr(printed(), "\nberth_http_connections 10\n"));
}

TEST(prints_histograms_as_running_totals)
{
    metric_observe_ns(METRIC_store_commit_seconds, 100000);      /* on a bound: within it */
    metric_observe_ns(METRIC_store_commit_seconds, 1500000);     /* 1.5 ms */
    metric_observe_ns(METRIC_store_commit_seconds, 90000000000); /* beyond the last */
    const char *text = printed();
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_bucket{le=\"0.0001\"} 1\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_bucket{le=\"0.001\"} 1\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_bucket{le=\"0.0025\"} 2\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_bucket{le=\"60\"} 2\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_bucket{le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_sum 90.001600000\n"));
    assert_non_null(strstr(text, "\nberth_store_commit_seconds_count 3\n"));
}

TEST(every_limit_has_its_reason)
{
    assert_true(limits_count > 20);
    for (int i = 0; i < limits_count; i++) {
        assert_true(limits[i].value > 0);
        assert_true(strlen(limits[i].reason) > 5 && strlen(limits[i].unit) > 0);
    }
    assert_true(LIMIT_NODE_BEAT_MS < LIMIT_NODE_FENCE_MS &&
                LIMIT_NODE_FENCE_MS < LIMIT_NODE_LOST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_from_many_threads),
        cmocka_unit_test(sets_gauges),
        cmocka_unit_test(prints_histograms_as_running_totals),
        cmocka_unit_test(every_limit_has_its_reason),
    };
    return RUN_TESTS(tests);
}
