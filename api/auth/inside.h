/* What the files of this room share: everything that is known, in one struct. */
#ifndef API_AUTH_INSIDE_H
#define API_AUTH_INSIDE_H

#include "api/auth/auth.h"
#include "api/auth/keys.h"
#include "api/auth/principals.h"
#include "base/thread.h"

#include <stdatomic.h>

/* What a reload or a renewal replaces: immutable, exchanged as a whole. Old ones stay until the end,
 * because calls and handshakes may still read them; there is one for each reload and renewal. */
struct known {
    struct known *older;
    struct arena *arena;
    struct auth_options options;
    struct text_list names;
    struct principals principals;
    struct certificate certificate;
};

struct auth {
    char state_dir[AUTH_PATH_SIZE], tenant[ID_SIZE];
    bool tls;
    struct signer *signer;
    struct ca *ca; /* NULL until a certificate of its own is needed */
    struct token_cache *cache;
    struct failures *failures;
    struct lock lock; /* one replacement at a time */
    struct known *_Atomic known;
    _Atomic int64_t renewed_s; /* tried last */
};

static inline const struct known *known_now(const struct auth *auth)
{
    return atomic_load(&auth->known);
}

#endif
