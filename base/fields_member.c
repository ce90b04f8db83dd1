/* One member: what it holds when absent, and who reads it by its kind. */
#include "base/fields_inner.h"

void member_set_absent(const struct field *field, void *out)
{
    bool falls_back = (field->flags & FIELD_HAS_FALLBACK) != 0;
    enum given given = falls_back ? GIVEN_VALUE : GIVEN_ABSENT;
    switch (field->kind) {
    case FIELD_TEXT:
        *(const char **)out = falls_back ? field->fallback_text : NULL;
        break;
    case FIELD_BOOL:
        *(struct opt_bool *)out = (struct opt_bool){given, falls_back && field->fallback != 0};
        break;
    case FIELD_INT:
        *(struct opt_int *)out = (struct opt_int){given, falls_back ? field->fallback : 0};
        break;
    case FIELD_DECIMAL:
        *(struct opt_decimal *)out = (struct opt_decimal){given, falls_back ? field->fallback : 0};
        break;
    case FIELD_PLAIN_INT:
        *(int64_t *)out = field->fallback;
        break;
    case FIELD_PLAIN_BOOL:
        *(bool *)out = field->fallback != 0;
        break;
    case FIELD_WORD:
        *(int *)out = falls_back ? (int)field->fallback : -1;
        break;
    case FIELD_MAP:
    case FIELD_LIST:
    case FIELD_RAW:
    case FIELD_OBJECT:
    case FIELD_ITEMS_:
        break; /* zeroed with the struct */
    }
}

bool member_is_given(const struct field *field, const void *in)
{
    switch (field->kind) {
    case FIELD_BOOL:
        return ((const struct opt_bool *)in)->given != GIVEN_ABSENT;
    case FIELD_INT:
        return ((const struct opt_int *)in)->given != GIVEN_ABSENT;
    case FIELD_DECIMAL:
        return ((const struct opt_decimal *)in)->given != GIVEN_ABSENT;
    case FIELD_PLAIN_INT:
    case FIELD_PLAIN_BOOL:
        return true;
    case FIELD_WORD:
        return *(const int *)in >= 0;
    case FIELD_MAP:
        return ((const struct text_map *)in)->given;
    case FIELD_LIST:
        return ((const struct text_list *)in)->given;
    case FIELD_TEXT:
    case FIELD_RAW: /* struct raw_json is one pointer */
    case FIELD_OBJECT:
    case FIELD_ITEMS_:
        return *(const void *const *)in != NULL;
    }
    return false;
}

static bool read_struct(struct reader *reader, const struct field *field, const struct place *place,
                        void **out)
{
    if (scan_type(&reader->scan) != SCAN_OBJECT)
        return read_mismatch(reader, place, "an object");
    *out = arena_alloc(reader->arena, field->schema->size);
    if (!*out)
        return scan_fault_memory(&reader->scan);
    return read_object(reader, field->schema, place, *out);
}

static bool read_plain_int(struct reader *reader, const struct field *field,
                           const struct place *place, int64_t *out)
{
    struct opt_int number = {.value = field->fallback};
    bool read = read_int(reader, field, place, &number);
    *out = number.value;
    return read;
}

static bool read_plain_bool(struct reader *reader, const struct field *field,
                            const struct place *place, bool *out)
{
    struct opt_bool truth = {.value = field->fallback != 0};
    bool read = read_bool(reader, place, &truth);
    *out = truth.value;
    return read;
}

static bool read_value(struct reader *reader, const struct field *field, const struct place *place,
                       void *out)
{
    void *member = member_of(field, out);
    switch (field->kind) {
    case FIELD_TEXT:
        return read_text(reader, field, place, member);
    case FIELD_BOOL:
        return read_bool(reader, place, member);
    case FIELD_INT:
        return read_int(reader, field, place, member);
    case FIELD_DECIMAL:
        return read_decimal(reader, field, place, member);
    case FIELD_PLAIN_INT:
        return read_plain_int(reader, field, place, member);
    case FIELD_PLAIN_BOOL:
        return read_plain_bool(reader, field, place, member);
    case FIELD_WORD:
        return read_word(reader, field, place, member);
    case FIELD_MAP:
        return read_map(reader, field, place, member);
    case FIELD_LIST:
        return read_list(reader, field, place, member);
    case FIELD_RAW:
        return scan_raw(&reader->scan, &((struct raw_json *)member)->text);
    case FIELD_OBJECT:
        return read_struct(reader, field, place, member);
    case FIELD_ITEMS_:
        return read_items(reader, field, place, member, count_of(field, out));
    }
    return false;
}

/* Null where null is a value of its own: only these kinds can hold it. */
static void set_null(const struct field *field, void *member)
{
    if (field->kind == FIELD_BOOL)
        ((struct opt_bool *)member)->given = GIVEN_NULL;
    else if (field->kind == FIELD_INT)
        ((struct opt_int *)member)->given = GIVEN_NULL;
    else if (field->kind == FIELD_DECIMAL)
        ((struct opt_decimal *)member)->given = GIVEN_NULL;
    else if (field->kind == FIELD_RAW)
        ((struct raw_json *)member)->text = "null";
}

bool read_member(struct reader *reader, const struct field *field, const struct place *place,
                 void *out, bool *given)
{
    if (scan_type(&reader->scan) == SCAN_NULL) {
        *given = (field->flags & FIELD_NULLABLE) != 0;
        if (*given)
            set_null(field, member_of(field, out));
        return scan_skip(&reader->scan);
    }
    *given = true; /* a wrong value too: it is named once, not called missing as well */
    if (field->kind == FIELD_WORD)
        *(int *)member_of(field, out) = -1;
    return read_value(reader, field, place, out);
}
