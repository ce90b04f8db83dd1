/* The client's side of followed logs: events wait here until the reply takes them. */
#include "api/stream/inside.h"

#include <string.h>

/* One message of the node may come on top of a full one. */
enum { TAP_MAX = 4 * LIMIT_STREAM_BUFFER_BYTES };

static size_t tap_left(const struct tap *tap)
{
    return tap->waiting->size - tap->read;
}

bool tap_is_full(const struct tap *tap)
{
    return tap_left(tap) > LIMIT_STREAM_BUFFER_BYTES;
}

void tap_wake(struct tap *tap)
{
    struct tap_reader paused = tap->paused;

    tap->paused = (struct tap_reader){0};
    if (paused.resume)
        paused.resume(paused.context);
}

static void drop_read(struct tap *tap)
{
    size_t left = tap_left(tap);

    if (tap->read == 0)
        return;
    memmove(tap->waiting->bytes, tap->waiting->bytes + tap->read, left);
    tap->waiting->size = left;
    tap->waiting->bytes[left] = '\0';
    tap->read = 0;
}

void tap_add(struct tap *tap, const char *bytes, size_t size)
{
    if (tap->over)
        return;
    drop_read(tap);
    text_add_n(tap->waiting, bytes, size);
    tap_wake(tap);
}

void tap_end(struct tap *tap, const char *reason)
{
    if (tap->over)
        return;
    drop_read(tap);
    text_add(tap->waiting, "event: end\ndata: {\"reason\":");
    text_add_json(tap->waiting, reason);
    text_add(tap->waiting, "}\n\n");
    tap->over = true;
    tap_wake(tap);
}

struct tap *streams_follow(struct streams *streams, const struct stream_ask *ask, struct err *err)
{
    struct tap *tap = calloc(1, sizeof *tap);
    struct session *session;

    if (!tap || !(tap->waiting = text_new(TAP_MAX))) {
        free(tap);
        err_set(err, ERR_BUSY, "no memory for a stream");
        return NULL;
    }
    WITH_LOCK(&streams->lock);
    session = session_new(streams, ask, err);
    if (!session) {
        text_free(tap->waiting);
        free(tap);
        return NULL;
    }
    tap->streams = streams;
    tap->taken_ns = clock_boot_ns();
    tap->session = session;
    session->tap = tap;
    session_ask(session);
    return tap;
}

ssize_t tap_read(struct tap *tap, const struct tap_reader *reader, char *bytes, size_t size)
{
    WITH_LOCK(&tap->streams->lock);
    size_t left = tap_left(tap);
    bool was_full = tap_is_full(tap);

    if (left > 0) {
        size = left < size ? left : size;
        memcpy(bytes, tap->waiting->bytes + tap->read, size);
        tap->read += size;
        tap->taken_ns = clock_boot_ns();
        if (was_full && !tap_is_full(tap))
            bell_ring(&tap->streams->bell);
        return (ssize_t)size;
    }
    if (tap->over)
        return -1;
    tap->taken_ns = clock_boot_ns();
    tap->paused = *reader;
    reader->pause(reader->context);
    return 0;
}

void tap_free(struct tap *tap)
{
    if (!tap)
        return;
    lock_take(&tap->streams->lock);
    if (tap->session) {
        struct session *session = tap->session;
        session->tap = NULL;
        session_end(session, 1000, "the client has gone");
        bell_ring(&tap->streams->bell);
    }
    lock_release(&tap->streams->lock);
    text_free(tap->waiting);
    free(tap);
}
