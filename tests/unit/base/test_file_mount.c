/* Needs root: removing a tree must stop at what is mounted in it, or a container's volume would go with it. */
#include "base/file.h"

#include "base/text.h"

#include "tests/unit/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

static char folder[] = "/tmp/berth-mount-XXXXXX";

static const char *path(const char *name)
{
    static char out[4][256];
    static size_t turn;
    char *into = out[turn++ % 4];
    text_format(into, sizeof out[0], "%s/%s", folder, name);
    return into;
}

/* In a mount namespace of its own: nothing is left behind. */
static int set_up(void **state UNUSED)
{
    struct err err;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    return mkdtemp(folder) && file_make_folders(path("kept"), 0755, &err) &&
                   file_make_folders(path("tree/a/mounted"), 0755, &err) &&
                   file_replace(path("kept/file"), "x", 1, 0600, false, &err)
               ? 0
               : -1;
}

static int tear_down(void **state UNUSED)
{
    struct err err;
    return file_remove_tree(folder, &err) ? 0 : -1;
}

static void assert_refused(void)
{
    struct err err = {0};
    assert_false(file_remove_tree(path("tree"), &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_non_null(strstr(err.text, "holds a mount at mounted"));
}

TEST(never_crosses_a_bind_mount)
{
    struct err err;
    assert_int_equal(mount(path("kept"), path("tree/a/mounted"), NULL, MS_BIND, NULL), 0);
    assert_refused();
    assert_true(file_exists(path("kept/file")));
    assert_int_equal(umount(path("tree/a/mounted")), 0);
    assert_true(file_remove_tree(path("tree"), &err));
    assert_true(file_exists(path("kept/file")));
    assert_true(file_make_folders(path("tree/a/mounted"), 0755, &err));
}

TEST(never_crosses_into_another_filesystem)
{
    assert_int_equal(mount("none", path("tree/a/mounted"), "tmpfs", 0, NULL), 0);
    struct err err;
    assert_true(file_replace(path("tree/a/mounted/file"), "x", 1, 0600, false, &err));
    assert_refused();
    assert_true(file_exists(path("tree/a/mounted/file")));
    assert_int_equal(umount(path("tree/a/mounted")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_crosses_a_bind_mount),
        cmocka_unit_test(never_crosses_into_another_filesystem),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
