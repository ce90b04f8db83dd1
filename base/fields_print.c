/* Structs to compact JSON, straight into the text. */
#include "base/fields_inner.h"

#include <string.h>

struct printer {
    enum fields_mode mode;
    struct text *out;
    size_t *splice;
};

static void print_object(const struct printer *printer, const struct schema *schema,
                         const void *value);

static void print_milli(struct text *out, int64_t milli)
{
    char text[MILLI_SIZE];
    text_add(out, milli_format(milli, text));
}

static void print_bool(struct text *out, bool value)
{
    text_add_n(out, value ? "true" : "false", value ? 4 : 5);
}

static void print_map(struct text *out, const struct text_map *map)
{
    text_add_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add_json(out, map->items[i].key);
        text_add_char(out, ':');
        text_add_json(out, map->items[i].value);
    }
    text_add_char(out, '}');
}

static void print_list(struct text *out, const struct text_list *list)
{
    text_add_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            text_add_char(out, ',');
        text_add_json(out, list->items[i]);
    }
    text_add_char(out, ']');
}

static void print_items(const struct printer *printer, const struct field *field, const void *value)
{
    const char *items = *(const char *const *)member_in(field, value);
    size_t count = count_in(field, value);
    text_add_char(printer->out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            text_add_char(printer->out, ',');
        print_object(printer, field->schema, items + i * field->schema->size);
    }
    text_add_char(printer->out, ']');
}

static void print_value(const struct printer *printer, const struct field *field, const void *value)
{
    struct text *out = printer->out;
    const void *member = member_in(field, value);
    switch (field->kind) {
    case FIELD_TEXT:
        text_add_json(out, *(const char *const *)member);
        break;
    case FIELD_BOOL:
        print_bool(out, ((const struct opt_bool *)member)->value);
        break;
    case FIELD_INT:
        text_add_int(out, ((const struct opt_int *)member)->value);
        break;
    case FIELD_DECIMAL:
        print_milli(out, ((const struct opt_decimal *)member)->milli);
        break;
    case FIELD_PLAIN_INT:
        text_add_int(out, *(const int64_t *)member);
        break;
    case FIELD_PLAIN_BOOL:
        print_bool(out, *(const bool *)member);
        break;
    case FIELD_WORD:
        text_add_json(out, field->words[*(const int *)member]);
        break;
    case FIELD_MAP:
        print_map(out, member);
        break;
    case FIELD_LIST:
        print_list(out, member);
        break;
    case FIELD_RAW:
        text_add(out, ((const struct raw_json *)member)->text);
        break;
    case FIELD_OBJECT:
        if (printer->splice && (field->flags & FIELD_SPLICE) != 0)
            *printer->splice = out->size + 1;
        print_object(printer, field->schema, *(const void *const *)member);
        break;
    case FIELD_ITEMS_:
        print_items(printer, field, value);
        break;
    }
}

/* ---- which members ---- */

static bool mode_has(enum fields_mode mode, unsigned flags)
{
    if ((flags & FIELD_HIDDEN) != 0 && mode == FIELDS_PUBLIC)
        return false;
    if ((flags & (FIELD_READ_ONLY | FIELD_KEPT)) == FIELD_READ_ONLY && mode == FIELDS_STORED)
        return false;
    return (flags & FIELD_SECRET) == 0 || mode == FIELDS_WITH_SECRETS ||
           (flags & FIELD_SECRET_SHELL) != 0;
}

static bool is_null(const struct field *field, const void *member)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return ((const struct opt_bool *)member)->given == GIVEN_NULL;
    case FIELD_INT:
        return ((const struct opt_int *)member)->given == GIVEN_NULL;
    case FIELD_DECIMAL:
        return ((const struct opt_decimal *)member)->given == GIVEN_NULL;
    case FIELD_TEXT:
    case FIELD_PLAIN_INT:
    case FIELD_PLAIN_BOOL:
    case FIELD_WORD:
    case FIELD_MAP:
    case FIELD_LIST:
    case FIELD_RAW:
    case FIELD_OBJECT:
    case FIELD_ITEMS_:
        break;
    }
    return false;
}

static bool is_worth_printing(const struct field *field, const void *value)
{
    const void *member = member_in(field, value);
    bool print_empty = (field->flags & FIELD_PRINT_EMPTY) != 0;
    if (field->kind == FIELD_MAP && ((const struct text_map *)member)->count == 0)
        return print_empty || /* of several kinds this one, which is empty */
               ((field->flags & FIELD_ONE_OF) != 0 && ((const struct text_map *)member)->given);
    if (field->kind == FIELD_LIST)
        return print_empty || ((const struct text_list *)member)->count > 0;
    if (field->kind == FIELD_ITEMS_)
        return print_empty || count_in(field, value) > 0;
    return member_is_given(field, member);
}

/* ,"name": in one piece, for there are many. Names of tables need no escapes. */
static void print_name(struct text *out, const char *name, bool *comma)
{
    size_t size = strlen(name);
    if (!text_reserve(out, size + 4))
        return;
    char *at = out->bytes + out->size;
    if (*comma)
        *at++ = ',';
    *at++ = '"';
    memcpy(at, name, size + 1);
    memcpy(at + size, "\":", 3);
    out->size = (size_t)(at + size + 2 - out->bytes);
    *comma = true;
}

static void print_members(const struct printer *printer, const struct schema *schema,
                          const void *value)
{
    bool comma = false;
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if (!mode_has(printer->mode, field->flags))
            continue;
        bool shell = (field->flags & FIELD_SECRET) != 0 && printer->mode != FIELDS_WITH_SECRETS;
        if (shell ? !member_is_given(field, member_in(field, value))
                  : !is_worth_printing(field, value))
            continue;
        print_name(printer->out, field->name, &comma);
        if (shell)
            text_add_n(printer->out, "{}", 2);
        else if (is_null(field, member_in(field, value)))
            text_add_n(printer->out, "null", 4);
        else
            print_value(printer, field, value);
    }
}

static void print_object(const struct printer *printer, const struct schema *schema,
                         const void *value)
{
    text_add_char(printer->out, '{');
    print_members(printer, schema, value);
    text_add_char(printer->out, '}');
}

void fields_print_members(const struct schema *schema, const void *value, enum fields_mode mode,
                          struct text *out, size_t *splice)
{
    struct printer printer = {.mode = mode, .out = out, .splice = splice};
    if (splice)
        *splice = 0;
    print_members(&printer, schema, value);
}

void fields_print(const struct schema *schema, const void *value, enum fields_mode mode,
                  struct text *out, size_t *splice)
{
    text_add_char(out, '{');
    fields_print_members(schema, value, mode, out, splice);
    text_add_char(out, '}');
}

void member_print(const struct field *field, const void *value, enum fields_mode mode,
                  struct text *out)
{
    struct printer printer = {.mode = mode, .out = out};
    print_value(&printer, field, value);
}
