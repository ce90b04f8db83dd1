/* What yajl lets pass and JSON does not: it takes \v and \f for white space, overlong and surrogate
 * forms for UTF-8, half a surrogate pair for '?'. NUL is valid JSON, and no text of ours may hold it.
 * The grammar is not looked at here: outside strings a backslash is refused by yajl. */
#include "base/scan_inner.h"
#include "base/text.h"

#include <string.h>

/* Every byte of a word set to `byte`. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '\\';
}

/* Eight bytes at a time while all are plain. */
static size_t skip_plain(const char *bytes, size_t size, size_t at)
{
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        uint64_t other = word ^ EACH('\\');
        if (((word - EACH(0x20)) | word | (other - EACH(1))) & EACH(0x80))
            break;
    }
    while (at < size && is_plain((unsigned char)bytes[at]))
        at++;
    return at;
}

/* \uDxxx with x one of `seconds`: the half of a surrogate pair. */
static bool is_half(const char *bytes, size_t size, const char *seconds)
{
    return size >= 6 && bytes[0] == '\\' && bytes[1] == 'u' && (bytes[2] | 0x20) == 'd' &&
           bytes[3] != '\0' && strchr(seconds, bytes[3]);
}

/* How long the escape is as far as it is looked at; 0: it is not fit. */
static size_t check_escape(const char *bytes, size_t size, const char **wrong)
{
    static const char high[] = "89abAB", low[] = "cdefCDEF";
    if (size >= 6 && memcmp(bytes, "\\u0000", 6) == 0) {
        *wrong = "the NUL character is not allowed";
        return 0;
    }
    if (is_half(bytes, size, high) && is_half(bytes + 6, size - 6, low))
        return 12;
    if (is_half(bytes, size, high) || is_half(bytes, size, low)) {
        *wrong = "half of a surrogate pair is not allowed";
        return 0;
    }
    return size > 1 && bytes[1] == '\\' ? 2 : 1;
}

/* As above, of one byte that is not plain, and what belongs to it. */
static size_t check_odd(const char *bytes, size_t size, const char **wrong)
{
    unsigned char byte = (unsigned char)*bytes;
    if (byte == '\n' || byte == '\r' || byte == '\t')
        return 1;
    if (byte == '\\')
        return check_escape(bytes, size, wrong);
    if (byte >= 0x80) {
        *wrong = "a byte that is not UTF-8 is not allowed";
        return text_utf8_size(bytes, size);
    }
    *wrong = byte == 0 ? "a NUL byte is not allowed" : "a control character must be escaped";
    return 0;
}

size_t scan_find_unfit(const char *bytes, size_t size, const char **wrong)
{
    size_t at = 0;
    while ((at = skip_plain(bytes, size, at)) < size) {
        size_t length = check_odd(bytes + at, size - at, wrong);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}
