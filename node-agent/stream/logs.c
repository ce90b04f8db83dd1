/* Followed logs: as server-sent events, or as the container wrote them. inotify tells of changes in a group's folder of
 * logs; one instance of it serves all streams. */
#include "node-agent/stream/inside.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum { BLOCK = 65536, OUT_MAX = 8 * BLOCK };

/* ---- events ---- */

/* The position behind what has been given of each container. */
static void add_id(const struct stream *stream, struct text *out)
{
    text_add(out, "id: ");
    for (size_t i = 0, count = 0; i < stream->tails_count; i++) {
        const struct tail *tail = &stream->tails[i];
        if (tail->stamp[0])
            text_addf(out, "%s%s=%s.%lld", count++ > 0 ? ";" : "", tail->name, tail->stamp,
                      (long long)tail->offset);
    }
    text_add_char(out, '\n');
}

/* What is no UTF-8 becomes U+FFFD: JSON has no other words for it. */
static void add_clean(struct text *out, const char *bytes, size_t size)
{
    text_add_char(out, '"');
    for (size_t at = 0; at < size;) {
        size_t good = bytes[at] ? text_utf8_size(bytes + at, size - at) : 0;
        if (good == 0) {
            text_add(out, "\\ufffd");
            at++;
            continue;
        }
        size_t from = at;
        while (at < size && bytes[at] && (good = text_utf8_size(bytes + at, size - at)) > 0)
            at += good;
        size_t before = out->size;
        text_add_json_n(out, bytes + from, at - from);
        if (out->size > before) { /* without its quotes */
            memmove(out->bytes + before, out->bytes + before + 1, out->size - before - 2);
            out->size -= 2;
            out->bytes[out->size] = '\0';
        }
    }
    text_add_char(out, '"');
}

static void add_event(struct stream *stream, const struct tail *tail,
                      const struct stream_line *line)
{
    struct text *out = stream->out;

    add_id(stream, out);
    text_addf(out,
              "data: {\"container\":\"%s\",\"time\":\"%s\",\"stream\":\"%s\",\"line\":", tail->name,
              line->time, line->is_error ? "stderr" : "stdout");
    add_clean(out, line->content, line->content_size);
    text_addf(out, "%s}\n\n", line->is_part ? ",\"partial\":true" : "");
}

static void add_raw(struct stream *stream, const struct stream_line *line)
{
    text_add_n(stream->out, line->content, line->content_size);
    if (!line->is_part)
        text_add_char(stream->out, '\n');
}

static void add_gap(struct stream *stream, struct tail *tail)
{
    tail->gap = false;
    if (!stream->raw)
        text_addf(stream->out, "event: gap\ndata: {\"container\":\"%s\"}\n\n", tail->name);
}

/* ---- reading ---- */

static void flush(struct stream *stream)
{
    struct text *out = stream->out;

    if (out->size > 0 &&
        (!text_ok(out) || !websocket_send(stream->socket, WEBSOCKET_BINARY, out->bytes, out->size)))
        stream->socket_over = true;
    text_clear(out);
}

static void lines_take(struct stream *stream, struct tail *tail, const char *bytes, size_t size)
{
    for (size_t at = 0; at < size;) {
        const char *end = memchr(bytes + at, '\n', size - at);
        size_t length = end ? (size_t)(end - bytes) - at : size - at;
        struct stream_line line;
        (void)!stream_line_parse(bytes + at, length, &line);
        tail->offset += (int64_t)(length + (end ? 1 : 0));
        at += length + (end ? 1 : 0);
        if (stream->raw)
            add_raw(stream, &line);
        else
            add_event(stream, tail, &line);
        if (stream->out->size > BLOCK)
            flush(stream);
    }
}

/* False: there was nothing. */
static bool tail_take(struct stream *stream, struct tail *tail)
{
    char bytes[BLOCK];
    size_t got = tail_read(tail, bytes, sizeof bytes);

    if (tail->gap)
        add_gap(stream, tail);
    lines_take(stream, tail, bytes, got);
    flush(stream);
    return got > 0;
}

static bool all_take(struct stream *stream)
{
    bool moved = false;

    for (size_t i = 0; i < stream->tails_count && !stream_is_full(stream); i++)
        moved |= tail_take(stream, &stream->tails[i]);
    return moved;
}

static void settle(struct stream *stream)
{
    bool over = stream->over;

    if (stream->end.fd >= 0 && stream->end.events == 0)
        watched_wait(stream, &stream->end, EPOLLIN);
    while (!stream_is_full(stream) && !stream->socket_over && all_take(stream))
        ;
    if (over && !stream_is_full(stream))
        stream_end(stream, stream->over_reason);
}

/* Its writer has ended: what it wrote is in the file. */
static void on_end(struct stream *stream)
{
    watched_drop(stream, &stream->end);
    stream->over = true;
    stream->over_reason = "the container has ended";
}

/* ---- the folder ---- */

void logs_begin(struct stream *stream)
{
    if (stream->over)
        return;
    stream->watch = inotify_add_watch(stream->streams->inotify_fd, stream->folder,
                                      IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF);
    if (stream->watch < 0) {
        stream->over = true;
        stream->over_reason = "there are no logs yet";
    }
}

static void folder_gone(struct streams *streams, int watch)
{
    for (struct stream *at = streams->first; at; at = at->next) {
        if (at->watch != watch || watch < 0)
            continue;
        at->watch = -1;
        at->over = true;
        at->over_reason = "the group is gone";
    }
}

static void inotify_drain(struct streams *streams)
{
    union {
        char bytes[16384];
        struct inotify_event event;
    } block;
    ssize_t got;

    while ((got = read(streams->inotify_fd, block.bytes, sizeof block.bytes)) > 0) {
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *event =
                (const struct inotify_event *)(const void *)(block.bytes + at);
            if (event->mask & (IN_DELETE_SELF | IN_IGNORED))
                folder_gone(streams, event->wd);
            at += (ssize_t)(sizeof *event + event->len);
        }
    }
}

void logs_changed(struct streams *streams)
{
    inotify_drain(streams);
    for (struct stream *at = streams->first, *next; at; at = next) {
        next = at->next;
        if (at->tails_count > 0)
            stream_settle(at);
    }
}

static void take(struct stream *stream UNUSED, enum websocket_kind kind UNUSED,
                 const void *bytes UNUSED, size_t size UNUSED, bool whole UNUSED)
{
}

static void drop(struct stream *stream)
{
    bool shared = false;

    for (const struct stream *at = stream->streams->first; at; at = at->next)
        shared |= at != stream && at->watch == stream->watch;
    if (stream->watch >= 0 && !shared)
        (void)inotify_rm_watch(stream->streams->inotify_fd, stream->watch);
    stream->watch = -1;
    watched_drop(stream, &stream->end);
    for (size_t i = 0; i < stream->tails_count; i++)
        tail_done(&stream->tails[i]);
    free(TAKE(stream->tails));
    stream->tails_count = 0;
    text_free(TAKE(stream->out));
}

static const struct source source = {.take = take, .settle = settle, .drop = drop};

/* ---- beginning ---- */

/* What `position` ("name=…;name=…") says of a container. */
static const char *position_of(const char *position, const char *name, size_t *size)
{
    size_t length = strlen(name);

    for (const char *at = position; at && *at; at += *at == ';') {
        size_t part = strcspn(at, ";");
        if (part > length && strncmp(at, name, length) == 0 && at[length] == '=') {
            *size = part - length - 1;
            return at + length + 1;
        }
        at += part;
    }
    return NULL;
}

static void tail_make(struct tail *tail, const char *name, const struct stream_logs *logs)
{
    size_t size = 0;
    const char *position = position_of(logs->position, name, &size);
    /* Of a container that the position does not name nothing was given yet. */
    int64_t lines = logs->position ? -1 : logs->tail;

    tail->fd = -1;
    text_copy(tail->name, sizeof tail->name, name);
    (void)text_format(tail->path, sizeof tail->path, "%s/%s.log", logs->folder, name);
    tail_begin(tail, position, size, lines);
}

static bool tails_make(struct stream *stream, const struct stream_logs *logs)
{
    stream->tails = calloc(logs->containers->count + 1, sizeof *stream->tails);
    stream->out = text_new(OUT_MAX);
    if (!stream->tails || !stream->out)
        return false;
    for (size_t i = 0; i < logs->containers->count; i++)
        tail_make(&stream->tails[i], logs->containers->items[i], logs);
    stream->tails_count = logs->containers->count;
    return true;
}

bool streams_add_logs(struct streams *streams, const struct websocket_io *io,
                      const struct stream_logs *logs, struct err *err)
{
    struct stream *stream = stream_new(&source, io, err);

    if (!stream) {
        if (logs->end_fd >= 0)
            close(logs->end_fd);
        return false;
    }
    text_copy(stream->uid, sizeof stream->uid, logs->uid);
    text_copy(stream->folder, sizeof stream->folder, logs->folder);
    stream->raw = logs->raw;
    stream->over = logs->ends;
    stream->over_reason = logs->ends ? "that is all" : "the group has stopped";
    stream->end = (struct watched){stream, on_end, logs->end_fd, 0};
    if (!tails_make(stream, logs))
        stream_end(stream, "no memory");
    stream_give(streams, stream);
    return true;
}
