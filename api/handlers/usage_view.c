#include "api/handlers/usage_view.h"

#include "model/quota.h"

/* clang-format off */
static const struct field gpus_fields[] = {
    FIELD_ENUM(struct usage_gpus, sku, "sku", gpu_sku_words),
    FIELD(struct usage_gpus, count, "count", .doc = "Held at once."),
    FIELD(struct usage_gpus, seconds, "gpuSeconds", .doc = "Each of them, second by second."),
};
static const struct schema gpus_schema = SCHEMA("UsageGpus", struct usage_gpus, gpus_fields, "Graphics processors of one sku.");
static const struct field gpu_totals_fields[] = {
    FIELD_ENUM(struct usage_gpus, sku, "sku", gpu_sku_words),
    FIELD(struct usage_gpus, seconds, "gpuSeconds"),
};
static const struct schema gpu_totals_schema = SCHEMA("UsageGpuTotals", struct usage_gpus, gpu_totals_fields, "Sums over graphics processors of one sku.");

static const struct field interval_fields[] = {
    FIELD(struct usage_interval_view, id, "id", .doc = "Of the interval: the same in every answer."),
    FIELD(struct usage_interval_view, group, "group", .doc = "ARM id, as it was."),
    FIELD(struct usage_interval_view, uid, "uid", .doc = "Of that life of the name."),
    FIELD(struct usage_interval_view, incarnation, "incarnation", .doc = "Which run of it."),
    FIELD(struct usage_interval_view, node, "node"),
    FIELD(struct usage_interval_view, os, "osType", .doc = "Of its node."),
    FIELD(struct usage_interval_view, sku, "sku", .doc = "Of the group in that run; absent: told by an agent that did not know."),
    FIELD(struct usage_interval_view, priority, "priority", .doc = "Of the group in that run; absent as sku is."),
    FIELD(struct usage_interval_view, from_s, "from", .doc = "Unix second, included."),
    FIELD(struct usage_interval_view, to_s, "to", .doc = "Unix second, excluded; of an open interval: reported so far."),
    FIELD(struct usage_interval_view, open, "open", .doc = "Still held."),
    FIELD(struct usage_interval_view, seconds, "seconds"),
    FIELD(struct usage_interval_view, cpu_milli, "cpuMilli"),
    FIELD(struct usage_interval_view, memory_mib, "memoryMib"),
    FIELD(struct usage_interval_view, cpu_milli_seconds, "cpuMilliSeconds"),
    FIELD(struct usage_interval_view, memory_mib_seconds, "memoryMibSeconds"),
    FIELD_ITEMS(struct usage_interval_view, gpus, "gpus", &gpus_schema, .doc = "Absent without any."),
};
const struct schema usage_interval_view_schema = SCHEMA("Usage", struct usage_interval_view, interval_fields, "A time in which a group held resources.");

static const struct field totals_fields[] = {
    FIELD(struct usage_totals, intervals, "intervals"),
    FIELD(struct usage_totals, seconds, "seconds"),
    FIELD(struct usage_totals, cpu_milli_seconds, "cpuMilliSeconds"),
    FIELD(struct usage_totals, memory_mib_seconds, "memoryMibSeconds"),
    FIELD_ITEMS(struct usage_totals, gpus, "gpus", &gpu_totals_schema, .doc = "Absent without any."),
    FIELD(struct usage_totals, complete, "complete", .doc = "False: there are more intervals than are summed up in one answer; sum up the pages."),
};
const struct schema usage_totals_schema = SCHEMA("UsageTotals", struct usage_totals, totals_fields, "Sums over all pages, with the first of them.");
/* clang-format on */

static int64_t seconds_of(const struct usage_row *row)
{
    return row->to_s > row->from_s ? row->to_s - row->from_s : 0;
}

static bool gpus_take(struct arena *arena, const struct usage_row *row,
                      struct usage_interval_view *view)
{
    if (row->gpus == 0)
        return true;
    view->gpus = arena_array(arena, GPU_SKUS, sizeof *view->gpus);
    for (int sku = 0; view->gpus && sku < GPU_SKUS; sku++) {
        int64_t count = gpus_count(row->gpus, sku);
        if (count > 0)
            view->gpus[view->gpus_count++] =
                (struct usage_gpus){sku, count, count * seconds_of(row)};
    }
    return view->gpus;
}

static void class_take(const struct usage_row *row, struct usage_interval_view *view)
{
    if (row->price_class < 0)
        return;
    enum quota_class class = (enum quota_class)row->price_class;
    view->sku = group_sku_words[quota_class_sku(class)];
    view->priority = group_priority_words[quota_class_priority(class)];
}

static bool view_fill(struct arena *arena, const struct usage_row *row,
                      struct usage_interval_view *view)
{
    int64_t seconds = seconds_of(row);

    *view = (struct usage_interval_view){
        .id = arena_format(arena, "%llx", (unsigned long long)row->key),
        .group = row->resource,
        .uid = row->uid,
        .node = row->node,
        .os = row->os,
        .incarnation = row->incarnation,
        .from_s = row->from_s,
        .to_s = row->to_s,
        .seconds = seconds,
        .cpu_milli = row->cpu_milli,
        .memory_mib = row->memory_mib,
        .cpu_milli_seconds = seconds * row->cpu_milli,
        .memory_mib_seconds = seconds * row->memory_mib,
        .open = row->open,
    };
    class_take(row, view);
    return view->id && gpus_take(arena, row, view);
}

bool usage_views_take(struct request *request, const struct usage_page *page,
                      struct usage_interval_view **views, struct err *err)
{
    struct usage_interval_view *made = arena_array(request->arena, page->count + 1, sizeof *made);

    for (size_t i = 0; made && i < page->count; i++)
        if (!view_fill(request->arena, &page->rows[i], &made[i]))
            return request_full(err);
    *views = made;
    return made || request_full(err);
}

/* ---- sums ---- */

bool usage_totals_begin(struct request *request, struct usage_totals *totals, struct err *err)
{
    *totals =
        (struct usage_totals){.gpus = arena_array(request->arena, GPU_SKUS, sizeof *totals->gpus)};
    for (int sku = 0; totals->gpus && sku < GPU_SKUS; sku++)
        totals->gpus[sku] = (struct usage_gpus){.sku = sku};
    return totals->gpus || request_full(err);
}

void usage_totals_add(struct usage_totals *totals, const struct usage_row *row)
{
    int64_t seconds = seconds_of(row);

    totals->intervals++;
    totals->seconds += seconds;
    totals->cpu_milli_seconds += seconds * row->cpu_milli;
    totals->memory_mib_seconds += seconds * row->memory_mib;
    for (int sku = 0; sku < GPU_SKUS; sku++)
        totals->gpus[sku].seconds += seconds * gpus_count(row->gpus, sku);
}

void usage_totals_end(struct usage_totals *totals)
{
    for (int sku = 0; sku < GPU_SKUS; sku++)
        if (totals->gpus[sku].seconds > 0)
            totals->gpus[totals->gpus_count++] = totals->gpus[sku];
}
