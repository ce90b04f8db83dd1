/* A public RSA key as a JSON Web Key (RFC 7517), named by its thumbprint (RFC 7638).
 * Threads: any. */
#ifndef API_AUTH_JWK_H
#define API_AUTH_JWK_H

#include "base/err.h"
#include "base/text.h"

struct evp_pkey_st;

enum { JWK_ID_SIZE = 44 };

/* Appends {"kty":"RSA",…} and tells its id. */
bool jwk_print(struct evp_pkey_st *key, struct text *out, char id[JWK_ID_SIZE], struct err *err)
    MUST_CHECK;

#endif
