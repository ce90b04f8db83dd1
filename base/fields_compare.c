/* Where two values of one type differ. */
#include "base/fields_inner.h"

#include <string.h>

struct comparison {
    struct arena *arena;
    struct difference *found;
    size_t count, max;
    bool failed; /* the arena is full */
};

static void compare(struct comparison *comparison, const struct schema *schema,
                    const struct place *place, const void *old, const void *now);

static void note(struct comparison *comparison, const struct place *place, const char *old,
                 const char *now, bool secret)
{
    AUTO(text) *path = text_new(PATH_TEXT_MAX);
    char *kept = NULL;
    place_print(place, path);
    if (text_ok(path))
        kept = arena_text(comparison->arena, path->bytes);
    comparison->failed |= !kept;
    if (kept && comparison->count < comparison->max)
        comparison->found[comparison->count++] = (struct difference){kept, old, now, secret};
}

static bool is_there(const struct field *field, const void *value)
{
    const void *member = member_in(field, value);
    if (field->kind == FIELD_MAP)
        return ((const struct text_map *)member)->count > 0;
    if (field->kind == FIELD_LIST)
        return ((const struct text_list *)member)->count > 0;
    if (field->kind == FIELD_ITEMS_)
        return count_in(field, value) > 0;
    return member_is_given(field, member);
}

static const char *keep_text(struct comparison *comparison, const struct text *out)
{
    const char *kept = text_ok(out) ? arena_text(comparison->arena, out->bytes) : NULL;
    comparison->failed |= !kept;
    return kept;
}

/* The member as JSON; NULL when it is absent. */
static const char *print(struct comparison *comparison, const struct field *field,
                         const void *value, enum fields_mode mode)
{
    AUTO(text) *out = text_new((size_t)1 << 20);
    if (!is_there(field, value))
        return NULL;
    member_print(field, value, mode, out);
    return keep_text(comparison, out);
}

static bool same(const char *left, const char *right)
{
    return left && right ? strcmp(left, right) == 0 : left == right;
}

static void compare_leaf(struct comparison *comparison, const struct field *field,
                         const struct place *place, const void *old, const void *now)
{
    bool secret = (field->flags & FIELD_SECRET) != 0;
    enum fields_mode mode = secret ? FIELDS_WITH_SECRETS : FIELDS_STORED;
    const char *was = print(comparison, field, old, mode);
    const char *is = print(comparison, field, now, mode);
    if (same(was, is))
        return;
    note(comparison, place, secret ? NULL : was, secret ? NULL : is, secret);
}

static const char *print_item(struct comparison *comparison, const struct field *field,
                              const void *item)
{
    AUTO(text) *out = text_new((size_t)1 << 20);
    fields_print(field->schema, item, FIELDS_STORED, out, NULL);
    return keep_text(comparison, out);
}

/* Items are compared by their place; what one side has more of is told as a whole. */
static void compare_items(struct comparison *comparison, const struct field *field,
                          const struct place *place, const void *old, const void *now)
{
    const char *olds = *(const char *const *)member_in(field, old);
    const char *nows = *(const char *const *)member_in(field, now);
    size_t old_count = count_in(field, old), now_count = count_in(field, now);
    for (size_t i = 0; i < old_count || i < now_count; i++) {
        struct place item = place_item(place, i);
        size_t at = i * field->schema->size;
        if (i >= old_count)
            note(comparison, &item, NULL, print_item(comparison, field, nows + at), false);
        else if (i >= now_count)
            note(comparison, &item, print_item(comparison, field, olds + at), NULL, false);
        else
            compare(comparison, field->schema, &item, olds + at, nows + at);
    }
}

static void compare_member(struct comparison *comparison, const struct field *field,
                           const struct place *place, const void *old, const void *now)
{
    bool secret = (field->flags & FIELD_SECRET) != 0;
    if (field->kind == FIELD_ITEMS_ && !secret)
        compare_items(comparison, field, place, old, now);
    else if (field->kind == FIELD_OBJECT && !secret && is_there(field, old) && is_there(field, now))
        compare(comparison, field->schema, place, *(const void *const *)member_in(field, old),
                *(const void *const *)member_in(field, now));
    else
        compare_leaf(comparison, field, place, old, now);
}

static void compare(struct comparison *comparison, const struct schema *schema,
                    const struct place *place, const void *old, const void *now)
{
    for (size_t i = 0; i < schema->count && comparison->count < comparison->max; i++) {
        const struct field *field = &schema->fields[i];
        struct place member = place_member(place, field->name);
        if ((field->flags & (FIELD_READ_ONLY | FIELD_HIDDEN)) == 0)
            compare_member(comparison, field, &member, old, now);
    }
}

bool fields_compare(const struct schema *schema, const void *old, const void *now, size_t max,
                    struct arena *arena, struct difference **found, size_t *count)
{
    struct comparison comparison = {
        .arena = arena, .max = max, .found = arena_array(arena, max, sizeof **found)};
    if (!comparison.found)
        return false;
    compare(&comparison, schema, NULL, old, now);
    if (comparison.failed)
        return false;
    *found = comparison.found;
    *count = comparison.count;
    return true;
}
