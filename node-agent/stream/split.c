/* A command line taken apart, and a line of a log. Pure. */
#include "base/limits.h"
#include "node-agent/stream/stream.h"

#include <string.h>

/* ---- command lines ---- */

struct splitting {
    const char *at;
    struct text *word;
    bool in_word;
};

/* Within double quotes a backslash is only itself before anything but these. */
static bool takes_backslash(char character)
{
    return character != '\0' && strchr("\"\\$`\n", character) != NULL;
}

static bool take_quoted(struct splitting *splitting)
{
    char quote = *splitting->at++;

    splitting->in_word = true;
    for (; *splitting->at && *splitting->at != quote; splitting->at++) {
        if (quote == '"' && splitting->at[0] == '\\' && takes_backslash(splitting->at[1]))
            splitting->at++;
        text_add_char(splitting->word, *splitting->at);
    }
    return *splitting->at++ == quote;
}

/* A backslash at the very end stands for itself. */
static void take_plain(struct splitting *splitting)
{
    if (splitting->at[0] == '\\' && splitting->at[1])
        splitting->at++;
    text_add_char(splitting->word, *splitting->at++);
    splitting->in_word = true;
}

static bool word_end(struct splitting *splitting, struct arena *arena, struct text_list *words,
                     struct err *err)
{
    if (!splitting->in_word)
        return true;
    if (words->count == LIMIT_EXEC_WORDS_MAX)
        return err_set(err, ERR_EXEC_COMMAND, "the command has more than %d words",
                       LIMIT_EXEC_WORDS_MAX);
    words->items[words->count] = arena_text_n(
        arena, splitting->word->bytes ? splitting->word->bytes : "", splitting->word->size);
    text_clear(splitting->word);
    splitting->in_word = false;
    return words->items[words->count++] || err_set(err, ERR_BUSY, "no memory for a command");
}

static bool split(struct splitting *splitting, struct arena *arena, struct text_list *words,
                  struct err *err)
{
    while (*splitting->at) {
        if (strchr(" \t\n\r", *splitting->at)) {
            splitting->at++;
            if (!word_end(splitting, arena, words, err))
                return false;
        } else if (strchr("'\"", *splitting->at)) {
            if (!take_quoted(splitting))
                return err_set(err, ERR_EXEC_COMMAND, "a quote in the command does not end");
        } else {
            take_plain(splitting);
        }
    }
    return word_end(splitting, arena, words, err);
}

bool stream_command_split(const char *line, struct arena *arena, struct text_list *words,
                          struct err *err)
{
    AUTO(text) *word = text_new(strlen(line) + 1);
    struct splitting splitting = {.at = line, .word = word};

    *words = (struct text_list){.given = true};
    words->items = arena_array(arena, LIMIT_EXEC_WORDS_MAX, sizeof *words->items);
    if (!words->items || !word)
        return err_set(err, ERR_BUSY, "no memory for a command");
    if (!split(&splitting, arena, words, err))
        return false;
    return (words->count > 0 && words->items[0][0]) ||
           err_set(err, ERR_EXEC_COMMAND, "the command is empty");
}

/* ---- lines of a log ---- */

static bool time_take(const char *bytes, size_t size, char out[40])
{
    for (size_t i = 0; i < size; i++) {
        if (!bytes[i] || !strchr("0123456789-+:.TZ", bytes[i]))
            return false;
    }
    if (size > 6 && strncmp(bytes + size - 6, "+00:00", 6) == 0)
        return text_format(out, 40, "%.*sZ", (int)(size - 6), bytes);
    return size > 0 && text_format(out, 40, "%.*s", (int)size, bytes);
}

/* "2026-01-31T08:11:33.310696700+00:00 stdout F words": where the words begin; 0: it is no such line. */
static size_t parse_head(const char *bytes, size_t size, struct stream_line *line)
{
    const char *blank = memchr(bytes, ' ', size < 40 ? size : 40);
    size_t at = blank ? (size_t)(blank - bytes) : size;

    if (size < at + 10 || bytes[at + 7] != ' ' || bytes[at + 9] != ' ')
        return 0;
    line->is_error = strncmp(bytes + at + 1, "stderr", 6) == 0;
    line->is_part = bytes[at + 8] == 'P';
    if (!line->is_error && strncmp(bytes + at + 1, "stdout", 6) != 0)
        return 0;
    return time_take(bytes, at, line->time) ? at + 10 : 0;
}

bool stream_line_parse(const char *bytes, size_t size, struct stream_line *line)
{
    size_t head;

    *line = (struct stream_line){0};
    head = parse_head(bytes, size, line);
    if (head == 0)
        *line = (struct stream_line){0};
    line->content = bytes + head;
    line->content_size = size - head;
    return head > 0;
}
