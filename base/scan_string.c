/* Strings: most have no escape and are taken as they stand; the others are decoded into the arena.
 */
#include "base/scan.h"

#include "base/text.h"

/* Behind the opening quote: moves to the closing one, checking everything but what escapes mean. */
static bool find_end(struct scan *scan, bool *has_escapes)
{
    *has_escapes = false;
    while (scan->at < scan->end) {
        size_t left = (size_t)(scan->end - scan->at), length;
        scan->at += text_json_run(scan->at, left);
        left = (size_t)(scan->end - scan->at);
        if (left == 0)
            break;
        unsigned char byte = (unsigned char)*scan->at;
        if (byte == '"')
            return true;
        if (byte == '\\') {
            *has_escapes = true;
            scan->at += left > 1 ? 2 : 1;
        } else if (byte < 0x20) {
            return scan_fault(scan, byte == 0 ? "a NUL byte is not allowed"
                                              : "a control character must be escaped in a string");
        } else if ((length = text_utf8_size(scan->at, left)) == 0) {
            return scan_fault(scan, "a byte that is not UTF-8 is not allowed");
        } else {
            scan->at += length;
        }
    }
    return scan_fault(scan, "a string is not closed");
}

static bool read_hex4(const char *from, const char *end, uint32_t *value)
{
    if (end - from < 4)
        return false;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char byte = (unsigned char)from[i], lower = byte | 0x20;
        uint32_t digit;
        if (byte >= '0' && byte <= '9')
            digit = (uint32_t)(byte - '0');
        else if (lower >= 'a' && lower <= 'f')
            digit = (uint32_t)(lower - 'a' + 10);
        else
            return false;
        *value = *value << 4 | digit;
    }
    return true;
}

static char *put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(leads[tail] | code >> (6 * tail));
    while (tail-- > 0)
        *to++ = (char)(0x80 | (code >> (6 * tail) & 0x3F));
    return to;
}

/* At the 'u' of \uXXXX, one or a pair of surrogates; moves `*from` behind it. */
static const char *decode_code(const char **from, const char *end, uint32_t *code)
{
    uint32_t low;
    if (!read_hex4(*from + 1, end, code))
        return "four hexadecimal digits were expected after \\u";
    *from += 5;
    if (*code == 0)
        return "the NUL character is not allowed";
    if (*code < 0xD800 || *code > 0xDFFF)
        return NULL;
    if (*code > 0xDBFF || end - *from < 6 || (*from)[0] != '\\' || (*from)[1] != 'u' ||
        !read_hex4(*from + 2, end, &low) || low < 0xDC00 || low > 0xDFFF)
        return "half of a surrogate pair is not allowed";
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    *from += 6;
    return NULL;
}

static const char *decode(char *to, const char *from, const char *end, size_t *size)
{
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char *first = to;
    while (from < end) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        from++;
        if (*from == 'u') {
            uint32_t code = 0;
            const char *wrong = decode_code(&from, end, &code);
            if (wrong)
                return wrong;
            to = put_utf8(to, code);
            continue;
        }
        size_t which = 0;
        while (names[which] && names[which] != *from)
            which++;
        if (!names[which])
            return "an escape that JSON does not know";
        *to++ = meanings[which];
        from++;
    }
    *to = '\0';
    *size = (size_t)(to - first);
    return NULL;
}

/* Decoded text is never longer than its escapes. */
static bool take_decoded(struct scan *scan, const char *from, struct scan_slice *text)
{
    size_t size;
    char *copy = arena_text_n(scan->arena, from, (size_t)(scan->at - from));
    if (!copy)
        return scan_fault_memory(scan);
    const char *wrong = decode(copy, from, scan->at, &size);
    if (wrong)
        return scan_fault(scan, wrong);
    *text = (struct scan_slice){copy, size};
    return true;
}

static bool take_string(struct scan *scan, struct scan_slice *text, bool *decoded)
{
    if (scan_type(scan) != SCAN_STRING)
        return scan_fault(scan, "a string was expected");
    const char *from = ++scan->at;
    if (!find_end(scan, decoded))
        return false;
    *text = (struct scan_slice){from, (size_t)(scan->at - from)};
    if (*decoded && !take_decoded(scan, from, text))
        return false;
    scan->at++;
    return true;
}

bool scan_slice(struct scan *scan, struct scan_slice *text)
{
    bool decoded = false;
    return take_string(scan, text, &decoded);
}

bool scan_string(struct scan *scan, const char **text, size_t *size)
{
    struct scan_slice slice;
    bool decoded = false;
    if (!take_string(scan, &slice, &decoded))
        return false;
    if (!decoded && !(slice.bytes = arena_text_n(scan->arena, slice.bytes, slice.size)))
        return scan_fault_memory(scan);
    *text = slice.bytes;
    if (size)
        *size = slice.size;
    return true;
}
