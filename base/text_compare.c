/* Comparing and reading short texts. */
#include "base/text.h"

#include <limits.h>
#include <string.h>

static unsigned char lower(char character)
{
    unsigned char byte = (unsigned char)character;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

bool text_equal_nocase(const char *left, const char *right)
{
    while (*left && lower(*left) == lower(*right)) {
        left++;
        right++;
    }
    return lower(*left) == lower(*right);
}

bool text_has_prefix(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

bool text_to_int(const char *string, int64_t *value)
{
    bool negative = *string == '-';
    if (negative)
        string++;
    if (*string == '\0')
        return false;
    int64_t total = 0; /* kept negative: the negative range is the wider one */
    for (; *string; string++) {
        if (*string < '0' || *string > '9')
            return false;
        if (__builtin_mul_overflow(total, (int64_t)10, &total) ||
            __builtin_sub_overflow(total, (int64_t)(*string - '0'), &total))
            return false;
    }
    if (!negative && total == INT64_MIN)
        return false;
    *value = negative ? total : -total;
    return true;
}

/* The time depends on the length of `left` (the caller's own secret) alone. */
bool text_equal_secret(const char *left, const char *right)
{
    size_t left_size = strlen(left), right_size = strlen(right);
    volatile unsigned char different = left_size != right_size;
    for (size_t i = 0; i < left_size; i++) {
        unsigned char other = (unsigned char)right[i < right_size ? i : right_size];
        different = (unsigned char)(different | ((unsigned char)left[i] ^ other));
    }
    return different == 0;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

int text_percent_byte(const char *bytes, size_t size)
{
    int high = size >= 3 && bytes[0] == '%' ? hex_value(bytes[1]) : -1;
    int low = high >= 0 ? hex_value(bytes[2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}
