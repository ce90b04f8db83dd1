#include "api/page.h"

#include <string.h>

enum { KEY_DIGITS = 16 };

bool key_parse(const char *text, int64_t *key)
{
    const char *digits = "0123456789abcdef";
    size_t size = strnlen(text, KEY_DIGITS + 1);
    uint64_t value = 0;

    if (size == 0 || size > KEY_DIGITS)
        return false;
    for (const char *at = text; *at; at++) {
        const char *digit = strchr(digits, *at);
        if (!digit)
            return false;
        value = value << 4 | (uint64_t)(digit - digits);
    }
    if (value == 0 || value > INT64_MAX)
        return false;
    *key = (int64_t)value;
    return true;
}

static bool rows_take(const struct request *request, size_t *rows_max, struct err *err)
{
    const char *top = request_query(request, "$top");
    int64_t rows = LIMIT_PAGE_ITEMS;

    if (top && (!text_to_int(top, &rows) || rows < 1))
        return err_set(err, ERR_BAD_QUERY, "the value of '$top' must be a number from 1 on");
    *rows_max = (size_t)(rows < LIMIT_PAGE_ITEMS_MAX ? rows : LIMIT_PAGE_ITEMS_MAX);
    return true;
}

static bool foreign_cursor(struct err *err)
{
    return err_set(err, ERR_BAD_QUERY, "the value of '$skiptoken' is none that this list gave out");
}

bool page_take(const struct request *request, char list, struct page *page, struct err *err)
{
    const char *cursor = request_query(request, "$skiptoken");

    *page = (struct page){0};
    if (cursor && !(cursor[0] == list && key_parse(cursor + 1, &page->after_key)))
        return foreign_cursor(err);
    return rows_take(request, &page->rows_max, err);
}

bool name_page_take(const struct request *request, char list, struct name_page *page,
                    struct err *err)
{
    const char *cursor = request_query(request, "$skiptoken");

    *page = (struct name_page){.after = cursor ? cursor + 1 : ""};
    if (cursor && (cursor[0] != list || !cursor[1]))
        return foreign_cursor(err);
    return rows_take(request, &page->rows_max, err);
}

/* Written back as it must stand in a URL. */
static void add_encoded(struct text *out, const char *value)
{
    for (; *value; value++) {
        unsigned char byte = (unsigned char)*value;
        if ((byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
            (byte >= 'A' && byte <= 'Z') || strchr("-._~$", *value))
            text_add_char(out, *value);
        else
            text_addf(out, "%%%02X", byte);
    }
}

void name_page_link(struct request *request, char list, const char *next)
{
    AUTO(text) *link = text_new(LIMIT_HTTP_URI_MAX);
    const char *between = "?";

    if (!next)
        return;
    text_add(link, request_base(request));
    text_add_n(link, request->uri, strcspn(request->uri, "?#"));
    for (size_t i = 0; i < request->query_count; i++) {
        if (text_equal_nocase(request->query[i].key, "$skiptoken"))
            continue;
        text_add(link, between);
        add_encoded(link, request->query[i].key);
        text_add(link, "=");
        add_encoded(link, request->query[i].value);
        between = "&";
    }
    text_addf(link, "%s$skiptoken=%c", between, list);
    add_encoded(link, next);
    if (!text_ok(link))
        return;
    text_add(request->out, ",\"nextLink\":");
    text_add_json(request->out, link->bytes);
}

void page_link(struct request *request, char list, int64_t next_key)
{
    char key[KEY_DIGITS + 1];

    if (next_key == 0)
        return;
    if (text_format(key, sizeof key, "%llx", (unsigned long long)next_key))
        name_page_link(request, list, key);
}
