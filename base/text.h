/* Text being built: grows up to a ceiling, always NUL-terminated.
 * Writers never fail one by one: they remember, and text_ok() tells at the end.
 * Also the only bounded formatter into plain arrays (snprintf is banned elsewhere).
 * Threads: one at a time.   Owner: text_free(). */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/auto.h"

#include <stdarg.h>
#include <stdint.h>

struct text {
    char *bytes;
    size_t size; /* without the NUL */
    size_t capacity;
    size_t size_max;
    bool failed; /* out of memory or past the ceiling */
};

/* NULL when out of memory; writers take NULL as a text that has failed. */
struct text *text_new(size_t size_max);
void text_free(struct text *text);
void text_clear(struct text *text);
void text_wipe(struct text *text); /* overwrites its bytes, for secrets; NULL is fine */
bool text_ok(const struct text *text) MUST_CHECK;
/* Ownership of the bytes (malloc) comes to the caller; the text is empty afterwards. */
char *text_take(struct text *text, size_t *size) MUST_CHECK;

void text_add(struct text *text, const char *string);
void text_add_n(struct text *text, const char *bytes, size_t size);
void text_add_char(struct text *text, char character);
void text_add_int(struct text *text, int64_t value);
void text_addf(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_addf_v(struct text *text, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
/* What still fits is added, the rest is dropped and text_ok() turns false: for the output of
 * programs. */
void text_add_cut(struct text *text, const char *bytes, size_t size);
/* Makes room ahead for `size` more bytes; false when that cannot be. */
bool text_reserve(struct text *text, size_t size);
void text_add_json(struct text *text, const char *string); /* quoted and escaped; NULL gives null */
void text_add_json_n(struct text *text, const char *bytes, size_t size);
/* How many bytes from here a JSON string holds as they are: ASCII without quotes, backslashes and
 * controls. */
size_t text_json_run(const char *bytes, size_t size);
/* The bytes of the well-formed UTF-8 character that begins here; 0: none does. */
size_t text_utf8_size(const char *bytes, size_t size);

/* Into an array of `size` bytes; false when it was cut (terminated all the same, and never within a
 * UTF-8 character). */
bool text_format(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
bool text_format_v(char *out, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
bool text_copy(char *out, size_t size, const char *string);

bool text_equal_nocase(const char *left, const char *right); /* ASCII only */
bool text_has_prefix(const char *string, const char *prefix);
/* The byte that "%XX", as URLs have it, stands for at the beginning of `size` bytes; -1: there is none. Of text that ends
 * with a NUL nothing behind that is read, whatever `size` says. */
int text_percent_byte(const char *bytes, size_t size);
/* Strict decimal: no sign but '-', no spaces, no overflow. */
bool text_to_int(const char *string, int64_t *value) MUST_CHECK;
/* Compares all bytes whatever they are; for tokens. */
bool text_equal_secret(const char *left, const char *right);

AUTO_TYPE(text);

#endif
