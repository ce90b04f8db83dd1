#include "try.h"

#include "api/auth/failures.h"
#include "api/auth/principals.h"
#include "base/limits.h"

#include <string.h>
#include <sys/stat.h>

#define ID_ONE "0F1E2D3C-0000-4000-8000-0000000000AA"

static struct arena *arena;

static int begin(void **state)
{
    arena = arena_new(1 << 22);
    return try_begin(state);
}

static int end(void **state)
{
    arena_free(arena);
    return try_end(state);
}

static struct principals read_text(const char *text)
{
    struct err err = {0};
    struct principals principals = {0};

    try_write("p.json", text, 0600);
    assert_true(principals_read(try_path("p.json"), arena, &principals, &err));
    return principals;
}

static void refused(const char *text, const char *why)
{
    struct err err = {0};
    struct principals principals = {0};

    try_write("p.json", text, 0600);
    assert_false(principals_read(try_path("p.json"), arena, &principals, &err));
    if (!strstr(err.text, why))
        fail_msg("'%s' does not say '%s'", err.text, why);
    assert_null(strstr(err.text, "hush"));
}

TEST(a_secret_and_its_hash_say_the_same)
{
    char whole[300], hash[65];
    struct principals by_secret = read_text("{\"principals\": [{\"clientId\": \"" ID_ONE
                                            "\", \"secret\": \"" TRY_SECRET "\"}]}");

    id_hash("0f1e2d3c-0000-4000-8000-0000000000aa:" TRY_SECRET, hash);
    text_format(whole, sizeof whole,
                "{\"principals\": [{\"clientId\": \"%s\", \"secretHash\": \"%s\"}]}", ID_ONE, hash);
    struct principals by_hash = read_text(whole);
    assert_string_equal(by_secret.items[0].secret_hash, by_hash.items[0].secret_hash);
    assert_true(principal_knows(&by_hash.items[0], TRY_SECRET));
    assert_false(principal_knows(&by_hash.items[0], TRY_SECRET "x"));
    assert_false(principal_knows(&by_hash.items[0], ""));
}

TEST(clients_are_found_without_case)
{
    struct principals principals = read_text("{\"principals\": [{\"clientId\": \"" ID_ONE
                                             "\", \"secret\": \"" TRY_SECRET "\"}]}");

    assert_non_null(principals_find(&principals, "0f1e2d3c-0000-4000-8000-0000000000aA"));
    assert_null(principals_find(&principals, TRY_OBJECT));
    assert_null(principals_find(&principals, ""));
}

TEST(an_empty_file_lets_nobody_in)
{
    assert_int_equal(read_text("{}").count, 0);
    assert_int_equal(read_text("{\"principals\": []}").count, 0);
}

TEST(a_file_that_is_wrong_names_the_principal_and_no_secret)
{
    refused("", "p.json");
    refused("[]", "p.json");
    refused("{\"principals\": [{}]}", "clientId");
    refused(
        "{\"principals\": [{\"clientId\": \"me\", \"secret\": \"hush-hush-hush-hush-hush-hush\"}]}",
        "'me': its clientId is no UUID");
    refused("{\"principals\": [{\"clientId\": \"" ID_ONE "\", \"secret\": \"hush\"}]}",
            "too short");
    refused("{\"principals\": [{\"clientId\": \"" ID_ONE "\"}]}", "either secret or secretHash");
    refused("{\"principals\": [{\"clientId\": \"" ID_ONE "\", \"secret\": \"" TRY_SECRET
            "\", \"objectId\": \"x\"}]}",
            "objectId");
    refused(
        "{\"principals\": [{\"clientId\": \"" ID_ONE "\", \"secret\": \"" TRY_SECRET
        "\"}, {\"clientId\": \"0f1e2d3c-0000-4000-8000-0000000000aa\", \"secret\": \"" TRY_SECRET
        "\"}]}",
        "twice");
}

TEST(the_first_start_makes_one_and_tells_its_secret_once)
{
    struct err err = {0};
    AUTO_FREE char *told = NULL;
    AUTO_FREE char *kept = NULL;
    size_t size = 0;
    struct stat about;
    struct principals principals = {0};

    assert_true(principals_make(try_folder, TRY_TENANT, &err));
    assert_true(file_read(try_path("service-principal.json"), 4096, &told, &size, &err));
    assert_true(file_read(try_path("principals.json"), 4096, &kept, &size, &err));
    assert_true(principals_read(try_path("principals.json"), arena, &principals, &err));
    assert_int_equal(principals.count, 1);
    char *secret = strstr(told, "\"clientSecret\":\"");
    assert_non_null(secret);
    secret += strlen("\"clientSecret\":\"");
    secret[strcspn(secret, "\"")] = '\0';
    assert_true(principal_knows(&principals.items[0], secret));
    assert_null(strstr(kept, secret));
    assert_int_equal(stat(try_path("service-principal.json"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    assert_int_equal(stat(try_path("principals.json"), &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

/* ---- reloads ---- */

static enum sign_in_outcome sign_in(struct auth *auth, const char *secret, const char *from,
                                    struct sign_in_given *given)
{
    struct err err = {0};
    struct sign_in asked = {TRY_ISSUER, TRY_CLIENT, secret, TRY_AUDIENCE, from};

    return auth_sign_in(auth, &asked, arena, given, &err);
}

TEST(a_principal_that_is_taken_out_loses_its_tokens)
{
    struct auth_options options = try_options();
    struct auth *auth = try_open(&options);
    struct sign_in_given given = {0};
    struct caller caller;
    struct err err = {0};

    assert_int_equal(sign_in(auth, TRY_SECRET, "a", &given), SIGN_IN_DONE);
    assert_true(auth_check(auth, given.token, &caller, &err));
    try_write("mine.json", "{\"principals\": []}", 0600);
    assert_true(auth_reload(auth, &options, &err));
    assert_false(auth_check(auth, given.token, &caller, &err));
    assert_int_equal(sign_in(auth, TRY_SECRET, "a", &given), SIGN_IN_CLIENT_UNKNOWN);
    auth_free(auth);
}

TEST(a_reload_that_fails_changes_nothing)
{
    struct auth_options options = try_options();
    struct auth *auth = try_open(&options);
    struct sign_in_given given = {0};
    struct err err = {0};

    try_write("mine.json", "{", 0600);
    assert_false(auth_reload(auth, &options, &err));
    assert_int_equal(sign_in(auth, TRY_SECRET, "a", &given), SIGN_IN_DONE);
    auth_free(auth);
}

/* ---- wrong secrets ---- */

TEST(wrong_secrets_are_counted_for_client_and_address)
{
    struct auth_options options = try_options();
    struct auth *auth = try_open(&options);
    struct sign_in_given given = {0};

    for (int i = 0; i < LIMIT_SIGN_IN_FAILURES; i++)
        assert_int_equal(sign_in(auth, "wrong", "192.0.2.1", &given), SIGN_IN_SECRET_WRONG);
    assert_int_equal(sign_in(auth, TRY_SECRET, "192.0.2.1", &given), SIGN_IN_TOO_MANY);
    assert_int_equal(given.wait_s, LIMIT_SIGN_IN_WINDOW_S);
    assert_int_equal(sign_in(auth, TRY_SECRET, "192.0.2.2", &given), SIGN_IN_DONE);
    try_now_ms += INT64_C(1000) * LIMIT_SIGN_IN_WINDOW_S;
    assert_int_equal(sign_in(auth, TRY_SECRET, "192.0.2.1", &given), SIGN_IN_DONE);
    auth_free(auth);
}

TEST(the_right_secret_is_not_counted)
{
    struct auth_options options = try_options();
    struct auth *auth = try_open(&options);
    struct sign_in_given given = {0};

    for (int i = 0; i < LIMIT_SIGN_IN_FAILURES * 2; i++)
        assert_int_equal(sign_in(auth, TRY_SECRET, "192.0.2.1", &given), SIGN_IN_DONE);
    auth_free(auth);
}

TEST(counting_takes_no_more_memory_for_more_addresses)
{
    struct err err = {0};
    struct failures *failures = failures_new(&err);
    char from[32];

    assert_non_null(failures);
    for (int i = 0; i < LIMIT_SIGN_IN_COUNTED_MAX * 3; i++) {
        text_format(from, sizeof from, "%d", i);
        failures_add(failures, TRY_CLIENT, from, try_now_ms + i);
    }
    for (int i = 0; i < LIMIT_SIGN_IN_FAILURES; i++)
        failures_add(failures, TRY_CLIENT, "last", try_now_ms);
    assert_int_not_equal(failures_wait_s(failures, TRY_CLIENT, "last", try_now_ms), 0);
    failures_free(failures);
}

/* ---- the tenant ---- */

TEST(the_tenant_is_made_once_and_kept)
{
    struct auth_options options = try_options();
    char first[ID_SIZE];

    options.tenant_id = NULL;
    struct auth *auth = try_open(&options);
    text_copy(first, sizeof first, auth_tenant(auth));
    auth_free(auth);
    auth = try_open(&options);
    assert_string_equal(auth_tenant(auth), first);
    assert_true(id_valid(first));
    auth_free(auth);
    try_write("tenant-id", "nonsense\n", 0600);
    assert_non_null(strstr(try_refused(&options).text, "tenant-id"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_and_its_hash_say_the_same),
        cmocka_unit_test(clients_are_found_without_case),
        cmocka_unit_test(an_empty_file_lets_nobody_in),
        cmocka_unit_test(a_file_that_is_wrong_names_the_principal_and_no_secret),
        cmocka_unit_test(the_first_start_makes_one_and_tells_its_secret_once),
        cmocka_unit_test(a_principal_that_is_taken_out_loses_its_tokens),
        cmocka_unit_test(a_reload_that_fails_changes_nothing),
        cmocka_unit_test(wrong_secrets_are_counted_for_client_and_address),
        cmocka_unit_test(the_right_secret_is_not_counted),
        cmocka_unit_test(counting_takes_no_more_memory_for_more_addresses),
        cmocka_unit_test(the_tenant_is_made_once_and_kept),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
