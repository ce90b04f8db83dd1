/* ETags of groups: "KEY.GENERATION.REVISION", in hexadecimal. The first two change when a client
 * changes what is asked for, the last with everything that is shown. A read asks whether all of it
 * is the same (304); a change only whether the first two are, or a client could never hold on to a
 * group whose node reports while it thinks. Lists: "r.REVISION" of the store. */
#include "api/handlers/group.h"

#include <string.h>

enum { TAG_SIZE = 64 };

static void tag_of(const struct group_row *row, char out[TAG_SIZE])
{
    text_format(out, TAG_SIZE, "%llx.%llx.%llx", (unsigned long long)row->key,
                (unsigned long long)row->generation, (unsigned long long)row->revision);
}

void group_etag_give(struct request *request, const struct group_row *row)
{
    char tag[TAG_SIZE];

    tag_of(row, tag);
    reply_header(request, "ETag", "\"%s\"", tag);
}

/* The next of `W/"a", "b", *` without its quotes; false at the end. What is no tag fits nothing. */
static bool next_tag(const char **list, const char **tag, size_t *size)
{
    const char *at = *list + strspn(*list, " \t,");

    if (*at == '\0')
        return false;
    if (strncmp(at, "W/", 2) == 0)
        at += 2;
    bool quoted = *at == '"';
    *tag = at + quoted;
    *size = quoted ? strcspn(*tag, "\"") : strcspn(*tag, " \t,");
    at = *tag + *size;
    *list = at + (quoted && *at == '"');
    return true;
}

/* Whether one of them begins with the first `size` bytes of `tag`, and ends there or at a dot. */
static bool list_has(const char *list, const char *tag, size_t size)
{
    const char *found;
    size_t found_size;

    while (next_tag(&list, &found, &found_size)) {
        if (found_size == 1 && found[0] == '*')
            return true;
        if (found_size >= size && memcmp(found, tag, size) == 0 &&
            (found_size == size || found[size] == '.'))
            return true;
    }
    return false;
}

/* Whether the header's tags fit the group in what was asked for. */
static bool fits(const char *list, const struct group_row *row)
{
    char tag[TAG_SIZE];

    if (!row)
        return false;
    tag_of(row, tag);
    return list_has(list, tag, (size_t)(strrchr(tag, '.') - tag));
}

bool group_precondition(const struct request *request, const struct group_row *row, struct err *err)
{
    const char *match = request_header(request, "If-Match");
    const char *none = request_header(request, "If-None-Match");

    if (match && !fits(match, row))
        return err_set(err, ERR_PRECONDITION,
                       row ? "The container group '%.63s' is not what If-Match names: it was "
                             "changed since. Read it again."
                           : "The container group '%.63s' is not what If-Match names: there is "
                             "none.",
                       request->names[2]);
    if (none && fits(none, row))
        return err_set(err, ERR_PRECONDITION,
                       "The container group '%.63s' is there already, which If-None-Match rules "
                       "out.",
                       request->names[2]);
    return true;
}

static bool not_modified(struct request *request, const char *tag)
{
    const char *known = request_header(request, "If-None-Match");

    reply_header(request, "ETag", "\"%s\"", tag);
    if (!known || !list_has(known, tag, strlen(tag)))
        return false;
    return reply_empty(request, 304);
}

bool group_not_modified(struct request *request, const struct group_row *row)
{
    char tag[TAG_SIZE];

    tag_of(row, tag);
    return not_modified(request, tag);
}

bool list_not_modified(struct request *request, int64_t revision)
{
    char tag[TAG_SIZE];

    text_format(tag, sizeof tag, "r.%llx", (unsigned long long)revision);
    return not_modified(request, tag);
}
