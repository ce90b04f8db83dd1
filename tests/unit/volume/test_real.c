/* Volumes that need the kernel and no server: real mounts and loop devices below a temporary folder. */
#include "base/clock.h"
#include "base/file.h"
#include "node-agent/volume/inside.h"
#include "tests/unit/unit_users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static char place[] = "/tmp/berth-volume-XXXXXX", folder[64];
static const struct volumes_options options;
static struct text_pair files[] = {{"a.pem", "aHVzaA=="}, {"empty", ""}};
static struct volume some[] = {
    {.name = "disk1", .empty_dir = {"{\"sizeLimit\":\"16Mi\"}"}},
    {.name = "memory1", .empty_dir = {"{\"medium\":\"Memory\"}"}},
    {.name = "keys1", .secret = {true, files, COUNT_OF(files)}},
};

static struct volume_group group_of(struct volume *volumes, size_t count)
{
    return (struct volume_group){.folder = folder,
                                 .volumes = volumes,
                                 .count = count,
                                 .memory_bytes = 8 << 20,
                                 .cancel_fd = -1};
}

static struct volumes *opened(void)
{
    struct err err = {0};
    struct volumes *volumes = volumes_open(&options, &err);

    assert_non_null(volumes);
    return volumes;
}

static void up(struct volumes *volumes, const struct volume_group *group)
{
    struct err err = {0};

    if (!volumes_up(volumes, group, &err))
        fail_msg("%s", err.text);
}

static void down(struct volumes *volumes)
{
    AUTO_FREE char *mountinfo = NULL;
    char path[256];
    size_t size;
    struct err err = {0};

    if (!volumes_down(volumes, folder, &err))
        fail_msg("%s", err.text);
    assert_false(file_exists(folder));
    assert_true(file_read("/proc/self/mountinfo", 16 << 20, &mountinfo, &size, &err));
    assert_false(mounts_last_below(mountinfo, folder, path, sizeof path));
}

static bool has(const char *volume, const char *name)
{
    char path[256];

    return text_format(path, sizeof path, "%s/%s/data/%s", folder, volume, name) &&
           file_exists(path);
}

static void put(const char *volume, const char *name)
{
    char path[256];
    struct err err = {0};

    text_format(path, sizeof path, "%s/%s/data/%s", folder, volume, name);
    assert_true(file_replace(path, "x", 1, 0600, false, &err));
}

/* ---- tests ---- */

TEST(volumes_are_mounted_apart_from_the_node_and_taken_down_whole)
{
    AUTO(volumes) *volumes = opened();
    struct volume_group group = group_of(some, COUNT_OF(some));
    struct statvfs about;
    char path[VOLUME_PATH_SIZE];
    struct err err = {0};

    up(volumes, &group);
    for (size_t i = 0; i < COUNT_OF(some); i++) {
        assert_true(volume_find(volumes, folder, some[i].name, path, &err));
        assert_true(mount_is_here(path));
        assert_int_equal(statvfs(path, &about), 0);
        assert_true((about.f_flag & ST_NOSUID) && (about.f_flag & ST_NODEV));
        assert_true(about.f_blocks * about.f_frsize <= 16 << 20 || i == 2);
        assert_int_equal((about.f_flag & ST_RDONLY) != 0, i == 2);
    }
    assert_true(has("keys1", "a.pem"));
    assert_false(has("disk1", "lost+found"));
    assert_false(volume_find(volumes, folder, "other", path, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    down(volumes);
    down(volumes);
}

static uid_t owner(const char *volume, const char *name)
{
    char path[256];
    struct stat seen = {.st_uid = UINT32_MAX};

    text_format(path, sizeof path, "%s/%s/data/%s", folder, volume, name);
    assert_int_equal(stat(path, &seen), 0);
    return seen.st_uid;
}

/* A namespace is not needed for what is scratch: it is made with the group's numbers. */
TEST(what_a_group_with_users_of_its_own_has_is_its_roots_and_is_made_anew_for_others)
{
    AUTO(volumes) *volumes = opened();
    struct volume_group group = group_of(some, COUNT_OF(some));

    group.users = (struct idmap){"/proc/self/ns/user", TEST_USERS_FIRST};
    up(volumes, &group);
    for (size_t i = 0; i < COUNT_OF(some); i++)
        assert_int_equal(owner(some[i].name, "."), TEST_USERS_FIRST);
    assert_int_equal(owner("keys1", "a.pem"), TEST_USERS_FIRST);
    put("disk1", "kept");
    up(volumes, &group);
    assert_true(has("disk1", "kept"));
    group.users.first += LIMIT_GROUP_USERS;
    up(volumes, &group);
    assert_false(has("disk1", "kept"));
    assert_int_equal(owner("keys1", "a.pem"), group.users.first);
    group.users = node_users;
    up(volumes, &group);
    assert_int_equal(owner("keys1", "a.pem"), 0);
    down(volumes);
}

TEST(a_local_disk_is_stored_with_the_numbers_of_its_groups)
{
    static struct local_disk_volume disk = {.name = "data"};
    static struct volume volume = {.name = "disk9", .local_disk = &disk};
    struct disk_seat seat = {.name = "data", .id = "0190b6a0-0000-7000-8000-000000000001"};
    struct volumes_options with_disks = {.disks = place};
    struct volume_group group = group_of(&volume, 1);
    struct test_users users;
    struct err err = {0};
    AUTO(volumes) *volumes = volumes_open(&with_disks, &err);

    assert_non_null(volumes);
    test_users_begin(&users);
    group.disks = &seat;
    group.disks_count = 1;
    up(volumes, &group);
    put("disk9", "file");
    down(volumes);
    group.users = users.map;
    up(volumes, &group);
    assert_int_equal(owner("disk9", "file"), TEST_USERS_FIRST);
    down(volumes);
    test_users_end(&users);
    group.users = node_users;
    up(volumes, &group);
    assert_int_equal(owner("disk9", "file"), 0);
    down(volumes);
    assert_true(volumes_disk_remove(volumes, seat.id, &err));
}

TEST(what_is_up_stays_and_what_is_half_made_is_made_anew)
{
    AUTO(volumes) *volumes = opened();
    struct volume_group group = group_of(some, COUNT_OF(some));
    char path[VOLUME_PATH_SIZE];
    struct err err = {0};

    up(volumes, &group);
    put("disk1", "kept");
    put("memory1", "lost");
    text_format(path, sizeof path, "%s/memory1", folder);
    mark_remove(path); /* as an agent that was killed before it wrote it */
    text_format(path, sizeof path, "%s/keys1/data", folder);
    assert_int_equal(umount2(path, MNT_DETACH), 0); /* as after a reboot */
    assert_false(volume_find(volumes, folder, "keys1", path, &err));
    up(volumes, &group);
    assert_true(has("disk1", "kept"));
    assert_false(has("memory1", "lost"));
    assert_true(has("keys1", "a.pem"));
    down(volumes);
}

TEST(a_folder_in_use_is_let_go_of_all_the_same)
{
    AUTO(volumes) *volumes = opened();
    struct volume_group group = group_of(some, 1);
    char path[VOLUME_PATH_SIZE];
    struct err err = {0};

    up(volumes, &group);
    assert_true(volume_find(volumes, folder, "disk1", path, &err));
    AUTO_CLOSE int held = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(held >= 0);
    down(volumes);
}

TEST(what_is_not_wanted_any_more_is_not_made)
{
    AUTO(volumes) *volumes = opened();
    struct volume_group group = group_of(some, COUNT_OF(some));
    AUTO_CLOSE int bell = eventfd(1, EFD_CLOEXEC);
    struct err err = {0};

    group.cancel_fd = bell;
    assert_false(volumes_up(volumes, &group, &err));
    assert_int_equal(err.code, ERR_CLOSED);
    down(volumes);
}

TEST(a_name_that_would_lead_out_of_the_group_is_refused)
{
    static const char *const names[] = {"..", "../other", ".", "a/b", ""};
    AUTO(volumes) *volumes = opened();

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct volume one = {.name = names[i], .empty_dir = {"{}"}};
        struct volume_group group = group_of(&one, 1);
        struct err err = {0};
        assert_false(volumes_up(volumes, &group, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    down(volumes);
}

TEST(a_node_that_lacks_a_program_says_which)
{
    struct volumes_options lacking = {
        .mkfs = "no-such-mkfs", .git = "no-such-git", .rclone = "no-such-rclone"};
    struct git_volume git = {.repository = "https://git.example/r"};
    struct azure_file_volume share = {
        .share_name = "docs", .account_name = "abc", .account_key = "a2V5"};
    struct volume kinds[] = {{.name = "disk1", .empty_dir = {"{\"sizeLimit\":\"16Mi\"}"}},
                             {.name = "source", .git = &git},
                             {.name = "share", .azure_file = &share}};
    static const char *const words[] = {"mkfs.ext4 is missing", "git is missing", "rclone"};
    struct err err = {0};
    AUTO(volumes) *volumes = volumes_open(&lacking, &err);
    const char *why_not = NULL;
    size_t count = share_cifs_is_here() ? 2 : 3; /* by CIFS a share needs no program */

    assert_non_null(volumes);
    assert_false(volumes_are_sized(volumes, &why_not));
    assert_non_null(why_not);
    for (size_t i = 0; i < count; i++) {
        struct volume_group group = group_of(&kinds[i], 1);
        assert_false(volumes_up(volumes, &group, &err));
        assert_int_equal(err.code, ERR_NOT_IMPLEMENTED);
        assert_non_null(strstr(err.text, words[i]));
    }
    struct volume plain = {.name = "plain", .empty_dir = {"{}"}};
    struct volume_group group = group_of(&plain, 1);
    up(volumes, &group); /* of no size, as the node's log says */
    down(volumes);
}

/* ---- local disks ---- */

static const char disk_id[] = "11111111-2222-8333-8444-555555555555";
static struct local_disk_volume named = {"data", NULL};
static struct volume with_disk[] = {{.name = "kept1", .local_disk = &named}};
static struct disk_seat seats[] = {{"data", disk_id, 32 << 20}};

static struct volumes *opened_with_disks(struct volumes_options *own, char disks[96])
{
    struct err err = {0};
    text_format(disks, 96, "%s/disks", place);
    *own = (struct volumes_options){.disks = disks};
    struct volumes *volumes = volumes_open(own, &err);

    assert_non_null(volumes);
    return volumes;
}

static struct volume_group group_with_disk(void)
{
    struct volume_group group = group_of(with_disk, COUNT_OF(with_disk));

    group.disks = seats;
    group.disks_count = COUNT_OF(seats);
    return group;
}

TEST(a_local_disk_outlives_groups_and_boots_and_goes_by_order_alone)
{
    struct volumes_options own;
    struct statvfs about;
    char disks[96], path[VOLUME_PATH_SIZE];
    struct err err = {0};
    AUTO(volumes) *volumes = opened_with_disks(&own, disks);
    struct volume_group group = group_with_disk();

    up(volumes, &group);
    assert_true(volume_find(volumes, folder, "kept1", path, &err));
    assert_int_equal(statvfs(path, &about), 0);
    assert_true((about.f_flag & ST_NOSUID) && (about.f_flag & ST_NODEV));
    assert_true(about.f_blocks * about.f_frsize <= 32 << 20);
    put("kept1", "word");
    down(volumes);
    assert_true(volumes_disks_unmount(place, &err)); /* as after a reboot */
    up(volumes, &group);
    assert_true(has("kept1", "word"));
    down(volumes);
    assert_true(volumes_disk_remove(volumes, disk_id, &err));
    assert_true(volumes_disk_remove(volumes, disk_id, &err));
    text_format(path, sizeof path, "%s/%s", disks, disk_id);
    assert_false(file_exists(path));
    up(volumes, &group);
    assert_false(has("kept1", "word"));
    down(volumes);
    assert_true(volumes_disk_remove(volumes, disk_id, &err));
}

/* As a namespace that somebody made meanwhile holds it. */
TEST(a_local_disk_that_is_still_mounted_elsewhere_is_never_two_file_systems)
{
    struct volumes_options own;
    char disks[96], path[VOLUME_PATH_SIZE];
    struct err err = {0};
    AUTO(volumes) *volumes = opened_with_disks(&own, disks);
    struct volume_group group = group_with_disk();

    up(volumes, &group);
    assert_true(volume_find(volumes, folder, "kept1", path, &err));
    AUTO_CLOSE int held = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(held >= 0);
    down(volumes);
    assert_true(volumes_disks_unmount(place, &err));
    up(volumes, &group);
    put("kept1", "word");
    assert_int_equal(faccessat(held, "word", F_OK, 0), 0);
    down(volumes);
    assert_int_equal(close(TAKE_FD(held)), 0);
    assert_true(volumes_disk_remove(volumes, disk_id, &err));
}

TEST(a_local_disk_half_made_is_made_anew_and_one_that_nobody_placed_is_refused)
{
    struct volumes_options own;
    char disks[96], path[VOLUME_PATH_SIZE];
    struct err err = {0};
    AUTO(volumes) *volumes = opened_with_disks(&own, disks);
    struct volume_group group = group_with_disk();

    text_format(path, sizeof path, "%s/%s", disks, disk_id);
    assert_true(file_make_folders(path, 0700, &err));
    text_format(path, sizeof path, "%s/%s/image.new", disks, disk_id);
    assert_true(file_replace(path, "half", 4, 0600, false, &err)); /* as a kill leaves it */
    up(volumes, &group);
    put("kept1", "word");
    assert_true(has("kept1", "word"));
    down(volumes);
    assert_true(volumes_disk_remove(volumes, disk_id, &err));
    group.disks_count = 0;
    assert_false(volumes_up(volumes, &group, &err));
    assert_int_equal(err.code, ERR_VOLUME);
    down(volumes);
    assert_false(volumes_disk_remove(volumes, "../groups", &err));
}

static int make_place(void **state UNUSED)
{
    return mkdtemp(place) && text_format(folder, sizeof folder, "%s/group one/volumes", place) ? 0
                                                                                               : -1;
}

static int remove_place(void **state UNUSED)
{
    struct err err = {0};

    return file_remove_tree(place, &err) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_are_mounted_apart_from_the_node_and_taken_down_whole),
        cmocka_unit_test(
            what_a_group_with_users_of_its_own_has_is_its_roots_and_is_made_anew_for_others),
        cmocka_unit_test(a_local_disk_is_stored_with_the_numbers_of_its_groups),
        cmocka_unit_test(what_is_up_stays_and_what_is_half_made_is_made_anew),
        cmocka_unit_test(a_folder_in_use_is_let_go_of_all_the_same),
        cmocka_unit_test(what_is_not_wanted_any_more_is_not_made),
        cmocka_unit_test(a_name_that_would_lead_out_of_the_group_is_refused),
        cmocka_unit_test(a_local_disk_outlives_groups_and_boots_and_goes_by_order_alone),
        cmocka_unit_test(a_local_disk_that_is_still_mounted_elsewhere_is_never_two_file_systems),
        cmocka_unit_test(a_local_disk_half_made_is_made_anew_and_one_that_nobody_placed_is_refused),
        cmocka_unit_test(a_node_that_lacks_a_program_says_which),
    };

    return cmocka_run_group_tests(tests, make_place, remove_place);
}
