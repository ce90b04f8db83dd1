/* A full disk: told in words, nothing acknowledged is lost, and writing goes on when there is room again. Needs root
 * for a small tmpfs, in a mount namespace of its own. */
#include "base/text.h"
#include "tests/store/try.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

enum { DISK_KIB = 4096, BIG = 200 * 1024 };

static char big_spec[BIG + 1];

struct creation {
    struct group_row row;
    char name[32];
};

static bool create(struct tx *tx, void *data, struct err *err)
{
    struct creation *creation = data;
    return store_group_create(tx, &creation->row, "{}", err);
}

static bool create_big(struct trial *trial, int number, struct err *err)
{
    struct creation creation;
    text_format(creation.name, sizeof creation.name, "g%d", number);
    creation.row = (struct group_row){.subscription = TRY_SUBSCRIPTION,
                                      .resource_group = "rg",
                                      .name = creation.name,
                                      .location = "westus",
                                      .spec = big_spec,
                                      .os = OS_LINUX,
                                      .shape = {1000, 1024}};
    return store_write(trial->store, create, &creation, err);
}

/* The trial's folder becomes a small disk. */
static void shrink_disk(struct trial *trial)
{
    char options[32];
    trial_close(trial);
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    text_format(options, sizeof options, "size=%dk", DISK_KIB);
    assert_int_equal(mount("tmpfs", trial->folder, "tmpfs", 0, options), 0);
}

static bool put_resource_group(struct tx *tx, void *data, struct err *err)
{
    struct resource_group_row row = {
        .subscription = TRY_SUBSCRIPTION, .name = data, .location = "westus", .tags = "{}"};
    bool created;
    return store_resource_group_put(tx, &row, &created, err);
}

static void fill(struct trial *trial, const char *name)
{
    char path[128], block[4096] = {1};
    text_format(path, sizeof path, "%s/%s", trial->folder, name);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT, 0600);
    while (write(fd, block, sizeof block) == sizeof block)
        ;
}

TEST(a_full_disk_is_told_and_loses_nothing)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    int acknowledged = 0;
    char path[128];
    memset(big_spec, 'x', BIG);
    shrink_disk(trial);
    trial_reopen(trial);
    trial_write(trial, put_resource_group, "rg");
    assert_true(create_big(trial, acknowledged++, &err));
    fill(trial, "ballast");
    while (acknowledged < 1000 && create_big(trial, acknowledged, &err))
        acknowledged++;
    assert_true(acknowledged < 1000);
    assert_int_equal(err.code, ERR_STORAGE);
    if (!strstr(err.text, "full"))
        fail_msg("said: %s", err.text);
    for (int i = 0; i < acknowledged; i++) {
        char name[32];
        text_format(name, sizeof name, "g%d", i);
        assert_non_null(trial_find(trial, name));
    }
    assert_false(create_big(trial, acknowledged, &err)); /* still */
    text_format(path, sizeof path, "%s/ballast", trial->folder);
    assert_int_equal(unlink(path), 0);
    assert_true(create_big(trial, acknowledged++, &err));
    trial_reopen(trial);
    for (int i = 0; i < acknowledged; i++) {
        char name[32];
        text_format(name, sizeof name, "g%d", i);
        assert_non_null(trial_find(trial, name));
    }
    trial_close(trial);
    assert_int_equal(umount2(trial->folder, MNT_DETACH), 0);
}

TEST(a_full_disk_at_the_start_is_told)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    shrink_disk(trial);
    fill(trial, "ballast");
    struct store_options options = {trial->path, trial->key_path};
    assert_null(store_open(&options, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    if (!strstr(err.text, "full") && !strstr(err.text, "No space left"))
        fail_msg("said: %s", err.text);
    assert_int_equal(umount2(trial->folder, MNT_DETACH), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_is_told_and_loses_nothing),
        cmocka_unit_test(a_full_disk_at_the_start_is_told),
    };
    return RUN_TESTS(tests);
}
