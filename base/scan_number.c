/* Numbers without floating point: what is written is what is kept. */
#include "base/scan.h"

enum { DIGITS_MAX = 19, EXPONENT_MAX = 100000 };

static bool is_digit(const struct scan *scan)
{
    return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9';
}

/* Adds digits; `scale` is -1 behind the point, where each one lowers the exponent. */
static bool read_digits(struct scan *scan, struct scan_number *number, int scale, int *significant)
{
    if (!is_digit(scan))
        return scan_fault(scan, "a digit was expected");
    for (; is_digit(scan); scan->at++) {
        unsigned digit = (unsigned)(*scan->at - '0');
        if (*significant < DIGITS_MAX) {
            number->digits = number->digits * 10 + digit;
            *significant += number->digits > 0;
            number->exponent += scale;
        } else {
            number->cut |= digit != 0;
            number->exponent += scale + 1;
        }
    }
    return true;
}

static bool read_exponent(struct scan *scan, int64_t *exponent)
{
    scan->at++;
    bool negative = scan->at < scan->end && *scan->at == '-';
    if (scan->at < scan->end && (*scan->at == '-' || *scan->at == '+'))
        scan->at++;
    if (!is_digit(scan))
        return scan_fault(scan, "a digit was expected");
    int64_t value = 0;
    for (; is_digit(scan); scan->at++)
        value = value >= EXPONENT_MAX ? EXPONENT_MAX : value * 10 + (*scan->at - '0');
    *exponent += negative ? -value : value;
    return true;
}

bool scan_number(struct scan *scan, struct scan_number *number)
{
    if (scan_type(scan) != SCAN_NUMBER)
        return scan_fault(scan, "a number was expected");
    struct scan_number read = {0};
    int significant = 0;
    read.negative = *scan->at == '-';
    scan->at += read.negative;
    bool zero = scan->at < scan->end && *scan->at == '0';
    if (zero)
        scan->at++;
    if (zero ? is_digit(scan) && !scan_fault(scan, "a number may not begin with 0")
             : !read_digits(scan, &read, 0, &significant))
        return false;
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (!read_digits(scan, &read, -1, &significant))
            return false;
    }
    if (scan->at < scan->end && (*scan->at | 0x20) == 'e' && !read_exponent(scan, &read.exponent))
        return false;
    for (; read.digits > 0 && read.digits % 10 == 0; read.exponent++)
        read.digits /= 10;
    *number = read;
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
