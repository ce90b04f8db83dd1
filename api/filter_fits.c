/* Asking a filter that was read. */
#include "api/filter.h"

#include "base/text.h"

#include <string.h>

static bool holds_nocase(const char *text, const char *part)
{
    size_t size = strlen(part);

    for (; strlen(text) >= size; text++) {
        if (strncasecmp(text, part, size) == 0)
            return true;
    }
    return false;
}

static bool text_passes(const struct filter_term *term, const char *text)
{
    switch (term->test) {
    case FILTER_EQUAL:
        return text_equal_nocase(text, term->text);
    case FILTER_UNEQUAL:
        return !text_equal_nocase(text, term->text);
    case FILTER_HOLDS:
        return holds_nocase(text, term->text);
    case FILTER_BEGINS:
        return strncasecmp(text, term->text, strlen(term->text)) == 0;
    }
    return false;
}

static bool tags_pass(const struct filter_term *term, const struct text_map *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (text_passes(term, tags->items[i].key) &&
            (!term->tag_value || strcmp(term->tag_value, tags->items[i].value) == 0))
            return true;
    }
    return false;
}

static bool term_passes(const struct filter_term *term, const struct filter_facts *facts)
{
    switch (term->property) {
    case FILTER_NAME:
        return text_passes(term, facts->name);
    case FILTER_RESOURCE_GROUP:
        return text_passes(term, facts->resource_group);
    case FILTER_RESOURCE_TYPE:
        return text_passes(term, facts->resource_type);
    case FILTER_LOCATION:
        return text_passes(term, facts->location);
    case FILTER_TAG_NAME:
        return tags_pass(term, facts->tags);
    case FILTER_TAG_VALUE:
        return true; /* asked with its name */
    }
    return false;
}

bool filter_fits(const struct filter *filter, const struct filter_facts *facts)
{
    bool fits = true;

    for (size_t i = 0; i < filter->count; i++) {
        if (filter->terms[i].or_before) {
            if (fits)
                return true;
            fits = true;
        }
        fits = fits && term_passes(&filter->terms[i], facts);
    }
    return fits;
}

const struct filter_term *filter_must(const struct filter *filter, enum filter_property property)
{
    const struct filter_term *found = NULL;

    for (size_t i = 0; i < filter->count; i++) {
        if (filter->terms[i].or_before)
            return NULL;
        if (!found && filter->terms[i].property == property &&
            filter->terms[i].test == FILTER_EQUAL)
            found = &filter->terms[i];
    }
    return found;
}
