#include "node-agent/http/http.h"

#include <string.h>

static bool scheme_take(const char **at, bool *tls)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t size = strlen(schemes[i]);
        if (strncasecmp(*at, schemes[i], size) != 0)
            continue;
        *at += size;
        *tls = i == 1;
        return true;
    }
    return false;
}

static bool host_take(const char **at, struct http_url *out)
{
    bool bracketed = **at == '[';
    const char *begin = *at + (bracketed ? 1 : 0);
    size_t size = strcspn(begin, bracketed ? "]/" : ":/?#@");

    if (size == 0 || size >= sizeof out->host || (bracketed && begin[size] != ']'))
        return false;
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)begin[i] <= ' ' || (unsigned char)begin[i] >= 127)
            return false;
    memcpy(out->host, begin, size);
    out->host[size] = '\0';
    *at = begin + size + (bracketed ? 1 : 0);
    return true;
}

static bool port_take(const char **at, struct http_url *out)
{
    int64_t number = out->tls ? 443 : 80;
    char digits[sizeof out->port] = "";

    if (**at == ':') {
        size_t size = strspn(*at + 1, "0123456789");
        if (size >= sizeof digits)
            return false;
        memcpy(digits, *at + 1, size);
        *at += 1 + size;
        if (size > 0 && (!text_to_int(digits, &number) || number < 1 || number > 65535))
            return false;
    }
    return text_format(out->port, sizeof out->port, "%d", (int)number);
}

bool http_url_parse(const char *text, struct http_url *out)
{
    struct http_url url = {0};

    if (!scheme_take(&text, &url.tls) || !host_take(&text, &url) || !port_take(&text, &url) ||
        (*text && !strchr("/?#", *text)))
        return false;
    const char *begin = strchr(url.host, ':') ? "[" : "", *end = *begin ? "]" : "";
    bool usual = strcmp(url.port, url.tls ? "443" : "80") == 0;
    if (!text_format(url.authority, sizeof url.authority, "%s%s%s%s%s", begin, url.host, end,
                     usual ? "" : ":", usual ? "" : url.port))
        return false;
    url.path = text;
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
