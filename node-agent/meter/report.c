/* What the plane is told, and what its acknowledgement means. Changes are told in their order, at most so many in one
 * report; the watermark of a report then stands below everything it leaves out.
 *
 * What a power cut could still undo is not told: an opening that is not on the disk is left out, a closing is told as
 * still open. Neither is below the watermark, which waited for the disk. */
#include "node-agent/meter/inside.h"

#include "base/limits.h"

struct change {
    int64_t number;
    size_t index; /* of the interval */
};

static bool closing_shown(const struct meter *meter, const struct interval *interval)
{
    return interval->closed != 0 && interval->closed <= meter->changes_synced;
}

static bool change_awaited(const struct meter *meter, size_t index, struct change *out)
{
    const struct interval *interval = &meter->book.intervals[index];
    *out = (struct change){closing_shown(meter, interval) ? interval->closed : interval->opened,
                           index};
    return out->number > meter->book.acked && out->number <= meter->changes_synced;
}

static int change_order(const void *left, const void *right)
{
    const struct change *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

static bool changes_collect(const struct meter *meter, struct change **changes, size_t *count,
                            struct err *err)
{
    size_t found = 0;
    struct change *list = calloc(meter->book.intervals_count + 1, sizeof *list);
    if (!list)
        return err_set(err, ERR_BUSY, "no memory for a usage report");
    for (size_t i = 0; i < meter->book.intervals_count; i++)
        found += change_awaited(meter, i, &list[found]);
    qsort(list, found, sizeof *list, change_order);
    *changes = list;
    *count = found;
    return true;
}

static struct opt_int number_told(int64_t number)
{
    bool told = number != METER_UNTOLD;
    return (struct opt_int){told ? GIVEN_VALUE : GIVEN_ABSENT, told ? number : 0};
}

static bool intervals_tell(struct meter *meter, struct arena *arena, struct meter_report *out,
                           struct err *err)
{
    AUTO_FREE struct change *changes = NULL;
    size_t count = 0, told;
    if (!changes_collect(meter, &changes, &count, err))
        return false;
    told = count < (size_t)LIMIT_REPORT_INTERVALS_MAX ? count : (size_t)LIMIT_REPORT_INTERVALS_MAX;
    out->intervals = arena_array(arena, told + 1, sizeof *out->intervals);
    if (!out->intervals)
        return err_set(err, ERR_BUSY, "no room for a usage report");
    for (size_t i = 0; i < told; i++) {
        const struct interval *in = &meter->book.intervals[changes[i].index];
        out->intervals[i] =
            (struct usage_interval){.uid = arena_text(arena, in->uid),
                                    .incarnation = in->incarnation,
                                    .from_s = in->from_s,
                                    .to_s = closing_shown(meter, in) ? in->to_s : 0,
                                    .cpu_milli = in->amounts.cpu_milli,
                                    .memory_mib = in->amounts.memory_mib,
                                    .gpus = number_told(in->amounts.gpus),
                                    .price_class = number_told(in->amounts.price_class)};
        if (!out->intervals[i].uid)
            return err_set(err, ERR_BUSY, "no room for a usage report");
    }
    out->intervals_count = told;
    out->watermark_s = meter->book.watermark_s;
    for (size_t i = told; i < count; i++) {
        const struct interval *left_out = &meter->book.intervals[changes[i].index];
        if (left_out->from_s < out->watermark_s)
            out->watermark_s = left_out->from_s;
    }
    if (out->watermark_s < meter->told_watermark_s)
        out->watermark_s = meter->told_watermark_s;
    meter->told.changes = told < count ? changes[told - 1].number : meter->changes_synced;
    out->more = told < count;
    return true;
}

static bool samples_tell(struct meter *meter, size_t samples_max, struct arena *arena,
                         struct meter_report *out, struct err *err)
{
    const struct book *book = &meter->book;
    size_t told = book->samples_count < samples_max ? book->samples_count : samples_max;
    out->samples = arena_array(arena, told + 1, sizeof *out->samples);
    if (!out->samples)
        return err_set(err, ERR_BUSY, "no room for a usage report");
    for (size_t i = 0; i < told; i++) {
        const struct sample *in = book_sample(book, i);
        const struct series *series = &book->series[in->series];
        out->samples[i] = (struct use_sample){.second = in->second,
                                              .uid = arena_text(arena, series->uid),
                                              .incarnation = series->incarnation,
                                              .container = arena_text(arena, series->container),
                                              .cpu_ns = in->cpu_ns,
                                              .memory_bytes = in->memory_bytes,
                                              .rx_bytes = in->rx_bytes,
                                              .tx_bytes = in->tx_bytes};
        if (!out->samples[i].uid || !out->samples[i].container)
            return err_set(err, ERR_BUSY, "no room for a usage report");
    }
    out->samples_count = told;
    out->more |= told < book->samples_count;
    meter->told.samples = book->sample_number + (int64_t)told;
    return true;
}

bool meter_report(struct meter *meter, size_t samples_max, struct arena *arena,
                  struct meter_report *out, struct err *err)
{
    struct meter_report report = {0};
    WITH_LOCK(&meter->lock);
    meter->told.sequence = 0;
    report.boot_id = arena_text(arena, meter->book.boot_id);
    if (!report.boot_id)
        return err_set(err, ERR_BUSY, "no room for a usage report");
    if (!intervals_tell(meter, arena, &report, err) ||
        !samples_tell(meter, samples_max, arena, &report, err))
        return false;
    report.sequence = meter->told.sequence = ++meter->book.sequence;
    meter->told.watermark_s = report.watermark_s;
    *out = report;
    return true;
}

void meter_ack(struct meter *meter, int64_t sequence)
{
    WITH_LOCK(&meter->lock);
    if (sequence == 0 || sequence != meter->told.sequence)
        return;
    meter->book.acked = meter->told.changes;
    meter->told_watermark_s = meter->told.watermark_s;
    book_samples_drop(&meter->book, meter->told.samples);
    book_forget(&meter->book);
    meter->told.sequence = 0;
}
