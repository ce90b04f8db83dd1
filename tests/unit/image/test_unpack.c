/* What good layers hold is put down as they say: files of all kinds with their attributes, out of compressed archives too,
 * and folders that are declared only after they were needed. */
#include "tests/unit/image/unpacking.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

/* ---- what good layers hold ---- */

TEST(puts_down_files_folders_links_devices_and_fifos)
{
    add('5', "a", NULL, NULL);
    add('0', "a/file", NULL, "content");
    add('2', "a/symlink", "/etc/passwd", NULL);
    add('1', "a/hard", "a/file", NULL);
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '3', .name = "null", .major = 1, .minor = 3, .mode = 0666});
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '4', .name = "disk", .major = 8, .minor = 1, .mode = 0660});
    add('6', "fifo", NULL, NULL);
    must_unpack();
    must_hold("root/a/file", "content");
    assert_int_equal(look("root/a/file").st_nlink, 2);
    assert_int_equal(look("root/a/file").st_ino, look("root/a/hard").st_ino);
    assert_true(S_ISLNK(look("root/a/symlink").st_mode));
    assert_true(S_ISCHR(look("root/null").st_mode));
    assert_int_equal(look("root/null").st_rdev, makedev(1, 3));
    assert_int_equal(look("root/null").st_mode & 07777, 0666);
    assert_true(S_ISBLK(look("root/disk").st_mode));
    assert_true(S_ISFIFO(look("root/fifo").st_mode));
    assert_int_equal(unpacking.unpacked.files, 7);
}

TEST(keeps_owner_mode_and_time_of_everything)
{
    made_add(&unpacking.made,
             &(struct made_entry){
                 .type = '5', .name = "d/", .mode = 01777, .uid = 7, .gid = 8, .modified = 1000});
    made_add(&unpacking.made, &(struct made_entry){.type = '0',
                                                   .name = "d/su",
                                                   .mode = 04755,
                                                   .uid = 1000,
                                                   .gid = 100,
                                                   .modified = 2000,
                                                   .content = "x"});
    made_add(
        &unpacking.made,
        &(struct made_entry){
            .type = '2', .name = "d/link", .link = "su", .mode = 0777, .uid = 5, .modified = 3000});
    add('0', "d/more", NULL, "y");
    must_unpack();
    assert_int_equal(look("root/d").st_mode & 07777, 01777);
    assert_int_equal(look("root/d").st_uid, 7);
    assert_int_equal(look("root/d").st_mtim.tv_sec, 1000); /* though it was filled later */
    assert_int_equal(look("root/d/su").st_mode & 07777, 04755);
    assert_int_equal(look("root/d/su").st_uid, 1000);
    assert_int_equal(look("root/d/su").st_mtim.tv_sec, 2000);
    assert_int_equal(look("root/d/link").st_uid, 5);
    assert_int_equal(look("root/d/link").st_mtim.tv_sec, 3000);
}

TEST(the_root_itself_can_be_declared)
{
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '5', .name = "./", .mode = 0555, .uid = 3, .modified = 77});
    add('0', "./file", NULL, "x");
    must_unpack();
    assert_int_equal(look("root").st_mode & 07777, 0555);
    assert_int_equal(look("root").st_uid, 3);
    assert_int_equal(look("root").st_mtim.tv_sec, 77);
}

TEST(keeps_capabilities_and_users_attributes_only)
{
    /* cap_net_bind_service=ep, as the kernel writes it. */
    static const char capability[20] = {1, 0, 0, 2, 0, 4};
    char value[64];

    made_add(&unpacking.made, &(struct made_entry){.type = '0',
                                                   .name = "bind",
                                                   .mode = 0755,
                                                   .uid = 33,
                                                   .xattr = "security.capability",
                                                   .xattr_value = capability,
                                                   .xattr_size = sizeof capability});

    made_add(&unpacking.made, &(struct made_entry){.type = '0',
                                                   .name = "f",
                                                   .mode = 0755,
                                                   .content = "x",
                                                   .xattr = "user.note",
                                                   .xattr_value = "kept"});
    made_add(&unpacking.made, &(struct made_entry){.type = '5',
                                                   .name = "d",
                                                   .mode = 0755,
                                                   .xattr = "trusted.overlay.redirect",
                                                   .xattr_value = "/etc"});
    must_unpack();
    assert_int_equal(getxattr(path_of("root/bind"), "security.capability", value, sizeof value),
                     20);
    assert_memory_equal(value, capability, 20);
    assert_int_equal(getxattr(path_of("root/f"), "user.note", value, sizeof value), 4);
    assert_true(getxattr(path_of("root/d"), "trusted.overlay.redirect", value, sizeof value) < 0);
}

TEST(later_entries_replace_earlier_ones)
{
    add('5', "a", NULL, NULL);
    add('0', "a/old", NULL, "x");
    add('0', "a", NULL, "now a file");
    add('0', "b", NULL, "file");
    add('5', "b", NULL, NULL);
    add('0', "b/in", NULL, "now a folder");
    add('2', "c", "b", NULL);
    add('5', "c", NULL, NULL);
    add('0', "d", NULL, "one");
    add('0', "d", NULL, "two");
    must_unpack();
    must_hold("root/a", "now a file");
    must_hold("root/b/in", "now a folder");
    assert_true(S_ISDIR(look("root/c").st_mode)); /* not through the link */
    must_hold("root/d", "two");
}

TEST(folders_nobody_declared_are_made)
{
    add('0', "very/deep/down/file", NULL, "x");
    must_unpack();
    must_hold("root/very/deep/down/file", "x");
    assert_int_equal(look("root/very/deep").st_mode & 07777, 0755);
}

TEST(folders_nobody_declared_look_as_in_the_layer_below)
{
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '5', .name = "tmp", .mode = 01777, .uid = 9, .modified = 5});
    must_unpack();
    made_drop(&unpacking.made);
    add('0', "tmp/x", NULL, "x");
    made_end(&unpacking.made);
    assert_int_equal(mkdir(path_of("upper"), 0755), 0);
    assert_true(unpack_over("upper", "root", 1 << 20, 100));
    assert_int_equal(look("upper/tmp").st_mode & 07777, 01777);
    assert_int_equal(look("upper/tmp").st_uid, 9);
    assert_int_equal(look("upper/tmp").st_mtim.tv_sec, 5);
}

TEST(names_longer_than_a_header_and_unusual_names_are_kept)
{
    char name[256];

    memset(name, 'n', 255);
    name[255] = '\0';
    add('0', name, NULL, "long");
    add('0', "sp ace\tand\nline", NULL, "odd");
    add('0', "\xc3\xa9t\xc3\xa9", NULL, "utf8");
    add('0', "\xff\xfe", NULL, "not utf8");
    must_unpack();
    char at[300];
    assert_true(text_format(at, sizeof at, "root/%s", name));
    must_hold(at, "long");
    must_hold("root/sp ace\tand\nline", "odd");
    must_hold("root/\xc3\xa9t\xc3\xa9", "utf8");
    must_hold("root/\xff\xfe", "not utf8");
}

TEST(zeros_take_no_space)
{
    size_t size = 4 << 20;
    AUTO_FREE char *zeros = calloc(1, size);

    made_add(&unpacking.made,
             &(struct made_entry){
                 .type = '0', .name = "holes", .mode = 0644, .content = zeros, .size = size});
    must_unpack();
    assert_int_equal(look("root/holes").st_size, (off_t)size);
    assert_true(look("root/holes").st_blocks < 64);
}

/* ---- compression ---- */

/* One frame whose only block is stored as it is. */
static void wrap_zstd(void)
{
    static const char skippable[] = "\x50\x2a\x4d\x18\x04\0\0\0toc!";
    size_t size = unpacking.made.size;
    char *wrapped = calloc(1, size + 64);
    const unsigned block = (unsigned)size << 3 | 1;
    const unsigned char head[] = {0x28,
                                  0xb5,
                                  0x2f,
                                  0xfd,
                                  0x60,
                                  (size - 256) & 255,
                                  (unsigned char)((size - 256) >> 8),
                                  block & 255,
                                  (unsigned char)(block >> 8),
                                  (unsigned char)(block >> 16)};

    assert_non_null(wrapped);
    memcpy(wrapped, head, sizeof head);
    memcpy(wrapped + sizeof head, unpacking.made.bytes, size);
    memcpy(wrapped + sizeof head + size, skippable, sizeof skippable - 1);
    made_drop(&unpacking.made);
    unpacking.made.bytes = wrapped;
    unpacking.made.size = unpacking.made.capacity = sizeof head + size + sizeof skippable - 1;
}

TEST(frames_that_zstd_skips_are_skipped)
{
    add('0', "file", NULL, "zstd");
    made_end(&unpacking.made);
    wrap_zstd();
    if (!unpack_over("root", NULL, 1 << 20, 10))
        fail_msg("%s", unpacking.err.text);
    must_hold("root/file", "zstd");
}

/* ---- declared after all ---- */

/* A folder of no layer below owes nothing once it is declared; one that is replaced neither. */
TEST(what_is_declared_after_all_looks_as_declared)
{
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '5', .name = "tmp", .mode = 01777, .uid = 9, .modified = 5});
    add('5', "gone", NULL, NULL);
    must_unpack();
    made_drop(&unpacking.made);
    add('0', "tmp/x", NULL, "x");
    add('0', "gone/x", NULL, "x");
    made_add(
        &unpacking.made,
        &(struct made_entry){.type = '5', .name = "tmp", .mode = 0700, .uid = 4, .modified = 6});
    add('0', "gone", NULL, "a file now");
    made_end(&unpacking.made);
    assert_int_equal(mkdir(path_of("upper"), 0755), 0);
    assert_true(unpack_over("upper", "root", 1 << 20, 100));
    assert_int_equal(look("upper/tmp").st_mode & 07777, 0700);
    assert_int_equal(look("upper/tmp").st_uid, 4);
    must_hold("upper/gone", "a file now");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(puts_down_files_folders_links_devices_and_fifos),
        IN_A_FOLDER(keeps_owner_mode_and_time_of_everything),
        IN_A_FOLDER(the_root_itself_can_be_declared),
        IN_A_FOLDER(keeps_capabilities_and_users_attributes_only),
        IN_A_FOLDER(later_entries_replace_earlier_ones),
        IN_A_FOLDER(folders_nobody_declared_are_made),
        IN_A_FOLDER(folders_nobody_declared_look_as_in_the_layer_below),
        IN_A_FOLDER(names_longer_than_a_header_and_unusual_names_are_kept),
        IN_A_FOLDER(zeros_take_no_space),
        IN_A_FOLDER(frames_that_zstd_skips_are_skipped),
        IN_A_FOLDER(what_is_declared_after_all_looks_as_declared),
        APART(folders_nobody_declared_look_as_in_the_layer_below),
        APART(what_is_declared_after_all_looks_as_declared),
    };
    return RUN_TESTS(tests);
}
