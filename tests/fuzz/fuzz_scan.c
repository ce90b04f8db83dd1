/* The scanner alone: what it takes raw, it takes again, unchanged. */
#include "base/err.h"
#include "base/scan.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool take(const char *bytes, size_t size, struct arena *arena, const char **raw)
{
    struct scan scan;
    int line, column;
    scan_init(&scan, bytes, size, arena);
    bool taken = scan_raw(&scan, raw);
    scan_place(&scan, &line, &column);
    CHECK(taken == (scan.wrong == NULL) && scan.place <= size && line > 0 && column > 0);
    CHECK(taken || scan.wrong[0] != '\0');
    scan_done(&scan);
    return taken;
}

static void read_as_what_it_is(const char *bytes, size_t size, struct arena *arena)
{
    struct scan scan;
    struct scan_number number;
    const char *text;
    int64_t value;
    size_t length;
    scan_init(&scan, bytes, size, arena);
    if (scan_type(&scan) == SCAN_STRING && scan_string(&scan, &text, &length))
        CHECK(strlen(text) == length);
    if (scan_number(&scan, &number)) {
        bool whole = scan_number_int(&number, &value);
        int64_t milli = 0;
        if (whole && value > -1000000 && value < 1000000)
            CHECK(scan_number_milli(&number, &milli) && milli == value * 1000);
    }
    scan_done(&scan);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(arena) *arena = arena_new(64 << 20);
    const char *raw = NULL, *again = NULL;
    if (take((const char *)bytes, size, arena, &raw)) {
        CHECK(take(raw, strlen(raw), arena, &again));
        CHECK(strcmp(raw, again) == 0);
    }
    read_as_what_it_is((const char *)bytes, size, arena);
    return 0;
}
