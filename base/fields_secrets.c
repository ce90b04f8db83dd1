/* Secrets apart from their document: taken out under their paths, put back by them. */
#include "base/fields_inner.h"

#include <string.h>

/* ---- out ---- */

static void collect(const struct schema *schema, const void *value, const struct place *place,
                    struct text *out, bool *comma);

static void collect_secret(const struct field *field, const void *value, const struct place *above,
                           struct text *out, bool *comma)
{
    AUTO(text) *path = text_new(PATH_TEXT_MAX);
    struct place place = place_member(above, field->name);
    place_print(&place, path);
    if (!text_ok(path)) {
        out->failed = true;
        return;
    }
    if (*comma)
        text_add_char(out, ',');
    *comma = true;
    text_add_json(out, path->bytes);
    text_add_char(out, ':');
    member_print(field, value, FIELDS_WITH_SECRETS, out);
}

static void collect_below(const struct field *field, const void *value, const struct place *above,
                          struct text *out, bool *comma)
{
    const char *below = *(const char *const *)member_in(field, value);
    if (!below)
        return;
    struct place place = place_member(above, field->name);
    if (field->kind == FIELD_OBJECT)
        collect(field->schema, below, &place, out, comma);
    for (size_t i = 0; field->kind == FIELD_ITEMS_ && i < count_in(field, value); i++) {
        struct place item = place_item(&place, i);
        collect(field->schema, below + i * field->schema->size, &item, out, comma);
    }
}

static void collect(const struct schema *schema, const void *value, const struct place *place,
                    struct text *out, bool *comma)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if ((field->flags & FIELD_SECRET) != 0) {
            if (member_is_given(field, member_in(field, value)))
                collect_secret(field, value, place, out, comma);
        } else if (field->kind == FIELD_OBJECT || field->kind == FIELD_ITEMS_) {
            collect_below(field, value, place, out, comma);
        }
    }
}

/* Most documents have none, and paths cost more than looking. */
static bool has_secrets(const struct schema *schema, const void *value)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        const void *member = member_in(field, value);
        if ((field->flags & FIELD_SECRET) != 0 && member_is_given(field, member))
            return true;
        if ((field->flags & FIELD_SECRET) != 0 || !field->schema)
            continue;
        const char *below = *(const char *const *)member;
        size_t count = field->kind == FIELD_ITEMS_ ? count_in(field, value) : 1;
        for (size_t k = 0; below && k < count; k++)
            if (has_secrets(field->schema, below + k * field->schema->size))
                return true;
    }
    return false;
}

void fields_secrets(const struct schema *schema, const void *value, struct text *out)
{
    bool comma = false;
    if (!out)
        return;
    text_add_char(out, '{');
    if (has_secrets(schema, value))
        collect(schema, value, NULL, out, &comma);
    text_add_char(out, '}');
}

/* ---- back ---- */

/* The part of a path up to the next '.' or '[', found in the table; NULL: no such member. */
static const struct field *step(const struct schema *schema, const char **path)
{
    size_t size = strcspn(*path, ".[");
    for (size_t i = 0; i < schema->count; i++) {
        const char *name = schema->fields[i].name;
        if (strncmp(name, *path, size) == 0 && name[size] == '\0') {
            *path += size;
            return &schema->fields[i];
        }
    }
    return NULL;
}

static bool read_index(const char **path, size_t *index)
{
    *index = 0;
    if (**path != '[')
        return false;
    for ((*path)++; **path >= '0' && **path <= '9' && *index < 1000000; (*path)++)
        *index = *index * 10 + (size_t)(**path - '0');
    return *(*path)++ == ']';
}

/* Follows `path` into `*value`; NULL when it leads nowhere now. */
static const struct field *follow(const struct schema *schema, const char *path, void **value)
{
    for (;;) {
        const struct field *field = step(schema, &path);
        size_t index = 0;
        if (!field)
            return NULL;
        if (*path == '\0')
            return (field->flags & FIELD_SECRET) != 0 ? field : NULL;
        char *below = NULL;
        if (field->kind == FIELD_OBJECT || field->kind == FIELD_ITEMS_)
            below = *(char **)member_of(field, *value);
        if (!below || (field->kind == FIELD_ITEMS_ &&
                       (!read_index(&path, &index) || index >= *count_of(field, *value))))
            return NULL;
        if (*path++ != '.')
            return NULL;
        *value = below + index * field->schema->size;
        schema = field->schema;
    }
}

static bool fill(struct reader *reader, const struct schema *schema, void *value)
{
    struct scan *scan = &reader->scan;
    struct scan_slice name;
    bool given;
    if (scan_type(scan) != SCAN_OBJECT)
        return scan_fault(scan, "an object was expected");
    scan_enter(scan);
    while (scan_member(scan, &name)) {
        void *holder = value;
        const char *path = arena_text_n(reader->arena, name.bytes, name.size);
        if (!path)
            return scan_fault_memory(scan);
        const struct field *field = follow(schema, path, &holder);
        struct place place = place_member(NULL, path);
        if (field ? !read_member(reader, field, &place, holder, &given) : !scan_skip(scan))
            return false;
    }
    return !scan->wrong;
}

static bool report_fault(const struct scan *scan, struct err *err)
{
    if (scan->exhausted)
        return err_set(err, ERR_TOO_LARGE, "There are more secrets than may be kept.");
    return err_set(err, ERR_BAD_JSON, "The kept secrets are not valid JSON: %s.", scan->wrong);
}

bool fields_fill_secrets(const struct schema *schema, void *value, const char *json, size_t size,
                         struct arena *arena, struct err *err)
{
    struct problems problems;
    problems_init(&problems, arena);
    struct reader reader = {.arena = arena, .problems = &problems, .trusted = true};
    scan_init(&reader.scan, json, size, arena);
    bool filled = fill(&reader, schema, value) || report_fault(&reader.scan, err);
    scan_done(&reader.scan);
    return filled && problems_to_err(&problems, err);
}
