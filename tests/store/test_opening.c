/* What a start says when it cannot: each fault has its sentence, and nothing is changed. */
#include "base/file.h"
#include "base/text.h"
#include "store/backend.h"
#include "store/store_room.h"
#include "tests/store/recount.h"
#include "tests/store/try.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* It must not open, for a reason that holds these words. */
static void refused(struct trial *trial, const char *words)
{
    struct err err = {0};
    struct store_options options = {.path = trial->path, .key_path = trial->key_path};
    struct store *store = store_open(&options, &err);
    assert_null(store);
    assert_int_equal(err.code, ERR_STORAGE);
    if (!strstr(err.text, words))
        fail_msg("said: %s", err.text);
}

static void script(struct trial *trial, const char *text)
{
    struct err err = {0};
    AUTO(backend) *backend = backend_open(trial->path, BACKEND_WRITER, &err);
    assert_non_null(backend);
    assert_true(backend_script(backend, text, &err));
}

static void overwrite(const char *path, off_t at, size_t size, int byte)
{
    unsigned char bytes[8192];
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && size <= sizeof bytes);
    memset(bytes, byte, size);
    assert_int_equal(pwrite(fd, bytes, size, at), size);
}

TEST(a_second_process_is_told_that_the_first_runs)
{
    AUTO(trial) *trial = trial_new();
    refused(trial, "in use by another process");
}

TEST(an_absent_folder_is_named)
{
    struct err err = {0};
    struct store_options options = {"/nowhere/at/all/berth.db", "/nowhere/key"};
    assert_null(store_open(&options, &err));
    assert_non_null(strstr(err.text, "/nowhere/at/all/berth.db"));
    assert_int_equal(err.code, ERR_STORAGE);
}

TEST(a_damaged_file_is_told)
{
    AUTO(trial) *trial = trial_new();
    for (int i = 0; i < 50; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        trial_create(trial, name);
    }
    trial_close(trial);
    struct stat status;
    assert_int_equal(stat(trial->path, &status), 0);
    for (off_t page = 2; page < status.st_size / 8192; page += 2)
        overwrite(trial->path, page * 8192, 8192, 0x5a);
    refused(trial, "damaged");
}

static bool create_big(struct tx *tx, void *data, struct err *err)
{
    static char spec[64 * 1024];
    struct group_row row = {.subscription = TRY_SUBSCRIPTION,
                            .resource_group = "rg",
                            .name = data,
                            .location = "westus",
                            .spec = spec,
                            .os = OS_LINUX,
                            .shape = {1000, 1024}};
    memset(spec, 'x', sizeof spec - 1);
    return store_group_create(tx, &row, "{}", err);
}

TEST(damage_that_is_met_later_is_told_by_whoever_meets_it)
{
    AUTO(trial) *trial = trial_new();
    struct group_page page;
    struct stat status;
    struct err err = {0};
    for (int i = 0; i < 100; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        trial_write(trial, create_big, name);
    }
    trial_reopen(trial); /* everything is in the file, nothing in the readers' memory */
    assert_int_equal(stat(trial->path, &status), 0);
    for (off_t at = 100 * 8192; at < status.st_size; at += 8192)
        overwrite(trial->path, at, 8192, 0x5a);
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_non_null(tx);
    assert_false(store_group_list(tx, TRY_SUBSCRIPTION, NULL, 0, 1000, trial->arena, &page, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.text, "damaged"));
}

TEST(a_file_that_is_no_database_is_told)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    overwrite(trial->path, 0, 4096, 'x');
    refused(trial, "damaged or no database");
}

TEST(a_newer_database_is_told)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    script(trial, "insert into schema_migrations values (99, 'future', 'abc', 0)");
    refused(trial, "newer than this program");
}

TEST(a_migration_with_another_text_is_told)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    script(trial, "update schema_migrations set checksum = 'abc' where number = 1");
    refused(trial, "another text");
}

TEST(a_database_of_another_program_is_not_touched)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    assert_int_equal(unlink(trial->path), 0);
    script(trial, "pragma application_id = 0; create table theirs (a)");
    refused(trial, "another program");
    script(trial, "select a from theirs");
}

TEST(a_read_only_file_is_told)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    text_copy(trial->path, sizeof trial->path, "/proc/version");
    refused(trial, "/proc/version");
}

/* ---- the key ---- */

#define SECRET \
    "{\"properties.containers[0].properties.environmentVariables[0].secureValue\":\"hunter2\"}"

TEST(a_missing_key_is_told_when_secrets_need_it)
{
    AUTO(trial) *trial = trial_new();
    trial_create_policy(trial, "g", RESTART_ALWAYS, SECRET);
    trial_close(trial);
    assert_int_equal(unlink(trial->key_path), 0);
    refused(trial, "is missing");
    assert_false(file_exists(trial->key_path));
}

TEST(a_wrong_key_is_told_when_secrets_need_it)
{
    AUTO(trial) *trial = trial_new();
    trial_create_policy(trial, "g", RESTART_ALWAYS, SECRET);
    trial_close(trial);
    overwrite(trial->key_path, 0, 32, 'k');
    refused(trial, "not the one that sealed");
}

TEST(without_secrets_any_key_will_do)
{
    AUTO(trial) *trial = trial_new();
    trial_create(trial, "g");
    trial_close(trial);
    assert_int_equal(unlink(trial->key_path), 0);
    trial_reopen(trial);
    int64_t key = trial_create_policy(trial, "h", RESTART_ALWAYS, SECRET);
    trial_reopen(trial);
    assert_non_null(trial_get(trial, key));
}

TEST(a_key_that_others_can_read_is_refused)
{
    AUTO(trial) *trial = trial_new();
    struct stat status;
    assert_int_equal(stat(trial->key_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 32);
    trial_close(trial);
    assert_int_equal(chmod(trial->key_path, 0640), 0);
    refused(trial, "can be read by others");
}

TEST(a_key_of_another_size_is_refused)
{
    AUTO(trial) *trial = trial_new();
    trial_close(trial);
    assert_int_equal(truncate(trial->key_path, 31), 0);
    refused(trial, "is no key");
}

/* ---- migrations ---- */

/* What was told before the ledger knew prices. */
static void priced_as_standard(struct trial *trial)
{
    struct err err = {0};
    struct usage_page page = {0};
    struct resource_id id = {TRY_SUBSCRIPTION, "rg", "saved"};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(tx && store_usage_list(tx, &id, 0, 1000, 0, 10, trial->arena, &page, &err));
    CHECK(page.count == 1 && page.rows);
    assert_int_equal(page.rows[0].gpus, 0);
    assert_int_equal(page.rows[0].price_class, QUOTA_CLASS_STANDARD);
}

/* Its order still stands. */
static void ordered_to_its_node(struct trial *trial, const struct group_row *row)
{
    struct err err = {0};
    struct assignment_row *rows = NULL;
    size_t count = 0;
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_true(tx && store_assignment_of_group(tx, row->key, trial->arena, &rows, &count, &err));
    CHECK(count == 1 && rows);
    assert_int_equal(rows[0].node_key, row->node_key);
    assert_int_equal(rows[0].incarnation, row->incarnation);
    assert_int_equal(rows[0].wanted, WANTED_RUN);
    assert_int_equal(rows[0].shape.cpu_milli, row->shape.cpu_milli);
}

/* A database as each released version left it opens, and what was in it is there. Several migrations may come with
 * one release: then there is one saved database for the last of them. */
TEST(opens_what_every_version_left)
{
    int opened = 0;

    for (int version = 1; version <= sql_catalog.migrations_count; version++) {
        AUTO(trial) *trial = trial_new();
        char path[256];
        struct err err = {0};
        AUTO_FREE char *saved = NULL;
        size_t size;
        text_format(path, sizeof path, "%s/version-%04d.sql", SAVED_DATABASES, version);
        if (access(path, R_OK) != 0)
            continue;
        opened++;
        trial_close(trial);
        assert_int_equal(unlink(trial->path), 0);
        assert_int_equal(unlink(trial->key_path), 0);
        if (!file_read(path, 1 << 20, &saved, &size, &err))
            fail_msg("%s", err.text);
        script(trial, saved);
        trial_reopen(trial);
        struct group_row *row = trial_find(trial, "saved");
        assert_non_null(row);
        assert_string_equal(row->name, "Saved");
        assert_int_equal(row->state, GROUP_RUNNING);
        assert_int_equal(trial_seconds(trial, "saved", 0, 1000), 100);
        ordered_to_its_node(trial, row);
        priced_as_standard(trial);
        struct quota_use use = quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena);
        assert_int_equal(use.used[QUOTA_GROUPS], 2); /* one of them is stopped */
        assert_int_equal(use.used[QUOTA_STANDARD_CORES], 1000);
        trial_create(trial, "new");
        use = quotas_agree(trial->store, TRY_SUBSCRIPTION, "westus", trial->arena);
        assert_int_equal(use.used[QUOTA_STANDARD_CORES], 2000);
    }
    assert_true(opened > 0);
}

TEST(a_start_that_is_cut_short_leaves_the_old_form)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    trial_close(trial);
    assert_int_equal(unlink(trial->path), 0);
    {
        AUTO(backend) *backend = backend_open(trial->path, BACKEND_WRITER, &err);
        assert_non_null(backend);
        assert_true(store_migrate(backend, 0, &err)); /* none ran */
    }
    trial_reopen(trial);
    assert_null(trial_find(trial, "g"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_is_told_that_the_first_runs),
        cmocka_unit_test(an_absent_folder_is_named),
        cmocka_unit_test(a_damaged_file_is_told),
        cmocka_unit_test(damage_that_is_met_later_is_told_by_whoever_meets_it),
        cmocka_unit_test(a_file_that_is_no_database_is_told),
        cmocka_unit_test(a_newer_database_is_told),
        cmocka_unit_test(a_migration_with_another_text_is_told),
        cmocka_unit_test(a_database_of_another_program_is_not_touched),
        cmocka_unit_test(a_read_only_file_is_told),
        cmocka_unit_test(a_missing_key_is_told_when_secrets_need_it),
        cmocka_unit_test(a_wrong_key_is_told_when_secrets_need_it),
        cmocka_unit_test(without_secrets_any_key_will_do),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(a_key_of_another_size_is_refused),
        cmocka_unit_test(opens_what_every_version_left),
        cmocka_unit_test(a_start_that_is_cut_short_leaves_the_old_form),
    };
    return RUN_TESTS(tests);
}
