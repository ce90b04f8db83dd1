/* Values that are many: texts in a list, texts by name, structs in an array. They grow by doubling
 * in the arena; what is beyond the table's ceiling is read over, so it costs nothing. */
#include "base/fields_inner.h"

#include "base/limits.h"

#include <string.h>

static size_t count_max(const struct reader *reader, const struct field *field)
{
    if (reader->trusted)
        return SIZE_MAX;
    return field->max > 0 ? (size_t)field->max : LIMIT_LIST_MAX;
}

static void check_count(struct reader *reader, const struct field *field, const struct place *place,
                        size_t count)
{
    const char *what = field->kind == FIELD_MAP ? "entries" : "items";
    if (reader->trusted)
        return;
    if (count < (size_t)field->min)
        reader_problem(reader, field->code, place, "must have at least %lld %s.",
                       (long long)field->min, what);
    else if (count > count_max(reader, field))
        reader_problem(reader, field->code, place, "must have at most %zu %s.",
                       count_max(reader, field), what);
}

/* Room for item `count` of `size` bytes, zeroed. */
static void *grow(struct reader *reader, void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    size_t larger = *capacity > 0 ? *capacity * 2 : 4;
    void *moved = arena_array(reader->arena, larger, size);
    if (!moved) {
        scan_fault_memory(&reader->scan);
        return NULL;
    }
    if (count > 0)
        memcpy(moved, items, count * size);
    *capacity = larger;
    return moved;
}

/* A text within a list or map: bounded, but by no line of its own. */
static bool read_entry(struct reader *reader, const struct place *place, const char **out)
{
    static const struct field any = {.kind = FIELD_TEXT};
    *out = "";
    return read_text(reader, &any, place, out);
}

bool read_list(struct reader *reader, const struct field *field, const struct place *place,
               struct text_list *out)
{
    struct scan *scan = &reader->scan;
    size_t capacity = 0, count = 0, max = count_max(reader, field);
    if (scan_type(scan) != SCAN_ARRAY)
        return read_mismatch(reader, place, "an array of strings");
    out->given = true;
    out->count = 0;
    scan_enter(scan);
    for (; scan_item(scan); count++) {
        if (count >= max) {
            scan_skip(scan);
            continue;
        }
        struct place item = place_item(place, count);
        out->items = grow(reader, out->items, count, &capacity, sizeof *out->items);
        if (!out->items || !read_entry(reader, &item, &out->items[count]))
            return false;
        out->count = count + 1;
    }
    check_count(reader, field, place, count);
    return !scan->wrong;
}

static bool read_pair(struct reader *reader, const struct place *place, struct scan_slice name,
                      struct text_pair *pair)
{
    struct place entry = {.above = place, .name = name.bytes, .size = name.size};
    pair->key = arena_text_n(reader->arena, name.bytes, name.size);
    if (!pair->key)
        return scan_fault_memory(&reader->scan);
    return read_entry(reader, &entry, &pair->value);
}

bool read_map(struct reader *reader, const struct field *field, const struct place *place,
              struct text_map *out)
{
    struct scan *scan = &reader->scan;
    struct scan_names names = {0};
    struct scan_slice name;
    size_t capacity = 0, count = 0, max = count_max(reader, field);
    if (scan_type(scan) != SCAN_OBJECT)
        return read_mismatch(reader, place, "an object of strings");
    out->given = true;
    out->count = 0;
    scan_enter(scan);
    for (bool is_new = true; scan_member(scan, &name); count += is_new) {
        if (!scan_names_add(scan, &names, name, &is_new))
            return false;
        if (!is_new) {
            struct place entry = {.above = place, .name = name.bytes, .size = name.size};
            reader_problem(reader, ERR_BAD_JSON, &entry, "is given twice.");
        }
        if (!is_new || count >= max) {
            scan_skip(scan);
            continue;
        }
        out->items = grow(reader, out->items, count, &capacity, sizeof *out->items);
        if (!out->items || !read_pair(reader, place, name, &out->items[count]))
            return false;
        out->count = count + 1;
    }
    check_count(reader, field, place, count);
    return !scan->wrong;
}

/* What is no object keeps its place, empty, so that those behind it keep their numbers. */
static bool read_item(struct reader *reader, const struct schema *schema, const struct place *place,
                      size_t index, void *out)
{
    struct place item = place_item(place, index);
    if (scan_type(&reader->scan) != SCAN_OBJECT)
        return read_mismatch(reader, &item, "an object");
    return read_object(reader, schema, &item, out);
}

bool read_items(struct reader *reader, const struct field *field, const struct place *place,
                void **items, size_t *count)
{
    struct scan *scan = &reader->scan;
    size_t capacity = 0, met = 0, size = field->schema->size, max = count_max(reader, field);
    if (scan_type(scan) != SCAN_ARRAY)
        return read_mismatch(reader, place, "an array of objects");
    *count = 0;
    scan_enter(scan);
    for (; scan_item(scan); met++) {
        if (met >= max) {
            scan_skip(scan);
            continue;
        }
        *items = grow(reader, *items, *count, &capacity, size);
        if (!*items || !read_item(reader, field->schema, place, met, (char *)*items + met * size))
            return false;
        *count = met + 1;
    }
    check_count(reader, field, place, met);
    return !scan->wrong;
}
