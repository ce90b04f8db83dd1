/* The book as a sequence of records. A journal is a head, then everything in the order it happened; a rewritten one is
 * a head, then everything that is left. A record may grow at its end: readers take what they know, and what an older
 * agent did not write is said to be untold. */
#include "node-agent/meter/book.h"

#include "base/limits.h"

#include <string.h>

enum record_kind {
    RECORD_HEAD = 1, /* version, boot, anchor */
    RECORD_INTERVAL, /* opened, or closed: replaces the one with the same number */
    RECORD_SERIES,   /* the next one */
    RECORD_SAMPLE,
    RECORD_TICK, /* watermark, what was acknowledged */
};

enum { FORMAT_VERSION = 1 };

void record_head(const struct book *book, struct text *out)
{
    struct packer head = {.size = 0};
    pack_number(&head, FORMAT_VERSION);
    pack_text(&head, book->boot_id);
    pack_number(&head, book->anchor.wall_ms);
    pack_number(&head, book->anchor.boot_ns);
    frame_add(out, RECORD_HEAD, &head);
}

static bool head_apply(struct book *book, struct unpacker *in)
{
    struct book read = *book;
    if (unpack_number(in) != FORMAT_VERSION)
        return false;
    unpack_text(in, read.boot_id, sizeof read.boot_id);
    read.anchor.wall_ms = unpack_number(in);
    read.anchor.boot_ns = unpack_number(in);
    if (!in->failed)
        *book = read;
    return !in->failed;
}

void record_interval(const struct interval *interval, struct text *out)
{
    struct packer packer = {.size = 0};
    pack_text(&packer, interval->uid);
    pack_number(&packer, interval->incarnation);
    pack_number(&packer, interval->from_s);
    pack_number(&packer, interval->to_s);
    pack_number(&packer, interval->amounts.cpu_milli);
    pack_number(&packer, interval->amounts.memory_mib);
    pack_number(&packer, interval->opened);
    pack_number(&packer, interval->closed);
    pack_number(&packer, interval->amounts.gpus);
    pack_number(&packer, interval->amounts.price_class);
    frame_add(out, RECORD_INTERVAL, &packer);
}

static bool interval_apply(struct book *book, struct unpacker *in)
{
    struct interval read = {0};
    struct err ignored;
    unpack_text(in, read.uid, sizeof read.uid);
    read.incarnation = unpack_number(in);
    read.from_s = unpack_number(in);
    read.to_s = unpack_number(in);
    read.amounts.cpu_milli = unpack_number(in);
    read.amounts.memory_mib = unpack_number(in);
    read.opened = unpack_number(in);
    read.closed = unpack_number(in);
    read.amounts.gpus = in->left > 0 ? unpack_number(in) : METER_UNTOLD;
    read.amounts.price_class = in->left > 0 ? unpack_number(in) : METER_UNTOLD;
    return !in->failed && read.opened > 0 && read.closed >= 0 && book_put(book, &read, &ignored);
}

void record_series(const struct book *book, size_t index, struct text *out)
{
    const struct series *series = &book->series[index];
    struct packer packer = {.size = 0};
    pack_text(&packer, series->uid);
    pack_number(&packer, series->incarnation);
    pack_text(&packer, series->container);
    frame_add(out, RECORD_SERIES, &packer);
}

static bool series_apply(struct book *book, struct unpacker *in)
{
    struct series read = {0};
    struct err ignored;
    size_t index;
    unpack_text(in, read.uid, sizeof read.uid);
    read.incarnation = unpack_number(in);
    unpack_text(in, read.container, sizeof read.container);
    return !in->failed &&
           book_series(book, read.uid, read.incarnation, read.container, &index, &ignored);
}

void record_sample(const struct sample *sample, struct text *out)
{
    struct packer packer = {.size = 0};
    pack_number(&packer, sample->second);
    pack_number(&packer, (int64_t)sample->series);
    pack_number(&packer, sample->cpu_ns);
    pack_number(&packer, sample->memory_bytes);
    pack_number(&packer, sample->rx_bytes);
    pack_number(&packer, sample->tx_bytes);
    frame_add(out, RECORD_SAMPLE, &packer);
}

static bool sample_apply(struct book *book, struct unpacker *in)
{
    struct sample read = {.second = unpack_number(in), .series = (size_t)unpack_number(in)};
    read.cpu_ns = unpack_number(in);
    read.memory_bytes = unpack_number(in);
    read.rx_bytes = unpack_number(in);
    read.tx_bytes = unpack_number(in);
    if (in->failed || read.series >= book->series_count)
        return false;
    book_sample_add(book, &read);
    return true;
}

void record_tick(const struct book *book, int64_t watermark_s, struct text *out)
{
    struct packer packer = {.size = 0};
    pack_number(&packer, watermark_s);
    pack_number(&packer, book->changes);
    pack_number(&packer, book->acked);
    pack_number(&packer, book->sample_number);
    pack_number(&packer, book->sequence);
    frame_add(out, RECORD_TICK, &packer);
}

static bool tick_apply(struct book *book, struct unpacker *in)
{
    int64_t watermark_s = unpack_number(in), changes = unpack_number(in), acked = unpack_number(in);
    int64_t sample_number = unpack_number(in), sequence = unpack_number(in);
    if (in->failed)
        return false;
    book->watermark_s = book->promised_s = watermark_s;
    book->changes = changes;
    book->acked = acked;
    book->sequence = sequence;
    book_samples_drop(book, sample_number);
    book_forget(book);
    return true;
}

/* The tick stands ahead of the samples, so that they get their numbers. */
void record_all(const struct book *book, struct text *out)
{
    record_head(book, out);
    for (size_t i = 0; i < book->intervals_count; i++)
        record_interval(&book->intervals[i], out);
    record_tick(book, book->watermark_s, out);
    for (size_t i = 0; i < book->series_count; i++)
        record_series(book, i, out);
    for (size_t i = 0; i < book->samples_count; i++)
        record_sample(book_sample(book, i), out);
}

static bool record_apply(int kind, struct unpacker *payload, void *context)
{
    struct book *book = context;
    switch ((enum record_kind)kind) {
    case RECORD_HEAD:
        return head_apply(book, payload);
    case RECORD_INTERVAL:
        return interval_apply(book, payload);
    case RECORD_SERIES:
        return series_apply(book, payload);
    case RECORD_SAMPLE:
        return sample_apply(book, payload);
    case RECORD_TICK:
        return tick_apply(book, payload);
    }
    return false; /* of a later version */
}

size_t records_apply(struct book *book, const char *bytes, size_t size)
{
    return frames_read(bytes, size, record_apply, book);
}
