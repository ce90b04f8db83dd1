#include "base/file.h"

#include "base/text.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];
static char path_buffer[4][512];

static const char *path(const char *name)
{
    static size_t turn;
    char *out = path_buffer[turn++ % 4];
    text_format(out, sizeof path_buffer[0], "%s/%s", folder, name);
    return out;
}

static int set_up(void **state UNUSED)
{
    text_copy(folder, sizeof folder, "/tmp/berth-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state UNUSED)
{
    struct err err;
    return file_remove_tree(folder, &err) ? 0 : -1;
}

TEST(reads_back_what_was_replaced)
{
    struct err err = {0};
    char *bytes = NULL;
    size_t size = 0;
    assert_true(file_replace(path("a"), "one", 3, 0600, true, &err));
    assert_true(file_replace(path("a"), "t\0wo", 4, 0640, false, &err));
    assert_true(file_read(path("a"), 4, &bytes, &size, &err));
    assert_int_equal(size, 4);
    assert_memory_equal(bytes, "t\0wo", 5);
    free(bytes);
    struct stat about;
    assert_int_equal(stat(path("a"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
}

TEST(says_why_a_file_cannot_be_read)
{
    struct err err = {0};
    char *bytes = NULL;
    size_t size;
    assert_false(file_read(path("absent"), 10, &bytes, &size, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(file_replace(path("big"), "12345", 5, 0600, false, &err));
    assert_false(file_read(path("big"), 4, &bytes, &size, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_false(file_read(folder, 4, &bytes, &size, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_null(bytes);
}

TEST(reads_files_that_hide_their_size)
{
    struct err err = {0};
    AUTO_FREE char *bytes = NULL;
    assert_true(file_read("/proc/self/status", 65536, &bytes, NULL, &err));
    assert_non_null(strstr(bytes, "Pid:"));
}

TEST(leaves_no_temporary_file_when_it_fails)
{
    struct err err = {0};
    assert_true(file_make_folders(path("taken"), 0755, &err));
    assert_false(file_replace(path("taken"), "x", 1, 0600, false, &err));
    assert_false(file_replace(path("no/such/folder"), "x", 1, 0600, false, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_true(file_remove_tree(path("taken"), &err));
    char *bytes;
    size_t size;
    assert_false(file_read(path("taken"), 1, &bytes, &size, &err));
}

TEST(makes_folders_and_takes_those_that_are_there)
{
    struct err err = {0};
    assert_true(file_make_folders(path("x/y/z"), 0755, &err));
    assert_true(file_make_folders(path("x/y/z/"), 0755, &err));
    assert_true(file_exists(path("x/y/z")));
    assert_true(file_sync_folder(path("x/y"), &err));
    assert_true(file_replace(path("x/file"), "", 0, 0600, false, &err));
    assert_false(file_make_folders(path("x/file/y"), 0755, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_false(file_make_folders("", 0755, &err));
}

TEST(removes_a_tree_and_not_what_its_links_point_to)
{
    struct err err = {0};
    assert_true(file_make_folders(path("tree/a/b"), 0755, &err));
    assert_true(file_make_folders(path("kept/inside"), 0755, &err));
    assert_int_equal(symlink(path("kept"), path("tree/a/link")), 0);
    assert_true(file_replace(path("tree/a/b/file"), "x", 1, 0000, false, &err));
    assert_true(file_remove_tree(path("tree"), &err));
    assert_false(file_exists(path("tree")));
    assert_true(file_exists(path("kept/inside")));
    assert_int_equal(symlink(path("kept"), path("link")), 0);
    assert_true(file_remove_tree(path("link"), &err)); /* the link alone */
    assert_true(file_exists(path("kept/inside")));
    assert_false(file_exists(path("link")));
    assert_true(file_remove_tree(path("absent"), &err));
}

TEST(removes_what_hides_behind_names_it_would_choose)
{
    struct err err = {0};
    char deep[400] = "tree";
    for (int i = 0; i < 40; i++)
        text_format(deep + strlen(deep), sizeof deep - strlen(deep), "/%d", i);
    assert_true(file_make_folders(path(deep), 0755, &err));
    assert_true(file_make_folders(path("tree/.removing-0/.removing-1"), 0755, &err));
    assert_true(file_remove_tree(path("tree"), &err));
    assert_false(file_exists(path("tree")));
}

TEST(says_what_it_cannot_write_or_remove)
{
    struct err err = {0};
    char longer[5000];
    memset(longer, 'x', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    assert_false(file_replace(longer, "", 0, 0600, false, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(file_make_folders(longer, 0755, &err));
    assert_false(file_remove_tree(longer, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_false(file_sync_folder(path("absent"), &err));
    assert_false(file_make_folders("/proc/no/such", 0755, &err));
    assert_false(file_replace("/dev/full/x", "", 0, 0600, false, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(file_remove_tree("/proc/self/fdinfo", &err));
    assert_non_null(strstr(err.text, "cannot remove"));
}

TEST(removes_a_tree_deeper_than_any_path)
{
    struct err err = {0};
    enum { DEPTH = 600 };
    assert_true(file_make_folders(path("deep"), 0755, &err));
    int at = open(path("deep"), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        assert_int_equal(mkdirat(at, "one-more-folder", 0755), 0);
        int next = openat(at, "one-more-folder", O_RDONLY | O_DIRECTORY);
        close(openat(next, "file", O_WRONLY | O_CREAT, 0600));
        close(at);
        at = next;
        assert_true(at >= 0);
    }
    close(at);
    assert_true(file_remove_tree(path("deep"), &err));
    assert_false(file_exists(path("deep")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_back_what_was_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_why_a_file_cannot_be_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_files_that_hide_their_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_no_temporary_file_when_it_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(makes_folders_and_takes_those_that_are_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(removes_a_tree_and_not_what_its_links_point_to, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(removes_what_hides_behind_names_it_would_choose, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(says_what_it_cannot_write_or_remove, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removes_a_tree_deeper_than_any_path, set_up, tear_down),
    };
    return RUN_TESTS(tests);
}
