/* Counters, gauges and latency histograms, declared in one list (metrics.def) and printed for
 * Prometheus.
 *
 *     metric_add(METRIC_http_requests_total, 1);
 *
 * Threads: any; a counter is a relaxed atomic add. */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H

#include "base/text.h"

#include <stdint.h>

enum metric {
#define X(name, kind, doc) METRIC_##name,
#include "base/metrics.def"
#undef X
    METRIC_COUNT,
};

void metric_add(enum metric metric, int64_t amount);
void metric_set(enum metric metric, int64_t value);
void metric_observe_ns(enum metric metric,
                       int64_t duration_ns); /* histograms, printed in seconds */
void metrics_print(struct text *out);        /* Prometheus text format 0.0.4 */

#endif
