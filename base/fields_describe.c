/* A table as JSON Schema, so that the contract is printed from what is checked. */
#include "base/fields_inner.h"

#include "base/limits.h"

#include <string.h>

static void add_key(struct text *out, const char *key)
{
    text_addf(out, ",\"%s\":", key);
}

static void add_bound(struct text *out, const char *key, const struct field *field, int64_t bound)
{
    char digits[MILLI_SIZE];
    add_key(out, key);
    if (field->kind == FIELD_DECIMAL)
        text_add(out, milli_format(bound, digits));
    else
        text_add_int(out, bound);
}

/* `least` and `most` are the words for this kind: minimum, minLength, minItems, … */
static void add_bounds(struct text *out, const struct field *field, const char *least,
                       const char *most, int64_t most_by_default)
{
    bool bounded = field->min != 0 || field->max != 0;
    int64_t max = field->max != 0 || field->min < 0 ? field->max : most_by_default;
    if (bounded && (field->min != 0 || most_by_default == 0))
        add_bound(out, least, field, field->min);
    if (max != 0 || (bounded && field->min < 0))
        add_bound(out, most, field, max);
}

static void add_type(struct text *out, const struct field *field, const char *type)
{
    if ((field->flags & FIELD_NULLABLE) != 0)
        text_addf(out, ",\"type\":[\"%s\",\"null\"]", type);
    else
        text_addf(out, ",\"type\":\"%s\"", type);
}

static void add_words(struct text *out, const char *const *words)
{
    text_add(out, ",\"enum\":[");
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add_json(out, words[i]);
    }
    text_add_char(out, ']');
}

static void add_text(struct text *out, const struct field *field)
{
    add_type(out, field, "string");
    add_bounds(out, field, "minLength", "maxLength", LIMIT_STRING_MAX);
    if (field->pattern) {
        AUTO(text) *whole = text_new(1024);
        text_addf(whole, "^(%s)$", field->pattern);
        add_key(out, "pattern");
        text_add_json(out, text_ok(whole) ? whole->bytes : field->pattern);
    }
}

static void add_kind(struct text *out, const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
        add_text(out, field);
        break;
    case FIELD_BOOL:
    case FIELD_PLAIN_BOOL:
        add_type(out, field, "boolean");
        break;
    case FIELD_INT:
    case FIELD_PLAIN_INT:
        add_type(out, field, "integer");
        add_bounds(out, field, "minimum", "maximum", 0);
        break;
    case FIELD_DECIMAL:
        add_type(out, field, "number");
        add_bounds(out, field, "minimum", "maximum", 0);
        text_add(out, ",\"multipleOf\":0.001");
        break;
    case FIELD_WORD:
        add_type(out, field, "string");
        add_words(out, field->words);
        break;
    case FIELD_MAP:
        text_add(out, ",\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}");
        add_bounds(out, field, "minProperties", "maxProperties", LIMIT_LIST_MAX);
        break;
    case FIELD_LIST:
        text_add(out, ",\"type\":\"array\",\"items\":{\"type\":\"string\"}");
        add_bounds(out, field, "minItems", "maxItems", LIMIT_LIST_MAX);
        break;
    case FIELD_RAW:
        break; /* anything */
    case FIELD_OBJECT:
        text_addf(out, ",\"$ref\":\"#/components/schemas/%s\"", field->schema->name);
        break;
    case FIELD_ITEMS_:
        text_addf(out, ",\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/%s\"}",
                  field->schema->name);
        add_bounds(out, field, "minItems", "maxItems", LIMIT_LIST_MAX);
        break;
    }
}

static void add_default(struct text *out, const struct field *field)
{
    char digits[MILLI_SIZE];
    /* Plain numbers and flags say one without the flag; zero and false go without saying. */
    bool plain = field->kind == FIELD_PLAIN_INT || field->kind == FIELD_PLAIN_BOOL;
    bool declared = (field->flags & FIELD_HAS_FALLBACK) != 0 || (plain && field->fallback != 0);
    if (!declared || (field->flags & FIELD_READ_ONLY) != 0)
        return;
    add_key(out, "default");
    if (field->kind == FIELD_TEXT)
        text_add_json(out, field->fallback_text);
    else if (field->kind == FIELD_WORD)
        text_add_json(out, field->words[field->fallback]);
    else if (field->kind == FIELD_BOOL || field->kind == FIELD_PLAIN_BOOL)
        text_add(out, field->fallback ? "true" : "false");
    else if (field->kind == FIELD_DECIMAL)
        text_add(out, milli_format(field->fallback, digits));
    else
        text_add_int(out, field->fallback);
}

static void describe_field(struct text *out, const struct field *field)
{
    size_t first = out->size;
    add_kind(out, field);
    add_default(out, field);
    if ((field->flags & FIELD_READ_ONLY) != 0)
        text_add(out, ",\"readOnly\":true");
    if ((field->flags & FIELD_SECRET) != 0)
        text_add(out, ",\"writeOnly\":true");
    if (field->since)
        text_addf(out, ",\"x-since\":\"%s\"", field->since);
    if (field->code != ERR_OK)
        text_addf(out, ",\"x-error\":\"%s\"", err_code_name(field->code));
    if (field->doc) {
        add_key(out, "description");
        text_add_json(out, field->doc);
    }
    if (out->size == first)
        text_add_char(out, '{');
    else if (text_ok(out))
        out->bytes[first] = '{'; /* over the first comma */
    text_add_char(out, '}');
}

/* The names with `flag`, each within `before` and `after`. */
static void list_names(struct text *out, const struct schema *schema, unsigned flag,
                       const char *before, const char *after)
{
    size_t count = 0;
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->fields[i].flags & (flag | FIELD_HIDDEN)) == flag)
            text_addf(out, "%s%s\"%s\"%s", count++ > 0 ? "," : "", before, schema->fields[i].name,
                      after);
}

static bool has_flag(const struct schema *schema, unsigned flag)
{
    for (size_t i = 0; i < schema->count; i++)
        if ((schema->fields[i].flags & flag) != 0)
            return true;
    return false;
}

static void describe_one(const struct schema *schema, struct text *out)
{
    size_t count = 0;
    text_addf(out, "\"%s\":{\"type\":\"object\"", schema->name);
    if (schema->doc) {
        add_key(out, "description");
        text_add_json(out, schema->doc);
    }
    if (has_flag(schema, FIELD_REQUIRED)) {
        text_add(out, ",\"required\":[");
        list_names(out, schema, FIELD_REQUIRED, "", "");
        text_add_char(out, ']');
    }
    if (has_flag(schema, FIELD_ONE_OF)) {
        text_add(out, ",\"oneOf\":[");
        list_names(out, schema, FIELD_ONE_OF, "{\"required\":[", "]}");
        text_add_char(out, ']');
    }
    text_add(out, ",\"properties\":{");
    for (size_t i = 0; i < schema->count; i++) {
        if ((schema->fields[i].flags & FIELD_HIDDEN) != 0)
            continue;
        text_addf(out, "%s\"%s\":", count++ > 0 ? "," : "", schema->fields[i].name);
        describe_field(out, &schema->fields[i]);
    }
    text_add(out, "}}");
}

/* False when `name` was there already, or there is no memory to note it. */
static bool note_seen(struct text_list *seen, const char *name, struct text *out,
                      struct arena *arena)
{
    for (size_t i = 0; i < seen->count; i++)
        if (strcmp(seen->items[i], name) == 0)
            return false;
    if ((seen->count & (seen->count - 1)) == 0) { /* full at each power of two */
        const char **more = arena_array(arena, seen->count > 0 ? seen->count * 2 : 1, sizeof *more);
        if (!more) {
            out->failed = true;
            return false;
        }
        if (seen->count > 0)
            memcpy(more, seen->items, seen->count * sizeof *more);
        seen->items = more;
    }
    seen->given = true;
    seen->items[seen->count++] = name;
    return true;
}

void fields_describe(const struct schema *schema, struct text *out, struct text_list *seen,
                     struct arena *arena)
{
    if (!out || !note_seen(seen, schema->name, out, arena))
        return;
    if (seen->count > 1)
        text_add_char(out, ',');
    describe_one(schema, out);
    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].schema && (schema->fields[i].flags & FIELD_HIDDEN) == 0)
            fields_describe(schema->fields[i].schema, out, seen, arena);
}
