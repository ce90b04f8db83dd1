#include "base/scan.h"

#include "base/limits.h"
#include "base/scan_inner.h"
#include "base/text.h"

static const struct scan_token nothing = {.type = SCAN_NOTHING};

void scan_init(struct scan *scan, const char *bytes, size_t size, struct arena *arena)
{
    scan_init_within(scan, bytes, size, arena, LIMIT_JSON_TAPE_MAX);
}

void scan_init_within(struct scan *scan, const char *bytes, size_t size, struct arena *arena,
                      size_t tape_max)
{
    *scan = (struct scan){.bytes = bytes, .size = size, .arena = arena, .at = &nothing};
    scan->tape = arena_new(tape_max);
    if (!scan->tape || size >= LIMIT_JSON_TAPE_MAX)
        scan_fault_memory(scan);
    else
        scan_fill(scan);
}

void scan_done(struct scan *scan)
{
    arena_free(scan->tape);
    scan->tape = NULL;
    scan->at = &nothing;
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
    for (const char *at = scan->bytes; at < scan->bytes + scan->place; at++) {
        if (*at == '\n') {
            (*line)++;
            *column = 1;
        } else if (((unsigned char)*at & 0xC0) != 0x80) {
            (*column)++;
        }
    }
}

/* ---- one step ---- */

enum scan_type scan_type(const struct scan *scan)
{
    return scan->wrong ? SCAN_NOTHING : (enum scan_type)scan->at->type;
}

static void step(struct scan *scan)
{
    scan->at++;
    if (scan->at->type == SCAN_LINK)
        scan->at = (const void *)scan->at->bytes;
}

static bool expect(struct scan *scan, enum scan_type type, const char *wrong)
{
    return scan_type(scan) == type || scan_fault(scan, wrong);
}

bool scan_enter(struct scan *scan)
{
    if (scan_type(scan) != SCAN_OBJECT && !expect(scan, SCAN_ARRAY, "an array was expected"))
        return false;
    step(scan);
    return true;
}

bool scan_item(struct scan *scan)
{
    if (scan_type(scan) != SCAN_NOTHING)
        return true;
    if (!scan->wrong)
        step(scan);
    return false;
}

bool scan_member(struct scan *scan, struct scan_slice *name)
{
    if (!scan_item(scan))
        return false;
    *name = (struct scan_slice){scan->at->bytes, scan->at->size};
    scan->place = scan->at->place;
    step(scan);
    return true;
}

/* ---- values ---- */

bool scan_string(struct scan *scan, const char **text, size_t *size)
{
    if (!expect(scan, SCAN_STRING, "a string was expected"))
        return false;
    char *copy = arena_text_n(scan->arena, scan->at->bytes, scan->at->size);
    if (!copy)
        return scan_fault_memory(scan);
    *text = copy;
    if (size)
        *size = scan->at->size;
    step(scan);
    return true;
}

bool scan_bool(struct scan *scan, bool *value)
{
    if (!expect(scan, SCAN_BOOL, "true or false was expected"))
        return false;
    *value = scan->at->size == 1;
    step(scan);
    return true;
}

static bool walk(struct scan *scan, struct text *out);

static bool walk_object(struct scan *scan, struct text *out)
{
    struct scan_names names = {0};
    struct scan_slice name;
    bool is_new = true;
    text_add_char(out, '{');
    scan_enter(scan);
    for (bool comma = false; scan_member(scan, &name); comma = true) {
        if (!scan_names_add(scan, &names, name, &is_new))
            return false;
        if (!is_new)
            return scan_fault(scan, "a property is given twice");
        if (comma)
            text_add_char(out, ',');
        text_add_json_n(out, name.bytes, name.size);
        text_add_char(out, ':');
        walk(scan, out);
    }
    text_add_char(out, '}');
    return !scan->wrong;
}

static bool walk_array(struct scan *scan, struct text *out)
{
    text_add_char(out, '[');
    scan_enter(scan);
    for (bool comma = false; scan_item(scan); comma = true) {
        if (comma)
            text_add_char(out, ',');
        walk(scan, out);
    }
    text_add_char(out, ']');
    return !scan->wrong;
}

/* Over one value. `out` NULL: nobody reads it. */
static bool walk(struct scan *scan, struct text *out)
{
    const struct scan_token *token = scan->at;
    switch (scan_type(scan)) {
    case SCAN_OBJECT:
        return walk_object(scan, out);
    case SCAN_ARRAY:
        return walk_array(scan, out);
    case SCAN_STRING:
        text_add_json_n(out, token->bytes, token->size);
        break;
    case SCAN_NUMBER:
        text_add_n(out, token->bytes, token->size);
        break;
    case SCAN_BOOL:
        text_add(out, token->size == 1 ? "true" : "false");
        break;
    case SCAN_NULL:
        text_add(out, "null");
        break;
    case SCAN_NOTHING:
        return scan_fault(scan, "a value was expected");
    }
    step(scan);
    return true;
}

bool scan_skip(struct scan *scan)
{
    return walk(scan, NULL);
}

bool scan_raw(struct scan *scan, const char **text)
{
    AUTO(text) *out = text_new(LIMIT_JSON_TAPE_MAX);
    if (!walk(scan, out))
        return false;
    char *copy = text_ok(out) ? arena_text_n(scan->arena, out->bytes, out->size) : NULL;
    if (!copy)
        return scan_fault_memory(scan);
    *text = copy;
    return true;
}
