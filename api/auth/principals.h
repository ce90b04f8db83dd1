/* Service principals: programs that sign in with a client id and a secret. They stand in a JSON file,
 * each with its secret's hash (or, in a file of the operator's, the secret itself); in memory there are
 * only hashes.
 *
 *     {"principals": [{"clientId": "<UUID>", "objectId": "<UUID>", "secretHash": "<hexadecimal>"}]}
 *
 * A secret's hash is the SHA-256 of "<client id in lower case>:<secret>". A slow hash would add
 * nothing: secrets are random and long (shorter ones are refused), not words that people choose.
 * Threads: constant once read.   Owner: the arena. */
#ifndef API_AUTH_PRINCIPALS_H
#define API_AUTH_PRINCIPALS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"

struct principal {
    char client_id[ID_SIZE], object_id[ID_SIZE]; /* lower case */
    char secret_hash[65];
};
struct principals {
    struct principal *items;
    size_t count;
};

bool principals_read(const char *path, struct arena *arena, struct principals *principals,
                     struct err *err) MUST_CHECK;
/* Makes STATE_DIR/principals.json with one of them, whose secret is told once, in
 * STATE_DIR/service-principal.json; the server never reads that one. */
bool principals_make(const char *state_dir, const char *tenant, struct err *err) MUST_CHECK;

const struct principal *principals_find(const struct principals *principals, const char *client_id);
/* Takes as long for a wrong secret as for the right one. */
bool principal_knows(const struct principal *principal, const char *secret);

#endif
