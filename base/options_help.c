/* What --help and --print-config say. */
#include "base/options_inner.h"

#include <stdio.h>
#include <string.h>

/* What stands behind the flag. */
static void add_type(struct text *out, const struct field *field)
{
    switch (field->kind) {
    case FIELD_TEXT:
        text_add(out, " TEXT");
        break;
    case FIELD_BOOL:
    case FIELD_PLAIN_BOOL:
        text_add(out, "[=false]");
        break;
    case FIELD_INT:
    case FIELD_PLAIN_INT:
        text_add(out, " NUMBER");
        break;
    case FIELD_DECIMAL:
        text_add(out, " DECIMAL");
        break;
    case FIELD_WORD:
        for (size_t i = 0; field->words[i]; i++)
            text_addf(out, "%s%s", i > 0 ? "|" : " ", field->words[i]);
        break;
    case FIELD_MAP:
        text_add(out, " NAME=TEXT,...");
        break;
    case FIELD_LIST:
        text_add(out, " TEXT,...");
        break;
    case FIELD_RAW:
        text_add(out, " JSON");
        break;
    case FIELD_OBJECT:
    case FIELD_ITEMS_:
        break;
    }
}

/* Absent values as the table makes them; "" when there is nothing to say. */
static void add_default(struct text *out, const struct field *field)
{
    const bool falls_back = (field->flags & FIELD_HAS_FALLBACK) != 0;
    if ((field->flags & FIELD_REQUIRED) != 0)
        text_add(out, " Required.");
    else if (field->kind == FIELD_PLAIN_INT || (field->kind == FIELD_INT && falls_back))
        text_addf(out, " Default: %lld.", (long long)field->fallback);
    else if (field->kind == FIELD_PLAIN_BOOL || (field->kind == FIELD_BOOL && falls_back))
        text_addf(out, " Default: %s.", field->fallback ? "true" : "false");
    else if (field->kind == FIELD_WORD && falls_back)
        text_addf(out, " Default: %s.", field->words[field->fallback]);
    else if (field->kind == FIELD_TEXT && falls_back && field->fallback_text)
        text_addf(out, " Default: %s.", field->fallback_text);
    else if (field->kind == FIELD_DECIMAL && falls_back) {
        char digits[MILLI_SIZE];
        text_addf(out, " Default: %s.", milli_format(field->fallback, digits));
    }
}

static void add_option(struct text *out, const struct field *field)
{
    char flag[OPTION_NAME_SIZE];
    option_flag(field->name, flag);
    if (option_is_plain(field))
        text_addf(out, "  %s", flag);
    else
        text_addf(out, "  \"%s\" (in the file only)", field->name);
    add_type(out, field);
    text_addf(out, "\n      %s", field->doc ? field->doc : "");
    add_default(out, field);
    text_add_char(out, '\n');
}

/* To standard output as a whole; a reader that has gone is no failure of ours. */
static void say(const struct text *out)
{
    if (text_ok(out))
        fwrite(out->bytes, 1, out->size, stdout);
    fflush(stdout);
}

void options_print_help(const struct options *options)
{
    const struct schema *schema = options->schema;
    char example[OPTION_NAME_SIZE] = "", config[OPTION_NAME_SIZE];
    AUTO(text) *out = text_new(1 << 20);
    option_variable(options->prefix, "config", config);
    text_addf(out, "%s: %s\n", options->program, options->summary);
    if (options->usage)
        text_addf(out, "\n%s\n", options->usage);
    text_add(out, "\nOptions:\n");
    for (size_t i = 0; i < schema->count; i++) {
        if ((schema->fields[i].flags & (FIELD_HIDDEN | FIELD_READ_ONLY)) != 0)
            continue;
        if (!example[0])
            option_variable(options->prefix, schema->fields[i].name, example);
        add_option(out, &schema->fields[i]);
    }
    text_addf(
        out,
        "  --config FILE\n      JSON file of these settings, keys with underscores. Also %s.\n",
        config);
    text_add(out, "  --print-config\n      Shows each setting and where it came from.\n");
    text_add(out, "  --version, --help\n");
    if (example[0])
        text_addf(out,
                  "\nEach is also a variable of the environment (%s) and a key of the file. "
                  "Flags win over the environment, the environment over the file.\n",
                  example);
    say(out);
}

void options_print_config(const struct loading *loading, const void *value)
{
    const struct schema *schema = loading->options->schema;
    AUTO(text) *out = text_new(4 << 20);
    for (size_t i = 0; i < schema->count; i++) {
        const struct field *field = &schema->fields[i];
        const char *origin = loading->settings[i].origin;
        text_addf(out, "%s = ", field->name);
        if (!member_is_given(field, member_in(field, value)))
            text_add(out, "-");
        else if ((field->flags & FIELD_SECRET) != 0)
            text_add(out, "\"***\"");
        else
            member_print(field, value, FIELDS_ALL, out);
        text_addf(out, "  # %s\n", origin ? origin : "default");
    }
    say(out);
}
