/* A failure is a value with a sentence in it.
 *
 *     if (!thing_open(path, &thing, err))
 *         return err_add(err, "while starting %s", name);
 *
 * Functions that can fail return bool (or a pointer) and take `struct err *err` last; on failure
 * they fill it and return false (or NULL), on success they leave it alone. It lives on the caller's
 * stack: nothing to free. Rooms below never log a failure, they return it; the top of each thread
 * reports once.
 * Codes, HTTP statuses and public names: errors.def.
 * Threads: any; a value belongs
 * to one thread. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/auto.h"

enum err_code {
#define X(code, status, name, retry) ERR_##code,
#include "base/errors.def"
#undef X
    ERR_COUNT,
};

struct err {
    enum err_code code;
    int os_errno;    /* 0 when no system call failed */
    char field[160]; /* "properties.containers[1].image", or "" when no field is at fault */
    char text[1024]; /* one sentence for people; quotes no secrets */
};

/* These return false, so that a failing path is one line. Texts that do not fit are cut. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Same, with ": <strerror>" added and os_errno kept. */
bool err_set_os(struct err *err, enum err_code code, int os_errno, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Same as err_set, naming the field at fault. */
bool err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* Puts "<context>: " before the text; the code stays. */
bool err_add(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* clang's analyzer sees one file at a time, and would follow paths on which these return true. */
#ifdef __clang_analyzer__
#define err_set(...) ((void)(err_set)(__VA_ARGS__), false)
#define err_set_os(...) ((void)(err_set_os)(__VA_ARGS__), false)
#define err_set_field(...) ((void)(err_set_field)(__VA_ARGS__), false)
#define err_add(...) ((void)(err_add)(__VA_ARGS__), false)
#endif

const char *err_code_name(enum err_code code); /* "ResourceNotFound" */
/* The first code of that public name, `other` when there is none. */
enum err_code err_code_find(const char *name, enum err_code other);
int err_code_status(enum err_code code); /* 404 */
bool err_code_retry(enum err_code code);

/* What must hold. Stays on in release; for our own mistakes, never for input. */
#define CHECK(condition)                                            \
    do {                                                            \
        if (!(condition))                                           \
            check_failed(__FILE__, __LINE__, __func__, #condition); \
    } while (0)

void check_failed(const char *file, int line, const char *function, const char *condition) NORETURN;

#endif
