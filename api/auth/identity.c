/* Managed identities: names for groups, and tokens in those names. Nothing is kept: what a name is follows from the
 * tenant and a resource id. */
#include "api/auth/inside.h"
#include "api/auth/token.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/text.h"

#include <ctype.h>
#include <string.h>

enum { VERSION_AT = 12, VARIANT_AT = 16 }; /* hexadecimal digits of a UUID, without hyphens */

/* A UUID of version 8 from the first 128 bits of a digest. */
static void id_from(const char *digest, char out[ID_SIZE])
{
    const char *hex = digest_hex(digest);
    size_t at = 0;

    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = i == VERSION_AT ? '8' : i == VARIANT_AT ? 'a' : hex[i];
    }
    out[at] = '\0';
}

static void id_make(const char *tenant, const char *kind, const char *resource_id,
                    char out[ID_SIZE])
{
    char digest[DIGEST_SIZE];
    AUTO(hash) *hash = hash_new();

    CHECK(hash);
    hash_add(hash, tenant, strlen(tenant) + 1);
    hash_add(hash, kind, strlen(kind) + 1);
    for (; *resource_id; resource_id++) {
        char small = (char)tolower((unsigned char)*resource_id);
        hash_add(hash, &small, 1);
    }
    hash_end(hash, digest);
    id_from(digest, out);
}

void auth_identity(const struct auth *auth, const char *resource_id, struct identity_ids *ids)
{
    id_make(auth->tenant, "principal", resource_id, ids->principal);
    id_make(auth->tenant, "client", resource_id, ids->client);
}

const char *auth_identity_token(const struct auth *auth, const struct identity_asked *asked,
                                struct arena *arena, int64_t *expires_s, struct err *err)
{
    struct identity_ids ids;
    int64_t now_s = clock_now_ms() / 1000;

    auth_identity(auth, asked->resource_id, &ids);
    struct claims claims = {
        .issuer = asked->issuer,
        .audience = asked->audience,
        .tenant = auth->tenant,
        .object_id = ids.principal,
        .app_id = ids.client,
        .identity = asked->resource_id,
        .from_s = now_s,
        .until_s = now_s + LIMIT_TOKEN_LIFE_S,
    };
    *expires_s = claims.until_s;
    return token_sign(auth->signer, &claims, arena, err);
}
