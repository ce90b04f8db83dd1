/* Each call: change the book's copy of the facts, append the record, wait until the disk has it.
 *
 *     meter_begin, _end, _resume      append interval ---.
 *     meter_tick     append samples, append tick --------+--> one fdatasync for all that wait
 *
 * A record is appended before the book is changed, so a full disk changes nothing. When the disk fails later, the
 * book is ahead of it: the journal is written anew from the book before anything else is promised. */
#include "node-agent/meter/inside.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

#include <string.h>

enum { RECORDS_MAX = 128 << 20, SEQUENCE_LEAP = 100000 };

/* ---- time ---- */

static int64_t meter_now_ms(const struct meter *meter)
{
    const struct anchor *anchor = &meter->book.anchor;
    return anchor->wall_ms + (clock_boot_ns() - anchor->boot_ns) / 1000000;
}

/* An event of the wall clock by its age: the wall clock may have been set since the anchor was taken. */
static int64_t event_ms(const struct meter *meter, int64_t at_ms)
{
    int64_t age_ms = at_ms == 0 ? 0 : clock_now_ms() - at_ms;
    return meter_now_ms(meter) - (age_ms > 0 ? age_ms : 0);
}

/* ---- the disk ---- */

static bool rewrite(struct meter *meter, struct err *err)
{
    AUTO(text) *all = text_new(RECORDS_MAX);
    if (!all)
        return err_set(err, ERR_BUSY, "no memory to write the meter's journal anew");
    book_series_tidy(&meter->book);
    record_all(&meter->book, all);
    if (!journal_rewrite(&meter->journal, all, err))
        return false;
    meter->appends_synced = meter->appends;
    meter->changes_synced = meter->book.changes;
    meter->samples_written = meter->book.sample_number + (int64_t)meter->book.samples_count;
    meter->series_written = meter->book.series_count;
    return true;
}

static bool append(struct meter *meter, const struct text *records, struct err *err)
{
    if (!journal_append(&meter->journal, records, err))
        return false;
    meter->appends++;
    return true;
}

static void sync_wait(struct meter *meter)
{
    CHECK(pthread_cond_wait(&meter->synced_bell, &meter->lock.mutex) == 0);
}

/* The one thread that syncs does it for all that have appended by now; it lets go of the lock meanwhile. */
static bool sync_lead(struct meter *meter, struct err *err)
{
    int64_t appends = meter->appends, changes = meter->book.changes;
    meter->syncing = true;
    lock_release(&meter->lock);
    bool synced = journal_sync(meter->journal.fd, err);
    lock_take(&meter->lock);
    meter->syncing = false;
    CHECK(pthread_cond_broadcast(&meter->synced_bell) == 0);
    if (!synced) {
        meter->journal.broken = true;
        return false;
    }
    meter->appends_synced = appends;
    meter->changes_synced = changes;
    return true;
}

/* Returns when everything appended so far is on the disk. */
static bool sync_all(struct meter *meter, struct err *err)
{
    int64_t wanted = meter->appends;
    struct err why;
    while (meter->appends_synced < wanted || meter->journal.broken) {
        if (meter->syncing)
            sync_wait(meter);
        else if (meter->journal.broken && !rewrite(meter, err))
            return false;
        else if (meter->appends_synced < wanted && !sync_lead(meter, &why))
            continue; /* broken now: written anew */
    }
    return true;
}

/* ---- intervals ---- */

static bool interval_store(struct meter *meter, const struct interval *interval, struct err *err)
{
    AUTO(text) *record = text_new(FRAME_MAX * 2);
    if (!record)
        return err_set(err, ERR_BUSY, "no memory for a usage record");
    record_interval(interval, record);
    return append(meter, record, err) && book_put(&meter->book, interval, err);
}

static bool interval_close(struct meter *meter, const struct interval *interval, int64_t to_s,
                           struct err *err)
{
    struct interval closed = *interval;
    closed.to_s = to_s;
    closed.closed = meter->book.changes + 1;
    closed.in_doubt = false;
    return interval_store(meter, &closed, err);
}

static bool interval_open(struct meter *meter, const struct interval *shape, int64_t at_ms,
                          struct err *err)
{
    struct interval opened = *shape;
    if (meter->book.intervals_count >= (size_t)LIMIT_METER_INTERVALS_MAX)
        return err_set(err, ERR_BUSY,
                       "the plane has not taken this node's usage for too long: no group begins "
                       "until it does");
    opened.from_s = book_from(&meter->book, opened.uid, at_ms);
    opened.to_s = 0;
    opened.opened = meter->book.changes + 1;
    opened.closed = 0;
    opened.in_doubt = false;
    return interval_store(meter, &opened, err);
}

static bool begin_locked(struct meter *meter, const struct interval *shape, int64_t at_ms,
                         struct err *err)
{
    struct interval *open = book_open_of(&meter->book, shape->uid);
    int64_t when_ms = event_ms(meter, at_ms);
    if (open && open->incarnation == shape->incarnation)
        return true;
    if (open && open->incarnation > shape->incarnation)
        return err_set(err, ERR_CONFLICT,
                       "incarnation %lld of group %s is metered already, %lld is older",
                       (long long)open->incarnation, shape->uid, (long long)shape->incarnation);
    if (open && !interval_close(meter, open, book_to(&meter->book, open, when_ms), err))
        return false;
    return interval_open(meter, shape, when_ms, err);
}

bool meter_begin(struct meter *meter, const char *uid, int64_t incarnation,
                 const struct meter_amounts *amounts, int64_t at_ms, struct err *err)
{
    struct interval shape = {.incarnation = incarnation, .amounts = *amounts};
    if (!text_copy(shape.uid, sizeof shape.uid, uid) || *uid == '\0')
        return err_set(err, ERR_INVALID, "this is no group's uid");
    WITH_LOCK(&meter->lock);
    return begin_locked(meter, &shape, at_ms, err) && sync_all(meter, err);
}

bool meter_end(struct meter *meter, const char *uid, int64_t incarnation, int64_t at_ms,
               struct err *err)
{
    WITH_LOCK(&meter->lock);
    struct interval *open = book_open_of(&meter->book, uid);
    if (open && open->incarnation <= incarnation &&
        !interval_close(meter, open, book_to(&meter->book, open, event_ms(meter, at_ms)), err))
        return false;
    return sync_all(meter, err);
}

bool meter_resume(struct meter *meter, const char *uid, int64_t incarnation, bool still_held,
                  int64_t ended_ms, struct err *err)
{
    WITH_LOCK(&meter->lock);
    struct interval *open = book_open_of(&meter->book, uid);
    if (!open || open->incarnation != incarnation || !open->in_doubt)
        return true;
    if (still_held) {
        open->in_doubt = false;
        return true;
    }
    int64_t ended = ended_ms == 0 ? 0 : event_ms(meter, ended_ms);
    return interval_close(meter, open, book_to(&meter->book, open, ended), err) &&
           sync_all(meter, err);
}

bool meter_list(struct meter *meter, struct arena *arena, struct meter_held **held, size_t *count,
                struct err *err)
{
    WITH_LOCK(&meter->lock);
    size_t found = 0, open = book_open_count(&meter->book);
    struct meter_held *list = arena_array(arena, open + 1, sizeof *list);
    if (!list)
        return err_set(err, ERR_BUSY, "too many groups for the memory given to list them");
    for (size_t i = 0; i < meter->book.intervals_count; i++) {
        const struct interval *interval = &meter->book.intervals[i];
        if (interval->closed != 0)
            continue;
        struct meter_held *out = &list[found++];
        *out = (struct meter_held){.incarnation = interval->incarnation,
                                   .from_s = interval->from_s,
                                   .amounts = interval->amounts,
                                   .in_doubt = interval->in_doubt};
        text_copy(out->uid, sizeof out->uid, interval->uid);
    }
    *held = list;
    *count = found;
    return true;
}

/* ---- each second ---- */

bool meter_use(struct meter *meter, const struct use_sample *samples, size_t count, struct err *err)
{
    WITH_LOCK(&meter->lock);
    int64_t second = meter_now_ms(meter) / 1000;
    for (size_t i = 0; i < count; i++) {
        const struct use_sample *in = &samples[i];
        struct sample sample = {.second = second,
                                .cpu_ns = in->cpu_ns,
                                .memory_bytes = in->memory_bytes,
                                .rx_bytes = in->rx_bytes,
                                .tx_bytes = in->tx_bytes};
        if (!book_series(&meter->book, in->uid, in->incarnation, in->container, &sample.series,
                         err))
            return false;
        book_sample_add(&meter->book, &sample);
    }
    return true;
}

/* Everything open ends where the clock stood and goes on where it stands now. When the disk fails half way the next
 * tick does it again: what was moved already then loses a second, and gains nothing. */
static bool intervals_move(struct meter *meter, int64_t old_s, int64_t new_ms, struct err *err)
{
    struct book *book = &meter->book;
    size_t count = book->intervals_count;
    for (size_t i = 0; i < count; i++) {
        struct interval open = book->intervals[i];
        if (open.closed != 0)
            continue;
        int64_t to_s = open.from_s > old_s ? open.from_s : old_s;
        if (!interval_close(meter, &open, to_s, err) || !interval_open(meter, &open, new_ms, err))
            return false;
    }
    return true;
}

static bool anchor_move(struct meter *meter, int64_t wall_ms, struct err *err)
{
    AUTO(text) *record = text_new(FRAME_MAX * 2);
    if (!record)
        return err_set(err, ERR_BUSY, "no memory for a usage record");
    meter->book.anchor = (struct anchor){wall_ms, clock_boot_ns()};
    record_head(&meter->book, record);
    return append(meter, record, err);
}

/* Follows a wall clock that was set: forward at once, back only while nobody holds anything, and never below what was
 * promised. */
static bool clock_follow(struct meter *meter, struct err *err)
{
    int64_t now_ms = meter_now_ms(meter), wall_ms = clock_now_ms(), ahead_ms = wall_ms - now_ms;
    int64_t promised_ms = meter->book.promised_s * 1000;
    if (ahead_ms > LIMIT_METER_STEP_MS)
        return intervals_move(meter, now_ms / 1000, wall_ms, err) &&
               anchor_move(meter, wall_ms, err);
    if (ahead_ms < -LIMIT_METER_STEP_MS && book_open_count(&meter->book) == 0)
        return anchor_move(meter, wall_ms > promised_ms ? wall_ms : promised_ms, err);
    return true;
}

static bool samples_append(struct meter *meter, struct text *out)
{
    struct book *book = &meter->book;
    int64_t end = book->sample_number + (int64_t)book->samples_count;
    for (size_t i = meter->series_written; i < book->series_count; i++)
        record_series(book, i, out);
    int64_t number =
        meter->samples_written > book->sample_number ? meter->samples_written : book->sample_number;
    for (; number < end; number++)
        record_sample(book_sample(book, (size_t)(number - book->sample_number)), out);
    meter->series_written = book->series_count;
    meter->samples_written = end;
    return text_ok(out);
}

static bool tick_write(struct meter *meter, int64_t watermark_s, struct err *err)
{
    AUTO(text) *records = text_new(RECORDS_MAX);
    if (!records || !samples_append(meter, records))
        return err_set(err, ERR_BUSY, "no memory for a second's records");
    record_tick(&meter->book, watermark_s, records);
    if (!append(meter, records, err) || !sync_all(meter, err))
        return false;
    meter->book.watermark_s = watermark_s;
    book_forget(&meter->book);
    while (meter->syncing)
        sync_wait(meter);
    return !journal_overgrown(&meter->journal) || rewrite(meter, err);
}

bool meter_tick(struct meter *meter, struct err *err)
{
    WITH_LOCK(&meter->lock);
    bool in_doubt = book_in_doubt(&meter->book);
    if (!in_doubt && !clock_follow(meter, err))
        return false;
    int64_t now_s = meter_now_ms(meter) / 1000;
    bool moves = !in_doubt && now_s > meter->book.watermark_s;
    if (now_s == meter->ticked_s && !moves)
        return true;
    if (moves && now_s > meter->book.promised_s)
        meter->book.promised_s = now_s;
    if (!tick_write(meter, meter->book.promised_s, err))
        return err_add(err, "while noting second %lld", (long long)now_s);
    meter->ticked_s = now_s;
    return true;
}

/* ---- opening ---- */

static bool boot_id_read(const char *given, char out[BOOT_ID_SIZE], struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (given)
        return text_copy(out, BOOT_ID_SIZE, given) ||
               err_set(err, ERR_INVALID, "the boot id is too long");
    if (!file_read("/proc/sys/kernel/random/boot_id", BOOT_ID_SIZE, &bytes, &size, err))
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    return text_copy(out, BOOT_ID_SIZE, bytes);
}

/* The machine went down after the last tick: its second had begun, no later one is known to. */
static void reboot_close(struct book *book)
{
    for (size_t i = 0; i < book->intervals_count; i++) {
        struct interval *interval = &book->intervals[i];
        if (interval->closed != 0)
            continue;
        int64_t last_s = book->watermark_s + 1;
        interval->to_s = interval->from_s > last_s ? interval->from_s : last_s;
        interval->closed = ++book->changes;
    }
}

static void boot_adopt(struct book *book, const char *boot_id)
{
    int64_t wall_ms = clock_now_ms(), known_ms = (book->watermark_s + 1) * 1000;
    bool same = strcmp(book->boot_id, boot_id) == 0;
    for (size_t i = 0; i < book->intervals_count; i++)
        book->intervals[i].in_doubt = same && book->intervals[i].closed == 0;
    if (same)
        return;
    reboot_close(book);
    text_copy(book->boot_id, sizeof book->boot_id, boot_id);
    /* A machine without a clock of its own may wake up in the past. */
    if (book->watermark_s > 0 && wall_ms < known_ms)
        wall_ms = known_ms;
    book->anchor = (struct anchor){wall_ms, clock_boot_ns()};
}

static bool recover(struct meter *meter, const char *boot_id, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!journal_read(&meter->journal, &bytes, &size, err))
        return false;
    meter->dropped_bytes = (int64_t)(size - records_apply(&meter->book, bytes, size));
    meter->book.sequence += SEQUENCE_LEAP; /* past those given since the last tick */
    boot_adopt(&meter->book, boot_id);
    return rewrite(meter, err);
}

void meter_free(struct meter *meter)
{
    if (!meter)
        return;
    journal_close(&meter->journal);
    book_done(&meter->book);
    CHECK(pthread_cond_destroy(&meter->synced_bell) == 0);
    lock_done(&meter->lock);
    free(meter);
}

struct meter *meter_open(const struct meter_options *options, struct err *err)
{
    char boot_id[BOOT_ID_SIZE];
    struct meter *made = calloc(1, sizeof *made);
    if (!made) {
        err_set(err, ERR_BUSY, "no memory for the meter");
        return NULL;
    }
    made->journal.fd = -1;
    lock_init(&made->lock, LOCK_METER);
    CHECK(pthread_cond_init(&made->synced_bell, NULL) == 0);
    AUTO(meter) *meter = made;
    if (boot_id_read(options->boot_id, boot_id, err) && book_init(&meter->book, err) &&
        journal_init(&meter->journal, options->folder, err) && recover(meter, boot_id, err))
        return TAKE(meter);
    err_add(err, "while opening the meter in %s", options->folder);
    return NULL;
}

int64_t meter_dropped(const struct meter *meter)
{
    return meter->dropped_bytes;
}
