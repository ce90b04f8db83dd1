#include "node-agent/metadata/request.h"

#include "base/text.h"

#include <http_parser.h>
#include <string.h>

size_t request_head_size(const char *bytes, size_t size)
{
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);

    return end ? (size_t)(end - bytes) + 4 : 0;
}

/* ---- arguments ---- */

/* In place; false: no byte is written like that, or it would end the text. */
static bool decode(char *text)
{
    char *out = text;

    for (; *text; text++) {
        char byte = *text == '+' ? ' ' : *text;
        if (byte == '%') {
            int meant = text_percent_byte(text, strlen("%XX"));
            if (meant <= 0)
                return false;
            byte = (char)meant;
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

/* ---- the head ---- */

/* The parser tells where things stand; only when it is done they are cut out. */
struct reading {
    http_parser parser;
    char *target, *names[REQUEST_HEADERS_MAX], *values[REQUEST_HEADERS_MAX];
    size_t target_size, name_sizes[REQUEST_HEADERS_MAX], value_sizes[REQUEST_HEADERS_MAX];
    size_t names_count, values_count;
    bool whole;
};

static int on_target(http_parser *parser, const char *bytes, size_t size)
{
    struct reading *reading = CONTAINER_OF(parser, struct reading, parser);

    reading->target = (char *)(uintptr_t)bytes;
    reading->target_size = size;
    return 0;
}

static int on_name(http_parser *parser, const char *bytes, size_t size)
{
    struct reading *reading = CONTAINER_OF(parser, struct reading, parser);
    size_t at = reading->names_count;

    if (at == REQUEST_HEADERS_MAX || at != reading->values_count)
        return -1;
    reading->names[at] = (char *)(uintptr_t)bytes;
    reading->name_sizes[at] = size;
    reading->names_count++;
    return 0;
}

/* Again without a name: it goes on in a second line, which nobody writes any more. */
static int on_value(http_parser *parser, const char *bytes, size_t size)
{
    struct reading *reading = CONTAINER_OF(parser, struct reading, parser);
    size_t at = reading->values_count;

    if (at == reading->names_count)
        return -1;
    while (size > 0 && strchr(" \t", bytes[size - 1]))
        size--;
    reading->values[at] = (char *)(uintptr_t)bytes;
    reading->value_sizes[at] = size;
    reading->values_count++;
    return 0;
}

static int on_head(http_parser *parser)
{
    struct reading *reading = CONTAINER_OF(parser, struct reading, parser);

    reading->whole = parser->http_major == 1 && reading->target;
    http_parser_pause(parser, 1); /* a body is nothing to us */
    return 0;
}

static char *cut(char *bytes, size_t size)
{
    bytes[size] = '\0';
    return bytes;
}

static bool target_read(const struct reading *reading, struct request *out)
{
    struct http_parser_url url;

    http_parser_url_init(&url);
    if (http_parser_parse_url(reading->target, reading->target_size, 0, &url) != 0)
        return false;
    if ((url.field_set & 1U << UF_PATH) == 0)
        return false;
    char *path = cut(reading->target + url.field_data[UF_PATH].off, url.field_data[UF_PATH].len);
    out->path = path;
    if ((url.field_set & 1U << UF_QUERY) == 0)
        return decode(path);
    char *query = cut(reading->target + url.field_data[UF_QUERY].off, url.field_data[UF_QUERY].len);
    return decode(path) && arguments_read(query, out);
}

bool request_read(char *head, struct request *out)
{
    static const http_parser_settings settings = {.on_url = on_target,
                                                  .on_header_field = on_name,
                                                  .on_header_value = on_value,
                                                  .on_headers_complete = on_head};
    struct reading reading = {0};

    *out = (struct request){0};
    http_parser_init(&reading.parser, HTTP_REQUEST);
    http_parser_execute(&reading.parser, &settings, head, strlen(head));
    if (!reading.whole || !target_read(&reading, out))
        return false;
    out->method = http_method_str(reading.parser.method);
    for (size_t i = 0; i < reading.values_count; i++)
        out->headers[out->headers_count++] =
            (struct request_pair){cut(reading.names[i], reading.name_sizes[i]),
                                  cut(reading.values[i], reading.value_sizes[i])};
    return true;
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
