/* Reading logs: pieces joined, tails, ceilings, bytes that are no text. */
#include "base/file.h"
#include "base/limits.h"
#include "node-agent/runtime/runtime.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAMP "2026-01-31T08:11:33.310696700+00:00"

static char path[64], previous[70];

static int make_paths(void **state)
{
    (void)state;
    text_format(path, sizeof path, "/tmp/berth-log-%d", (int)getpid());
    text_format(previous, sizeof previous, "%s.1", path);
    return 0;
}

static void put(const char *file, const char *bytes, size_t size)
{
    struct err why;
    assert_true(file_replace(file, bytes, size, 0600, false, &why));
}

/* What is read with both files as given (NULL: absent). */
static const char *read_log(const char *older, const char *newer, struct runtime_log_query query)
{
    static struct text *out;
    struct err why = {0};
    text_free(out);
    out = text_new(8 << 20);
    if (older)
        put(previous, older, strlen(older));
    if (newer)
        put(path, newer, strlen(newer));
    if (!runtime_log_read(path, &query, out, &why))
        fail_msg("%s", why.text);
    assert_true(runtime_log_remove(path, &why));
    return out->bytes ? out->bytes : "";
}

static const struct runtime_log_query all = {.tail = -1};

TEST(strips_what_conmon_wrote_before_each_line)
{
    assert_string_equal(
        read_log(NULL, STAMP " stdout F one\n" STAMP " stderr F two\n" STAMP " stdout F \n", all),
        "one\ntwo\n\n");
}

TEST(keeps_times_when_asked)
{
    struct runtime_log_query query = {.tail = -1, .timestamps = true};
    assert_string_equal(read_log(NULL, STAMP " stdout F one\n" STAMP " stderr F \n", query),
                        "2026-01-31T08:11:33.310696700Z one\n2026-01-31T08:11:33.310696700Z \n");
    assert_string_equal(read_log(NULL, "2026-01-31T08:11:33.310696700+02:00 stdout F one\n", query),
                        "2026-01-31T08:11:33.310696700+02:00 one\n");
}

TEST(joins_the_pieces_of_each_stream)
{
    struct runtime_log_query query = {.tail = -1, .timestamps = true};
    const char *log =
        "2026-01-31T08:11:33.1+00:00 stdout P one \n2026-01-31T08:11:33.2+00:00 stderr P two \n"
        "2026-01-31T08:11:33.3+00:00 stdout F end\n2026-01-31T08:11:33.4+00:00 stderr F fin\n";
    assert_string_equal(read_log(NULL, log, all), "one end\ntwo fin\n");
    assert_string_equal(read_log(NULL, log, query),
                        "2026-01-31T08:11:33.1Z one end\n2026-01-31T08:11:33.2Z two fin\n");
}

TEST(joins_pieces_over_a_rotation)
{
    assert_string_equal(
        read_log(STAMP " stdout F zero\n" STAMP " stdout P be", STAMP " stdout F gin\n", all),
        "zero\nbegin\n");
}

TEST(shows_a_line_that_has_not_ended)
{
    assert_string_equal(read_log(NULL, STAMP " stdout F one\n" STAMP " stdout P name: \n", all),
                        "one\nname: \n");
    assert_string_equal(read_log(NULL, STAMP " stdout F cut o", all), "cut o\n");
}

TEST(answers_nothing_without_a_log)
{
    assert_string_equal(read_log(NULL, NULL, all), "");
    assert_string_equal(read_log(NULL, "", all), "");
    assert_string_equal(read_log(STAMP " stdout F old\n", NULL, all), "old\n");
}

TEST(answers_the_newest_lines)
{
    const char *log = STAMP " stdout F one\n" STAMP " stdout F two\n" STAMP " stdout F three\n";
    const char *expected[] = {"", "three\n", "two\nthree\n", "one\ntwo\nthree\n",
                              "one\ntwo\nthree\n"};
    for (int tail = 0; tail < 5; tail++)
        assert_string_equal(read_log(NULL, log, (struct runtime_log_query){.tail = tail}),
                            expected[tail]);
}

TEST(answers_whole_lines_within_the_ceiling)
{
    const char *log = STAMP " stdout F aaaa\n" STAMP " stdout F bbbb\n" STAMP " stdout F cccc\n";
    const char *expected[] = {
        [4] = "ccc\n",         [5] = "cccc\n",        [9] = "cccc\n",
        [10] = "bbbb\ncccc\n", [14] = "bbbb\ncccc\n", [15] = "aaaa\nbbbb\ncccc\n"};
    for (size_t size = 0; size < COUNT_OF(expected); size++)
        if (expected[size])
            assert_string_equal(
                read_log(NULL, log,
                         (struct runtime_log_query){.tail = -1, .bytes_max = (int64_t)size}),
                expected[size]);
}

TEST(cuts_a_line_that_is_too_long_between_characters)
{
    struct runtime_log_query query = {.tail = -1, .bytes_max = 6};
    assert_string_equal(read_log(NULL, STAMP " stdout F \xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\n", query),
                        "\xC3\xA9\xC3\xA9\n");
}

TEST(replaces_what_is_no_text)
{
    static const char log[] = STAMP " stdout F a\0b\xFF"
                                    "c\xC3\n" STAMP " stdout P \xC3\n" STAMP " stdout F \xA9\n";
    struct err why;
    AUTO(text) *out = text_new(1000);
    put(path, log, sizeof log - 1);
    assert_true(runtime_log_read(path, &all, out, &why));
    assert_string_equal(out->bytes, "a\xEF\xBF\xBD"
                                    "b\xEF\xBF\xBD"
                                    "c\xEF\xBF\xBD\n\xC3\xA9\n");
    assert_true(runtime_log_remove(path, &why));
}

TEST(passes_on_lines_that_are_not_conmons)
{
    assert_string_equal(
        read_log(NULL, "hello\n" STAMP "\n" STAMP " stdin F x\n" STAMP " stdout F\n", all),
        "hello\n" STAMP "\n" STAMP " stdin F x\n" STAMP " stdout F\n");
}

/* 40 MiB of lines and a line of 12 MiB: what is kept meanwhile has a bound. */
TEST(keeps_the_end_of_a_log_that_is_far_too_long)
{
    static char piece[8192];
    memset(piece, 'x', sizeof piece - 1);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        fprintf(file, STAMP " stdout F %d %s\n", i, piece);
    for (int i = 0; i < 1500; i++)
        fprintf(file, STAMP " stdout P %s\n", piece);
    fprintf(file, STAMP " stdout F end\n");
    fclose(file);
    AUTO(text) *out = text_new(8 << 20);
    struct err why;
    assert_true(runtime_log_read(path, &all, out, &why));
    assert_int_equal(out->size, LIMIT_LOG_ANSWER_MAX);
    assert_string_equal(out->bytes + out->size - 5, "xend\n");
    struct runtime_log_query last = {.tail = 1, .bytes_max = 100};
    text_clear(out);
    assert_true(runtime_log_read(path, &last, out, &why));
    assert_int_equal(out->size, 100);
    assert_true(runtime_log_remove(path, &why));
}

/* "1" in the file of that name, or its absence. */
static void holds(const char *file, const char *words)
{
    struct err why = {0};
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!words) {
        assert_false(file_exists(file));
        return;
    }
    if (!file_read(file, 64, &bytes, &size, &why))
        fail_msg("%s", why.text);
    assert_string_equal(bytes, words);
}

TEST(keeps_the_log_of_the_run_before_whole_and_only_that)
{
    char kept[128], kept_older[132];
    struct err why = {0};
    assert_true(runtime_log_previous(path, kept, sizeof kept));
    text_format(kept_older, sizeof kept_older, "%s.1", kept);
    put(previous, "1", 1);
    put(path, "2", 1);
    assert_true(runtime_log_keep(path, &why));
    holds(kept_older, "1");
    holds(kept, "2");
    holds(path, NULL);
    assert_true(runtime_log_keep(path, &why)); /* nothing was written since */
    holds(kept, "2");
    put(path, "3", 1);
    assert_true(runtime_log_keep(path, &why));
    holds(kept, "3");
    holds(kept_older, NULL);
    assert_true(runtime_log_remove(kept, &why));
}

TEST(an_agent_that_died_between_two_renames_ends_them)
{
    char kept[128], kept_older[132];
    struct err why = {0};
    assert_true(runtime_log_previous(path, kept, sizeof kept));
    text_format(kept_older, sizeof kept_older, "%s.1", kept);
    put(kept, "2", 1);
    put(previous, "1", 1);
    assert_true(runtime_log_keep(path, &why));
    holds(kept, "2");
    holds(kept_older, "1");
    assert_true(runtime_log_remove(kept, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_what_conmon_wrote_before_each_line),
        cmocka_unit_test(keeps_the_log_of_the_run_before_whole_and_only_that),
        cmocka_unit_test(an_agent_that_died_between_two_renames_ends_them),
        cmocka_unit_test(keeps_times_when_asked),
        cmocka_unit_test(joins_the_pieces_of_each_stream),
        cmocka_unit_test(joins_pieces_over_a_rotation),
        cmocka_unit_test(shows_a_line_that_has_not_ended),
        cmocka_unit_test(answers_nothing_without_a_log),
        cmocka_unit_test(answers_the_newest_lines),
        cmocka_unit_test(answers_whole_lines_within_the_ceiling),
        cmocka_unit_test(cuts_a_line_that_is_too_long_between_characters),
        cmocka_unit_test(replaces_what_is_no_text),
        cmocka_unit_test(passes_on_lines_that_are_not_conmons),
        cmocka_unit_test(keeps_the_end_of_a_log_that_is_far_too_long),
    };
    return cmocka_run_group_tests(tests, make_paths, NULL);
}
