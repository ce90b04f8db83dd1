#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

static const struct clock_source *_Atomic replaced;

static int64_t read_clock_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_now_ms(void)
{
    const struct clock_source *source = atomic_load_explicit(&replaced, memory_order_acquire);
    return source ? source->now_ms(source->context) : read_clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_boot_ns(void)
{
    const struct clock_source *source = atomic_load_explicit(&replaced, memory_order_acquire);
    return source ? source->boot_ns(source->context) : read_clock_ns(CLOCK_BOOTTIME);
}

void clock_replace(const struct clock_source *source)
{
    atomic_store_explicit(&replaced, source, memory_order_release);
}

/* ---- RFC 3339 ---- */

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* The last `digits` digits and what follows them. By hand: there is a time in every reply. */
static char *put_number(char *out, int number, int digits, char after)
{
    for (int i = digits; i-- > 0; number /= 10)
        out[i] = (char)('0' + number % 10);
    out[digits] = after;
    return out + digits + 1;
}

static void print(int64_t unix_ms, bool with_ms, char out[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)floor_div(unix_ms, 1000);
    int ms = (int)(unix_ms - (int64_t)seconds * 1000);
    struct tm tm = {0};
    gmtime_r(&seconds, &tm);
    out = put_number(out, tm.tm_year + 1900, 4, '-');
    out = put_number(out, tm.tm_mon + 1, 2, '-');
    out = put_number(out, tm.tm_mday, 2, 'T');
    out = put_number(out, tm.tm_hour, 2, ':');
    out = put_number(out, tm.tm_min, 2, ':');
    out = put_number(out, tm.tm_sec, 2, with_ms ? '.' : 'Z');
    if (with_ms)
        out = put_number(out, ms, 3, 'Z');
    *out = '\0';
}

void clock_text(int64_t unix_ms, char out[CLOCK_TEXT_SIZE])
{
    print(unix_ms, false, out);
}

void clock_text_ms(int64_t unix_ms, char out[CLOCK_TEXT_SIZE])
{
    print(unix_ms, true, out);
}

/* Exactly `digits` digits of at most `max`, then `after` (0: nothing). */
static bool read_number(const char **at, int digits, int max, char after, int *value)
{
    int total = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        total = total * 10 + (**at - '0');
    }
    if (total > max)
        return false;
    *value = total;
    if (after == '\0')
        return true;
    if ((**at | 0x20) != (after | 0x20))
        return false;
    (*at)++;
    return true;
}

/* ".123456": milliseconds, the rest is cut. */
static bool read_fraction(const char **at, int *ms)
{
    *ms = 0;
    if (**at != '.')
        return true;
    int scale = 100;
    const char *first = ++*at;
    for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
        *ms += (**at - '0') * scale;
    return *at != first;
}

static bool read_offset(const char **at, int *minutes)
{
    *minutes = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (**at != '+' && **at != '-')
        return false;
    int sign = *(*at)++ == '-' ? -1 : 1, hour, minute;
    if (!read_number(at, 2, 23, ':', &hour) || !read_number(at, 2, 59, '\0', &minute))
        return false;
    *minutes = sign * (hour * 60 + minute);
    return true;
}

static bool date_exists(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && day >= 1 && day <= days[month - 1] + (month == 2 && leap);
}

bool clock_parse(const char *text, int64_t *unix_ms)
{
    struct tm tm = {0};
    int ms, offset_minutes;
    const char *at = text;
    if (!read_number(&at, 4, 9999, '-', &tm.tm_year) || !read_number(&at, 2, 12, '-', &tm.tm_mon) ||
        !read_number(&at, 2, 31, 'T', &tm.tm_mday) || !read_number(&at, 2, 23, ':', &tm.tm_hour) ||
        !read_number(&at, 2, 59, ':', &tm.tm_min) || !read_number(&at, 2, 60, '\0', &tm.tm_sec) ||
        !read_fraction(&at, &ms) || !read_offset(&at, &offset_minutes) || *at != '\0' ||
        !date_exists(tm.tm_year, tm.tm_mon, tm.tm_mday))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *unix_ms = ((int64_t)timegm(&tm) - (int64_t)offset_minutes * 60) * 1000 + ms;
    return true;
}
