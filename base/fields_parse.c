/* Objects by table. Members come in any order; what the table does not know is read over. */
#include "base/fields_inner.h"

#include "base/limits.h"

#include <string.h>

/* One bit for each line of a table. */
struct bits {
    uint64_t words[FIELDS_COUNT_MAX / 64];
};

static bool bit_get(const struct bits *bits, size_t index)
{
    return (bits->words[index / 64] >> (index % 64) & 1) != 0;
}

static void bit_set(struct bits *bits, size_t index)
{
    bits->words[index / 64] |= UINT64_C(1) << (index % 64);
}

static bool same_name(const char *name, struct scan_slice given)
{
    for (size_t i = 0; i < given.size; i++) {
        unsigned char left = (unsigned char)name[i], right = (unsigned char)given.bytes[i];
        if (left == right && left != '\0')
            continue;
        if ((left ^ right) != 0x20 || (left | 0x20) < 'a' || (left | 0x20) > 'z')
            return false;
    }
    return name[given.size] == '\0';
}

/* From the line behind the last one found: documents mostly follow the table. The count when
 * absent. */
static size_t find_field(const struct schema *schema, struct scan_slice name, size_t *next)
{
    size_t at = *next;
    for (size_t tried = 0; tried < schema->count; tried++, at++) {
        if (at >= schema->count)
            at = 0;
        if (same_name(schema->fields[at].name, name)) {
            *next = at + 1;
            return at;
        }
    }
    return schema->count;
}

static bool is_skipped(const struct reader *reader, const struct field *field)
{
    return !reader->trusted && (field->flags & (FIELD_READ_ONLY | FIELD_HIDDEN)) != 0;
}

bool field_is_newer(const struct reader *reader, const struct field *field)
{
    return field->since && reader->contract && strcmp(field->since, reader->contract) > 0;
}

/* Secrets are kept apart from our own documents, so these may lack them. */
static bool is_missed(const struct reader *reader, const struct field *field)
{
    return (field->flags & FIELD_REQUIRED) != 0 && !is_skipped(reader, field) &&
           !field_is_newer(reader, field) &&
           !(reader->trusted && (field->flags & FIELD_SECRET) != 0);
}

static void check_one_of(struct reader *reader, const struct schema *schema,
                         const struct place *place, const struct bits *given)
{
    size_t count = 0;
    enum err_code code = ERR_OK;
    char names[256] = "";
    for (size_t i = 0; i < schema->count; i++)
        count += (schema->fields[i].flags & FIELD_ONE_OF) != 0 && bit_get(given, i);
    if (count == 1)
        return;
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        if ((field->flags & FIELD_ONE_OF) == 0 || field_is_newer(reader, field))
            continue;
        code = field->code;
        size_t size = strlen(names);
        text_format(names + size, sizeof names - size, "%s'%s'", size > 0 ? ", " : "", field->name);
    }
    reader_problem(reader, code, place, "must have exactly one of %s, not %zu.", names, count);
}

static void finish(struct reader *reader, const struct schema *schema, const struct place *place,
                   const struct bits *given, void *out)
{
    bool has_choice = false;
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        has_choice |= (field->flags & FIELD_ONE_OF) != 0;
        if (bit_get(given, i))
            continue;
        member_set_absent(field, member_of(field, out));
        if (is_missed(reader, field)) {
            struct place missed = place_member(place, field->name);
            reader_problem(reader, field->code, &missed, "is required.");
        }
    }
    if (has_choice && !reader->trusted)
        check_one_of(reader, schema, place, given);
}

static bool note_unknown(struct reader *reader, const struct place *place, struct scan_slice name,
                         struct scan_names *names)
{
    struct place unknown = {.above = place, .name = name.bytes, .size = name.size};
    bool is_new = true;
    if (!scan_names_add(&reader->scan, names, name, &is_new))
        return false;
    if (is_new)
        reader_unknown(reader, &unknown);
    else
        reader_problem(reader, ERR_BAD_JSON, &unknown, "is given twice.");
    return scan_skip(&reader->scan);
}

bool read_object(struct reader *reader, const struct schema *schema, const struct place *place,
                 void *out)
{
    struct scan *scan = &reader->scan;
    struct bits seen = {0}, given = {0};
    struct scan_names unknown = {0};
    struct scan_slice name;
    size_t next = 0;
    CHECK(schema->count <= FIELDS_COUNT_MAX);
    scan_enter(scan);
    while (scan_member(scan, &name)) {
        size_t which = find_field(schema, name, &next);
        if (which == schema->count || field_is_newer(reader, &schema->fields[which])) {
            if (!note_unknown(reader, place, name, &unknown))
                return false;
            continue;
        }
        const struct field *field = &schema->fields[which];
        struct place member = place_member(place, field->name);
        bool is_given = false;
        if (bit_get(&seen, which))
            reader_problem(reader, ERR_BAD_JSON, &member, "is given twice.");
        bool read = bit_get(&seen, which) || is_skipped(reader, field)
                        ? scan_skip(scan)
                        : read_member(reader, field, &member, out, &is_given);
        if (!read)
            return false;
        bit_set(&seen, which);
        if (is_given)
            bit_set(&given, which);
    }
    if (!scan->wrong)
        finish(reader, schema, place, &given, out);
    return !scan->wrong;
}

/* ---- the document ---- */

static void report_fault(struct reader *reader)
{
    int line, column;
    reader->problems->broken = true;
    if (reader->scan.exhausted) {
        problem_add(reader->problems, ERR_TOO_LARGE, "",
                    "There is more in the document than may be kept.");
        return;
    }
    scan_place(&reader->scan, &line, &column);
    problem_add(reader->problems, ERR_BAD_JSON, "",
                "The document is not valid JSON: %s, at line %d, column %d.", reader->scan.wrong,
                line, column);
}

static bool read_document(struct reader *reader, const struct schema *schema, const char *bytes,
                          size_t size, void *out)
{
    struct scan *scan = &reader->scan;
    size_t before = reader->problems->count + reader->problems->more;
    memset(out, 0, schema->size);
    scan_init(scan, bytes, size, reader->arena);
    if (scan_type(scan) == SCAN_OBJECT) {
        read_object(reader, schema, NULL, out);
    } else if (scan_skip(scan)) {
        reader->problems->broken = true;
        reader_problem(reader, ERR_BAD_JSON, NULL, "must be a JSON object.");
    }
    if (scan->wrong)
        report_fault(reader);
    scan_done(scan);
    return reader->problems->count + reader->problems->more == before;
}

bool fields_parse(const struct schema *schema, const char *json, size_t size, struct arena *arena,
                  void *out, struct problems *problems)
{
    return fields_parse_at(schema, NULL, json, size, arena, out, problems);
}

bool fields_parse_at(const struct schema *schema, const char *contract, const char *json,
                     size_t size, struct arena *arena, void *out, struct problems *problems)
{
    struct reader reader = {.arena = arena, .problems = problems, .contract = contract};
    return read_document(&reader, schema, json, size, out);
}

bool fields_read(const struct schema *schema, const char *json, size_t size, struct arena *arena,
                 void *out, struct err *err)
{
    struct problems problems;
    problems_init(&problems, arena);
    struct reader reader = {.arena = arena, .problems = &problems, .trusted = true};
    return read_document(&reader, schema, json, size, out) || problems_to_err(&problems, err);
}
