/* Reading $filter. Asking it: filter_fits.c. */
#include "api/filter.h"

#include "base/text.h"
#include "model/resource_id.h"

#include <ctype.h>
#include <string.h>

enum { WORD_SIZE = 32, SHOWN_MAX = 120 };

struct reading {
    const char *whole, *at;
    unsigned allowed;
    struct arena *arena;
    struct filter *filter;
    struct err *err;
};

static const struct {
    const char *word;
    enum filter_property property;
    unsigned tests; /* 1 << enum filter_test */
} properties[] = {
    {"name", FILTER_NAME, 1 << FILTER_EQUAL | 1 << FILTER_UNEQUAL | 1 << FILTER_HOLDS},
    {"resourceGroup", FILTER_RESOURCE_GROUP,
     1 << FILTER_EQUAL | 1 << FILTER_UNEQUAL | 1 << FILTER_HOLDS},
    {"resourceType", FILTER_RESOURCE_TYPE, 1 << FILTER_EQUAL | 1 << FILTER_UNEQUAL},
    {"location", FILTER_LOCATION, 1 << FILTER_EQUAL | 1 << FILTER_UNEQUAL},
    {"tagName", FILTER_TAG_NAME, 1 << FILTER_EQUAL | 1 << FILTER_BEGINS},
    {"tagValue", FILTER_TAG_VALUE, 1 << FILTER_EQUAL},
};

static bool wrong(const struct reading *reading, const char *why, const char *what)
{
    return err_set(reading->err, ERR_FILTER,
                   "Invalid $filter '%.*s' specified in the query string: %s%.40s.", SHOWN_MAX,
                   reading->whole, why, what);
}

static bool no_memory(const struct reading *reading)
{
    return err_set(reading->err, ERR_BUSY, "out of memory reading $filter");
}

/* ---- pieces ---- */

static void skip_blanks(struct reading *reading)
{
    reading->at += strspn(reading->at, " \t");
}

/* A word with all its letters, "" when none stands there. */
static void take_word(struct reading *reading, char word[WORD_SIZE])
{
    size_t size = 0;

    skip_blanks(reading);
    while (isalnum((unsigned char)reading->at[size]) || reading->at[size] == '/')
        size++;
    text_format(word, WORD_SIZE, "%.*s", (int)(size < WORD_SIZE ? size : WORD_SIZE - 1),
                reading->at);
    reading->at += size;
}

static bool take_char(struct reading *reading, char wanted)
{
    char shown[] = {'\'', wanted, '\'', '\0'};

    skip_blanks(reading);
    if (*reading->at != wanted)
        return wrong(reading, "it misses ", shown);
    reading->at++;
    return true;
}

/* Behind its first quote: copies up to the last one. */
static bool take_quoted(struct reading *reading, char *out)
{
    while (*reading->at) {
        if (*reading->at == '\'' && *++reading->at != '\'') {
            *out = '\0';
            return true;
        }
        *out++ = *reading->at++;
    }
    return wrong(reading, "a text has no end", "");
}

static bool take_text(struct reading *reading, const char **text)
{
    char *copy;

    if (!take_char(reading, '\''))
        return false;
    copy = arena_text(reading->arena, reading->at);
    if (!copy)
        return no_memory(reading);
    *text = copy;
    return take_quoted(reading, copy);
}

static bool property_take(struct reading *reading, const char *word, enum filter_test test,
                          enum filter_property *property)
{
    for (size_t i = 0; i < COUNT_OF(properties); i++) {
        if (!text_equal_nocase(properties[i].word, word))
            continue;
        if (!(properties[i].property & reading->allowed))
            break;
        if (!(properties[i].tests & 1u << test))
            return wrong(reading, "that comparison is not known for ", properties[i].word);
        *property = properties[i].property;
        return true;
    }
    return wrong(reading, "no filter here is ", word);
}

/* ---- terms ---- */

/* substringof('text', property) */
static bool take_holds(struct reading *reading, struct filter_term *term)
{
    char word[WORD_SIZE];

    term->test = FILTER_HOLDS;
    if (!take_char(reading, '(') || !take_text(reading, &term->text) || !take_char(reading, ','))
        return false;
    take_word(reading, word);
    return property_take(reading, word, term->test, &term->property) && take_char(reading, ')');
}

/* startswith(property, 'text') */
static bool take_begins(struct reading *reading, struct filter_term *term)
{
    char word[WORD_SIZE];

    term->test = FILTER_BEGINS;
    if (!take_char(reading, '('))
        return false;
    take_word(reading, word);
    return property_take(reading, word, term->test, &term->property) && take_char(reading, ',') &&
           take_text(reading, &term->text) && take_char(reading, ')');
}

static bool take_compared(struct reading *reading, const char *property, struct filter_term *term)
{
    char word[WORD_SIZE];

    take_word(reading, word);
    if (text_equal_nocase(word, "eq"))
        term->test = FILTER_EQUAL;
    else if (text_equal_nocase(word, "ne"))
        term->test = FILTER_UNEQUAL;
    else
        return wrong(reading, word[0] ? "no comparison is " : "it misses a comparison", word);
    if (!property_take(reading, property, term->test, &term->property) ||
        !take_text(reading, &term->text))
        return false;
    if (term->property == FILTER_LOCATION) /* 'West US' is westus */
        term->text = location_normal(term->text, reading->arena);
    return term->text || no_memory(reading);
}

static bool take_term(struct reading *reading, bool or_before)
{
    struct filter *filter = reading->filter;
    struct filter_term *term = &filter->terms[filter->count];
    char word[WORD_SIZE];

    if (filter->count == LIMIT_FILTER_TERMS_MAX)
        return wrong(reading, "it has too many terms", "");
    *term = (struct filter_term){.or_before = or_before};
    filter->count++;
    take_word(reading, word);
    if (!word[0])
        return wrong(reading, "a property is expected before ",
                     *reading->at ? reading->at : "its end");
    if (text_equal_nocase(word, "substringof"))
        return take_holds(reading, term);
    if (text_equal_nocase(word, "startswith"))
        return take_begins(reading, term);
    return take_compared(reading, word, term);
}

static bool take_terms(struct reading *reading)
{
    char word[WORD_SIZE];

    if (!take_term(reading, false))
        return false;
    for (;;) {
        take_word(reading, word);
        if (!word[0] && !*reading->at)
            return true;
        if (text_equal_nocase(word, "or") || text_equal_nocase(word, "and")) {
            if (!take_term(reading, text_equal_nocase(word, "or")))
                return false;
        } else {
            return wrong(reading, "'and' or 'or' is expected before ",
                         word[0] ? word : reading->at);
        }
    }
}

/* ---- tags: a value belongs to the name beside it ---- */

/* One past the last term of the alternative that begins there. */
static size_t alternative_end(const struct filter *filter, size_t begin)
{
    size_t end = begin + 1;

    while (end < filter->count && !filter->terms[end].or_before)
        end++;
    return end;
}

/* The only one of an alternative, the first that fits; NULL: none. */
static struct filter_term *alternative_find(struct filter *filter, size_t begin, size_t end,
                                            enum filter_property property, enum filter_test test)
{
    for (size_t i = begin; i < end; i++) {
        if (filter->terms[i].property == property && filter->terms[i].test == test)
            return &filter->terms[i];
    }
    return NULL;
}

static bool pair_one(struct reading *reading, size_t begin, size_t end)
{
    struct filter_term *value =
        alternative_find(reading->filter, begin, end, FILTER_TAG_VALUE, FILTER_EQUAL);
    struct filter_term *name =
        alternative_find(reading->filter, begin, end, FILTER_TAG_NAME, FILTER_EQUAL);

    if (!value)
        return true;
    if (!name)
        return wrong(reading, "tagValue needs 'tagName eq' beside it", "");
    for (size_t i = begin; i < end; i++) {
        const struct filter_term *other = &reading->filter->terms[i];
        if (other != value && other != name && (other->property & FILTER_TAGS))
            return wrong(reading, "it asks for the values of several tags at once", "");
    }
    name->tag_value = value->text;
    return true;
}

static bool pair_tags(struct reading *reading)
{
    struct filter *filter = reading->filter;

    for (size_t begin = 0; begin < filter->count;) {
        size_t end = alternative_end(filter, begin);
        if (!pair_one(reading, begin, end))
            return false;
        begin = end;
    }
    return true;
}

bool filter_parse(const char *text, unsigned allowed, struct arena *arena, struct filter *filter,
                  struct err *err)
{
    struct filter read = {0};
    struct reading reading = {text, text, allowed, arena, &read, err};

    skip_blanks(&reading);
    if (*reading.at && (!take_terms(&reading) || !pair_tags(&reading)))
        return false;
    *filter = read;
    return true;
}
