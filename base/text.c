/* The only file that calls vsnprintf: everything that formats comes through here. */
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#undef vsnprintf /* banned.h */

enum { FIRST_CAPACITY = 256 };

struct text *text_new(size_t size_max)
{
    struct text *text = malloc(sizeof *text);
    if (!text)
        return NULL;
    *text = (struct text){.size_max = size_max};
    text->capacity = size_max < FIRST_CAPACITY ? size_max + 1 : FIRST_CAPACITY;
    text->bytes = malloc(text->capacity);
    if (!text->bytes) {
        free(text);
        return NULL;
    }
    text->bytes[0] = '\0';
    return text;
}

void text_free(struct text *text)
{
    if (text)
        free(text->bytes);
    free(text);
}

void text_wipe(struct text *text)
{
    if (text && text->bytes)
        explicit_bzero(text->bytes, text->capacity);
}

void text_clear(struct text *text)
{
    if (!text)
        return;
    text->size = 0;
    text->failed = false;
    if (text->bytes)
        text->bytes[0] = '\0';
}

bool text_ok(const struct text *text)
{
    return text && !text->failed;
}

char *text_take(struct text *text, size_t *size)
{
    if (!text_ok(text))
        return NULL;
    if (size)
        *size = text->size;
    char *bytes = TAKE(text->bytes);
    text->size = text->capacity = 0;
    return bytes;
}

/* The capacity never goes beyond the ceiling and its NUL, so having room is having leave. */
static inline bool has_room(const struct text *text, size_t size)
{
    return size < text->capacity - text->size && !text->failed;
}

static bool grow(struct text *text, size_t size)
{
    if (text->failed || size > text->size_max - text->size) {
        text->failed = true;
        return false;
    }
    size_t needed = text->size + size + 1, capacity = text->capacity * 2;
    if (capacity > text->size_max)
        capacity = text->size_max + 1;
    if (capacity < needed)
        capacity = needed;
    char *bytes = realloc(text->bytes, capacity);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    bytes[text->size] = '\0';
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

/* Documents are printed in many small pieces: this must cost next to nothing. */
static inline bool reserve(struct text *text, size_t size)
{
    return text && (has_room(text, size) || grow(text, size));
}

bool text_reserve(struct text *text, size_t size)
{
    return reserve(text, size);
}

void text_add_n(struct text *text, const char *bytes, size_t size)
{
    if (!reserve(text, size))
        return;
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_add_cut(struct text *text, const char *bytes, size_t size)
{
    if (!text || !text->bytes)
        return;
    size_t room = text->size_max - text->size;
    text_add_n(text, bytes, size < room ? size : room);
    if (size > room)
        text->failed = true;
}

void text_add(struct text *text, const char *string)
{
    text_add_n(text, string, strlen(string));
}

void text_add_char(struct text *text, char character)
{
    if (!reserve(text, 1))
        return;
    text->bytes[text->size++] = character;
    text->bytes[text->size] = '\0';
}

void text_add_int(struct text *text, int64_t value)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        digits[--at] = '-';
    text_add_n(text, digits + at, sizeof digits - at);
}

void text_addf_v(struct text *text, const char *format, va_list arguments)
{
    if (!text_reserve(text, 0))
        return;
    va_list again;
    va_copy(again, arguments);
    size_t room = text->capacity - text->size;
    int size = vsnprintf(text->bytes + text->size, room, format, arguments);
    if (size >= 0 && (size_t)size >= room && text_reserve(text, (size_t)size))
        vsnprintf(text->bytes + text->size, (size_t)size + 1, format, again);
    va_end(again);
    if (size < 0)
        text->failed = true;
    if (!text->failed)
        text->size += (size_t)size;
    text->bytes[text->size] = '\0';
}

void text_addf(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_addf_v(text, format, arguments);
    va_end(arguments);
}

/* ---- plain arrays ---- */

/* Takes back the bytes of a character that lost its tail. */
static void cut_whole(char *out, size_t size)
{
    size_t end = size;
    while (end > 0 && ((unsigned char)out[end - 1] & 0xC0) == 0x80)
        end--;
    if (end == 0 || (unsigned char)out[end - 1] < 0xC0)
        return;
    unsigned char lead = (unsigned char)out[end - 1];
    size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (size - (end - 1) < whole)
        out[end - 1] = '\0';
}

bool text_format_v(char *out, size_t size, const char *format, va_list arguments)
{
    if (size == 0)
        return false;
    int wanted = vsnprintf(out, size, format, arguments);
    if (wanted < 0) {
        out[0] = '\0';
        return false;
    }
    if ((size_t)wanted < size)
        return true;
    cut_whole(out, size - 1);
    return false;
}

bool text_format(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    bool whole = text_format_v(out, size, format, arguments);
    va_end(arguments);
    return whole;
}

bool text_copy(char *out, size_t size, const char *string)
{
    if (size == 0)
        return false;
    size_t length = string ? strnlen(string, size) : 0;
    bool whole = length < size;
    if (!whole)
        length = size - 1;
    if (length > 0)
        memmove(out, string, length);
    out[length] = '\0';
    if (!whole)
        cut_whole(out, length);
    return whole;
}
