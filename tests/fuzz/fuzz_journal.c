/* The meter's journal, read two ways: as it stands, and with a right checksum put on each record (kind, size, payload),
 * or nothing behind the checksum would ever be reached. What was read must read the same once it is written anew. */
#include "node-agent/meter/book.h"

#include "base/limits.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void written_anew(const char *bytes, size_t size)
{
    struct book first, second;
    struct err err;
    AUTO(text) *once = text_new(LIMIT_METER_JOURNAL_MAX);
    AUTO(text) *twice = text_new(LIMIT_METER_JOURNAL_MAX);
    if (!once || !twice || !book_init(&first, &err))
        return;
    CHECK(records_apply(&first, bytes, size) <= size);
    book_forget(&first); /* as the tick in the new one does */
    book_series_tidy(&first);
    record_all(&first, once);
    CHECK(text_ok(once) && book_init(&second, &err));
    CHECK(records_apply(&second, once->bytes, once->size) == once->size);
    record_all(&second, twice);
    CHECK(once->size == twice->size && memcmp(once->bytes, twice->bytes, once->size) == 0);
    book_done(&first);
    book_done(&second);
}

static void frame_all(const uint8_t *bytes, size_t size, struct text *out)
{
    while (size >= 2) {
        struct packer packer = {.size = bytes[1] < size - 2 ? bytes[1] : size - 2};
        memcpy(packer.bytes, bytes + 2, packer.size);
        frame_add(out, bytes[0], &packer);
        bytes += 2 + packer.size;
        size -= 2 + packer.size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(text) *framed = text_new(LIMIT_METER_JOURNAL_MAX);
    if (!framed)
        return 0;
    written_anew((const char *)bytes, size);
    frame_all(bytes, size, framed);
    if (text_ok(framed) && framed->size > 0)
        written_anew(framed->bytes, framed->size);
    return 0;
}
