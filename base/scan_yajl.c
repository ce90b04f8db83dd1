/* Text to tape. The only file that sees yajl, which knows the grammar, numbers and escapes.
 *
 * The text goes to yajl in one piece, up to the first byte that is not fit (scan_unfit.c), so that
 * whatever comes first is what is named. Each callback appends a token. Strings without escapes and
 * numbers stay where they are in the text; what yajl decoded is copied, for it reuses its buffer.
 *
 * yajl does not look whether it got memory. It gets it from the tape's arena, and when that is full
 * the parse is left by longjmp: all that yajl had is in the arena and goes with it. */
#include "base/limits.h"
#include "base/scan_inner.h"

#include <setjmp.h>
#include <string.h>
#include <yajl/yajl_parse.h>

enum { BLOCK_FIRST = 64, BLOCK_LARGEST = 16384 };

_Static_assert(sizeof(struct scan_token) == 16, "the header says so");
_Static_assert(LIMIT_JSON_TAPE_MAX <= 1 << 28, "places and sizes in the text fit a token");

struct writer {
    struct scan *scan;
    yajl_handle yajl;
    struct scan_token *next, *last; /* free ones; the last one is for SCAN_LINK */
    size_t capacity;                /* of the newest block */
    int depth;
    jmp_buf no_memory;
};

static NORETURN void leave(struct writer *writer)
{
    longjmp(writer->no_memory, 1);
}

/* ---- memory for yajl: each piece behind its size ---- */

union head {
    size_t size;
    max_align_t aligned;
};

static void *give(void *context, size_t size)
{
    struct writer *writer = context;
    union head *piece =
        size < LIMIT_JSON_TAPE_MAX ? arena_alloc(writer->scan->tape, sizeof *piece + size) : NULL;
    if (!piece)
        leave(writer);
    piece->size = size;
    return piece + 1;
}

static void *resize(void *context, void *memory, size_t size)
{
    void *larger = give(context, size);
    const union head *old = memory;
    if (old)
        memcpy(larger, old, old[-1].size < size ? old[-1].size : size);
    return larger;
}

static void drop(void *context UNUSED, void *memory UNUSED)
{
}

/* ---- tokens ---- */

static void add_block(struct writer *writer)
{
    size_t count = writer->capacity == 0              ? BLOCK_FIRST
                   : writer->capacity < BLOCK_LARGEST ? writer->capacity * 2
                                                      : BLOCK_LARGEST;
    struct scan_token *block = arena_array(writer->scan->tape, count, sizeof *block);
    if (!block)
        leave(writer);
    if (writer->last)
        *writer->last = (struct scan_token){.type = SCAN_LINK, .bytes = (const void *)block};
    else
        writer->scan->at = block;
    writer->next = block;
    writer->last = block + count - 1;
    writer->capacity = count;
}

static int add(struct writer *writer, unsigned type, const char *bytes, size_t size)
{
    if (writer->next == writer->last)
        add_block(writer);
    *writer->next++ =
        (struct scan_token){.bytes = bytes,
                            .size = (uint32_t)size,
                            .type = type & 0xF,
                            .place = yajl_get_bytes_consumed(writer->yajl) & 0xFFFFFFF};
    return 1;
}

/* Bytes that yajl shows: in the text, or for the moment only. */
static int add_bytes(struct writer *writer, unsigned type, const char *bytes, size_t size)
{
    const struct scan *scan = writer->scan;
    if ((uintptr_t)bytes - (uintptr_t)scan->bytes >= scan->size)
        bytes = arena_text_n(scan->tape, bytes, size);
    if (!bytes)
        leave(writer);
    return add(writer, type, bytes, size);
}

static int on_open(struct writer *writer, unsigned type)
{
    if (writer->depth++ < LIMIT_JSON_DEPTH_MAX)
        return add(writer, type, NULL, 0);
    scan_fault(writer->scan, "it is nested too deep");
    return 0;
}

static int on_object(void *context)
{
    return on_open(context, SCAN_OBJECT);
}

static int on_array(void *context)
{
    return on_open(context, SCAN_ARRAY);
}

static int on_close(void *context)
{
    struct writer *writer = context;
    writer->depth--;
    return add(writer, SCAN_NOTHING, NULL, 0);
}

static int on_string(void *context, const unsigned char *bytes, size_t size)
{
    return add_bytes(context, SCAN_STRING, (const char *)bytes, size);
}

static int on_number(void *context, const char *bytes, size_t size)
{
    return add_bytes(context, SCAN_NUMBER, bytes, size);
}

static int on_bool(void *context, int value)
{
    return add(context, SCAN_BOOL, NULL, value != 0);
}

static int on_null(void *context)
{
    return add(context, SCAN_NULL, NULL, 0);
}

/* ---- the whole text ---- */

static bool fault_at(struct writer *writer, size_t place, const char *wrong)
{
    writer->scan->place = place;
    return scan_fault(writer->scan, wrong);
}

/* yajl's "parse error: what is wrong.\n", without its frame. It says how far it read. */
static bool fault_of_yajl(struct writer *writer)
{
    char *wrong = (char *)yajl_get_error(writer->yajl, 0, NULL, 0);
    const char *colon = strstr(wrong, ": ");
    size_t read = yajl_get_bytes_consumed(writer->yajl);
    wrong[strcspn(wrong, ".\n")] = '\0';
    return fault_at(writer, read - (read > 0), colon ? colon + 2 : wrong);
}

/* yajl would take the beginning of a string for white space behind the end, so it stops there. */
static bool check_rest(struct writer *writer, size_t at)
{
    const struct scan *scan = writer->scan;
    while (at < scan->size && scan->bytes[at] && strchr(" \t\r\n", scan->bytes[at]))
        at++;
    return at == scan->size || fault_at(writer, at, "something follows its end");
}

static bool write_tape(struct writer *writer)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_bool,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_object,
        .yajl_map_key = on_string,
        .yajl_end_map = on_close,
        .yajl_start_array = on_array,
        .yajl_end_array = on_close,
    };
    yajl_alloc_funcs memory = {give, resize, drop, writer};
    const struct scan *scan = writer->scan;
    const char *unfit = NULL;
    size_t fit = scan_find_unfit(scan->bytes, scan->size, &unfit);
    add_block(writer);
    writer->yajl = yajl_alloc(&callbacks, &memory, writer);
    yajl_config(writer->yajl, yajl_dont_validate_strings, 1);
    yajl_config(writer->yajl, yajl_allow_trailing_garbage, 1);
    if (yajl_parse(writer->yajl, (const unsigned char *)scan->bytes, fit) != yajl_status_ok)
        return fault_of_yajl(writer);
    if (fit < scan->size)
        return fault_at(writer, fit, unfit);
    if (!check_rest(writer, yajl_get_bytes_consumed(writer->yajl)))
        return false;
    if (yajl_complete_parse(writer->yajl) != yajl_status_ok)
        return fault_at(writer, scan->size, "it ends too early");
    return add(writer, SCAN_NOTHING, NULL, 0);
}

bool scan_fill(struct scan *scan)
{
    struct writer writer = {.scan = scan};
    if (setjmp(writer.no_memory) != 0)
        return scan_fault_memory(scan);
    return write_tape(&writer);
}
