/* Layers good and hostile, unpacked by berth-unpack as on a node. Each test unpacks into "root" of a folder of its
 * own and, where something tries to get out, looks at "outside" beside it. */
#include "tests/unit/image/made.h"
#include "tests/unit/unit.h"

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "node-agent/image/tree.h"
#include "node-agent/image/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static char folder[64];
static struct made made;
static struct unpacked unpacked;
static bool apart; /* the layer below comes only afterwards */
static struct tree_debts debts;
static struct err err;

static const char *path_of(const char *name)
{
    static char path[8192];

    assert_true(text_format(path, sizeof path, "%s/%s", folder, name));
    return path;
}

static int open_dir(const char *name)
{
    int fd = open(path_of(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

static bool unpack_over(const char *root_name, const char *lower_name, int64_t bytes_max,
                        int64_t files_max)
{
    AUTO_CLOSE int blob = made_file(made.bytes, made.size);
    AUTO_CLOSE int root = open_dir(root_name);
    AUTO_CLOSE int lower = lower_name ? open_dir(lower_name) : -1;
    const struct unpack unpack = {.blob = blob,
                                  .root = root,
                                  .lowers = apart ? NULL : &lower,
                                  .lowers_count = lower_name && !apart ? 1 : 0,
                                  .debts = lower_name && apart ? &debts : NULL,
                                  .bytes_max = bytes_max,
                                  .files_max = files_max,
                                  .cancel_fd = -1};

    memset(&err, 0, sizeof err);
    bool done = unpacker_run(UNPACK_PROGRAM, &unpack, &unpacked, &err);
    if (done && apart && lower_name) {
        assert_false(debts.unsettled);
        done = tree_settle(&debts, root, &lower, 1, &err);
    }
    tree_debts_done(&debts);
    return done;
}

static bool unpack_made(void)
{
    made_end(&made);
    return unpack_over("root", NULL, 1 << 28, 100000);
}

static void must_unpack(void)
{
    if (!unpack_made())
        fail_msg("%s", err.text);
}

/* And names the entry. */
static void must_refuse(const char *words)
{
    assert_false(unpack_made());
    if (err.code != ERR_IMAGE_INACCESSIBLE || !strstr(err.text, words))
        fail_msg("%s (%d)", err.text, (int)err.code);
}

static void add(char type, const char *name, const char *link, const char *content)
{
    made_add(&made,
             &(struct made_entry){
                 .type = type, .name = name, .link = link, .content = content, .mode = 0644});
}

static struct stat look(const char *name)
{
    struct stat seen;

    if (lstat(path_of(name), &seen) != 0)
        fail_msg("%s is not there", name);
    return seen;
}

static bool there(const char *name)
{
    return file_exists(path_of(name));
}

static void must_hold(const char *name, const char *content)
{
    AUTO_FREE char *bytes = NULL;
    struct err ignored;

    assert_true(file_read(path_of(name), 1 << 20, &bytes, NULL, &ignored));
    assert_string_equal(bytes, content);
}

/* ---- what good layers hold ---- */

TEST(puts_down_files_folders_links_devices_and_fifos)
{
    add('5', "a", NULL, NULL);
    add('0', "a/file", NULL, "content");
    add('2', "a/symlink", "/etc/passwd", NULL);
    add('1', "a/hard", "a/file", NULL);
    made_add(&made, &(struct made_entry){
                        .type = '3', .name = "null", .major = 1, .minor = 3, .mode = 0666});
    made_add(&made, &(struct made_entry){
                        .type = '4', .name = "disk", .major = 8, .minor = 1, .mode = 0660});
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
    assert_int_equal(unpacked.files, 7);
}

TEST(keeps_owner_mode_and_time_of_everything)
{
    made_add(&made,
             &(struct made_entry){
                 .type = '5', .name = "d/", .mode = 01777, .uid = 7, .gid = 8, .modified = 1000});
    made_add(&made, &(struct made_entry){.type = '0',
                                         .name = "d/su",
                                         .mode = 04755,
                                         .uid = 1000,
                                         .gid = 100,
                                         .modified = 2000,
                                         .content = "x"});
    made_add(
        &made,
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
    made_add(&made, &(struct made_entry){
                        .type = '5', .name = "./", .mode = 0555, .uid = 3, .modified = 77});
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

    made_add(&made, &(struct made_entry){.type = '0',
                                         .name = "bind",
                                         .mode = 0755,
                                         .uid = 33,
                                         .xattr = "security.capability",
                                         .xattr_value = capability,
                                         .xattr_size = sizeof capability});

    made_add(&made, &(struct made_entry){.type = '0',
                                         .name = "f",
                                         .mode = 0755,
                                         .content = "x",
                                         .xattr = "user.note",
                                         .xattr_value = "kept"});
    made_add(&made, &(struct made_entry){.type = '5',
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
    made_add(&made, &(struct made_entry){
                        .type = '5', .name = "tmp", .mode = 01777, .uid = 9, .modified = 5});
    must_unpack();
    made_drop(&made);
    add('0', "tmp/x", NULL, "x");
    made_end(&made);
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

    made_add(&made,
             &(struct made_entry){
                 .type = '0', .name = "holes", .mode = 0644, .content = zeros, .size = size});
    must_unpack();
    assert_int_equal(look("root/holes").st_size, (off_t)size);
    assert_true(look("root/holes").st_blocks < 64);
}

/* ---- deletions ---- */

static bool is_whiteout(const char *name)
{
    struct stat seen = look(name);

    return S_ISCHR(seen.st_mode) && seen.st_rdev == makedev(0, 0);
}

static bool is_opaque(const char *name)
{
    char value[8];

    return getxattr(path_of(name), "trusted.overlay.opaque", value, sizeof value) == 1 &&
           *value == 'y';
}

static void lay_below(void)
{
    add('5', "etc", NULL, NULL);
    add('0', "etc/motd", NULL, "below");
    add('0', "etc/rc", NULL, "below");
    add('5', "var", NULL, NULL);
    add('0', "var/old", NULL, "below");
    must_unpack();
    made_drop(&made);
    assert_int_equal(mkdir(path_of("upper"), 0755), 0);
}

static void unpack_upper(void)
{
    made_end(&made);
    if (!unpack_over("upper", "root", 1 << 20, 100))
        fail_msg("%s", err.text);
}

TEST(whiteouts_become_what_overlayfs_reads)
{
    lay_below();
    add('0', "etc/.wh.motd", NULL, NULL);
    add('0', "var/.wh..wh..opq", NULL, NULL);
    add('0', "var/new", NULL, "new");
    unpack_upper();
    assert_true(is_whiteout("upper/etc/motd"));
    assert_false(is_opaque("upper/etc"));
    assert_true(is_opaque("upper/var"));
    must_hold("upper/var/new", "new");
    assert_false(there("upper/etc/.wh.motd"));
}

TEST(the_kernel_shows_the_layers_as_the_image_meant_them)
{
    char options[512];

    lay_below();
    add('0', "etc/.wh.motd", NULL, NULL);
    add('0', "var/.wh..wh..opq", NULL, NULL);
    add('0', "var/new", NULL, "new");
    unpack_upper();
    assert_int_equal(mkdir(path_of("at"), 0755), 0);
    assert_true(text_format(options, sizeof options, "lowerdir=%s/upper:%s/root", folder, folder));
    assert_int_equal(mount("overlay", path_of("at"), "overlay", MS_RDONLY, options), 0);
    bool motd = there("at/etc/motd"), rc = there("at/etc/rc"), old = there("at/var/old"),
         new = there("at/var/new");
    assert_int_equal(umount2(path_of("at"), 0), 0);
    assert_false(motd);
    assert_true(rc);
    assert_false(old);
    assert_true(new);
}

TEST(deleted_and_made_anew_shows_nothing_of_below)
{
    lay_below();
    add('0', ".wh.var", NULL, NULL);
    add('5', "var", NULL, NULL);
    add('0', ".wh.etc", NULL, NULL);
    add('0', "etc/only", NULL, "x"); /* etc is not declared */
    unpack_upper();
    assert_true(is_opaque("upper/var"));
    assert_true(is_opaque("upper/etc"));
}

TEST(a_whiteout_spares_what_its_own_layer_made)
{
    lay_below();
    add('0', "etc/motd", NULL, "new");
    add('0', "etc/.wh.motd", NULL, NULL);
    add('5', "var", NULL, NULL);
    add('0', "var/new", NULL, "new");
    add('0', ".wh.var", NULL, NULL);
    unpack_upper();
    must_hold("upper/etc/motd", "new");
    must_hold("upper/var/new", "new");
    assert_true(is_opaque("upper/var"));
}

TEST(a_whiteout_of_nothing_leaves_nothing)
{
    lay_below();
    add('0', "etc/.wh.never", NULL, NULL);
    add('0', "etc/.wh..wh.plnk", NULL, NULL);
    unpack_upper();
    assert_false(there("upper/etc/never"));
    assert_false(there("upper/etc/.wh..wh.plnk"));
}

TEST(refuses_whiteouts_of_no_name)
{
    add('0', "a/.wh.", NULL, NULL);
    must_refuse("deletes no name");
}

TEST(refuses_whiteouts_of_the_parent)
{
    add('0', "a/.wh...", NULL, NULL);
    must_refuse("deletes no name");
}

/* ---- hostile names ---- */

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

    assert_true(text_format(name, sizeof name, "%s/outside/evil", folder));
    add('0', name, NULL, "x");
    must_unpack();
    assert_false(there("outside/evil"));
    assert_true(text_format(name, sizeof name, "root%s/outside/evil", folder));
    must_hold(name, "x");
}

TEST(a_symlink_to_outside_leads_nowhere)
{
    char target[256];

    assert_true(text_format(target, sizeof target, "%s/outside", folder));
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

    assert_true(text_format(target, sizeof target, "%s/outside/victim", folder));
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
    made_drop(&made);
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
    memcpy(made.bytes + 108, "\x80\0\0\1\0\0\0\0", 8); /* base 256: beyond 32 bits */
    unsigned sum = 0;
    memset(made.bytes + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)made.bytes[i];
    for (size_t i = 6; i-- > 0; sum >>= 3)
        made.bytes[148 + i] = (char)('0' + (sum & 7));
    made.bytes[154] = '\0';
    must_refuse("owner");
}

/* ---- compression ---- */

/* One frame whose only block is stored as it is. */
static void wrap_zstd(void)
{
    static const char skippable[] = "\x50\x2a\x4d\x18\x04\0\0\0toc!";
    size_t size = made.size;
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
    memcpy(wrapped + sizeof head, made.bytes, size);
    memcpy(wrapped + sizeof head + size, skippable, sizeof skippable - 1);
    made_drop(&made);
    made.bytes = wrapped;
    made.size = made.capacity = sizeof head + size + sizeof skippable - 1;
}

TEST(frames_that_zstd_skips_are_skipped)
{
    add('0', "file", NULL, "zstd");
    made_end(&made);
    wrap_zstd();
    if (!unpack_over("root", NULL, 1 << 20, 10))
        fail_msg("%s", err.text);
    must_hold("root/file", "zstd");
}

/* ---- ceilings ---- */

TEST(refuses_more_bytes_than_allowed)
{
    size_t size = 1 << 20;
    AUTO_FREE char *bytes = malloc(size);

    memset(bytes, 'b', size);
    for (int i = 0; i < 5; i++)
        made_add(&made,
                 &(struct made_entry){
                     .type = '0', .name = "big", .mode = 0644, .content = bytes, .size = size});
    made_end(&made);
    assert_false(unpack_over("root", NULL, 4 << 20, 100));
    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
}

TEST(refuses_more_files_than_allowed)
{
    char name[32];

    for (int i = 0; i < 101; i++) {
        assert_true(text_format(name, sizeof name, "f%d", i));
        add('0', name, NULL, NULL);
    }
    made_end(&made);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_non_null(strstr(err.text, "too many files"));
}

TEST(refuses_a_file_that_says_it_is_huge)
{
    made_add(&made, &(struct made_entry){
                        .type = '0', .name = "huge", .mode = 0644, .size = (size_t)1 << 32});
    made_end(&made);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_non_null(strstr(err.text, "too large"));
    assert_false(there("root/huge"));
}

/* ---- damage ---- */

TEST(refuses_an_archive_that_is_cut_off)
{
    add('0', "file", NULL, "content that will be missing");
    made.size = 512 + 10;
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    assert_int_equal(err.code, ERR_IMAGE_INACCESSIBLE);
}

TEST(refuses_what_is_no_archive)
{
    static const char junk[4096] = "this is no archive at all";

    memcpy((made.bytes = malloc(sizeof junk)), junk, made.size = sizeof junk);
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
    made.size = 0;
    assert_false(unpack_over("root", NULL, 1 << 28, 100));
}

TEST(an_archive_without_entries_is_an_empty_layer)
{
    must_unpack();
    assert_int_equal(unpacked.files, 0);
}

TEST(checks_both_digests)
{
    char digest[DIGEST_SIZE];
    const char *other = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    add('0', "file", NULL, "x");
    made_end(&made);
    digest_of(made.bytes, made.size, digest);
    for (int i = 0; i < 3; i++) {
        AUTO_CLOSE int blob = made_file(made.bytes, made.size);
        AUTO_CLOSE int root = open_dir("root");
        const struct unpack unpack = {.blob = blob,
                                      .root = root,
                                      .bytes_max = 1 << 20,
                                      .files_max = 10,
                                      .cancel_fd = -1,
                                      .digest = i == 1 ? other : digest,
                                      .diff_id = i == 2 ? other : digest};
        assert_int_equal(unpacker_run(UNPACK_PROGRAM, &unpack, &unpacked, &err), i == 0);
    }
    assert_non_null(strstr(err.text, other));
}

TEST(stops_when_told)
{
    AUTO_CLOSE int bell = eventfd(1, EFD_CLOEXEC);

    add('0', "file", NULL, "x");
    made_end(&made);
    AUTO_CLOSE int blob = made_file(made.bytes, made.size);
    AUTO_CLOSE int root = open_dir("root");
    const struct unpack unpack = {
        .blob = blob, .root = root, .bytes_max = 1 << 20, .files_max = 10, .cancel_fd = bell};
    assert_false(unpacker_run(UNPACK_PROGRAM, &unpack, &unpacked, &err));
    assert_int_equal(err.code, ERR_CLOSED);
}

/* ---- around each test ---- */

static int set_up(void **state)
{
    (void)state;
    assert_true(text_copy(folder, sizeof folder, "/tmp/berth-unpack-XXXXXX"));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(path_of("root"), 0755), 0);
    assert_int_equal(mkdir(path_of("outside"), 0755), 0);
    assert_true(file_replace(path_of("outside/victim"), "untouched", 9, 0644, false, &err));
    return 0;
}

static int tear_down(void **state)
{
    struct err failure = {0};

    (void)state;
    apart = false;
    made_drop(&made);
    if (!file_remove_tree(folder, &failure))
        fail_msg("%s", failure.text);
    return 0;
}

static int set_up_apart(void **state)
{
    apart = true;
    return set_up(state);
}

/* A folder of no layer below owes nothing once it is declared; one that is replaced neither. */
TEST(what_is_declared_after_all_looks_as_declared)
{
    made_add(&made, &(struct made_entry){
                        .type = '5', .name = "tmp", .mode = 01777, .uid = 9, .modified = 5});
    add('5', "gone", NULL, NULL);
    must_unpack();
    made_drop(&made);
    add('0', "tmp/x", NULL, "x");
    add('0', "gone/x", NULL, "x");
    made_add(&made, &(struct made_entry){
                        .type = '5', .name = "tmp", .mode = 0700, .uid = 4, .modified = 6});
    add('0', "gone", NULL, "a file now");
    made_end(&made);
    assert_int_equal(mkdir(path_of("upper"), 0755), 0);
    assert_true(unpack_over("upper", "root", 1 << 20, 100));
    assert_int_equal(look("upper/tmp").st_mode & 07777, 0700);
    assert_int_equal(look("upper/tmp").st_uid, 4);
    must_hold("upper/gone", "a file now");
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define APART(test)                                                  \
    {                                                                \
#test " (side by side)", test, set_up_apart, tear_down, NULL \
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
        IN_A_FOLDER(whiteouts_become_what_overlayfs_reads),
        IN_A_FOLDER(the_kernel_shows_the_layers_as_the_image_meant_them),
        IN_A_FOLDER(deleted_and_made_anew_shows_nothing_of_below),
        IN_A_FOLDER(a_whiteout_spares_what_its_own_layer_made),
        IN_A_FOLDER(a_whiteout_of_nothing_leaves_nothing),
        IN_A_FOLDER(refuses_whiteouts_of_no_name),
        IN_A_FOLDER(refuses_whiteouts_of_the_parent),
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
        IN_A_FOLDER(frames_that_zstd_skips_are_skipped),
        IN_A_FOLDER(refuses_more_bytes_than_allowed),
        IN_A_FOLDER(refuses_more_files_than_allowed),
        IN_A_FOLDER(refuses_a_file_that_says_it_is_huge),
        IN_A_FOLDER(refuses_an_archive_that_is_cut_off),
        IN_A_FOLDER(refuses_what_is_no_archive),
        IN_A_FOLDER(an_archive_without_entries_is_an_empty_layer),
        IN_A_FOLDER(checks_both_digests),
        IN_A_FOLDER(stops_when_told),
        IN_A_FOLDER(what_is_declared_after_all_looks_as_declared),
        APART(folders_nobody_declared_look_as_in_the_layer_below),
        APART(whiteouts_become_what_overlayfs_reads),
        APART(the_kernel_shows_the_layers_as_the_image_meant_them),
        APART(deleted_and_made_anew_shows_nothing_of_below),
        APART(a_whiteout_spares_what_its_own_layer_made),
        APART(a_whiteout_of_nothing_leaves_nothing),
        APART(what_is_declared_after_all_looks_as_declared),
    };
    return RUN_TESTS(tests);
}
