#include "base/scan.h"

#include "base/limits.h"

#include <string.h>

void scan_init(struct scan *scan, const char *bytes, size_t size, struct arena *arena)
{
    *scan = (struct scan){.start = bytes, .at = bytes, .end = bytes + size, .arena = arena};
}

bool scan_fault(struct scan *scan, const char *wrong)
{
    if (!scan->wrong)
        scan->wrong = wrong;
    return false;
}

bool scan_fault_memory(struct scan *scan)
{
    if (!scan->wrong)
        scan->exhausted = true;
    return scan_fault(scan, "there is more in it than may be kept");
}

void scan_place(const struct scan *scan, int *line, int *column)
{
    *line = *column = 1;
    for (const char *at = scan->start; at < scan->at; at++) {
        if (*at == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)*at & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end &&
           (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' || *scan->at == '\t'))
        scan->at++;
}

enum scan_type scan_type(struct scan *scan)
{
    skip_space(scan);
    if (scan->wrong || scan->at == scan->end)
        return SCAN_NOTHING;
    switch (*scan->at) {
    case '{':
        return SCAN_OBJECT;
    case '[':
        return SCAN_ARRAY;
    case '"':
        return SCAN_STRING;
    case 't':
    case 'f':
        return SCAN_BOOL;
    case 'n':
        return SCAN_NULL;
    default:
        return *scan->at == '-' || (*scan->at >= '0' && *scan->at <= '9') ? SCAN_NUMBER
                                                                          : SCAN_NOTHING;
    }
}

/* What to say where a value was due and none begins. */
static bool fault_no_value(struct scan *scan)
{
    if (scan->at == scan->end)
        return scan_fault(scan, "it ends too early");
    return scan_fault(scan,
                      *scan->at == '\0' ? "a NUL byte is not allowed" : "a value was expected");
}

/* ---- objects and arrays ---- */

bool scan_enter(struct scan *scan)
{
    if (scan->wrong)
        return false;
    if (scan->depth >= LIMIT_JSON_DEPTH_MAX)
        return scan_fault(scan, "it is nested too deep");
    scan->depth++;
    scan->at++;
    scan->fresh = true;
    return true;
}

static bool leave(struct scan *scan)
{
    scan->at++;
    scan->depth--;
    scan->fresh = false;
    return false;
}

/* True when another member or item comes: behind the comma, or behind the opening bracket. */
static bool another(struct scan *scan, char closing, const char *wrong)
{
    if (scan->wrong)
        return false;
    skip_space(scan);
    if (scan->at == scan->end)
        return scan_fault(scan, "it ends too early");
    if (*scan->at == closing)
        return leave(scan);
    if (scan->fresh) {
        scan->fresh = false;
        return true;
    }
    if (*scan->at != ',')
        return scan_fault(scan, wrong);
    scan->at++;
    return true;
}

bool scan_item(struct scan *scan)
{
    return another(scan, ']', "',' or ']' was expected");
}

bool scan_member(struct scan *scan, struct scan_slice *name)
{
    if (!another(scan, '}', "',' or '}' was expected"))
        return false;
    skip_space(scan);
    if (scan->at == scan->end)
        return scan_fault(scan, "it ends too early");
    if (*scan->at != '"')
        return scan_fault(scan, "a property name in double quotes was expected");
    if (!scan_slice(scan, name))
        return false;
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != ':')
        return scan_fault(scan, "':' was expected");
    scan->at++;
    return true;
}

/* ---- words ---- */

static bool take_word(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0)
        return scan_fault(scan, "a value was expected");
    scan->at += size;
    return true;
}

bool scan_bool(struct scan *scan, bool *value)
{
    if (scan_type(scan) != SCAN_BOOL)
        return scan_fault(scan, "a value was expected");
    bool yes = *scan->at == 't';
    if (!take_word(scan, yes ? "true" : "false"))
        return false;
    *value = yes;
    return true;
}

bool scan_null(struct scan *scan)
{
    return scan_type(scan) == SCAN_NULL ? take_word(scan, "null") : fault_no_value(scan);
}

bool scan_end(struct scan *scan)
{
    skip_space(scan);
    return !scan->wrong && (scan->at == scan->end || scan_fault(scan, "something follows its end"));
}

/* ---- values nobody reads ---- */

static bool skip_object(struct scan *scan)
{
    struct scan_names names = {0};
    struct scan_slice name;
    bool is_new = true;
    scan_enter(scan);
    while (scan_member(scan, &name) && scan_names_add(scan, &names, name, &is_new)) {
        if (!is_new)
            return scan_fault(scan, "a property is given twice");
        scan_skip(scan);
    }
    return !scan->wrong;
}

static bool skip_array(struct scan *scan)
{
    scan_enter(scan);
    while (scan_item(scan))
        scan_skip(scan);
    return !scan->wrong;
}

bool scan_skip(struct scan *scan)
{
    struct scan_slice text;
    struct scan_number number;
    bool truth;
    switch (scan_type(scan)) {
    case SCAN_OBJECT:
        return skip_object(scan);
    case SCAN_ARRAY:
        return skip_array(scan);
    case SCAN_STRING:
        return scan_slice(scan, &text);
    case SCAN_NUMBER:
        return scan_number(scan, &number);
    case SCAN_BOOL:
        return scan_bool(scan, &truth);
    case SCAN_NULL:
        return scan_null(scan);
    case SCAN_NOTHING:
        break;
    }
    return fault_no_value(scan);
}

/* White space goes, but not within strings. The text was read already, so it is well formed. */
static void squeeze(char *out, const char *from, const char *end)
{
    bool quoted = false;
    char *to = out;
    for (; from < end; from++) {
        if (quoted && *from == '\\')
            *to++ = *from++;
        else if (*from == '"')
            quoted = !quoted;
        else if (!quoted && (*from == ' ' || *from == '\n' || *from == '\r' || *from == '\t'))
            continue;
        *to++ = *from;
    }
    *to = '\0';
}

bool scan_raw(struct scan *scan, const char **text)
{
    skip_space(scan);
    const char *from = scan->at;
    if (!scan_skip(scan))
        return false;
    char *copy = arena_text_n(scan->arena, from, (size_t)(scan->at - from));
    if (!copy)
        return scan_fault_memory(scan);
    squeeze(copy, from, scan->at);
    *text = copy;
    return true;
}
