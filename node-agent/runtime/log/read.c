/* Reads the log files conmon writes: one line of ours for each line a container wrote.
 *
 *     2026-01-31T08:11:33.310696700+00:00 stdout P the first piece of a long line, 8 KiB each,
 *     2026-01-31T08:11:33.310697900+00:00 stderr F (a line of the other stream may come in between)
 *     2026-01-31T08:11:33.310698100+00:00 stdout F  and its end
 *
 * Lines go to `kept` as they are complete; its front is dropped when it outgrows the answer, so
 * that memory has a bound however long the log is. */
#include "node-agent/runtime/runtime.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { STAMP_SIZE = 48, STREAMS = 2 };
static const int64_t READ_MAX =
    128 * 1024 * 1024; /* of one file, from its end: a container may outrun rotation */

struct piece { /* of a line that has not ended, one for each stream */
    struct text *bytes;
    char stamp[STAMP_SIZE];
};

struct reading {
    bool timestamps;
    size_t bytes_max;
    struct text *kept; /* whole lines */
    struct piece pieces[STREAMS];
};

/* ---- keeping ---- */

static void drop_front(struct text *text, size_t size)
{
    memmove(text->bytes, text->bytes + size, text->size - size);
    text->size -= size;
    text->bytes[text->size] = '\0';
}

/* Down to what is wanted, at the beginning of a line; a single line that is too long loses its
 * front. */
static void trim(struct text *text, size_t size_max)
{
    if (text->size <= size_max)
        return;
    size_t cut = text->size - size_max;
    char *end = memchr(text->bytes + cut - 1, '\n', size_max);
    if (end && end + 1 < text->bytes + text->size)
        cut = (size_t)(end + 1 - text->bytes);
    else
        while (cut < text->size &&
               ((unsigned char)text->bytes[cut] & 0xC0) == 0x80) /* within a character */
            cut++;
    drop_front(text, cut);
}

/* What is no UTF-8, and NUL, becomes U+FFFD. */
static void add_clean(struct text *out, const char *bytes, size_t size)
{
    size_t plain = 0;
    for (size_t at = 0; at < size;) {
        size_t good = bytes[at] ? text_utf8_size(bytes + at, size - at) : 0;
        if (good > 0) {
            at += good;
            continue;
        }
        text_add_n(out, bytes + plain, at - plain);
        text_add(out, "\xEF\xBF\xBD");
        plain = ++at;
    }
    text_add_n(out, bytes + plain, size - plain);
}

static void keep_line(struct reading *reading, struct piece *piece)
{
    if (reading->timestamps && piece->stamp[0])
        text_addf(reading->kept, "%s ", piece->stamp);
    add_clean(reading->kept, piece->bytes->bytes, piece->bytes->size);
    text_add_char(reading->kept, '\n');
    text_clear(piece->bytes);
    piece->stamp[0] = '\0';
    if (reading->kept->size > 2 * reading->bytes_max)
        trim(reading->kept, reading->bytes_max);
}

/* ---- lines of the file ---- */

/* "…+00:00" as "…Z", which is what conmon writes because it is started with TZ=UTC. */
static void take_stamp(struct piece *piece, const char *stamp, size_t size)
{
    if (piece->stamp[0] || size >= STAMP_SIZE)
        return;
    if (size > 6 && strncmp(stamp + size - 6, "+00:00", 6) == 0)
        text_format(piece->stamp, STAMP_SIZE, "%.*sZ", (int)(size - 6), stamp);
    else
        text_format(piece->stamp, STAMP_SIZE, "%.*s", (int)size, stamp);
}

static bool is_stamp(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!bytes[i] || !strchr("0123456789-+:.TZ", bytes[i]))
            return false;
    return size > 0;
}

/* Where the content begins; 0: it is no line of conmon's. */
static size_t parse_head(const char *line, size_t size, size_t *stamp_size, int *stream, bool *ends)
{
    const char *blank = memchr(line, ' ', size < STAMP_SIZE ? size : STAMP_SIZE);
    if (!blank || !is_stamp(line, (size_t)(blank - line)))
        return 0;
    *stamp_size = (size_t)(blank - line);
    size_t at = *stamp_size + 1;
    if (size < at + 9 ||
        (strncmp(line + at, "stdout ", 7) != 0 && strncmp(line + at, "stderr ", 7) != 0))
        return 0;
    *stream = line[at + 3] == 'e';
    *ends = line[at + 7] == 'F';
    return line[at + 8] == ' ' ? at + 9 : 0;
}

static void take_line(struct reading *reading, const char *line, size_t size)
{
    size_t stamp_size = 0;
    int stream = 0;
    bool ends = true;
    size_t content = parse_head(line, size, &stamp_size, &stream, &ends);
    struct piece *piece = &reading->pieces[stream];
    if (content > 0)
        take_stamp(piece, line, stamp_size);
    if (piece->bytes->size > 2 * reading->bytes_max)
        drop_front(piece->bytes, piece->bytes->size - reading->bytes_max);
    text_add_n(piece->bytes, line + content, size - content);
    if (ends)
        keep_line(reading, piece);
}

/* From its end when it is very long; the first line is then incomplete, and passed over. */
static bool read_file(struct reading *reading, const char *path, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return errno == ENOENT || err_set_os(err, ERR_IO, errno, "cannot open the log %s", path);
    AUTO_FREE char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    struct stat about;
    bool skip = fstat(fileno(file), &about) == 0 && about.st_size > READ_MAX &&
                fseeko(file, about.st_size - READ_MAX, SEEK_SET) == 0;
    while ((size = getline(&line, &capacity, file)) > 0) {
        if (!skip)
            take_line(reading, line, (size_t)size - (line[size - 1] == '\n'));
        skip = false;
    }
    bool whole = !ferror(file);
    fclose(file);
    return whole || err_set(err, ERR_IO, "cannot read the log %s", path);
}

static bool read_both(struct reading *reading, const char *log_path, struct err *err)
{
    char previous[4096];
    if (!text_format(previous, sizeof previous, "%s.1", log_path))
        return err_set(err, ERR_INVALID, "the path of a log is too long");
    if (!read_file(reading, previous, err) || !read_file(reading, log_path, err))
        return false;
    for (int stream = 0; stream < STREAMS; stream++)
        if (reading->pieces[stream].bytes->size >
            0) /* a prompt, say, or the line was cut off by the end */
            keep_line(reading, &reading->pieces[stream]);
    return true;
}

/* ---- the answer ---- */

static void keep_tail(struct text *text, int64_t lines)
{
    size_t at = text->size;
    if (lines < 0)
        return;
    for (int64_t found = -1; at > 0; at--)
        if (text->bytes[at - 1] == '\n' && ++found == lines)
            break;
    drop_front(text, at);
}

bool runtime_log_read(const char *log_path, const struct runtime_log_query *query, struct text *out,
                      struct err *err)
{
    size_t bytes_max = (size_t)(query->bytes_max > 0 && query->bytes_max <= LIMIT_LOG_LARGE_MAX
                                    ? query->bytes_max
                                    : LIMIT_LOG_ANSWER_MAX);
    size_t memory_max = 16 * (size_t)LIMIT_LOG_ANSWER_MAX;
    AUTO(text) *kept = text_new(memory_max);
    AUTO(text) *stdout_piece = text_new(memory_max);
    AUTO(text) *stderr_piece = text_new(memory_max);
    if (!kept || !stdout_piece || !stderr_piece)
        return err_set(err, ERR_BUSY, "out of memory");
    struct reading reading = {.timestamps = query->timestamps,
                              .bytes_max = bytes_max,
                              .kept = kept,
                              .pieces = {{.bytes = stdout_piece}, {.bytes = stderr_piece}}};
    if (!read_both(&reading, log_path, err))
        return false;
    if (!text_ok(kept) || !text_ok(stdout_piece) || !text_ok(stderr_piece))
        return err_set(err, ERR_BUSY, "out of memory while reading a log");
    trim(kept, bytes_max);
    keep_tail(kept, query->tail);
    text_add_n(out, kept->bytes, kept->size);
    return text_ok(out) || err_set(err, ERR_TOO_LARGE, "the log does not fit the answer");
}

bool runtime_log_remove(const char *log_path, struct err *err)
{
    char previous[4096];
    if (!text_format(previous, sizeof previous, "%s.1", log_path))
        return err_set(err, ERR_INVALID, "the path of a log is too long");
    bool removed =
        (unlink(previous) == 0 || errno == ENOENT) && (unlink(log_path) == 0 || errno == ENOENT);
    return removed || err_set_os(err, ERR_IO, errno, "cannot remove the log %s", log_path);
}
