/* Numbers without floating point: what is written is what is kept. */
#include "base/scan_inner.h"

#include <string.h>

enum { DIGITS_MAX = 19, EXPONENT_MAX = 100000 };
#define DIGITS_FULL UINT64_C(1000000000000000000) /* no room for another digit from here */

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Adds digits and returns the place behind them; `scale` is -1 behind the point, where each one
 * lowers the exponent. */
static const char *read_digits(const char *at, const char *end, struct scan_number *number,
                               int scale)
{
    for (; is_digit(at, end); at++) {
        unsigned digit = (unsigned)(*at - '0');
        if (number->digits < DIGITS_FULL) {
            number->digits = number->digits * 10 + digit;
            number->exponent += scale;
        } else {
            number->cut |= digit != 0;
            number->exponent += scale + 1;
        }
    }
    return at;
}

static int64_t read_exponent(const char *at, const char *end)
{
    bool negative = *at == '-';
    int64_t value = 0;
    for (at += *at == '-' || *at == '+'; is_digit(at, end); at++)
        value = value >= EXPONENT_MAX ? EXPONENT_MAX : value * 10 + (*at - '0');
    return negative ? -value : value;
}

/* The token is a number by the grammar. */
static struct scan_number convert(const char *at, const char *end)
{
    struct scan_number read = {.negative = *at == '-'};
    at = read_digits(at + read.negative, end, &read, 0);
    if (at < end && *at == '.')
        at = read_digits(at + 1, end, &read, -1);
    if (at < end)
        read.exponent += read_exponent(at + 1, end);
    for (; read.digits > 0 && read.digits % 10 == 0; read.exponent++)
        read.digits /= 10;
    return read;
}

bool scan_number(struct scan *scan, struct scan_number *number)
{
    const struct scan_token *token = scan->at;
    if (scan_type(scan) != SCAN_NUMBER)
        return scan_fault(scan, "a number was expected");
    *number = convert(token->bytes, token->bytes + token->size);
    return scan_skip(scan);
}

/* Behind one digit or more; NULL: there is none. */
static const char *digits_end(const char *at)
{
    size_t size = strspn(at, "0123456789");
    return size > 0 ? at + size : NULL;
}

bool scan_number_text(const char *text, struct scan_number *number)
{
    const char *first = text + (*text == '-'), *at = digits_end(first);
    if (!at || (*first == '0' && at > first + 1))
        return false;
    if (*at == '.')
        at = digits_end(at + 1);
    if (at && (*at == 'e' || *at == 'E'))
        at = digits_end(at + 1 + (at[1] == '-' || at[1] == '+'));
    if (!at || *at != '\0')
        return false;
    *number = convert(text, at);
    return true;
}

/* digits * 10^exponent for exponents that are not negative. */
static bool scale_up(uint64_t digits, int64_t exponent, bool negative, int64_t *value)
{
    if (digits == 0) {
        *value = 0;
        return true;
    }
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(digits, UINT64_C(10), &digits))
            return false;
    if (digits > (uint64_t)INT64_MAX)
        return false;
    *value = negative ? -(int64_t)digits : (int64_t)digits;
    return true;
}

bool scan_number_int(const struct scan_number *number, int64_t *value)
{
    if (number->cut || (number->digits > 0 && number->exponent < 0))
        return false;
    return scale_up(number->digits, number->exponent, number->negative, value);
}

bool scan_number_milli(const struct scan_number *number, int64_t *milli)
{
    int64_t exponent = number->exponent + 3;
    if (exponent >= 0 || number->digits == 0)
        return !number->cut && scale_up(number->digits, exponent, number->negative, milli);
    if (exponent < -DIGITS_MAX + 1)
        return false;
    uint64_t unit = 1; /* one thousandth, in the last digit's places */
    for (; exponent < 0; exponent++)
        unit *= 10;
    uint64_t whole = number->digits / unit, rest = number->digits % unit, slack = unit / 1000000;
    if ((rest > slack && unit - rest > slack) || (number->cut && slack == 0))
        return false;
    return scale_up(whole + (rest > slack), 0, number->negative, milli);
}
