/* Whatever a server answers, in pieces: how it is cut must not change what it means. */
#include "node-agent/http/http.h"

#include <stdint.h>
#include <string.h>

enum { BODY_MAX = 4096 };

struct meaning {
    bool failed;
    struct http_reply reply;
    char body[BODY_MAX + 1];
};

static void reply_read(const char *bytes, size_t size, size_t piece, struct meaning *out)
{
    AUTO(text) *body = text_new(BODY_MAX);
    AUTO(text) *location = text_new(64);
    struct err err = {0};

    memset(out, 0, sizeof *out);
    http_reply_begin(&out->reply, body, location);
    for (size_t at = 0; at < size && !out->failed && !out->reply.whole;) {
        size_t next = size - at < piece ? size - at : piece;
        ssize_t taken = http_reply_take(&out->reply, bytes + at, next, &err);
        out->failed = taken < 0;
        at += taken > 0 ? (size_t)taken : 0;
    }
    if (!out->failed)
        out->failed = !http_reply_close(&out->reply, &err);
    if (!out->failed && text_ok(body) && body->bytes)
        memcpy(out->body, body->bytes, body->size + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct meaning whole, pieces;

    reply_read((const char *)bytes, size, size + 1, &whole);
    reply_read((const char *)bytes, size, 3, &pieces);
    CHECK(whole.failed == pieces.failed);
    CHECK(whole.failed ||
          (whole.reply.status == pieces.reply.status && whole.reply.keeps == pieces.reply.keeps &&
           strcmp(whole.body, pieces.body) == 0));
    return 0;
}
