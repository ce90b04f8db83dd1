#include "node-agent/http/http.h"

#include <string.h>

/* A part of what was parsed; false: it is not there, or too long. */
static bool part_take(const struct http_parser_url *parsed, const char *text, int field, char *out,
                      size_t size)
{
    return (parsed->field_set & 1U << field) != 0 &&
           text_format(out, size, "%.*s", (int)parsed->field_data[field].len,
                       text + parsed->field_data[field].off);
}

static bool scheme_take(const struct http_parser_url *parsed, const char *text,
                        struct http_url *out)
{
    char scheme[sizeof "https"];

    if (!part_take(parsed, text, UF_SCHEMA, scheme, sizeof scheme))
        return false;
    out->tls = text_equal_nocase(scheme, "https");
    return out->tls || text_equal_nocase(scheme, "http");
}

static bool port_take(const struct http_parser_url *parsed, struct http_url *out)
{
    bool given = (parsed->field_set & 1U << UF_PORT) != 0;
    int usual = out->tls ? 443 : 80, port = given ? parsed->port : usual;
    bool is_ipv6 = strchr(out->host, ':') != NULL;

    return port != 0 && text_format(out->port, sizeof out->port, "%d", port) &&
           text_format(out->authority, sizeof out->authority, "%s%s%s%s%s", is_ipv6 ? "[" : "",
                       out->host, is_ipv6 ? "]" : "", port == usual ? "" : ":",
                       port == usual ? "" : out->port);
}

/* The parser reads as far as the host and its port: what follows may hold anything, and is written as http_add_request()
 * does. */
bool http_url_parse(const char *text, struct http_url *out)
{
    struct http_url url = {0};
    struct http_parser_url parsed;
    const char *host = strstr(text, "://");
    size_t size = host ? (size_t)(host + 3 - text) : 0;

    size += strcspn(text + size, "/?#");
    http_parser_url_init(&parsed);
    if (http_parser_parse_url(text, size, 0, &parsed) != 0 ||
        (parsed.field_set & 1U << UF_USERINFO) != 0 || !scheme_take(&parsed, text, &url) ||
        !part_take(&parsed, text, UF_HOST, url.host, sizeof url.host) || !port_take(&parsed, &url))
        return false;
    url.path = text + size;
    *out = url;
    return true;
}

void http_add_request(struct text *head, const char *method, const char *path)
{
    static const char hex[] = "0123456789ABCDEF";

    text_addf(head, "%s %s", method, *path == '/' ? "" : "/");
    for (; *path && *path != '#'; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte > ' ' && byte < 127) {
            text_add_char(head, *path);
            continue;
        }
        text_add_char(head, '%');
        text_add_char(head, hex[byte >> 4]);
        text_add_char(head, hex[byte & 15]);
    }
    text_add(head, " HTTP/1.1\r\n");
}
