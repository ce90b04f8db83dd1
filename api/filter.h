/* `$filter` of ARM's lists: a few properties compared with texts, joined by `and` and `or`.
 *
 *     filter  = term { ("and" | "or") term }                       `and` binds closer; no brackets
 *     term    = property ("eq" | "ne") 'text'
 *             | substringof('text', property)                      name, resourceGroup
 *             | startswith(tagName, 'text')
 *     property = name | resourceGroup | resourceType | location | tagName | tagValue
 *
 * A quote within a text is doubled. Words match without case, and so does what they are compared with, but for the
 * values of tags. `tagValue eq` says of the tag that a `tagName eq` beside it names which value it has.
 * Source: aci/microsoft-resources, Resources_List.   Threads: any; pure. */
#ifndef API_FILTER_H
#define API_FILTER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/limits.h"

enum filter_property {
    FILTER_NAME = 1 << 0,
    FILTER_RESOURCE_GROUP = 1 << 1,
    FILTER_RESOURCE_TYPE = 1 << 2,
    FILTER_LOCATION = 1 << 3,
    FILTER_TAG_NAME = 1 << 4,
    FILTER_TAG_VALUE = 1 << 5,
};
enum { FILTER_TAGS = FILTER_TAG_NAME | FILTER_TAG_VALUE, FILTER_ALL = (1 << 6) - 1 };

enum filter_test { FILTER_EQUAL, FILTER_UNEQUAL, FILTER_HOLDS, FILTER_BEGINS };

struct filter_term {
    enum filter_property property;
    enum filter_test test;
    const char *text;
    const char *tag_value; /* of a FILTER_TAG_NAME; NULL: any */
    bool or_before;        /* it begins a new alternative */
};
struct filter {
    struct filter_term terms[LIMIT_FILTER_TERMS_MAX];
    size_t count; /* 0: everything fits */
};

/* ERR_FILTER says what of it is not understood or not among `allowed`. Texts live in the arena. */
bool filter_parse(const char *text, unsigned allowed, struct arena *arena, struct filter *filter,
                  struct err *err) MUST_CHECK;

/* What a filter asks about one resource. */
struct filter_facts {
    const char *name, *resource_group, *resource_type, *location;
    const struct text_map *tags;
};
bool filter_fits(const struct filter *filter, const struct filter_facts *facts);

/* The term every resource that fits must pass and an index can answer: the only alternative's first FILTER_EQUAL of
 * that property. NULL: there is none. */
const struct filter_term *filter_must(const struct filter *filter, enum filter_property property);

#endif
