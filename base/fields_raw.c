/* Looking into JSON that was kept as it came. */
#include "base/fields.h"
#include "base/scan.h"

#include <string.h>

/* Room for all names there can be: each has a colon behind it. */
static size_t names_most(const char *text)
{
    size_t count = 0;

    for (; (text = strchr(text, ':')); text++)
        count++;
    return count;
}

bool fields_raw_names(const struct raw_json *raw, struct arena *arena, struct text_list *names)
{
    struct scan scan;
    struct scan_slice name;

    *names = (struct text_list){.given = true};
    names->items =
        raw->text ? arena_array(arena, names_most(raw->text) + 1, sizeof *names->items) : NULL;
    if (!names->items)
        return false;
    scan_init(&scan, raw->text, strlen(raw->text), arena);
    bool whole = scan_type(&scan) == SCAN_OBJECT && scan_enter(&scan);
    while (whole && scan_member(&scan, &name)) {
        const char *copy = arena_text_n(arena, name.bytes, name.size);
        whole = copy && scan_skip(&scan);
        names->items[names->count++] = copy;
    }
    whole = whole && !scan.wrong;
    scan_done(&scan);
    return whole;
}
