#include "try.h"

#include "api/auth/token.h"

#include <string.h>

#define GROUP \
    "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerInstance/containerGroups/web"

static struct auth *auth;
static struct arena *arena;

static int begin(void **state)
{
    struct auth_options options;

    if (try_begin(state) != 0)
        return -1;
    options = try_options();
    auth = try_open(&options);
    arena = arena_new(1 << 22);
    return arena ? 0 : -1;
}

static int end(void **state)
{
    arena_free(arena);
    auth_free(auth);
    return try_end(state);
}

static void ids_follow_from_the_resource_id_without_case(void **state UNUSED)
{
    struct identity_ids one, same, other;

    auth_identity(auth, GROUP, &one);
    auth_identity(auth,
                  "/SUBSCRIPTIONS/s/resourcegroups/RG/providers/Microsoft.ContainerInstance/"
                  "containerGroups/Web",
                  &same);
    auth_identity(auth, GROUP "2", &other);
    assert_true(id_valid(one.principal) && id_valid(one.client));
    assert_string_not_equal(one.principal, one.client);
    assert_memory_equal(&one, &same, sizeof one);
    assert_string_not_equal(one.principal, other.principal);
    assert_string_not_equal(one.client, other.client);
}

static void a_token_says_who_and_for_whom_and_opens_nothing_here(void **state UNUSED)
{
    struct identity_asked asked = {
        .issuer = TRY_ISSUER, .audience = TRY_AUDIENCE, .resource_id = GROUP};
    struct identity_ids ids;
    struct claims claims;
    struct caller caller;
    struct err err = {0};
    int64_t until_s;
    const char *token = auth_identity_token(auth, &asked, arena, &until_s, &err);
    AUTO(signer) *signer = signer_open(try_folder, &err);

    assert_non_null(token);
    assert_true(token_read(signer, token, arena, &claims, &err));
    auth_identity(auth, GROUP, &ids);
    assert_string_equal(claims.object_id, ids.principal);
    assert_string_equal(claims.app_id, ids.client);
    assert_string_equal(claims.audience, TRY_AUDIENCE);
    assert_int_equal(claims.until_s, until_s);
    assert_false(auth_check(auth, token, &caller, &err)); /* although the audience is this server */
    assert_int_equal(err.code, ERR_UNAUTHENTICATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ids_follow_from_the_resource_id_without_case, begin, end),
        cmocka_unit_test_setup_teardown(a_token_says_who_and_for_whom_and_opens_nothing_here, begin,
                                        end),
    };

    return cmocka_run_group_tests_name("managed identities", tests, NULL, NULL);
}
