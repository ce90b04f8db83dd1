/* What a layer deletes of those below it, by whiteouts and opaque folders: as overlayfs reads it, and as the kernel then
 * shows it. */
#include "tests/unit/image/unpacking.h"

#include "base/text.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

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
    made_drop(&unpacking.made);
    assert_int_equal(mkdir(path_of("upper"), 0755), 0);
}

static void unpack_upper(void)
{
    made_end(&unpacking.made);
    if (!unpack_over("upper", "root", 1 << 20, 100))
        fail_msg("%s", unpacking.err.text);
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
    assert_true(text_format(options, sizeof options, "lowerdir=%s/upper:%s/root", unpacking.folder,
                            unpacking.folder));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(whiteouts_become_what_overlayfs_reads),
        IN_A_FOLDER(the_kernel_shows_the_layers_as_the_image_meant_them),
        IN_A_FOLDER(deleted_and_made_anew_shows_nothing_of_below),
        IN_A_FOLDER(a_whiteout_spares_what_its_own_layer_made),
        IN_A_FOLDER(a_whiteout_of_nothing_leaves_nothing),
        IN_A_FOLDER(refuses_whiteouts_of_no_name),
        IN_A_FOLDER(refuses_whiteouts_of_the_parent),
        APART(whiteouts_become_what_overlayfs_reads),
        APART(the_kernel_shows_the_layers_as_the_image_meant_them),
        APART(deleted_and_made_anew_shows_nothing_of_below),
        APART(a_whiteout_spares_what_its_own_layer_made),
        APART(a_whiteout_of_nothing_leaves_nothing),
    };
    return RUN_TESTS(tests);
}
