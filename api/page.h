/* Pages of lists: `$top`, the cursor in `$skiptoken`, and `nextLink`. A cursor is a row's key in
 * hexadecimal with a letter for its list in front; it says nothing that the list would not show, so
 * it is checked and not signed. */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/request.h"

struct page {
    int64_t after_key;
    size_t rows_max;
};

/* `list`: one letter. ERR_BAD_QUERY for what is no cursor of that list or no number. */
bool page_take(const struct request *request, char list, struct page *page, struct err *err)
    MUST_CHECK;
/* `,"nextLink":"…"`, nothing when next_key is 0. The same path and query, the cursor replaced. */
void page_link(struct request *request, char list, int64_t next_key);

/* The same for a list whose rows are told apart by a name: the name is the cursor. */
struct name_page {
    const char *after; /* "": from the beginning */
    size_t rows_max;
};
bool name_page_take(const struct request *request, char list, struct name_page *page,
                    struct err *err) MUST_CHECK;
/* `next`: the last name of this page; NULL: there are no more. */
void name_page_link(struct request *request, char list, const char *next);

/* A key as it stands in URLs: lower-case hexadecimal. */
bool key_parse(const char *text, int64_t *key) MUST_CHECK;

#endif
