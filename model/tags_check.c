#include "model/tags_check.h"

#include "base/limits.h"

#include <string.h>

/* Characters, as ARM counts, not bytes. */
static size_t length(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t")] == '\0';
}

/* Those that systems make for themselves may have any letters. */
static bool is_reserved(const char *name)
{
    return strncasecmp(name, "hidden", 6) == 0 || strncasecmp(name, "link", 4) == 0;
}

static bool has_reserved_letter(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name < 0x20 || *name == 0x7F || strchr("<>%&\\?/", *name))
            return true;
    }
    return false;
}

static bool name_check(const char *name, const char *field, struct problems *problems)
{
    if (is_blank(name))
        return problem_add(problems, ERR_TAG_NAME, field,
                           "The tag name must be non-null, non-empty and non-whitespace only. "
                           "Please provide an actual value.");
    if (length(name) > (size_t)LIMIT_TAG_NAME_MAX)
        return problem_add(problems, ERR_TAG_NAME, field,
                           "Tag key too large. Following tag name '%.60s…' exceeded the maximum "
                           "length. Maximum allowed length for tag name - '%lld' characters.",
                           name, (long long)LIMIT_TAG_NAME_MAX);
    if (!is_reserved(name) && has_reserved_letter(name))
        return problem_add(problems, ERR_TAG_LETTERS, field,
                           "The tag names '%.100s' have reserved characters '<,>,%%,&,\\,?,/' or "
                           "control characters. These characters are only allowed for tags that "
                           "start with the prefix 'hidden, link'.",
                           name);
    return true;
}

static bool value_check(const struct text_pair *tag, const char *field, struct problems *problems)
{
    if (!tag->value || length(tag->value) <= (size_t)LIMIT_TAG_VALUE_MAX)
        return true;
    return problem_add(problems, ERR_TAG_VALUE, field,
                       "Tag value too large. Following tag value '%.60s…' of '%.60s' exceeded the "
                       "maximum length. Maximum allowed length for tag value - '%lld' characters.",
                       tag->value, tag->key, (long long)LIMIT_TAG_VALUE_MAX);
}

static bool once_check(const struct text_map *tags, size_t index, const char *field,
                       struct problems *problems)
{
    for (size_t i = 0; i < index; i++) {
        if (text_equal_nocase(tags->items[i].key, tags->items[index].key))
            return problem_add(problems, ERR_TAG_NAME, field,
                               "The tag names '%.60s' and '%.60s' are one: case does not count.",
                               tags->items[i].key, tags->items[index].key);
    }
    return true;
}

bool tags_check(const struct text_map *tags, const char *field, struct problems *problems)
{
    bool good = true;

    for (size_t i = 0; i < tags->count; i++) {
        good &= name_check(tags->items[i].key, field, problems);
        good &= value_check(&tags->items[i], field, problems);
        good &= once_check(tags, i, field, problems);
    }
    return good;
}
