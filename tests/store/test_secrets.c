/* Secrets: sealed in the database, open only to the node that runs the group, and nowhere in any file. */
#include "base/file.h"
#include "base/text.h"
#include "store/seal.h"
#include "tests/store/try.h"

#include <dirent.h>
#include <string.h>

#define VALUE "correct-horse-battery-staple"
#define SECRETS \
    "{\"properties.containers[0].properties.environmentVariables[0].secureValue\":\"" VALUE "\"}"

static bool file_holds(const char *path, const char *words)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;
    struct err err;
    if (!file_read(path, (size_t)1 << 30, &bytes, &size, &err))
        fail_msg("%s", err.text);
    return memmem(bytes, size, words, strlen(words)) != NULL;
}

static bool any_file_holds(struct trial *trial, const char *words)
{
    bool found = false;
    DIR *folder = opendir(trial->folder);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[512];
        text_format(path, sizeof path, "%s/%s", trial->folder, entry->d_name);
        if (entry->d_type == DT_REG)
            found |= file_holds(path, words);
    }
    closedir(folder);
    return found;
}

TEST(secrets_stand_in_no_file)
{
    AUTO(trial) *trial = trial_new();
    for (int i = 0; i < 40; i++) {
        char name[16];
        text_format(name, sizeof name, "g%d", i);
        trial_create_policy(trial, name, RESTART_ALWAYS, SECRETS);
    }
    assert_true(any_file_holds(trial, "westus")); /* this is how one would see it */
    assert_false(any_file_holds(trial, VALUE));
    trial_close(trial); /* all in the database file now */
    assert_true(file_holds(trial->path, "westus"));
    assert_false(any_file_holds(trial, VALUE));
}

TEST(the_node_gets_them)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    trial_place(trial, trial_create_policy(trial, "g", RESTART_ALWAYS, SECRETS), &a);
    struct desired *desired = trial_desired(trial, &a, 0);
    assert_int_equal(desired->assignments_count, 1);
    struct container_group *group = desired->assignments[0].group;
    assert_non_null(group);
    assert_string_equal(group->location, "westus");
    const struct environment_variable *variable =
        group->properties->containers[0].properties->environment;
    assert_string_equal(variable->name, "TOKEN");
    assert_string_equal(variable->secure_value, VALUE);
    /* After a restart of the plane, too. */
    trial_reopen(trial);
    desired = trial_desired(trial, &a, 0);
    assert_string_equal(desired->assignments[0]
                            .group->properties->containers[0]
                            .properties->environment->secure_value,
                        VALUE);
    /* Changed tags keep them, under the next generation. */
    assert_int_equal(trial_order(trial, "g", ORDER_RETAG), ERR_OK);
    assert_int_equal(trial_find(trial, "g")->generation, 2);
    desired = trial_desired(trial, &a, 0);
    assert_string_equal(desired->assignments[0]
                            .group->properties->containers[0]
                            .properties->environment->secure_value,
                        VALUE);
    /* An update without any drops them. */
    assert_int_equal(trial_order(trial, "g", ORDER_UPDATE), ERR_OK);
    desired = trial_desired(trial, &a, 0);
    assert_null(desired->assignments[0]
                    .group->properties->containers[0]
                    .properties->environment->secure_value);
}

TEST(who_is_to_stop_or_forget_a_group_gets_no_secrets)
{
    AUTO(trial) *trial = trial_new();
    struct trial_node a = trial_join(trial, "a");
    int64_t key = trial_create_policy(trial, "g", RESTART_ALWAYS, SECRETS);
    trial_place(trial, key, &a);
    assert_int_equal(trial_order(trial, "g", ORDER_STOP), ERR_OK);
    struct desired *desired = trial_desired(trial, &a, 0);
    assert_int_equal(desired->assignments[0].wanted, WANTED_STOP);
    assert_null(desired->assignments[0].group);
    assert_int_equal(trial_order(trial, "g", ORDER_REMOVE), ERR_OK);
    desired = trial_desired(trial, &a, 0);
    assert_int_equal(desired->assignments[0].wanted, WANTED_REMOVE);
    assert_null(desired->assignments[0].group);
    struct err err = {0};
    AUTO(tx) *tx = store_read(trial->store, &err);
    assert_string_equal(store_group_secrets(tx, key, trial->arena, &err), "{}"); /* gone already */
}

/* ---- the seal alone ---- */

TEST(a_seal_opens_only_with_its_key_at_its_place_and_unchanged)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    char other_path[128];
    unsigned char sealed[64 + SEAL_OVERHEAD];
    text_format(other_path, sizeof other_path, "%s/other.key", trial->folder);
    AUTO(seal) *seal = seal_open(trial->key_path, false, &err),
               *other = seal_open(other_path, true, &err);
    assert_true(seal && other);
    assert_true(seal_close(seal, "here 1", "secret", 6, sealed, &err));
    assert_string_equal(seal_text(seal, "here 1", sealed, 6 + SEAL_OVERHEAD, trial->arena, &err),
                        "secret");
    assert_null(seal_text(seal, "here 2", sealed, 6 + SEAL_OVERHEAD, trial->arena, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_null(seal_text(other, "here 1", sealed, 6 + SEAL_OVERHEAD, trial->arena, &err));
    for (size_t i = 0; i < 6 + SEAL_OVERHEAD; i++) {
        sealed[i] ^= 1;
        assert_null(seal_text(seal, "here 1", sealed, 6 + SEAL_OVERHEAD, trial->arena, &err));
        sealed[i] ^= 1;
    }
    assert_null(seal_text(seal, "here 1", sealed, SEAL_OVERHEAD - 1, trial->arena, &err));
}

TEST(no_two_seals_look_alike)
{
    AUTO(trial) *trial = trial_new();
    struct err err = {0};
    unsigned char one[8 + SEAL_OVERHEAD], two[8 + SEAL_OVERHEAD];
    AUTO(seal) *seal = seal_open(trial->key_path, false, &err);
    assert_non_null(seal);
    assert_true(seal_close(seal, "p", "the same", 8, one, &err) &&
                seal_close(seal, "p", "the same", 8, two, &err));
    assert_memory_not_equal(one + 1, two + 1, 12);
    assert_memory_not_equal(one + 13, two + 13, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_stand_in_no_file),
        cmocka_unit_test(the_node_gets_them),
        cmocka_unit_test(who_is_to_stop_or_forget_a_group_gets_no_secrets),
        cmocka_unit_test(a_seal_opens_only_with_its_key_at_its_place_and_unchanged),
        cmocka_unit_test(no_two_seals_look_alike),
    };
    return RUN_TESTS(tests);
}
