/* What was wrong, and where. */
#include "base/fields_inner.h"

#include "base/limits.h"

#include <string.h>

/* ---- places ---- */

struct place place_member(const struct place *above, const char *name)
{
    return (struct place){.above = above, .name = name, .size = strlen(name)};
}

struct place place_item(const struct place *above, size_t index)
{
    return (struct place){.above = above, .index = index};
}

void place_print(const struct place *place, struct text *out)
{
    enum { NAME_MAX_SHOWN = 128 }; /* names come from clients */
    if (!place)
        return;
    place_print(place->above, out);
    if (!place->name) {
        text_addf(out, "[%zu]", place->index);
        return;
    }
    if (out->size > 0)
        text_add_char(out, '.');
    size_t shown = place->size < NAME_MAX_SHOWN ? place->size : NAME_MAX_SHOWN;
    while (shown < place->size && shown > 0 && ((unsigned char)place->name[shown] & 0xC0) == 0x80)
        shown--;
    text_add_n(out, place->name, shown);
    if (shown < place->size)
        text_add(out, "...");
}

static const char *place_text(const struct place *place, struct arena *arena)
{
    AUTO(text) *path = text_new(PATH_TEXT_MAX * 4);
    place_print(place, path);
    return text_ok(path) ? arena_text_n(arena, path->bytes, path->size) : NULL;
}

/* ---- problems ---- */

void problems_init(struct problems *problems, struct arena *arena)
{
    *problems = (struct problems){.arena = arena};
}

static size_t problems_max(const struct problems *problems)
{
    return problems->max > 0 ? problems->max : LIMIT_PROBLEMS_MAX;
}

/* Stands for a problem that there was no memory to write down. Never changed. */
static struct problem no_memory = {ERR_TOO_LARGE, "",
                                   "There is more in the document than may be kept."};

/* What cannot be written down any more (ceiling, memory) is counted. */
static bool keep(struct problems *problems, struct problem problem)
{
    size_t max = problems_max(problems);
    if (!problems->items)
        problems->items = arena_array(problems->arena, max, sizeof problem);
    bool is_whole = problems->items && problem.text && problem.field;
    if (!is_whole && problems->count == 0) {
        problems->items = &no_memory;
        problems->count = 1;
    } else if (!is_whole || problems->items == &no_memory || problems->count >= max) {
        problems->more++;
    } else {
        problems->items[problems->count++] = problem;
    }
    return false;
}

static bool has_room(struct problems *problems)
{
    if (problems->count < problems_max(problems))
        return true;
    problems->more++;
    return false;
}

bool problem_add(struct problems *problems, enum err_code code, const char *field,
                 const char *format, ...)
{
    char text[sizeof((struct err *)NULL)->text];
    if (!has_room(problems))
        return false;
    va_list arguments;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    return keep(problems, (struct problem){code, arena_text(problems->arena, field ? field : ""),
                                           arena_text(problems->arena, text)});
}

void reader_problem(struct reader *reader, enum err_code code, const struct place *place,
                    const char *format, ...)
{
    struct problems *problems = reader->problems;
    char text[sizeof((struct err *)NULL)->text];
    if (!has_room(problems))
        return;
    va_list arguments;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    const char *path = place_text(place, problems->arena);
    const char *sentence = path && *path ? arena_format(problems->arena, "'%s' %s", path, text)
                                         : arena_format(problems->arena, "The document %s", text);
    keep(problems, (struct problem){code == ERR_OK ? ERR_INVALID : code, path, sentence});
}

/* Beyond the ceiling, or without memory, it is not said. */
static void say(struct problems *problems, struct text_list *list, const char *text)
{
    if (!list->items)
        list->items = arena_array(problems->arena, problems_max(problems), sizeof *list->items);
    if (!list->items || !text)
        return;
    list->given = true;
    list->items[list->count++] = text;
}

void reader_unknown(struct reader *reader, const struct place *place)
{
    struct problems *problems = reader->problems;
    if (!reader->trusted && problems->unknown.count < problems_max(problems))
        say(problems, &problems->unknown, place_text(place, problems->arena));
}

void problem_note(struct problems *problems, const char *format, ...)
{
    char text[sizeof((struct err *)NULL)->text];
    va_list arguments;
    if (problems->notes.count >= problems_max(problems))
        return;
    va_start(arguments, format);
    text_format_v(text, sizeof text, format, arguments);
    va_end(arguments);
    say(problems, &problems->notes, arena_text(problems->arena, text));
}

bool problems_to_err(const struct problems *problems, struct err *err)
{
    if (problems->count == 0)
        return true;
    const struct problem *first = &problems->items[0];
    return err_set_field(err, first->code, first->field, "%s", first->text);
}
