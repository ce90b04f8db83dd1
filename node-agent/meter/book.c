#include "node-agent/meter/book.h"

#include "base/limits.h"

#include <string.h>

bool book_init(struct book *book, struct err *err)
{
    *book = (struct book){0};
    /* Touched page by page as it fills. */
    book->samples = calloc((size_t)LIMIT_METER_SAMPLES_MAX, sizeof *book->samples);
    if (!book->samples)
        return err_set(err, ERR_BUSY, "no memory for the meter's samples");
    return true;
}

void book_done(struct book *book)
{
    free(TAKE(book->intervals));
    free(TAKE(book->series));
    free(TAKE(book->samples));
}

/* ---- intervals ---- */

struct interval *book_open_of(struct book *book, const char *uid)
{
    for (size_t i = 0; i < book->intervals_count; i++) {
        struct interval *interval = &book->intervals[i];
        if (interval->closed == 0 && strcmp(interval->uid, uid) == 0)
            return interval;
    }
    return NULL;
}

bool book_in_doubt(const struct book *book)
{
    for (size_t i = 0; i < book->intervals_count; i++) {
        if (book->intervals[i].in_doubt)
            return true;
    }
    return false;
}

size_t book_open_count(const struct book *book)
{
    size_t count = 0;
    for (size_t i = 0; i < book->intervals_count; i++)
        count += book->intervals[i].closed == 0;
    return count;
}

static int64_t later(int64_t left, int64_t right)
{
    return left > right ? left : right;
}

/* Behind every earlier interval of the group; behind the start of an empty one too, as (incarnation, from) is its
 * name for the plane. */
int64_t book_from(const struct book *book, const char *uid, int64_t at_ms)
{
    int64_t from_s = later(at_ms / 1000, book->promised_s);
    for (size_t i = 0; i < book->intervals_count; i++) {
        const struct interval *past = &book->intervals[i];
        if (strcmp(past->uid, uid) == 0)
            from_s = later(from_s, later(past->to_s, past->from_s + 1));
    }
    return from_s;
}

int64_t book_to(const struct book *book, const struct interval *interval, int64_t at_ms)
{
    return later((at_ms + 999) / 1000, later(book->promised_s, interval->from_s));
}

/* They stand in the order they were opened. */
static struct interval *interval_opened(struct book *book, int64_t opened)
{
    size_t low = 0, high = book->intervals_count;
    if (high == 0 || book->intervals[high - 1].opened < opened)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (book->intervals[middle].opened < opened)
            low = middle + 1;
        else
            high = middle;
    }
    return book->intervals[low].opened == opened ? &book->intervals[low] : NULL;
}

static bool intervals_grow(struct book *book, struct err *err)
{
    if (book->intervals_count < book->intervals_capacity)
        return true;
    size_t capacity = book->intervals_capacity ? book->intervals_capacity * 2 : 64;
    struct interval *grown = realloc(book->intervals, capacity * sizeof *grown);
    if (!grown)
        return err_set(err, ERR_BUSY, "no memory for another usage interval");
    book->intervals = grown;
    book->intervals_capacity = capacity;
    return true;
}

bool book_put(struct book *book, const struct interval *interval, struct err *err)
{
    struct interval *known = interval_opened(book, interval->opened);
    if (!known && book->intervals_count > 0 &&
        book->intervals[book->intervals_count - 1].opened > interval->opened)
        return err_set(err, ERR_STORAGE, "a usage interval out of its order");
    if (!known && !intervals_grow(book, err))
        return false;
    if (!known)
        known = &book->intervals[book->intervals_count++];
    *known = *interval;
    book->changes = later(book->changes, later(interval->opened, interval->closed));
    return true;
}

static bool interval_past(const struct book *book, const struct interval *interval)
{
    return interval->closed != 0 && interval->closed <= book->acked &&
           interval->to_s <= book->watermark_s && interval->from_s < book->watermark_s;
}

void book_forget(struct book *book)
{
    size_t kept = 0;
    for (size_t i = 0; i < book->intervals_count; i++) {
        if (!interval_past(book, &book->intervals[i]))
            book->intervals[kept++] = book->intervals[i];
    }
    book->intervals_count = kept;
}

/* ---- samples ---- */

static bool series_is(const struct series *series, const char *uid, int64_t incarnation,
                      const char *container)
{
    return series->incarnation == incarnation && strcmp(series->container, container) == 0 &&
           strcmp(series->uid, uid) == 0;
}

static bool series_grow(struct book *book, struct err *err)
{
    if (book->series_count < book->series_capacity)
        return true;
    size_t capacity = book->series_capacity ? book->series_capacity * 2 : 64;
    struct series *grown = realloc(book->series, capacity * sizeof *grown);
    if (!grown)
        return err_set(err, ERR_BUSY, "no memory for the use of another container");
    book->series = grown;
    book->series_capacity = capacity;
    return true;
}

/* Samples come in the same order each second: the search starts behind the last hit. */
bool book_series(struct book *book, const char *uid, int64_t incarnation, const char *container,
                 size_t *index, struct err *err)
{
    for (size_t i = 0; i < book->series_count; i++) {
        size_t at = (book->series_hint + i) % book->series_count;
        if (series_is(&book->series[at], uid, incarnation, container)) {
            book->series_hint = at + 1;
            *index = at;
            return true;
        }
    }
    struct series made = {.incarnation = incarnation};
    if (!text_copy(made.uid, sizeof made.uid, uid) ||
        !text_copy(made.container, sizeof made.container, container))
        return err_set(err, ERR_INVALID, "a sample of an impossible group or container name");
    if (!series_grow(book, err))
        return false;
    *index = book->series_count++;
    book->series[*index] = made;
    return true;
}

void book_sample_add(struct book *book, const struct sample *sample)
{
    size_t room = (size_t)LIMIT_METER_SAMPLES_MAX;
    if (book->samples_count == room)
        book_samples_drop(book, book->sample_number + 1);
    book->samples[(book->samples_first + book->samples_count) % room] = *sample;
    book->samples_count++;
}

const struct sample *book_sample(const struct book *book, size_t index)
{
    CHECK(index < book->samples_count);
    return &book->samples[(book->samples_first + index) % (size_t)LIMIT_METER_SAMPLES_MAX];
}

void book_samples_drop(struct book *book, int64_t below_number)
{
    while (book->samples_count > 0 && book->sample_number < below_number) {
        book->samples_first = (book->samples_first + 1) % (size_t)LIMIT_METER_SAMPLES_MAX;
        book->samples_count--;
        book->sample_number++;
    }
    if (book->samples_count == 0) /* so that it does not wander over pages that nobody needs */
        book->samples_first = 0;
    book->sample_number = later(book->sample_number, below_number);
}

/* Kept series move to the front in their order; each remembers nothing of where it was, so samples are renamed
 * through a count of those dropped before it. */
void book_series_tidy(struct book *book)
{
    size_t room = (size_t)LIMIT_METER_SAMPLES_MAX, kept = 0;
    AUTO_FREE size_t *moved = calloc(book->series_count + 1, sizeof *moved);
    if (!moved)
        return; /* tidied another time */
    for (size_t i = 0; i < book->series_count; i++)
        book->series[i].used = false;
    for (size_t i = 0; i < book->samples_count; i++)
        book->series[book_sample(book, i)->series].used = true;
    for (size_t i = 0; i < book->series_count; i++) {
        moved[i] = kept;
        if (book->series[i].used)
            book->series[kept++] = book->series[i];
    }
    for (size_t i = 0; i < book->samples_count; i++) {
        struct sample *sample = &book->samples[(book->samples_first + i) % room];
        sample->series = moved[sample->series];
    }
    book->series_count = kept;
    book->series_hint = 0;
}
