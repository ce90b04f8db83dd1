#include "api/auth/token.h"

#include "api/auth/jwk.h"
#include "api/auth/keys.h"
#include "base/limits.h"

#include <jwt.h>
#include <string.h>

enum { PEM_SIZE_MAX = 16384, KEYS_SIZE_MAX = 16384 };

struct signer {
    struct text *private_pem, *public_pem;
    struct text *keys; /* the JWKS document */
    char id[JWK_ID_SIZE];
};

void signer_free(struct signer *signer)
{
    if (!signer)
        return;
    key_text_free(signer->private_pem);
    text_free(signer->public_pem);
    text_free(signer->keys);
    free(signer);
}

static bool signer_fill(struct signer *signer, struct evp_pkey_st *key, struct err *err)
{
    signer->private_pem = text_new(PEM_SIZE_MAX);
    signer->public_pem = text_new(PEM_SIZE_MAX);
    signer->keys = text_new(KEYS_SIZE_MAX);
    text_reserve(signer->private_pem, PEM_SIZE_MAX / 2); /* so that no copy is left by growing */
    text_add(signer->keys, "{\"keys\":[");
    if (!key_print(key, signer->private_pem, err) ||
        !key_print_public(key, signer->public_pem, err) ||
        !jwk_print(key, signer->keys, signer->id, err))
        return false;
    text_add(signer->keys, "]}");
    return text_ok(signer->keys) || err_set(err, ERR_BUSY, "out of memory for the token key");
}

struct signer *signer_open(const char *state_dir, struct err *err)
{
    char path[AUTH_PATH_SIZE];
    AUTO(signer) *signer = calloc(1, sizeof *signer);

    text_format(path, sizeof path, "%s/token-key.pem", state_dir);
    if (!signer) {
        err_set(err, ERR_BUSY, "out of memory for the token key");
        return NULL;
    }
    struct evp_pkey_st *key = key_open(path, KEY_RSA2048, err);
    bool filled = key && signer_fill(signer, key, err);
    key_free(key);
    return filled ? TAKE(signer) : NULL;
}

void signer_print_keys(const struct signer *signer, struct text *out)
{
    text_add(out, signer->keys->bytes);
}

/* ---- signing ---- */

static void jwt_free_at(jwt_t **jwt)
{
    jwt_free(*jwt);
}
#define AUTO_JWT __attribute__((cleanup(jwt_free_at))) jwt_t

static bool add_claims(jwt_t *jwt, const struct claims *claims)
{
    const struct {
        const char *name, *value;
    } texts[] = {
        {"aud", claims->audience},
        {"iss", claims->issuer},
        {"appid", claims->app_id},
        {"appidacr", "1"},
        {"idtyp", "app"},
        {"oid", claims->object_id},
        {"sub", claims->object_id},
        {"tid", claims->tenant},
        {"ver", "1.0"},
        {"xms_mirid", claims->identity},
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (texts[i].value && jwt_add_grant(jwt, texts[i].name, texts[i].value) != 0)
            return false;
    }
    return jwt_add_grant_int(jwt, "iat", (long)claims->from_s) == 0 &&
           jwt_add_grant_int(jwt, "nbf", (long)claims->from_s) == 0 &&
           jwt_add_grant_int(jwt, "exp", (long)claims->until_s) == 0;
}

const char *token_sign(const struct signer *signer, const struct claims *claims,
                       struct arena *arena, struct err *err)
{
    AUTO_JWT *jwt = NULL;
    const struct text *key = signer->private_pem;
    char *made = NULL;

    if (jwt_new(&jwt) == 0 && add_claims(jwt, claims) &&
        jwt_add_header(jwt, "kid", signer->id) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_RS256, (const unsigned char *)key->bytes, (int)key->size) == 0)
        made = jwt_encode_str(jwt);
    const char *token = arena_text(arena, made);
    free(made);
    if (!token)
        err_set(err, ERR_INTERNAL, "a token could not be signed");
    return token;
}

/* ---- reading ---- */

/* Three parts of base64 for URLs and nothing else, before a parser sees it. */
static bool is_well_formed(const char *token)
{
    size_t size = strnlen(token, (size_t)LIMIT_TOKEN_BYTES_MAX + 1), dots = 0;

    if (size > (size_t)LIMIT_TOKEN_BYTES_MAX)
        return false;
    for (const char *at = token; *at; at++)
        dots += *at == '.';
    return dots == 2 && token[size - 1] != '.' &&
           strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
               size;
}

static const char *text_claim(jwt_t *jwt, const char *name, struct arena *arena)
{
    return arena_text(arena, jwt_get_grant(jwt, name));
}

static bool id_claim(const char *value)
{
    return value && id_valid(value);
}

static bool claims_take(jwt_t *jwt, struct arena *arena, struct claims *claims)
{
    *claims = (struct claims){
        .issuer = text_claim(jwt, "iss", arena),
        .audience = text_claim(jwt, "aud", arena),
        .tenant = text_claim(jwt, "tid", arena),
        .object_id = text_claim(jwt, "oid", arena),
        .app_id = text_claim(jwt, "appid", arena),
        .from_s = jwt_get_grant_int(jwt, "nbf"),
        .until_s = jwt_get_grant_int(jwt, "exp"),
    };
    return claims->issuer && claims->audience && id_claim(claims->tenant) &&
           id_claim(claims->object_id) && id_claim(claims->app_id) && claims->until_s > 0;
}

/* The library takes the algorithm from the token, and would check an HMAC with our public key as its
 * secret: so what it decoded counts only when it was RS256. */
static bool decode(const struct signer *signer, const char *token, jwt_t **jwt)
{
    const struct text *key = signer->public_pem;

    return is_well_formed(token) &&
           jwt_decode(jwt, token, (const unsigned char *)key->bytes, (int)key->size) == 0 &&
           jwt_get_alg(*jwt) == JWT_ALG_RS256;
}

bool token_read(const struct signer *signer, const char *token, struct arena *arena,
                struct claims *claims, struct err *err)
{
    AUTO_JWT *jwt = NULL;

    return (decode(signer, token, &jwt) && claims_take(jwt, arena, claims)) ||
           err_set(err, ERR_UNAUTHENTICATED, "The access token is invalid.");
}
