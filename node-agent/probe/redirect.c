#include "node-agent/probe/redirect.h"

#include "node-agent/http/http.h"

#include <string.h>

bool redirect_add(struct text *out, const char *from, const char *location)
{
    struct http_url base;
    const char *scheme_end = strstr(from, "://");

    if (!http_url_parse(from, &base) || !scheme_end)
        return false;
    size_t size = strcspn(location, "#");
    bool whole = strstr(location, "://") && strcspn(location, ":") < strcspn(location, "/?#");
    size_t path_size = strcspn(base.path, "?#");
    if (text_has_prefix(location, "//"))
        text_add_n(out, from, (size_t)(scheme_end - from) + 1);
    else if (!whole)
        text_add_n(out, from, (size_t)(base.path - from));
    if (!whole && *location == '?') {
        text_add_n(out, base.path, path_size);
    } else if (!whole && *location != '/') {
        while (path_size > 0 && base.path[path_size - 1] != '/')
            path_size--;
        text_add_n(out, path_size > 0 ? base.path : "/", path_size > 0 ? path_size : 1);
    }
    text_add_n(out, location, size);
    return text_ok(out);
}

bool redirect_same_host(const char *left, const char *right)
{
    struct http_url urls[2];

    return http_url_parse(left, &urls[0]) && http_url_parse(right, &urls[1]) &&
           text_equal_nocase(urls[0].host, urls[1].host);
}
