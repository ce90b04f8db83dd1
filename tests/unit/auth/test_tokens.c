#include "try.h"

#include "api/auth/cache.h"
#include "api/auth/keys.h"
#include "api/auth/token.h"
#include "base/limits.h"

#include <jwt.h>
#include <string.h>

static struct auth *auth;
static struct signer *signer;
static struct arena *arena;

static int begin(void **state)
{
    struct err err = {0};
    struct auth_options options;

    if (try_begin(state) != 0)
        return -1;
    options = try_options();
    auth = try_open(&options);
    signer = signer_open(try_folder, &err);
    arena = arena_new(1 << 22);
    return signer && arena ? 0 : -1;
}

static int end(void **state)
{
    arena_free(arena);
    signer_free(signer);
    auth_free(auth);
    return try_end(state);
}

static int64_t now_s(void)
{
    return try_now_ms / 1000;
}

static struct claims good_claims(void)
{
    return (struct claims){
        .issuer = TRY_ISSUER,
        .audience = TRY_AUDIENCE,
        .tenant = TRY_TENANT,
        .object_id = TRY_OBJECT,
        .app_id = TRY_CLIENT,
        .from_s = now_s(),
        .until_s = now_s() + 3600,
    };
}

static const char *signed_by(const struct signer *by, const struct claims *claims)
{
    struct err err = {0};
    const char *token = token_sign(by, claims, arena, &err);

    assert_non_null(token);
    return token;
}

static const char *good_token(void)
{
    struct claims claims = good_claims();

    return signed_by(signer, &claims);
}

static void taken(const char *token)
{
    struct err err = {0};
    struct caller caller = {0};

    assert_true(auth_check(auth, token, &caller, &err));
    assert_string_equal(caller.tenant, TRY_TENANT);
    assert_string_equal(caller.app_id, TRY_CLIENT);
    assert_string_equal(caller.object_id, TRY_OBJECT);
    assert_false(caller.is_operator);
}

/* Twice: a refusal must not be remembered as anything else. */
static void refused(const char *token, enum err_code code)
{
    for (int i = 0; i < 2; i++) {
        struct err err = {0};
        struct caller caller = {0};
        assert_false(auth_check(auth, token, &caller, &err));
        assert_int_equal(err.code, code);
        assert_string_equal(caller.app_id, "");
    }
}

static const char *signed_in(const char *secret, enum sign_in_outcome expected)
{
    struct err err = {0};
    struct sign_in_given given = {0};
    struct sign_in asked = {TRY_ISSUER, TRY_CLIENT, secret, TRY_AUDIENCE "/", "192.0.2.1"};

    assert_int_equal(auth_sign_in(auth, &asked, arena, &given, &err), expected);
    return given.token;
}

/* ---- what is taken ---- */

TEST(a_token_that_was_given_is_taken)
{
    const char *token = signed_in(TRY_SECRET, SIGN_IN_DONE);

    assert_true(auth_is_token(token));
    taken(token);
    taken(token);
}

TEST(a_token_outlives_the_process_that_gave_it)
{
    struct auth_options options = try_options();
    struct auth *before = auth;
    const char *token = good_token();

    auth = try_open(&options);
    taken(token);
    auth_free(auth);
    auth = before;
}

TEST(a_token_names_the_key_and_says_what_tools_read)
{
    const char *token = signed_in(TRY_SECRET, SIGN_IN_DONE);
    AUTO(text) *keys = text_new(10000);
    jwt_t *jwt = NULL;
    static const char *const names[] = {"iss", "aud", "tid", "oid", "appid", "sub", "ver"};

    assert_int_equal(jwt_decode(&jwt, token, NULL, 0), 0);
    auth_print_keys(auth, keys);
    assert_non_null(jwt_get_header(jwt, "kid"));
    assert_non_null(strstr(keys->bytes, jwt_get_header(jwt, "kid")));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_non_null(jwt_get_grant(jwt, names[i]));
    assert_int_equal(jwt_get_grant_int(jwt, "exp") - jwt_get_grant_int(jwt, "iat"),
                     LIMIT_TOKEN_LIFE_S);
    jwt_free(jwt);
}

TEST(every_name_of_the_server_is_an_audience)
{
    static const char *const audiences[] = {
        "https://127.0.0.1:8700",
        "https://127.0.0.1:8700/",
        "https://localhost",
        "https://[::1]:1/",
        "https://management.azure.com",
        "https://management.core.windows.net/",
        "http://127.0.0.1:8700",
        "https://LOCALHOST:99/x",
    };

    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        struct claims claims = good_claims();
        claims.audience = audiences[i];
        taken(signed_by(signer, &claims));
    }
}

/* ---- what is refused ---- */

TEST(a_token_for_somebody_else_is_refused)
{
    static const char *const audiences[] = {
        "https://elsewhere.example",
        "https://127.0.0.1@elsewhere.example/",
        "https://127.0.0.1.evil/",
        "127.0.0.1",
        "urn:127.0.0.1",
        "https://",
        "https://[::1",
        "https://elsewhere.example/?https://127.0.0.1",
        "ftp://127.0.0.1",
        "https://management.azure.com.evil/",
        "https://elsewhere#127.0.0.1",
    };

    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        struct claims claims = good_claims();
        claims.audience = audiences[i];
        refused(signed_by(signer, &claims), ERR_TOKEN_AUDIENCE);
    }
}

TEST(a_token_that_ended_is_refused)
{
    struct claims claims = good_claims();

    claims.until_s = now_s();
    refused(signed_by(signer, &claims), ERR_TOKEN_EXPIRED);
}

TEST(a_token_from_the_future_is_refused_beyond_the_skew)
{
    struct claims claims = good_claims();

    claims.from_s = now_s() + LIMIT_TOKEN_SKEW_S;
    taken(signed_by(signer, &claims));
    claims.from_s = now_s() + LIMIT_TOKEN_SKEW_S + 1;
    refused(signed_by(signer, &claims), ERR_UNAUTHENTICATED);
}

TEST(a_checked_token_is_refused_once_it_ends)
{
    const char *token = good_token();
    int64_t begun_ms = try_now_ms;

    taken(token);
    try_now_ms += INT64_C(1000) * 3600 - 1000;
    taken(token);
    try_now_ms += 1000;
    refused(token, ERR_TOKEN_EXPIRED);
    try_now_ms = begun_ms;
}

TEST(a_token_of_another_tenant_is_refused)
{
    struct claims claims = good_claims();

    claims.tenant = TRY_CLIENT;
    refused(signed_by(signer, &claims), ERR_TOKEN_TENANT);
    claims = good_claims();
    claims.issuer = "https://127.0.0.1:8700/" TRY_CLIENT;
    refused(signed_by(signer, &claims), ERR_TOKEN_TENANT);
}

TEST(a_token_of_an_application_that_is_not_known_is_refused)
{
    struct claims claims = good_claims();

    claims.app_id = TRY_OBJECT;
    refused(signed_by(signer, &claims), ERR_UNAUTHENTICATED);
}

TEST(a_token_without_a_claim_is_refused)
{
    struct claims claims = good_claims();

    claims.object_id = "no-uuid";
    refused(signed_by(signer, &claims), ERR_UNAUTHENTICATED);
    claims = good_claims();
    claims.until_s = 0;
    refused(signed_by(signer, &claims), ERR_UNAUTHENTICATED);
}

TEST(a_token_of_another_key_is_refused)
{
    struct err err = {0};
    struct claims claims = good_claims();

    assert_true(file_make_folders(try_path("other"), 0700, &err));
    AUTO(signer) *other = signer_open(try_path("other"), &err);
    assert_non_null(other);
    refused(signed_by(other, &claims), ERR_UNAUTHENTICATED);
}

/* Claims that would do, under a signature of the test's choice. */
static const char *forged(jwt_alg_t algorithm, const char *key)
{
    jwt_t *jwt = NULL;

    assert_int_equal(jwt_new(&jwt), 0);
    jwt_add_grant(jwt, "iss", TRY_ISSUER);
    jwt_add_grant(jwt, "aud", TRY_AUDIENCE);
    jwt_add_grant(jwt, "tid", TRY_TENANT);
    jwt_add_grant(jwt, "oid", TRY_OBJECT);
    jwt_add_grant(jwt, "appid", TRY_CLIENT);
    jwt_add_grant_int(jwt, "nbf", (long)now_s());
    jwt_add_grant_int(jwt, "exp", (long)now_s() + 3600);
    assert_int_equal(
        jwt_set_alg(jwt, algorithm, (const unsigned char *)key, key ? (int)strlen(key) : 0), 0);
    char *made = jwt_encode_str(jwt);
    const char *token = arena_text(arena, made);
    assert_non_null(token);
    free(made);
    jwt_free(jwt);
    return token;
}

TEST(a_token_without_a_signature_is_refused)
{
    refused(forged(JWT_ALG_NONE, NULL), ERR_UNAUTHENTICATED);
}

/* The library would verify this one: the public key is no secret, and serves as one. */
TEST(a_token_signed_with_the_public_key_as_a_secret_is_refused)
{
    AUTO_FREE char *pem = NULL;
    AUTO(text) *public_pem = text_new(10000);
    size_t size = 0;
    struct err err = {0};
    struct evp_pkey_st *key = key_open(try_path("token-key.pem"), KEY_RSA2048, &err);

    assert_true(key && key_print_public(key, public_pem, &err));
    key_free(key);
    refused(forged(JWT_ALG_HS256, public_pem->bytes), ERR_UNAUTHENTICATED);
    assert_true(file_read(try_path("token-key.pem"), 65536, &pem, &size, &err));
    refused(forged(JWT_ALG_RS512, pem), ERR_UNAUTHENTICATED);
    taken(forged(JWT_ALG_RS256, pem));
}

TEST(a_token_that_was_changed_is_refused_wherever_it_was)
{
    const char *token = good_token();
    size_t size = strlen(token);

    taken(token);
    for (size_t at = 0; at + 1 < size; at += 7) { /* the last letter has bits that do not count */
        char *changed = arena_text(arena, token);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        refused(changed, ERR_UNAUTHENTICATED);
    }
}

TEST(what_is_no_token_is_refused)
{
    static const char *const words[] = {
        "",
        "a.b.c",
        "e30.e30.",
        "e30.e30.e30",
        "..",
        "eyJ.eyJ.",
        "eyJhbGciOiJub25lIn0.e30.",
        "....",
        "ey",
        "ey J.ey.ey",
        "ey\x80.e.e",
        "a.b.c.d",
    };
    char *large = arena_alloc(arena, (size_t)LIMIT_TOKEN_BYTES_MAX + 100);

    for (size_t i = 0; i < COUNT_OF(words); i++)
        refused(words[i], ERR_UNAUTHENTICATED);
    memset(large, 'a', (size_t)LIMIT_TOKEN_BYTES_MAX + 90);
    large[3] = large[7] = '.';
    refused(large, ERR_UNAUTHENTICATED);
}

/* ---- the cache ---- */

TEST(the_cache_forgets_what_ends_first_when_it_is_full)
{
    struct err err = {0};
    struct token_cache *cache = token_cache_new(&err);
    struct caller caller = {.app_id = TRY_CLIENT}, found;
    char hash[TOKEN_HASH_SIZE];

    assert_non_null(cache);
    for (int i = 0; i < 5; i++) { /* one set: the first letters choose it */
        text_format(hash, sizeof hash, "00000000%056d", i);
        token_cache_put(cache, hash, 1000 + (i * 7 + 3) % 5, &caller);
    }
    int known = 0;
    for (int i = 0; i < 5; i++) {
        text_format(hash, sizeof hash, "00000000%056d", i);
        known += token_cache_find(cache, hash, 10, &found);
    }
    assert_int_equal(known, 4);
    assert_true(token_cache_find(cache, hash, 10, &found)); /* the newest one */
    token_cache_clear(cache);
    assert_false(token_cache_find(cache, hash, 10, &found));
    token_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_that_was_given_is_taken),
        cmocka_unit_test(a_token_outlives_the_process_that_gave_it),
        cmocka_unit_test(a_token_names_the_key_and_says_what_tools_read),
        cmocka_unit_test(every_name_of_the_server_is_an_audience),
        cmocka_unit_test(a_token_for_somebody_else_is_refused),
        cmocka_unit_test(a_token_that_ended_is_refused),
        cmocka_unit_test(a_token_from_the_future_is_refused_beyond_the_skew),
        cmocka_unit_test(a_checked_token_is_refused_once_it_ends),
        cmocka_unit_test(a_token_of_another_tenant_is_refused),
        cmocka_unit_test(a_token_of_an_application_that_is_not_known_is_refused),
        cmocka_unit_test(a_token_without_a_claim_is_refused),
        cmocka_unit_test(a_token_of_another_key_is_refused),
        cmocka_unit_test(a_token_without_a_signature_is_refused),
        cmocka_unit_test(a_token_signed_with_the_public_key_as_a_secret_is_refused),
        cmocka_unit_test(a_token_that_was_changed_is_refused_wherever_it_was),
        cmocka_unit_test(what_is_no_token_is_refused),
        cmocka_unit_test(the_cache_forgets_what_ends_first_when_it_is_full),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
