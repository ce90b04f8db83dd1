/* Access tokens: JSON Web Tokens signed with RS256 by a key that is kept, so that they outlive the
 * process. token.c is the only file that sees libjwt.
 * Threads: any, the signer does not change.   Owner: signer_free(). */
#ifndef API_AUTH_TOKEN_H
#define API_AUTH_TOKEN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "base/text.h"

struct signer;

/* Reads STATE_DIR/token-key.pem, or makes it. */
struct signer *signer_open(const char *state_dir, struct err *err) MUST_CHECK;
void signer_free(struct signer *signer);
AUTO_TYPE(signer);

struct claims {
    const char *issuer, *audience;
    const char *tenant, *object_id, *app_id;
    const char *
        identity; /* resource id of a managed one; NULL: a service principal's. Only signed, not read */
    int64_t from_s, until_s;
};

/* NULL: err says why. The token is in the arena. */
const char *token_sign(const struct signer *signer, const struct claims *claims,
                       struct arena *arena, struct err *err) MUST_CHECK;
/* What a token of this signer says, its times not looked at. ERR_UNAUTHENTICATED when it is none:
 * another key or algorithm, changed, too long, or a claim is missing. */
bool token_read(const struct signer *signer, const char *token, struct arena *arena,
                struct claims *claims, struct err *err) MUST_CHECK;

/* Appends {"keys":[…]}. */
void signer_print_keys(const struct signer *signer, struct text *out);

#endif
