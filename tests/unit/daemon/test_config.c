#include "daemon/config.h"
#include "daemon/tokens.h"

#include "base/file.h"

#include "../unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SUBSCRIPTION "6f1a1f4e-0000-4000-8000-000000000001"

struct loaded {
    struct arena *arena;
    struct config config;
    struct err err;
    enum options_outcome outcome;
};

/* The words behind "berthd --subscriptions …". */
static struct loaded load(const char *const *words)
{
    struct loaded loaded = {.arena = arena_new(1 << 20)};
    char *argv[16] = {(char *)"berthd", (char *)"--subscriptions", (char *)SUBSCRIPTION};
    int argc = 3;
    for (; *words; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    loaded.outcome = config_load(argc, argv, loaded.arena, &loaded.config, &loaded.err);
    return loaded;
}
#define LOAD(...) load((const char *const[]){__VA_ARGS__, NULL})

static void refused(struct loaded loaded, const char *field)
{
    assert_int_equal(loaded.outcome, OPTIONS_WRONG);
    assert_string_equal(loaded.err.field, field);
    assert_true(loaded.err.text[0] != '\0');
    arena_free(loaded.arena);
}

TEST(has_defaults_for_everything_but_the_subscriptions)
{
    struct loaded loaded = load((const char *const[]){NULL});
    assert_int_equal(loaded.outcome, OPTIONS_RUN);
    assert_string_equal(loaded.config.listen_address, "127.0.0.1");
    assert_int_equal(loaded.config.listen_port, 8700);
    assert_string_equal(loaded.config.locations.items[0], "local");
    assert_string_equal(loaded.config.default_location, "local");
    arena_free(loaded.arena);
}

TEST(brings_locations_to_their_normal_form)
{
    struct loaded loaded = LOAD("--locations", "West US,eastus", "--queue-locations", "WestUs");
    assert_int_equal(loaded.outcome, OPTIONS_RUN);
    assert_string_equal(loaded.config.locations.items[0], "westus");
    assert_true(config_lists(&loaded.config.queue_locations, "westus"));
    assert_false(config_lists(&loaded.config.queue_locations, "eastus"));
    assert_string_equal(loaded.config.default_location, "westus");
    arena_free(loaded.arena);
}

TEST(names_the_setting_that_is_wrong)
{
    refused(LOAD("--lost-ms", "8000"), "lost_ms");
    refused(LOAD("--fence-ms", "500"), "fence_ms");
    refused(LOAD("--queue-locations", "mars"), "queue_locations");
    refused(LOAD("--default-location", "mars"), "default_location");
    refused(LOAD("--locations", "a/b"), "locations");
    refused(LOAD("--log-level", "loud"), "log_level");
    refused(LOAD("--token", "0123456789abcdef", "--token-file", "x"), "token_file");
    refused(LOAD("--subscriptions", "no-uuid"), "subscriptions");
    refused(LOAD("--listen-port", "70000"), "listen_port");
    refused(LOAD("--quotas", "Cores=1"), "quotas");
    refused(LOAD("--quotas", "mars/StandardCores=1"), "quotas");
    refused(LOAD("--quotas", "6f1a1f4e-0000-4000-8000-00000000ffff/StandardCores=1"), "quotas");
}

TEST(reads_quotas_the_general_ones_first)
{
    static const char quotas[] =
        "westus/StandardCores=5,ContainerGroups=100," SUBSCRIPTION "/West US/StandardCores=7";
    struct loaded loaded = LOAD("--locations", "West US", "--quotas", quotas);
    assert_int_equal(loaded.outcome, OPTIONS_RUN);
    assert_int_equal(loaded.config.quotas.count, 3);
    assert_int_equal(loaded.config.quota_rules[0].quota, QUOTA_GROUPS);
    assert_int_equal(loaded.config.quota_rules[1].most, 5);
    assert_int_equal(loaded.config.quota_rules[2].most, 7);
    assert_string_equal(loaded.config.quota_rules[2].location, "westus");
    arena_free(loaded.arena);
}

TEST(accepts_a_plane_that_never_fences)
{
    struct loaded loaded = LOAD("--fence-ms", "0");
    assert_int_equal(loaded.outcome, OPTIONS_RUN);
    arena_free(loaded.arena);
}

TEST(tells_what_a_reload_takes_over_from_what_it_does_not)
{
    struct loaded was = LOAD("--token", "0123456789abcdef"),
                  now = LOAD("--log-level", "debug", "--token", "another-long-token",
                             "--listen-port", "99");
    AUTO(text) *reloaded = text_new(1000);
    AUTO(text) *restart = text_new(1000);
    config_differences(&was.config, &now.config, reloaded, restart);
    assert_string_equal(reloaded->bytes, "token,log_level");
    assert_string_equal(restart->bytes, "listen_port");
    arena_free(was.arena);
    arena_free(now.arena);
}

/* ---- tokens ---- */

static char folder[64];

static int folder_make(void **state UNUSED)
{
    log_configure(LOG_ERROR, false);
    text_copy(folder, sizeof folder, "/tmp/berth-daemon-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state UNUSED)
{
    struct err err = {0};
    return file_remove_tree(folder, &err) ? 0 : -1;
}

TEST(makes_tokens_at_the_first_start_and_keeps_them)
{
    struct tokens first, second;
    char path[100];
    struct stat found;
    struct loaded loaded = LOAD("--state-dir", folder);
    assert_true(tokens_load(&loaded.config, loaded.arena, &first, &loaded.err));
    assert_true(tokens_load(&loaded.config, loaded.arena, &second, &loaded.err));
    assert_string_equal(first.token, second.token);
    assert_string_equal(first.join_token, second.join_token);
    assert_string_not_equal(first.token, first.join_token);
    text_format(path, sizeof path, "%s/token", folder);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    arena_free(loaded.arena);
}

TEST(reads_a_token_file_without_the_blanks_around_it)
{
    struct tokens tokens;
    struct err err = {0};
    char path[100];
    text_format(path, sizeof path, "%s/mine", folder);
    assert_true(file_replace(path, "\n  a-token-of-mine-1 \n", 21, 0600, false, &err));
    struct loaded loaded = LOAD("--state-dir", folder, "--token-file", path);
    assert_true(tokens_load(&loaded.config, loaded.arena, &tokens, &err));
    assert_string_equal(tokens.token, "a-token-of-mine-1");
    arena_free(loaded.arena);
}

TEST(refuses_tokens_that_are_short_equal_or_not_there)
{
    struct tokens tokens;
    struct loaded brief = LOAD("--state-dir", folder, "--token", "short");
    assert_false(tokens_load(&brief.config, brief.arena, &tokens, &brief.err));
    struct loaded equal = LOAD("--state-dir", folder, "--token", "0123456789abcdef", "--join-token",
                               "0123456789abcdef");
    assert_false(tokens_load(&equal.config, equal.arena, &tokens, &equal.err));
    struct loaded absent = LOAD("--state-dir", folder, "--token-file", "/nowhere/at/all");
    assert_false(tokens_load(&absent.config, absent.arena, &tokens, &absent.err));
    assert_int_equal(absent.err.code, ERR_NOT_FOUND);
    arena_free(brief.arena);
    arena_free(equal.arena);
    arena_free(absent.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults_for_everything_but_the_subscriptions),
        cmocka_unit_test(brings_locations_to_their_normal_form),
        cmocka_unit_test(names_the_setting_that_is_wrong),
        cmocka_unit_test(reads_quotas_the_general_ones_first),
        cmocka_unit_test(accepts_a_plane_that_never_fences),
        cmocka_unit_test(tells_what_a_reload_takes_over_from_what_it_does_not),
        cmocka_unit_test(makes_tokens_at_the_first_start_and_keeps_them),
        cmocka_unit_test(reads_a_token_file_without_the_blanks_around_it),
        cmocka_unit_test(refuses_tokens_that_are_short_equal_or_not_there),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
