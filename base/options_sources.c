/* Where settings come from: the file has JSON, the environment and flags have words that become
 * JSON here. */
#include "base/options_inner.h"

#include "base/file.h"
#include "base/limits.h"

#include <string.h>

/* ---- words to JSON ---- */

/* "a,b,c" as ["a","b","c"]; "a=b,c=d" as {"a":"b","c":"d"}. */
static bool add_parts(struct text *json, const char *words, bool as_map)
{
    text_add_char(json, as_map ? '{' : '[');
    for (bool first = true; *words; first = false) {
        size_t size = strcspn(words, ","), key = as_map ? strcspn(words, "=") : 0;
        if (!first)
            text_add_char(json, ',');
        if (as_map && key >= size)
            return false;
        if (as_map) {
            text_add_json_n(json, words, key);
            text_add_char(json, ':');
            key++;
        }
        text_add_json_n(json, words + key, size - key);
        words += size + (words[size] == ',');
    }
    text_add_char(json, as_map ? '}' : ']');
    return true;
}

static bool add_checked(struct text *json, const char *words, struct arena *arena, bool any)
{
    struct scan scan;
    scan_init(&scan, words, strlen(words), arena);
    enum scan_type type = scan_type(&scan);
    bool taken = (any || type == SCAN_NUMBER || type == SCAN_BOOL) && scan_skip(&scan);
    scan_done(&scan);
    if (taken)
        text_add(json, words);
    return taken;
}

/* What is no JSON of its kind goes on as a string, and the table says what it should have been. */
static void add_words(struct text *json, const struct field *field, const char *words,
                      struct arena *arena)
{
    size_t before = json->size;
    bool taken = false;
    switch (field->kind) {
    case FIELD_BOOL:
    case FIELD_PLAIN_BOOL:
    case FIELD_INT:
    case FIELD_PLAIN_INT:
    case FIELD_DECIMAL:
        taken = add_checked(json, words, arena, false);
        break;
    case FIELD_LIST:
        taken = add_parts(json, words, false);
        break;
    case FIELD_MAP:
        taken = add_parts(json, words, true);
        break;
    case FIELD_RAW:
        taken = add_checked(json, words, arena, true);
        break;
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_OBJECT:
    case FIELD_ITEMS_:
        break;
    }
    if (taken)
        return;
    json->size = before;
    text_add_json(json, words);
}

static bool set_words(struct loading *loading, size_t which, const char *words, const char *origin,
                      struct err *err)
{
    AUTO(text) *json = text_new(LIMIT_CONFIG_FILE_MAX);
    if (text_reserve(json, 0))
        add_words(json, &loading->options->schema->fields[which], words, loading->arena);
    struct setting setting = {text_ok(json) ? arena_text_n(loading->arena, json->bytes, json->size)
                                            : NULL,
                              arena_text(loading->arena, origin)};
    if (!setting.json || !setting.origin)
        return err_set(err, ERR_TOO_LARGE, "%s is longer than it may be", origin);
    loading->settings[which] = setting;
    return true;
}

/* ---- the file ---- */

static bool set_key(struct loading *loading, struct scan *scan, struct scan_slice name,
                    struct err *err)
{
    const struct schema *schema = loading->options->schema;
    const char *path = loading->config_path,
               *key = arena_text_n(loading->arena, name.bytes, name.size);
    size_t which = 0;
    if (!key)
        return scan_fault_memory(scan);
    while (which < schema->count && !text_equal_nocase(schema->fields[which].name, key))
        which++;
    if (which == schema->count)
        return err_set_field(err, ERR_INVALID, key, "%s: '%s' is not known.", path, key);
    if (loading->settings[which].origin == path)
        return err_set_field(err, ERR_INVALID, key, "%s: '%s' is given twice.", path, key);
    loading->settings[which].origin = path;
    return scan_raw(scan, &loading->settings[which].json);
}

static bool set_keys(struct loading *loading, struct scan *scan, struct err *err)
{
    struct scan_slice name;
    int line, column;
    if (scan_type(scan) != SCAN_OBJECT)
        scan_fault(scan, "an object was expected");
    else
        scan_enter(scan);
    while (scan_member(scan, &name))
        if (!set_key(loading, scan, name, err) && !scan->wrong)
            return false;
    if (!scan->wrong)
        return true;
    scan_place(scan, &line, &column);
    return err_set(err, ERR_BAD_JSON, "%s:%d:%d: not valid JSON: %s.", loading->config_path, line,
                   column, scan->wrong);
}

static bool read_keys(struct loading *loading, const char *bytes, size_t size, struct err *err)
{
    struct scan scan;
    scan_init(&scan, bytes, size, loading->arena);
    bool read = set_keys(loading, &scan, err);
    scan_done(&scan);
    return read;
}

bool options_read_file(struct loading *loading, struct err *err)
{
    char variable[OPTION_NAME_SIZE];
    AUTO_FREE char *bytes = NULL;
    size_t size;
    option_variable(loading->options->prefix, "config", variable);
    if (!loading->config_path)
        loading->config_path = getenv(variable);
    if (!loading->config_path || !*loading->config_path)
        return true;
    if (!file_read(loading->config_path, LIMIT_CONFIG_FILE_MAX, &bytes, &size, err))
        return err_add(err, "configuration");
    return read_keys(loading, bytes, size, err);
}

/* ---- the environment ---- */

bool options_read_environment(struct loading *loading, struct err *err)
{
    const struct schema *schema = loading->options->schema;
    char variable[OPTION_NAME_SIZE];
    for (size_t i = 0; i < schema->count; i++) {
        option_variable(loading->options->prefix, schema->fields[i].name, variable);
        const char *words = option_is_plain(&schema->fields[i]) ? getenv(variable) : NULL;
        if (words && *words &&
            !set_words(loading, i, words, variable, err)) /* empty: as if unset */
            return false;
    }
    return true;
}

/* ---- flags ---- */

static bool take_builtin(struct loading *loading, const char *flag)
{
    if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0)
        loading->ask = ASK_HELP;
    else if (strcmp(flag, "--version") == 0)
        loading->ask = ASK_VERSION;
    else if (strcmp(flag, "--print-config") == 0)
        loading->ask = ASK_CONFIG;
    else
        return false;
    return true;
}

/* The line of the table for "--listen-port" or "--listen-port=…"; its count when there is none. */
static size_t find_flag(const struct schema *schema, const char *given, char flag[OPTION_NAME_SIZE])
{
    size_t size = strcspn(given, "=");
    for (size_t i = 0; i < schema->count; i++) {
        option_flag(schema->fields[i].name, flag);
        if (option_is_plain(&schema->fields[i]) && strlen(flag) == size &&
            strncmp(flag, given, size) == 0)
            return i;
    }
    return schema->count;
}

static bool is_switch(const struct field *field)
{
    return field->kind == FIELD_BOOL || field->kind == FIELD_PLAIN_BOOL;
}

/* What follows '=', or the next argument (switches need none). */
static const char *take_value(const char *given, bool needs_none, char **argv, int argc, int *at)
{
    const char *equals = strchr(given, '=');
    if (equals)
        return equals + 1;
    if (needs_none)
        return "true";
    return *at + 1 < argc ? argv[++*at] : NULL;
}

bool options_read_flags(struct loading *loading, int argc, char **argv, struct err *err)
{
    const struct schema *schema = loading->options->schema;
    char flag[OPTION_NAME_SIZE];
    for (int i = 1; i < argc; i++) {
        const char *given = argv[i];
        bool is_config = strcmp(given, "--config") == 0 || text_has_prefix(given, "--config=");
        size_t which = is_config ? schema->count : find_flag(schema, given, flag);
        if (!is_config && which == schema->count) {
            if (take_builtin(loading, given))
                continue;
            return err_set(err, ERR_INVALID, "%.100s is not known. Try --help.", given);
        }
        const char *value =
            take_value(given, !is_config && is_switch(&schema->fields[which]), argv, argc, &i);
        if (!value)
            return err_set(err, ERR_INVALID, "%.100s needs a value.", given);
        if (is_config)
            loading->config_path = value;
        else if (!set_words(loading, which, value, flag, err))
            return false;
    }
    return true;
}
