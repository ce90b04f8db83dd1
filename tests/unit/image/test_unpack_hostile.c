/* Names, links and owners that strangers chose: whatever they say, nothing happens beside the root, where "outside"
 * is. */
#include "tests/unit/image/unpacking.h"

#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

TEST(refuses_dot_dot_in_a_name)
{
    add('0', "a/../../outside/evil", NULL, "x");
    must_refuse("a/../../outside/evil");
    assert_false(there("outside/evil"));
}

TEST(refuses_dot_dot_alone)
{
    add('5', "..", NULL, NULL);
    must_refuse("..");
}

TEST(an_absolute_name_is_below_the_root)
{
    char name[256];

    assert_true(text_format(name, sizeof name, "%s/outside/evil", unpacking.folder));
    add('0', name, NULL, "x");
    must_unpack();
    assert_false(there("outside/evil"));
    assert_true(text_format(name, sizeof name, "root%s/outside/evil", unpacking.folder));
    must_hold(name, "x");
}

TEST(a_symlink_to_outside_leads_nowhere)
{
    char target[256];

    assert_true(text_format(target, sizeof target, "%s/outside", unpacking.folder));
    add('2', "door", target, NULL);
    add('0', "door/evil", NULL, "x");
    must_refuse("door/evil");
    assert_false(there("outside/evil"));
}

TEST(a_symlink_upwards_stops_at_the_root)
{
    add('2', "door", "../../../../../../outside", NULL);
    add('5', "outside", NULL, NULL);
    add('0', "door/evil", NULL, "x");
    must_unpack();
    assert_false(there("outside/evil"));
    must_hold("root/outside/evil", "x"); /* the image's own */
}

TEST(a_symlink_in_the_image_is_followed_as_the_container_would)
{
    add('5', "usr", NULL, NULL);
    add('5', "usr/lib", NULL, NULL);
    add('2', "lib", "/usr/lib", NULL);
    add('0', "lib/libc.so", NULL, "c");
    must_unpack();
    must_hold("root/usr/lib/libc.so", "c");
    assert_true(S_ISLNK(look("root/lib").st_mode));
}

TEST(a_file_over_a_symlink_replaces_the_link)
{
    char target[256];

    assert_true(text_format(target, sizeof target, "%s/outside/victim", unpacking.folder));
    add('2', "link", target, NULL);
    add('0', "link", NULL, "x");
    must_unpack();
    must_hold("outside/victim", "untouched");
    must_hold("root/link", "x");
}

TEST(links_to_process_files_are_not_followed)
{
    add('2', "self", "/proc/self/root", NULL);
    add('0', "self/tmp/evil", NULL, "x");
    must_refuse("self/tmp/evil");
}

TEST(refuses_hard_links_to_outside)
{
    add('1', "hard", "../outside/victim", NULL);
    must_refuse("hard");
    assert_int_equal(look("outside/victim").st_nlink, 1);
}

TEST(refuses_hard_links_through_a_symlink_to_outside)
{
    add('2', "door", "../outside", NULL);
    add('1', "hard", "door/victim", NULL);
    must_refuse("hard");
    assert_int_equal(look("outside/victim").st_nlink, 1);
}

TEST(an_absolute_hard_link_is_below_the_root)
{
    add('0', "file", NULL, "x");
    add('1', "hard", "/file", NULL);
    must_unpack();
    assert_int_equal(look("root/hard").st_ino, look("root/file").st_ino);
}

TEST(refuses_hard_links_to_nothing_and_to_themselves)
{
    add('1', "hard", "nothing", NULL);
    must_refuse("does not have");
    made_drop(&unpacking.made);
    add('0', "same", NULL, "x");
    add('1', "same", "./same", NULL);
    must_refuse("to itself");
    must_hold("root/same", "x");
}

TEST(a_hard_link_replaces_what_was_there)
{
    add('0', "a", NULL, "a");
    add('5', "b", NULL, NULL);
    add('0', "b/in", NULL, "in");
    add('1', "b", "a", NULL);
    must_unpack();
    must_hold("root/b", "a");
}

TEST(a_hard_link_to_a_symlink_does_not_follow_it)
{
    add('2', "link", "../outside/victim", NULL);
    add('1', "hard", "link", NULL);
    add('0', "hard", NULL, "x");
    must_unpack();
    must_hold("outside/victim", "untouched");
}

TEST(refuses_a_file_below_a_file)
{
    add('0', "file", NULL, "x");
    add('0', "file/below", NULL, "x");
    must_refuse("file/below");
}

TEST(refuses_to_replace_the_root)
{
    add('0', ".", NULL, "x");
    must_refuse("root itself");
}

TEST(refuses_components_that_are_too_long)
{
    char name[300];

    memset(name, 'n', 256);
    name[256] = '\0';
    add('0', name, NULL, "x");
    must_refuse("too long");
}

TEST(refuses_names_that_are_too_deep)
{
    static char name[4096];

    for (size_t i = 0; i < 600; i++)
        memcpy(name + 2 * i, "d/", 3);
    add('0', name, NULL, "x");
    must_refuse("too deep");
}

TEST(folders_stacked_by_symlinks_stay_removable)
{
    static char deep[2048], name[2100];
    char link[16];
    bool taken = true;

    for (size_t i = 0; i < 100; i++)
        memcpy(deep + 2 * i, "d/", 3);
    add('5', deep, NULL, NULL);
    assert_true(text_format(name, sizeof name, "/%s", deep));
    add('2', "l0", name, NULL);
    for (int i = 1; i < 35 && taken; i++) {
        assert_true(text_format(name, sizeof name, "l%d/%s", i - 1, deep));
        add('5', name, NULL, NULL);
        assert_true(text_format(link, sizeof link, "l%d", i));
        add('2', link, name, NULL);
    }
    must_refuse("cannot make");
}

TEST(refuses_owners_no_file_can_have)
{
    add('0', "file", NULL, "x");
    memcpy(unpacking.made.bytes + 108, "\x80\0\0\1\0\0\0\0", 8); /* base 256: beyond 32 bits */
    unsigned sum = 0;
    memset(unpacking.made.bytes + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)unpacking.made.bytes[i];
    for (size_t i = 6; i-- > 0; sum >>= 3)
        unpacking.made.bytes[148 + i] = (char)('0' + (sum & 7));
    unpacking.made.bytes[154] = '\0';
    must_refuse("owner");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(refuses_dot_dot_in_a_name),
        IN_A_FOLDER(refuses_dot_dot_alone),
        IN_A_FOLDER(an_absolute_name_is_below_the_root),
        IN_A_FOLDER(a_symlink_to_outside_leads_nowhere),
        IN_A_FOLDER(a_symlink_upwards_stops_at_the_root),
        IN_A_FOLDER(a_symlink_in_the_image_is_followed_as_the_container_would),
        IN_A_FOLDER(a_file_over_a_symlink_replaces_the_link),
        IN_A_FOLDER(links_to_process_files_are_not_followed),
        IN_A_FOLDER(refuses_hard_links_to_outside),
        IN_A_FOLDER(refuses_hard_links_through_a_symlink_to_outside),
        IN_A_FOLDER(an_absolute_hard_link_is_below_the_root),
        IN_A_FOLDER(refuses_hard_links_to_nothing_and_to_themselves),
        IN_A_FOLDER(a_hard_link_replaces_what_was_there),
        IN_A_FOLDER(a_hard_link_to_a_symlink_does_not_follow_it),
        IN_A_FOLDER(refuses_a_file_below_a_file),
        IN_A_FOLDER(refuses_to_replace_the_root),
        IN_A_FOLDER(refuses_components_that_are_too_long),
        IN_A_FOLDER(refuses_names_that_are_too_deep),
        IN_A_FOLDER(folders_stacked_by_symlinks_stay_removable),
        IN_A_FOLDER(refuses_owners_no_file_can_have),
    };
    return RUN_TESTS(tests);
}
