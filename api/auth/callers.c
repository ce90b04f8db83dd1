/* What calls ask: a token for a secret, a caller for a token. */
#include "api/auth/cache.h"
#include "api/auth/failures.h"
#include "api/auth/inside.h"
#include "api/auth/names.h"
#include "api/auth/token.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"

#include <string.h>

enum { SCRATCH_BYTES_MAX = 262144 };

/* ---- signing in ---- */

enum sign_in_outcome auth_sign_in(struct auth *auth, const struct sign_in *asked,
                                  struct arena *arena, struct sign_in_given *given, struct err *err)
{
    const struct principal *one = principals_find(&known_now(auth)->principals, asked->client_id);
    int64_t now_ms = clock_now_ms();

    if (!one)
        return SIGN_IN_CLIENT_UNKNOWN;
    given->wait_s = failures_wait_s(auth->failures, one->client_id, asked->from, now_ms);
    if (given->wait_s > 0)
        return SIGN_IN_TOO_MANY;
    if (!principal_knows(one, asked->client_secret)) {
        failures_add(auth->failures, one->client_id, asked->from, now_ms);
        log_warn("sign_in_refused", "client=%s from=%s", one->client_id, LOG_QUOTE(asked->from));
        return SIGN_IN_SECRET_WRONG;
    }
    struct claims claims = {
        .issuer = asked->issuer,
        .audience = asked->audience,
        .tenant = auth->tenant,
        .object_id = one->object_id,
        .app_id = one->client_id,
        .from_s = now_ms / 1000,
        .until_s = now_ms / 1000 + LIMIT_TOKEN_LIFE_S,
    };
    given->expires_in_s = LIMIT_TOKEN_LIFE_S - 1;
    given->token = token_sign(auth->signer, &claims, arena, err);
    return given->token ? SIGN_IN_DONE : SIGN_IN_FAILED;
}

/* ---- checking ---- */

/* A JSON object in base64 begins so, and no token of the configuration has dots in it. */
bool auth_is_token(const char *text)
{
    const char *dot = strchr(text, '.');

    return text_has_prefix(text, "ey") && dot && strchr(dot + 1, '.');
}

static bool times_check(const struct claims *claims, int64_t now_s, struct err *err)
{
    char until[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE];

    if (claims->from_s > now_s + LIMIT_TOKEN_SKEW_S)
        return err_set(err, ERR_UNAUTHENTICATED, "The access token is not valid yet.");
    if (claims->until_s > now_s)
        return true;
    clock_text(claims->until_s * 1000, until);
    clock_text(now_s * 1000, now);
    return err_set(err, ERR_TOKEN_EXPIRED,
                   "The access token expiry UTC time '%s' is earlier than current UTC time '%s'.",
                   until, now);
}

static bool tenant_check(const struct auth *auth, const struct claims *claims, struct err *err)
{
    const char *at = strrchr(claims->issuer, '/');

    return (text_equal_nocase(claims->tenant, auth->tenant) && at &&
            text_equal_nocase(at + 1, auth->tenant)) ||
           err_set(err, ERR_TOKEN_TENANT,
                   "The access token is from the wrong issuer: it is of another tenant than '%s'.",
                   auth->tenant);
}

static bool claims_check(const struct auth *auth, const struct claims *claims, int64_t now_s,
                         struct err *err)
{
    const struct known *known = known_now(auth);

    if (!tenant_check(auth, claims, err) || !times_check(claims, now_s, err))
        return false;
    if (!names_hold_audience(&known->names, claims->audience))
        return err_set(err, ERR_TOKEN_AUDIENCE,
                       "The access token has been obtained for the wrong audience or resource: it "
                       "must be one of the server's own URLs.");
    return principals_find(&known->principals, claims->app_id) != NULL ||
           err_set(err, ERR_UNAUTHENTICATED,
                   "The access token's application is not known here any more.");
}

static bool token_check(struct auth *auth, const char *token, const char *hash, int64_t now_s,
                        struct caller *caller, struct err *err)
{
    AUTO(arena) *arena = arena_new(SCRATCH_BYTES_MAX);
    struct claims claims;

    if (!arena)
        return err_set(err, ERR_BUSY, "out of memory for a token");
    if (!token_read(auth->signer, token, arena, &claims, err) ||
        !claims_check(auth, &claims, now_s, err))
        return false;
    *caller = (struct caller){.is_operator = false};
    text_copy(caller->tenant, sizeof caller->tenant, claims.tenant);
    text_copy(caller->object_id, sizeof caller->object_id, claims.object_id);
    text_copy(caller->app_id, sizeof caller->app_id, claims.app_id);
    token_cache_put(auth->cache, hash, claims.until_s, caller);
    return true;
}

bool auth_check(struct auth *auth, const char *token, struct caller *caller, struct err *err)
{
    char hash[TOKEN_HASH_SIZE];
    int64_t now_s = clock_now_ms() / 1000;

    id_hash(token, hash);
    return token_cache_find(auth->cache, hash, now_s, caller) ||
           token_check(auth, token, hash, now_s, caller, err);
}
