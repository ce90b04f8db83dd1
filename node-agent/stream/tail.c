/* One container's log, through the files that it is written to one after the other:
 *
 *     c.previous.log.1   c.previous.log        the run before
 *     c.log.1            c.log                 this one; c.log grows
 *
 * Files are renamed towards the left. A file is known by the time in its first line, which nobody changes, and
 * while it is open by its inode. When a newer file is there, nobody writes to the older one any more (conmon is
 * told to open the new one before that exists), so that the older one, read to its end, is done. */
#include "node-agent/stream/inside.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 4, OLDEST = 0, OF_RUN = 2, NEWEST = 3, STAMP_BYTES = 35, BLOCK = 65536 };

static const char *file_path(const struct tail *tail, int index, char out[704])
{
    size_t base = strlen(tail->path) - strlen(".log");

    (void)text_format(out, 704, "%.*s%s.log%s", (int)base, tail->path,
                      index < OF_RUN ? ".previous" : "", index % 2 == 0 ? ".1" : "");
    return out;
}

static int file_open(const struct tail *tail, int index)
{
    char path[704];

    return open(file_path(tail, index, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* The digits of the time its first line begins with; "" while it has none. */
static void stamp_take(int fd, char out[24])
{
    char bytes[STAMP_BYTES];
    size_t count = 0;
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);

    for (ssize_t i = 0; got == STAMP_BYTES && i < 29 && count < 23; i++) {
        if (bytes[i] >= '0' && bytes[i] <= '9')
            out[count++] = bytes[i];
    }
    out[count] = '\0';
}

static bool same_file(int left, int right)
{
    struct stat one, other;

    return fstat(left, &one) == 0 && fstat(right, &other) == 0 && one.st_ino == other.st_ino &&
           one.st_dev == other.st_dev;
}

static void tail_open(struct tail *tail, int fd, int64_t offset)
{
    auto_close_fd(&tail->fd);
    tail->fd = fd;
    tail->offset = offset;
    tail->stamp[0] = '\0';
}

/* ---- where to begin ---- */

/* Behind which byte the last `lines` lines are. */
static int64_t last_lines(int fd, int64_t lines)
{
    char block[4096];
    struct stat about;
    int64_t at = fstat(fd, &about) == 0 ? about.st_size : 0, found = -1;

    while (at > 0) {
        int64_t from = at > (int64_t)sizeof block ? at - (int64_t)sizeof block : 0;
        ssize_t got = pread(fd, block, (size_t)(at - from), from);
        for (ssize_t i = got; i > 0; i--) {
            if (block[i - 1] == '\n' && ++found == lines)
                return from + i;
        }
        at = got > 0 ? from : 0;
    }
    return 0;
}

static int first_file(const struct tail *tail, int index)
{
    for (; index < FILES; index++) {
        int fd = file_open(tail, index);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static bool begin_at(struct tail *tail, const char *stamp, size_t stamp_size, int64_t offset)
{
    for (int i = NEWEST; i >= OLDEST; i--) {
        AUTO_CLOSE int fd = file_open(tail, i);
        char own[24];
        if (fd < 0)
            continue;
        stamp_take(fd, own);
        if (strlen(own) == stamp_size && strncmp(own, stamp, stamp_size) == 0) {
            tail_open(tail, TAKE_FD(fd), offset);
            return true;
        }
    }
    return false;
}

static bool begin_behind(struct tail *tail, const char *position, size_t size)
{
    const char *dot = memchr(position, '.', size);
    char number[24];
    int64_t offset;

    return dot && dot > position &&
           text_format(number, sizeof number, "%.*s", (int)(position + size - dot - 1), dot + 1) &&
           text_to_int(number, &offset) && offset >= 0 &&
           begin_at(tail, position, (size_t)(dot - position), offset);
}

void tail_begin(struct tail *tail, const char *position, size_t position_size, int64_t lines)
{
    int fd;

    tail->begun = true;
    if (position && begin_behind(tail, position, position_size))
        return;
    tail->gap = position != NULL; /* what it names is kept no more */
    fd = first_file(tail, position ? OLDEST : lines >= 0 ? NEWEST : OF_RUN);
    if (fd >= 0)
        tail_open(tail, fd, !position && lines >= 0 ? last_lines(fd, lines) : 0);
}

/* ---- reading on ---- */

/* Whole lines; one that is longer than all is given in pieces. */
static size_t read_lines(struct tail *tail, char *bytes, size_t size)
{
    ssize_t got = pread(tail->fd, bytes, size, tail->offset);
    const char *end = got > 0 ? memrchr(bytes, '\n', (size_t)got) : NULL;

    if (!end)
        return got == (ssize_t)size ? size : 0;
    return (size_t)(end + 1 - bytes);
}

/* The file after the one that is open; -1: there is none yet. */
static int next_file(struct tail *tail)
{
    for (int i = NEWEST; i >= OLDEST; i--) {
        AUTO_CLOSE int fd = file_open(tail, i);
        if (fd >= 0 && same_file(fd, tail->fd))
            return i == NEWEST ? -1 : first_file(tail, i + 1);
    }
    tail->gap = true; /* it was removed; who knows how many there were in between */
    return first_file(tail, OLDEST);
}

size_t tail_read(struct tail *tail, char *bytes, size_t size)
{
    size_t got;

    if (tail->fd < 0)
        tail->fd = first_file(tail, OF_RUN);
    if (tail->fd < 0)
        return 0;
    got = read_lines(tail, bytes, size);
    if (got == 0) {
        int next = next_file(tail);
        if (next < 0)
            return 0;
        got = read_lines(tail, bytes, size); /* written before the next one was there */
        if (got > 0) {
            close(next);
        } else {
            tail_open(tail, next, 0);
            got = read_lines(tail, bytes, size);
        }
    }
    if (got > 0 && !tail->stamp[0])
        stamp_take(tail->fd, tail->stamp);
    return got;
}

void tail_done(struct tail *tail)
{
    auto_close_fd(&tail->fd);
}
