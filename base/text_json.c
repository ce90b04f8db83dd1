/* JSON strings: runs of plain bytes are copied at once, the rest is escaped. Bytes that are not
 * UTF-8 become U+FFFD, so that whatever is printed can be parsed. */
#include "base/text.h"

#include <string.h>

size_t text_utf8_size(const char *string, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)string;
    if (size == 0)
        return 0;
    unsigned char lead = bytes[0], low = 0x80, high = 0xBF;
    size_t length = lead < 0x80   ? 1
                    : lead < 0xC2 ? 0
                    : lead < 0xE0 ? 2
                    : lead < 0xF0 ? 3
                    : lead < 0xF5 ? 4
                                  : 0;
    if (length <= 1 || length > size)
        return length == 1;
    if (lead == 0xE0)
        low = 0xA0; /* overlong */
    else if (lead == 0xED)
        high = 0x9F; /* surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F; /* beyond U+10FFFF */
    if (bytes[1] < low || bytes[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

/* Every byte of a word set to `byte`. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
/* Not 0 when a byte of `word` is 0 (or, behind such a byte, 1). */
#define HAS_ZERO(word) (((word)-EACH(1)) & ~(word)&EACH(0x80))

/* Eight bytes at a time while all are plain. */
size_t text_json_run(const char *bytes, size_t size)
{
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        uint64_t odd = (word & EACH(0x80)) | ((word - EACH(0x20)) & ~word & EACH(0x80)) |
                       HAS_ZERO(word ^ EACH('"')) | HAS_ZERO(word ^ EACH('\\'));
        if (odd)
            break;
    }
    while (at < size && (unsigned char)bytes[at] >= 0x20 && (unsigned char)bytes[at] < 0x80 &&
           bytes[at] != '"' && bytes[at] != '\\')
        at++;
    return at;
}

static void add_escaped(struct text *text, unsigned char byte)
{
    static const char hex[] = "0123456789abcdef";
    char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
    size_t size = 2;
    switch (byte) {
    case '"':
    case '\\':
        escape[1] = (char)byte;
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    default:
        size = sizeof escape;
    }
    text_add_n(text, escape, size);
}

/* What most strings are. */
static void add_plain(struct text *text, const char *string, size_t size)
{
    if (size >= SIZE_MAX - 2 || !text_reserve(text, size + 2))
        return;
    char *at = text->bytes + text->size;
    at[0] = '"';
    memcpy(at + 1, string, size);
    memcpy(at + 1 + size, "\"", 2);
    text->size += size + 2;
}

static void add_with_escapes(struct text *text, const char *string, size_t size, size_t at)
{
    size_t run = 0;
    text_add_char(text, '"');
    while ((at += text_json_run(string + at, size - at)) < size) {
        unsigned char byte = (unsigned char)string[at];
        size_t length = byte >= 0x80 ? text_utf8_size(string + at, size - at) : 0;
        if (length > 0) {
            at += length;
            continue;
        }
        text_add_n(text, string + run, at - run);
        if (byte >= 0x80)
            text_add_n(text, "\xEF\xBF\xBD", 3);
        else
            add_escaped(text, byte);
        run = ++at;
    }
    text_add_n(text, string + run, at - run);
    text_add_char(text, '"');
}

void text_add_json_n(struct text *text, const char *string, size_t size)
{
    size_t plain = text_json_run(string, size);
    if (plain == size && size > 0)
        add_plain(text, string, size);
    else
        add_with_escapes(text, string, size, plain);
}

void text_add_json(struct text *text, const char *string)
{
    if (string)
        text_add_json_n(text, string, strlen(string));
    else
        text_add_n(text, "null", 4);
}
