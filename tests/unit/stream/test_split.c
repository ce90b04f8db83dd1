/* Command lines and lines of logs, taken apart. */
#include "node-agent/stream/stream.h"
#include "tests/unit/unit.h"

#include <string.h>

static void words_are(const char *line, const char *wanted)
{
    AUTO(arena) *arena = arena_new(256 * 1024);
    AUTO(text) *joined = text_new(4096);
    struct text_list words;
    struct err err = {0};

    if (!stream_command_split(line, arena, &words, &err))
        fail_msg("%s: %s", line, err.text);
    for (size_t i = 0; i < words.count; i++)
        text_addf(joined, "[%s]", words.items[i]);
    assert_string_equal(joined->bytes, wanted);
}

static void is_refused(const char *line)
{
    AUTO(arena) *arena = arena_new(256 * 1024);
    struct text_list words;
    struct err err = {0};

    if (stream_command_split(line, arena, &words, &err))
        fail_msg("%s is taken", line);
    assert_int_equal(err.code, ERR_EXEC_COMMAND);
}

TEST(takes_a_command_apart_as_a_shell_does)
{
    words_are("/bin/sh", "[/bin/sh]");
    words_are("  echo   FOO\tBAR\n", "[echo][FOO][BAR]");
    words_are("sh -c \"echo 'a  b'\"", "[sh][-c][echo 'a  b']");
    words_are("a\\ b 'c\\d' \"e\\\"f\\g\"", "[a b][c\\d][e\"f\\g]");
    words_are("x'' '' \"\"", "[x][][]");
    words_are("a'b'\"c\"d", "[abcd]");
    words_are("end\\", "[end\\]");
}

TEST(expands_nothing)
{
    words_are("echo $HOME * ~ `id` $(id) a|b ; c > d",
              "[echo][$HOME][*][~][`id`][$(id)][a|b][;][c][>][d]");
}

TEST(refuses_a_command_that_does_not_end_or_is_none)
{
    is_refused("echo 'a");
    is_refused("echo \"a\\\"");
    is_refused("");
    is_refused("   ");
    is_refused("'' x");
}

TEST(refuses_more_words_than_a_command_line_may_have)
{
    char line[2 * 300 + 1] = "";

    memset(line, ' ', sizeof line - 1);
    for (size_t i = 0; i < sizeof line - 1; i += 2)
        line[i] = 'x';
    is_refused(line);
}

TEST(reads_a_line_of_a_log)
{
    static const char line[] = "2026-01-31T08:11:33.310696700+00:00 stderr P half a line";
    struct stream_line read;

    assert_true(stream_line_parse(line, strlen(line), &read));
    assert_string_equal(read.time, "2026-01-31T08:11:33.310696700Z");
    assert_true(read.is_error && read.is_part);
    assert_int_equal(read.content_size, strlen("half a line"));
    assert_memory_equal(read.content, "half a line", read.content_size);
}

TEST(takes_what_is_no_such_line_as_it_is)
{
    static const char *const lines[] = {"",
                                        "x",
                                        "2026-01-31T08:11:33Z stdin F x",
                                        "no time stdout F x",
                                        "2026-01-31T08:11:33Z stdout F",
                                        "2026-01-31T08:11:33Z"};

    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct stream_line read;
        if (stream_line_parse(lines[i], strlen(lines[i]), &read))
            fail_msg("%s is taken for a line of conmon", lines[i]);
        assert_int_equal(read.content_size, strlen(lines[i]));
        assert_false(read.is_error || read.is_part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_command_apart_as_a_shell_does),
        cmocka_unit_test(expands_nothing),
        cmocka_unit_test(refuses_a_command_that_does_not_end_or_is_none),
        cmocka_unit_test(refuses_more_words_than_a_command_line_may_have),
        cmocka_unit_test(reads_a_line_of_a_log),
        cmocka_unit_test(takes_what_is_no_such_line_as_it_is),
    };
    return RUN_TESTS(tests);
}
