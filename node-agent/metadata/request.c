#include "node-agent/metadata/request.h"

#include "base/text.h"

#include <string.h>

size_t request_head_size(const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);

    return end ? (size_t)(end - bytes) + 4 : 0;
}

/* ---- arguments ---- */

static int hex(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = digit ? strchr(digits, digit | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* In place; false: no byte is written like that, or it would end the text. */
static bool decode(char *text)
{
    char *out = text;

    for (; *text; text++) {
        char byte = *text == '+' ? ' ' : *text;
        if (byte == '%') {
            int high = hex(text[1]), low = high < 0 ? -1 : hex(text[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            byte = (char)(high << 4 | low);
            text += 2;
        }
        *out++ = byte;
    }
    *out = '\0';
    return true;
}

static bool arguments_read(char *query, struct request *out)
{
    char *rest = query;

    for (char *one; (one = strsep(&rest, "&"));) {
        char *value = one;
        char *name = strsep(&value, "=");
        if (!*name)
            continue;
        if (out->arguments_count == COUNT_OF(out->arguments) || !decode(name) ||
            (value && !decode(value)))
            return false;
        out->arguments[out->arguments_count++] = (struct request_pair){name, value ? value : ""};
    }
    return true;
}

/* ---- lines ---- */

static bool first_line_read(char *line, struct request *out)
{
    char *rest = line;

    out->method = strsep(&rest, " ");
    char *target = strsep(&rest, " ");
    if (!*out->method || !target || *target != '/' || !rest || !text_has_prefix(rest, "HTTP/1."))
        return false;
    char *query = target;
    char *path = strsep(&query, "?");
    out->path = path;
    return decode(path) && (!query || arguments_read(query, out));
}

static bool header_read(char *line, struct request *out)
{
    char *value = line;
    char *name = strsep(&value, ":");

    if (!*name || !value || strpbrk(name, " \t") || out->headers_count == COUNT_OF(out->headers))
        return false;
    value += strspn(value, " \t");
    for (size_t size = strlen(value); size > 0 && strchr(" \t", value[size - 1]); size--)
        value[size - 1] = '\0';
    out->headers[out->headers_count++] = (struct request_pair){name, value};
    return true;
}

bool request_read(char *head, struct request *out)
{
    char *rest = head;
    bool first = true;

    *out = (struct request){0};
    for (char *line; (line = strsep(&rest, "\n")); first = false) {
        size_t size = strlen(line);
        if (size > 0 && line[size - 1] == '\r')
            line[--size] = '\0';
        if (size == 0)
            break;
        if (!(first ? first_line_read(line, out) : header_read(line, out)))
            return false;
    }
    return !first;
}

/* ---- looking ---- */

const char *request_argument(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->arguments_count; i++)
        if (strcmp(request->arguments[i].name, name) == 0)
            return request->arguments[i].value;
    return NULL;
}

const char *request_header(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_count; i++)
        if (text_equal_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return NULL;
}
