/* A server's end of a WebSocket, reading whatever a client sends, and what it makes of text messages. */
#include "base/text.h"
#include "base/websocket.h"
#include "model/link.h"

#include <stdint.h>
#include <string.h>

struct sent {
    const uint8_t *bytes;
    size_t size;
};

static ssize_t sent_read(void *context, void *bytes, size_t size)
{
    struct sent *sent = context;

    if (sent->size == 0)
        return -1;
    size = size < sent->size ? size : sent->size;
    size = size > 7 ? 7 : size; /* in pieces, as networks like it */
    memcpy(bytes, sent->bytes, size);
    sent->bytes += size;
    sent->size -= size;
    return (ssize_t)size;
}

static ssize_t sent_write(void *context UNUSED, const void *bytes UNUSED, size_t size)
{
    return (ssize_t)size;
}

static void sent_close(void *context UNUSED)
{
}

static void on_received(void *context, enum websocket_kind kind, const void *bytes, size_t size,
                        bool whole)
{
    struct text *text = context;
    AUTO(arena) *arena = arena_new(16 * 1024);
    struct stream_size read;
    struct err err = {0};

    if (kind != WEBSOCKET_TEXT)
        return;
    text_add_n(text, bytes, size);
    if (!whole)
        return;
    if (text_ok(text) && text->bytes)
        (void)!fields_read(&stream_size_schema, text->bytes, text->size, arena, &read, &err);
    text_clear(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct sent sent = {bytes, size};
    AUTO(text) *text = text_new(128);
    struct websocket_io io = {-1, sent_read, sent_write, sent_close, &sent};
    struct websocket_events events = {on_received, text};
    struct err err = {0};
    AUTO(websocket) *socket = websocket_new(WEBSOCKET_SERVER, &io, &events, &err);
    char reason[WEBSOCKET_REASON_SIZE];

    if (!socket)
        return 0;
    while (websocket_read(socket) && websocket_write(socket))
        ;
    (void)!websocket_write(socket);
    websocket_end_reason(socket, reason);
    return websocket_end_code(socket) < 0;
}
