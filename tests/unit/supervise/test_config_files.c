/* The files of a configMap: all at once, never half, never older. */
#include "base/file.h"
#include "base/text.h"
#include "node-agent/supervise/config_files.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

static char folder[96];

static int begin(void **state)
{
    static char base[64] = "/tmp/berth-config-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(base));
    text_format(folder, sizeof folder, "%s/web", base);
    return 0;
}

static int end(void **state)
{
    struct err why = {0};
    char *slash = strrchr(folder, '/');
    (void)state;
    *slash = '\0';
    assert_true(file_remove_tree(folder, &why));
    return 0;
}

static void write_pairs(int64_t revision, struct text_pair *pairs, size_t count)
{
    struct err why = {0};
    if (!config_files_write(folder, revision, &(struct text_map){true, pairs, count}, 0, &why))
        fail_msg("%s", why.text);
}

static void assert_file(const char *name, const char *wanted)
{
    char path[200];
    struct err why = {0};
    AUTO_FREE char *bytes = NULL;
    size_t size;
    text_format(path, sizeof path, "%s/%s", folder, name);
    bool there = file_read(path, 4096, &bytes, &size, &why);
    assert_int_equal(there, wanted != NULL);
    if (wanted)
        assert_string_equal(bytes, wanted);
}

static int entries(void)
{
    int count = 0;
    DIR *open = opendir(folder);
    while (readdir(open))
        count++;
    closedir(open);
    return count - 2;
}

TEST(files_are_those_of_the_newest_revision_and_no_others)
{
    struct text_pair first[] = {{"colour", "red"}, {"empty", ""}},
                     then[] = {{"colour", "blue"}, {"size", "9\n"}};
    write_pairs(7, first, 2);
    assert_file("colour", "red");
    assert_file("empty", "");
    write_pairs(9, then, 2);
    assert_file("colour", "blue");
    assert_file("size", "9\n");
    assert_file("empty", NULL);
    assert_int_equal(entries(), 4); /* ..9, ..data and a link for each key */
    write_pairs(8, first, 2);       /* a container that started from an older order */
    assert_file("colour", "blue");
    write_pairs(9, then, 2);
    assert_int_equal(entries(), 4);
}

TEST(what_a_killed_agent_left_half_is_written_anew)
{
    struct text_pair pairs[] = {{"a", "1"}};
    struct err why = {0};
    char path[200];
    text_format(path, sizeof path, "%s/..20", folder);
    assert_true(file_make_folders(path, 0755, &why));
    text_format(path, sizeof path, "%s/..20/half", folder);
    assert_true(file_replace(path, "x", 1, 0644, false, &why));
    text_format(path, sizeof path, "%s/..new", folder);
    assert_int_equal(symlink("nowhere", path), 0);
    write_pairs(20, pairs, 1);
    assert_file("a", "1");
    assert_file("..data/half", NULL);
    assert_int_equal(entries(), 3);
}

TEST(no_key_leaves_the_folder)
{
    static const char *const keys[] = {"", ".", "..", "..data", "a/b", "../x"};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct text_pair pair = {keys[i], "x"};
        struct err why = {0};
        assert_false(config_files_write(folder, 100, &(struct text_map){true, &pair, 1}, 0, &why));
        assert_int_equal(why.code, ERR_CONFIG_MAP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_those_of_the_newest_revision_and_no_others),
        cmocka_unit_test(what_a_killed_agent_left_half_is_written_anew),
        cmocka_unit_test(no_key_leaves_the_folder),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
