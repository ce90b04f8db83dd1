/* Taking paths and queries apart; what may stand in them. */
#include "api/router.h"

#include <string.h>

/* Text of clients that goes on into names and messages: UTF-8 without control characters. */
static bool is_clean(const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t size = text_utf8_size(text, left);
        if (size == 0 || (unsigned char)*text < 0x20 || *text == 0x7F)
            return false;
        text += size;
        left -= size;
    }
    return true;
}

/* NULL: a broken %-sequence, %00, or not clean. The arena being full gives NULL too, *full tells.
 */
static const char *decode(const char *text, size_t size, bool plus_is_blank, struct arena *arena,
                          bool *full)
{
    char *decoded = arena_text_n(arena, text, size), *end = decoded;

    if (!decoded) {
        *full = true;
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%') {
            int byte = text_percent_byte(text + i, size - i);
            if (byte <= 0)
                return NULL;
            *end++ = (char)byte;
            i += 2;
        } else {
            *end++ = plus_is_blank && text[i] == '+' ? ' ' : text[i];
        }
    }
    *end = '\0';
    return is_clean(decoded) ? decoded : NULL;
}

bool path_split(const char *path, struct arena *arena, const char **segments, size_t *count,
                struct err *err)
{
    bool full = false;

    *count = 0;
    for (const char *at = path; *at;) {
        size_t size = strcspn(at, "/");
        if (size > 0) {
            if (*count == SEGMENTS_MAX)
                return err_set(err, ERR_NOT_FOUND,
                               "there is nothing at a path of more than %d segments", SEGMENTS_MAX);
            segments[*count] = decode(at, size, false, arena, &full);
            if (!segments[*count] || strchr(segments[*count], '/'))
                return full ? request_full(err)
                            : err_set(err, ERR_BAD_PATH,
                                      "segment %zu of the path is not well-formed", *count + 1);
            (*count)++;
        }
        at += size;
        if (*at == '/')
            at++;
    }
    return true;
}

/* What a list of pairs is called when it is refused. */
struct pairs_words {
    enum err_code code;
    const char *what, *item;
};
static const struct pairs_words query_words = {ERR_BAD_QUERY, "query", "parameters"};
static const struct pairs_words form_words = {ERR_BAD_FORM, "form", "fields"};

static bool pair_split(const char *text, size_t size, struct arena *arena,
                       const struct pairs_words *words, struct text_pair *pair, struct err *err)
{
    const char *equals = memchr(text, '=', size);
    size_t key_size = equals ? (size_t)(equals - text) : size;
    bool full = false;

    pair->key = decode(text, key_size, true, arena, &full);
    pair->value = equals ? decode(equals + 1, size - key_size - 1, true, arena, &full) : "";
    if (pair->key && pair->value)
        return true;
    return full ? request_full(err)
                : err_set(err, words->code, "the %s is not well-formed", words->what);
}

static bool pairs_split(const char *text, size_t text_size, struct arena *arena,
                        const struct pairs_words *words, struct text_pair *pairs, size_t *count,
                        struct err *err)
{
    const char *end = text + text_size;

    *count = 0;
    for (const char *at = text; at < end;) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t size = (size_t)((next ? next : end) - at);
        if (size > 0) {
            if (*count == QUERY_MAX)
                return err_set(err, words->code, "the %s has more than %d %s", words->what,
                               QUERY_MAX, words->item);
            if (!pair_split(at, size, arena, words, &pairs[*count], err))
                return false;
            (*count)++;
        }
        at += size + (next != NULL);
    }
    return true;
}

bool query_split(const char *query, struct arena *arena, struct text_pair *pairs, size_t *count,
                 struct err *err)
{
    return pairs_split(query, strlen(query), arena, &query_words, pairs, count, err);
}

bool form_split(const char *bytes, size_t size, struct arena *arena, struct form *form,
                struct err *err)
{
    if (size > 0 && memchr(bytes, '\0', size))
        return err_set(err, ERR_BAD_FORM, "the form is not well-formed");
    if (!pairs_split(bytes, size, arena, &form_words, form->pairs, &form->count, err))
        return false;
    for (size_t i = 0; i < form->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(form->pairs[i].key, form->pairs[j].key) == 0)
                return err_set(err, ERR_BAD_FORM, "the form names '%.60s' twice",
                               form->pairs[i].key);
        }
    }
    return true;
}

static bool digits(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
    }
    return true;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

bool api_version_valid(const char *text)
{
    size_t size = strnlen(text, 64);

    if (size < 10 || size > 40 || !digits(text, 4) || text[4] != '-' || !digits(text + 5, 2) ||
        text[7] != '-' || !digits(text + 8, 2))
        return false;
    if (two_digits(text + 5) < 1 || two_digits(text + 5) > 12 || two_digits(text + 8) < 1 ||
        two_digits(text + 8) > 31)
        return false;
    if (size == 10)
        return true;
    return text[10] == '-' && size > 11 &&
           strspn(text + 11, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") ==
               size - 11;
}

bool host_valid(const char *text)
{
    size_t size = strnlen(text, 300);

    return size > 0 && size <= 261 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]") ==
               size;
}
