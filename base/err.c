#include "base/err.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* Macros when the analyzer reads this (err.h). */
#undef err_set
#undef err_set_os
#undef err_set_field
#undef err_add

static const struct {
    const char *name;
    int status;
    bool retry;
} codes[ERR_COUNT] = {
#define X(code, status, name, retry) [ERR_##code] = {name, status, retry},
#include "base/errors.def"
#undef X
};

static bool fill(struct err *err, enum err_code code, int os_errno, const char *field,
                 const char *format, va_list arguments) PRINTF_LIKE(5, 0);

static bool fill(struct err *err, enum err_code code, int os_errno, const char *field,
                 const char *format, va_list arguments)
{
    if (!err)
        return false;
    struct err next = {.code = code, .os_errno = os_errno}; /* arguments may point into *err */
    text_copy(next.field, sizeof next.field, field);
    text_format_v(next.text, sizeof next.text, format, arguments);
    if (os_errno != 0) {
        char reason[128];
        size_t size = strlen(next.text);
        text_format(next.text + size, sizeof next.text - size, ": %s",
                    strerror_r(os_errno, reason, sizeof reason));
    }
    *err = next;
    return false;
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, 0, "", format, arguments);
    va_end(arguments);
    return false;
}

bool err_set_os(struct err *err, enum err_code code, int os_errno, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, os_errno, "", format, arguments);
    va_end(arguments);
    return false;
}

bool err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fill(err, code, 0, field, format, arguments);
    va_end(arguments);
    return false;
}

bool err_add(struct err *err, const char *format, ...)
{
    if (!err)
        return false;
    char text[sizeof err->text];
    va_list arguments;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = strlen(text);
    text_format(text + size, sizeof text - size, ": %s", err->text);
    text_copy(err->text, sizeof err->text, text);
    return false;
}

const char *err_code_name(enum err_code code)
{
    CHECK(code < ERR_COUNT);
    return codes[code].name;
}

enum err_code err_code_find(const char *name, enum err_code other)
{
    for (int at = ERR_OK + 1; name && at < ERR_COUNT; at++) {
        if (strcmp(codes[at].name, name) == 0)
            return (enum err_code)at;
    }
    return other;
}

int err_code_status(enum err_code code)
{
    CHECK(code < ERR_COUNT);
    return codes[code].status;
}

bool err_code_retry(enum err_code code)
{
    CHECK(code < ERR_COUNT);
    return codes[code].retry;
}

/* Straight to the descriptor: whatever state the process is in, this line gets out. */
void check_failed(const char *file, int line, const char *function, const char *condition)
{
    char text[512];
    text_format(text, sizeof text, "check failed: %s in %s() at %s:%d\n", condition, function, file,
                line);
    ssize_t written UNUSED = write(STDERR_FILENO, text, strlen(text));
    abort();
}
