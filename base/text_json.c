/* JSON strings: runs of plain bytes are copied at once, the rest is escaped. Bytes that are not UTF-8 become
 * U+FFFD, so that whatever is printed can be parsed. */
#include "base/text.h"

#include <string.h>

/* How many bytes of `bytes` form one well-formed UTF-8 character; 0: none. */
static size_t character_size(const unsigned char *bytes, size_t size)
{
    unsigned char lead = bytes[0], low = 0x80, high = 0xBF;
    size_t length;
    if (lead >= 0xC2 && lead <= 0xDF)
        length = 2;
    else if (lead >= 0xE0 && lead <= 0xEF)
        length = 3;
    else if (lead >= 0xF0 && lead <= 0xF4)
        length = 4;
    else
        return 0;
    if (length > size)
        return 0;
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

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
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

void text_add_json_n(struct text *text, const char *string, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)string;
    size_t run = 0, at = 0;
    text_add_char(text, '"');
    while (at < size) {
        size_t length = 1;
        if (is_plain(bytes[at]) || (length = character_size(bytes + at, size - at)) > 0) {
            at += length;
            continue;
        }
        text_add_n(text, string + run, at - run);
        if (bytes[at] >= 0x80)
            text_add_n(text, "\xEF\xBF\xBD", 3);
        else
            add_escaped(text, bytes[at]);
        run = ++at;
    }
    text_add_n(text, string + run, at - run);
    text_add_char(text, '"');
}

void text_add_json(struct text *text, const char *string)
{
    if (string)
        text_add_json_n(text, string, strlen(string));
    else
        text_add_n(text, "null", 4);
}
