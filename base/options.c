/* Sources are read one after the other into one setting for each line of the table; what came out
 * on top is parsed as one document, so that all checks are those of the table. */
#include "base/options_inner.h"

#include "base/limits.h"

#include <ctype.h>
#include <string.h>

/* ---- names ---- */

void option_variable(const char *prefix, const char *name, char out[OPTION_NAME_SIZE])
{
    text_format(out, OPTION_NAME_SIZE, "%s%s", prefix, name);
    for (; *out; out++)
        *out = (char)toupper((unsigned char)*out);
}

void option_flag(const char *name, char out[OPTION_NAME_SIZE])
{
    text_format(out, OPTION_NAME_SIZE, "--%s", name);
    for (; *out; out++)
        if (*out == '_')
            *out = '-';
}

bool option_is_plain(const struct field *field)
{
    return field->kind != FIELD_OBJECT && field->kind != FIELD_ITEMS_;
}

/* ---- all of it as one document ---- */

/* The setting that a problem is about, by the first name in its path. */
static const struct setting *setting_of(const struct loading *loading, const char *path,
                                        const struct field **field)
{
    const struct schema *schema = loading->options->schema;
    size_t size = strcspn(path, ".[");
    for (size_t i = 0; i < schema->count; i++)
        if (strncmp(schema->fields[i].name, path, size) == 0 &&
            schema->fields[i].name[size] == '\0') {
            *field = &schema->fields[i];
            return &loading->settings[i];
        }
    return NULL;
}

static bool explain(const struct loading *loading, const char *path, const char *text,
                    struct err *err)
{
    char variable[OPTION_NAME_SIZE], flag[OPTION_NAME_SIZE];
    const struct field *field = NULL;
    const struct setting *setting = setting_of(loading, path, &field);
    if (setting && setting->origin)
        return err_set_field(err, ERR_INVALID, path, "%s: %s", setting->origin, text);
    if (!field || !option_is_plain(field))
        return err_set_field(err, ERR_INVALID, path, "%s", text);
    option_variable(loading->options->prefix, field->name, variable);
    option_flag(field->name, flag);
    return err_set_field(err, ERR_INVALID, path, "%s Give %s, %s, or the key in the file.", text,
                         flag, variable);
}

static bool parse(const struct loading *loading, void *out, struct err *err)
{
    const struct schema *schema = loading->options->schema;
    struct problems problems;
    AUTO(text) *document = text_new(LIMIT_CONFIG_FILE_MAX * 2);
    text_add_char(document, '{');
    for (size_t i = 0, given = 0; i < schema->count; i++)
        if (loading->settings[i].json)
            text_addf(document, "%s\"%s\":%s", given++ > 0 ? "," : "", schema->fields[i].name,
                      loading->settings[i].json);
    text_add_char(document, '}');
    if (!text_ok(document))
        return err_set(err, ERR_TOO_LARGE, "the configuration is larger than it may be");
    problems_init(&problems, loading->arena);
    if (!fields_parse(schema, document->bytes, document->size, loading->arena, out, &problems)) {
        if (problems.items[0].code == ERR_TOO_LARGE)
            return problems_to_err(&problems, err);
        return explain(loading, problems.items[0].field, problems.items[0].text, err);
    }
    if (problems.unknown.count > 0) {
        char text[256];
        text_format(text, sizeof text, "'%s' is not known.", problems.unknown.items[0]);
        return explain(loading, problems.unknown.items[0], text, err);
    }
    return true;
}

/* ---- front door ---- */

static bool read_all(struct loading *loading, int argc, char **argv, void *out, struct err *err)
{
    if (!loading->settings)
        return err_set(err, ERR_BUSY, "out of memory reading the configuration");
    /* Flags first, for --config; and last, because they win. */
    if (!options_read_flags(loading, argc, argv, err))
        return false;
    if (loading->ask == ASK_HELP || loading->ask == ASK_VERSION)
        return true;
    memset(loading->settings, 0, loading->options->schema->count * sizeof *loading->settings);
    return options_read_file(loading, err) && options_read_environment(loading, err) &&
           options_read_flags(loading, argc, argv, err) && parse(loading, out, err);
}

enum options_outcome options_load(const struct options *options, int argc, char **argv,
                                  struct arena *arena, void *out, struct err *err)
{
    struct loading loading = {.options = options, .arena = arena};
    loading.settings = arena_array(arena, options->schema->count, sizeof *loading.settings);
    if (!read_all(&loading, argc, argv, out, err))
        return OPTIONS_WRONG;
    switch (loading.ask) {
    case ASK_HELP:
        options_print_help(options);
        return OPTIONS_EXIT;
    case ASK_VERSION:
        printf("%s %s\n", options->program, BERTH_VERSION);
        return OPTIONS_EXIT;
    case ASK_CONFIG:
        options_print_config(&loading, out);
        return OPTIONS_EXIT;
    case ASK_RUN:
        break;
    }
    return OPTIONS_RUN;
}
