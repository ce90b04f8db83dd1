/* What answers about usage are made of: intervals with their sums, in exact integers.
 *
 * Threads: any; what is filled lives in the request's arena. */
#ifndef API_HANDLERS_USAGE_VIEW_H
#define API_HANDLERS_USAGE_VIEW_H

#include "api/handlers/handlers.h"

struct usage_gpus { /* of one sku */
    int sku;
    int64_t count, seconds;
};
struct usage_interval_view {
    const char *id, *group, *uid, *node, *sku, *priority, *os;
    int64_t incarnation, from_s, to_s, seconds, cpu_milli, memory_mib, cpu_milli_seconds,
        memory_mib_seconds;
    struct usage_gpus *gpus;
    size_t gpus_count;
    bool open;
};
struct usage_totals {
    int64_t intervals, seconds, cpu_milli_seconds, memory_mib_seconds;
    struct usage_gpus *gpus; /* GPU_SKUS, when it is printed only those that were held */
    size_t gpus_count;
    bool complete;
};

extern const struct schema usage_interval_view_schema, usage_totals_schema;

bool usage_views_take(struct request *request, const struct usage_page *page,
                      struct usage_interval_view **views, struct err *err) MUST_CHECK;
bool usage_totals_begin(struct request *request, struct usage_totals *totals, struct err *err)
    MUST_CHECK;
void usage_totals_add(struct usage_totals *totals, const struct usage_row *row);
void usage_totals_end(struct usage_totals *totals);

#endif
