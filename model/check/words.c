/* Forms of texts: names, base64, ids. ASCII only, whatever the locale. */
#include "model/check/inside.h"

#include <string.h>

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

/* ---- names ---- */

bool word_hyphened(const char *name, size_t size_min, size_t size_max, bool doubled)
{
    size_t size = strnlen(name, size_max + 1);

    if (size < size_min || size > size_max || size == 0 || name[0] == '-' || name[size - 1] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '-' ? !doubled && name[i + 1] == '-' : !is_lower_or_digit(name[i]))
            return false;
    }
    return true;
}

bool group_name_valid(const char *name)
{
    return word_hyphened(name, 1, (size_t)LIMIT_GROUP_NAME_MAX, false);
}

bool container_name_valid(const char *name)
{
    return word_hyphened(name, 1, (size_t)LIMIT_GROUP_NAME_MAX, true);
}

bool resource_group_name_valid(const char *name)
{
    size_t size = strnlen(name, (size_t)LIMIT_RESOURCE_GROUP_NAME_MAX + 1);

    if (size == 0 || size > (size_t)LIMIT_RESOURCE_GROUP_NAME_MAX || name[size - 1] == '.')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_word_char(name[i]) && !strchr("-.()", name[i]))
            return false;
    }
    return true;
}

bool word_variable(const char *name)
{
    if (!is_letter(name[0]) && name[0] != '_')
        return false;
    while (is_word_char(*name))
        name++;
    return *name == '\0';
}

bool word_file_name(const char *name)
{
    enum { FILE_NAME_MAX = 255 };
    size_t size = strnlen(name, FILE_NAME_MAX + 1);

    return size > 0 && size <= FILE_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
           !strchr(name, '/') && word_plain(name);
}

bool word_plain(const char *text)
{
    while ((unsigned char)*text >= 0x20 && *text != 0x7F)
        text++;
    return *text == '\0';
}

bool word_token(const char *text)
{
    const char *at = text;

    while (is_word_char(*at) || (*at && strchr("!#$%&'*+-.^`|~", *at)))
        at++;
    return at > text && *at == '\0';
}

bool word_arm_id(const char *text)
{
    static const char root[] = "/subscriptions/";
    size_t size = strlen(text);

    return size >= sizeof root && strncasecmp(text, root, sizeof root - 1) == 0 &&
           text[sizeof root - 1] != '/' && text[size - 1] != '/' && word_plain(text);
}

/* ---- base64 ---- */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* Decodes into `out` when there is one; the count of bytes, -1 when it is no base64. */
static int64_t base64_decode(const char *text, char *out)
{
    uint32_t bits = 0;
    int64_t digits = 0, pads = 0, size = 0;

    for (; *text; text++) {
        int value = base64_value(*text);
        if (strchr(" \t\r\n", *text))
            continue;
        if (*text == '=' ? ++pads > 2 : value < 0 || pads > 0)
            return -1;
        bits = bits << 6 | (uint32_t)(value > 0 ? value : 0);
        if (++digits % 4 != 0)
            continue;
        for (int shift = 16; shift >= (int)pads * 8; shift -= 8, size++)
            if (out)
                out[size] = (char)(bits >> shift & 0xFF);
    }
    return digits % 4 == 0 ? size : -1;
}

bool word_base64(const char *text)
{
    return base64_decode(text, NULL) >= 0;
}

const char *word_base64_text(const char *text, struct arena *arena, size_t *size)
{
    int64_t decoded = base64_decode(text, NULL);
    char *out = decoded >= 0 ? arena_array(arena, (size_t)decoded + 1, 1) : NULL;

    if (out)
        *size = (size_t)base64_decode(text, out);
    return out;
}

/* ---- JSON kept as it came ---- */

bool raw_is_object(const struct raw_json *raw)
{
    return raw->text && raw->text[0] == '{';
}

bool raw_is_empty(const struct raw_json *raw)
{
    return !raw->text || strcmp(raw->text, "{}") == 0;
}

bool raw_has_name(const struct raw_json *raw, const char *name)
{
    size_t size = strlen(name);
    const char *at = raw->text;

    for (; at && (at = strchr(at, '"')) != NULL; at++) {
        if (strncasecmp(at + 1, name, size) == 0 && strncmp(at + 1 + size, "\":", 2) == 0)
            return true;
    }
    return false;
}
