/* The rules in the order of the document. Messages are ACI's own where it has them (aci/features.md §24);
 * the arithmetic is ours. A group whose parts a profile supplies may lack them. */
#include "model/check/inside.h"
#include "model/tags_check.h"

#include <string.h>

/* ---- telling ---- */

/* `told` names the place `path`, or what holds it. */
static bool covers(const char *told, const char *path)
{
    size_t size = strlen(told);

    return size > 0 && strncmp(told, path, size) == 0 &&
           (path[size] == '\0' || path[size] == '.' || path[size] == '[');
}

static struct problem *told_of(const struct check *check, const char *path)
{
    for (size_t i = 0; i < check->told; i++) {
        if (covers(check->problems->items[i].field, path))
            return &check->problems->items[i];
    }
    return NULL;
}

bool check_told(const struct check *check, const char *path)
{
    const struct problem *told = told_of(check, path);

    return told && strcmp(told->field, path) == 0;
}

bool check_problem(struct check *check, enum err_code code, const char *path, const char *format,
                   ...)
{
    char text[sizeof((struct err *)NULL)->text];
    va_list arguments;

    if (told_of(check, path))
        return false;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    return problem_add(check->problems, code, path, "%s", text);
}

bool check_instead(struct check *check, const char *path, const char *format, ...)
{
    char text[sizeof((struct err *)NULL)->text];
    struct problem *told = told_of(check, path);
    const char *kept;
    va_list arguments;

    if (!told || strcmp(told->field, path) != 0)
        return false;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    kept = arena_text(check->problems->arena, text);
    told->text = kept ? kept : told->text;
    return true;
}

const char *check_path(struct check *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    text_format_v(check->path, sizeof check->path, format, arguments);
    va_end(arguments);
    return check->path;
}

const char *seat_path(struct check *check, const struct seat *seat, const char *format, ...)
{
    va_list arguments;
    size_t size;

    check_path(check, "properties.%s[%zu].properties.", seat->list, seat->index);
    size = strlen(check->path);
    va_start(arguments, format);
    text_format_v(check->path + size, sizeof check->path - size, format, arguments);
    va_end(arguments);
    return check->path;
}

/* ---- what stands beside the properties ---- */

static void check_name(struct check *check)
{
    if (!group_name_valid(check->name))
        check_problem(check, ERR_BAD_NAME, "name",
                      "The container group name '%.100s' is invalid. It must have 1 to %d "
                      "lower-case letters, digits or hyphens, no hyphen first, last or doubled.",
                      check->name, LIMIT_GROUP_NAME_MAX);
}

bool group_check(const char *name, const struct container_group *group, struct problems *problems)
{
    struct check check = {
        .name = name, .group = group, .problems = problems, .told = problems->count};
    size_t before = problems->count + problems->more;

    check_name(&check);
    (void)tags_check(&group->tags, "tags", problems);
    if (group->properties) { /* else it is told as missing by its table */
        check_kind(&check);
        check_containers(&check);
        check_resources(&check);
        check_ports(&check);
        check_volumes(&check);
        check_credentials(&check);
        check_network(&check);
        check_lacking(&check);
    }
    check_identity(&check);
    return problems->count + problems->more == before;
}
