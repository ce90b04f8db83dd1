/* ARM resource ids, segment by segment. */
#include "model/resource_id.h"

#include <ctype.h>
#include <string.h>

enum { SEGMENTS_MAX = 10 };

/* Splits at '/', passing over empty segments. False when there are more than SEGMENTS_MAX. */
static bool segments_split(const char *text, struct arena *arena, const char **segments,
                           size_t *count)
{
    *count = 0;
    while (*text) {
        size_t size = strcspn(text, "/");
        if (size > 0) {
            if (*count == SEGMENTS_MAX)
                return false;
            segments[*count] = arena_text_n(arena, text, size);
            if (!segments[(*count)++])
                return false;
        }
        text += size;
        if (*text == '/')
            text++;
    }
    return true;
}

static bool segment_is(const char *const *segments, size_t count, size_t index, const char *word)
{
    return index < count && text_equal_nocase(segments[index], word);
}

bool resource_id_parse(const char *text, struct arena *arena, struct resource_id *id,
                       struct err *err)
{
    const char *segments[SEGMENTS_MAX] = {0};
    struct resource_id parsed = {0};
    size_t count;

    if (!segments_split(text, arena, segments, &count) ||
        !segment_is(segments, count, 0, "subscriptions") || count < 2)
        goto refused;
    parsed.subscription = segments[1];
    if (count > 2) {
        if (!segment_is(segments, count, 2, "resourceGroups") || count < 4)
            goto refused;
        parsed.resource_group = segments[3];
    }
    if (count > 4) {
        if (!segment_is(segments, count, 4, "providers") ||
            !segment_is(segments, count, 5, RESOURCE_PROVIDER) ||
            !segment_is(segments, count, 6, "containerGroups") || count != 8)
            goto refused;
        parsed.group = segments[7];
    }
    *id = parsed;
    return true;

refused:
    return err_set(err, ERR_BAD_PATH,
                   "'%.200s' is not the id of a subscription, resource group or container group",
                   text);
}

void resource_id_print(const struct resource_id *id, struct text *out)
{
    text_addf(out, "/subscriptions/%s", id->subscription);
    if (!id->resource_group)
        return;
    text_addf(out, "/resourceGroups/%s", id->resource_group);
    if (id->group)
        text_addf(out, "/providers/" RESOURCE_TYPE_GROUP "/%s", id->group);
}

const char *location_normal(const char *location, struct arena *arena)
{
    char *normal = arena_text(arena, location);
    char *end = normal;

    if (!normal)
        return NULL;
    for (const char *at = normal; *at; at++) {
        if (*at != ' ')
            *end++ = (char)tolower((unsigned char)*at);
    }
    *end = '\0';
    return normal;
}
