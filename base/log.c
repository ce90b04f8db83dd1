/* One line is built on the stack and leaves in one write(2), so lines of several threads never mix.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

enum { PAIRS_MAX = 4096 };

static _Atomic int lowest = LOG_INFO;
static _Atomic bool as_json;
static _Thread_local char context[256];

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level lowest_level, bool json)
{
    atomic_store_explicit(&lowest, (int)lowest_level, memory_order_relaxed);
    atomic_store_explicit(&as_json, json, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++)
        if (text_equal_nocase(name, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_context(const char *pairs)
{
    text_copy(context, sizeof context, pairs);
}

/* ---- JSON ---- */

/* The bytes of a value: "…" with its quotes, or up to the next ` key=`. Words that are no pair
 * belong to the value before them. */
static size_t value_size(const char *value)
{
    if (*value == '"') {
        size_t size = 1;
        while (value[size] && value[size] != '"')
            size += value[size] == '\\' && value[size + 1] ? 2 : 1;
        return value[size] ? size + 1 : size;
    }
    size_t size = 0;
    while (value[size]) {
        size_t word = strcspn(value + size, " ");
        if (size > 0 && memchr(value + size, '=', word))
            return size - 1;
        size += word;
        if (value[size] == ' ')
            size++;
    }
    while (size > 0 && value[size - 1] == ' ')
        size--;
    return size;
}

/* LOG_QUOTE has made a JSON string of what it quoted already. */
static bool is_quoted(const char *value, size_t size)
{
    return size >= 2 && value[0] == '"' && value[size - 1] == '"';
}

static void add_pairs_json(struct text *line, const char *pairs)
{
    while (*(pairs += strspn(pairs, " ")) != '\0') {
        size_t key = strcspn(pairs, "= ");
        bool is_pair = pairs[key] == '=' && key > 0;
        const char *value = is_pair ? pairs + key + 1 : pairs;
        size_t size = value_size(value);
        text_add_char(line, ',');
        text_add_json_n(line, is_pair ? pairs : "text", is_pair ? key : 4);
        text_add_char(line, ':');
        if (is_quoted(value, size))
            text_add_n(line, value, size);
        else
            text_add_json_n(line, value, size);
        pairs = value + size;
        if (size == 0 && !is_pair)
            break;
    }
}

/* ---- lines ---- */

static void add_line(struct text *line, enum log_level level, const char *event, const char *pairs)
{
    char now[CLOCK_TEXT_SIZE];
    clock_text_ms(clock_now_ms(), now);
    if (atomic_load_explicit(&as_json, memory_order_relaxed)) {
        text_addf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", now, level_names[level]);
        text_add_json(line, event);
        add_pairs_json(line, context);
        add_pairs_json(line, pairs);
        text_add(line, "}\n");
        return;
    }
    text_addf(line, "%s %s %s%s%s%s%s\n", now, level_names[level], event, *context ? " " : "",
              context, *pairs ? " " : "", pairs);
}

/* A line stays one line, whatever was passed. */
static void flatten(char *pairs)
{
    for (; *pairs; pairs++)
        if ((unsigned char)*pairs < 0x20 || *pairs == 0x7F)
            *pairs = ' ';
}

static void emit(enum log_level level, const char *event, char *pairs)
{
    int kept = errno;
    flatten(pairs);
    AUTO(text) *line = text_new(4 * PAIRS_MAX);
    add_line(line, level, event, pairs);
    if (text_ok(line)) {
        ssize_t written UNUSED = write(STDERR_FILENO, line->bytes, line->size);
    }
    errno = kept;
}

static bool is_wanted(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    if (!is_wanted(level))
        return;
    char pairs[PAIRS_MAX];
    va_list arguments;
    va_start(arguments, format);
    text_format_v(pairs, sizeof pairs, format, arguments);
    va_end(arguments);
    emit(level, event, pairs);
}

void log_trouble(enum log_level level, const char *event, const struct err *err)
{
    if (!is_wanted(level))
        return;
    AUTO(text) *pairs = text_new(PAIRS_MAX);
    text_addf(pairs, "code=%s", err_code_name(err->code));
    if (err->field[0]) {
        text_add(pairs, " field=");
        text_add_json(pairs, err->field);
    }
    text_add(pairs, " text=");
    text_add_json(pairs, err->text);
    if (text_ok(pairs))
        emit(level, event, pairs->bytes);
}

void log_failure(const char *event, const struct err *err)
{
    log_trouble(LOG_ERROR, event, err);
}

struct log_quote log_quote(const char *words)
{
    struct log_quote quote;
    AUTO(text) *out = text_new(2048);
    char kept[sizeof quote.text - 8]; /* room for quotes and the mark */
    bool whole = text_copy(kept, sizeof kept, words ? words : "");
    for (size_t length = strlen(kept);; length = length * 3 / 4) {
        text_clear(out);
        text_add_json_n(out, kept, length);
        whole = whole && length == strlen(kept);
        if (!text_ok(out) || out->size + 4 < sizeof quote.text)
            break; /* what escaping made too long is cut further */
    }
    if (!text_ok(out) ||
        !text_format(quote.text, sizeof quote.text, "%s%s", out->bytes, whole ? "" : "..."))
        text_copy(quote.text, sizeof quote.text, "\"\"");
    return quote;
}
