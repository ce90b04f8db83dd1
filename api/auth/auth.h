/* Who calls, and how they prove it: the private CA and the server's certificate, the key that signs
 * access tokens, and the service principals that may ask for one.
 *
 *     struct auth *auth = auth_open(&options, &err);          keys are made at the first start
 *     auth_sign_in(auth, &asked, arena, &given, &err);        client id and secret for a token
 *     auth_check(auth, token, &caller, &err);                 each call that brings one
 *     auth_certificate(auth);                                 what a TLS handshake shows
 *     auth_renew(auth, &err);                                 now and then
 *
 * Not for: HTTP (api/), the static token of the configuration (api/router.c), what a caller may do.
 * Threads: open and free from one; all else from any.
 * Owner: auth_free(). Options are copied. */
#ifndef API_AUTH_AUTH_H
#define API_AUTH_AUTH_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/id.h"

struct auth;

struct auth_options {
    const char *state_dir; /* of keys and certificates */
    const char *tenant_id; /* UUID; NULL: made once, kept in STATE_DIR/tenant-id */
    bool tls;              /* false: no certificate is needed */

    /* These may change in auth_reload(). */
    const char *principals_file; /* NULL: STATE_DIR/principals.json, made when absent */
    /* Under which names clients reach the server, beside its host name and loopback: they stand in
     * the certificate, and tokens for them are taken. */
    const char *listen_address, *base_url;
    struct text_list names;
    const char *certificate_file, *key_file; /* of somebody else's CA; NULL: the private one */
};

struct auth *auth_open(const struct auth_options *options, struct err *err) MUST_CHECK;
/* On failure nothing changes. Tokens of principals that are gone are worth nothing afterwards. */
bool auth_reload(struct auth *auth, const struct auth_options *options, struct err *err) MUST_CHECK;
void auth_free(struct auth *auth);

const char *auth_tenant(const struct auth *auth);

/* ---- tokens ---- */

struct caller {
    char tenant[ID_SIZE], object_id[ID_SIZE], app_id[ID_SIZE];
    bool is_operator; /* by the static token of the configuration; the ids are empty then */
};

/* Whether it may be one of ours at all; anything else is none of this room's business. */
bool auth_is_token(const char *text);
/* ERR_UNAUTHENTICATED, ERR_TOKEN_EXPIRED, ERR_TOKEN_AUDIENCE or ERR_TOKEN_TENANT. */
bool auth_check(struct auth *auth, const char *token, struct caller *caller, struct err *err)
    MUST_CHECK;

struct sign_in {
    const char *issuer; /* becomes the claim iss; ends with the tenant */
    const char *client_id, *client_secret;
    const char *audience;
    const char *from; /* the client's address: wrong secrets are counted for each */
};

enum sign_in_outcome {
    SIGN_IN_DONE,
    SIGN_IN_CLIENT_UNKNOWN,
    SIGN_IN_SECRET_WRONG,
    SIGN_IN_TOO_MANY, /* wrong secrets: not even looked at for `wait_s` seconds */
    SIGN_IN_FAILED,   /* err says why */
};

struct sign_in_given {
    const char *token; /* in the arena */
    int64_t expires_in_s, wait_s;
};

enum sign_in_outcome auth_sign_in(struct auth *auth, const struct sign_in *asked,
                                  struct arena *arena, struct sign_in_given *given, struct err *err)
    MUST_CHECK;

/* ---- managed identities (aci/features.md §17) ---- */

/* Who a group is to others. Both follow from the tenant and the resource id (without case) alone: of the group for
 * the one the system assigns, of the identity for one that a user assigned. */
struct identity_ids {
    char principal[ID_SIZE], client[ID_SIZE];
};
void auth_identity(const struct auth *auth, const char *resource_id, struct identity_ids *ids);

struct identity_asked {
    const char *issuer;      /* as of struct sign_in */
    const char *audience;    /* what the token is for */
    const char *resource_id; /* of the group or the user assigned identity */
};
/* A token that says so. It opens nothing on this server: no principal has its client id. NULL: err says why. */
const char *auth_identity_token(const struct auth *auth, const struct identity_asked *asked,
                                struct arena *arena, int64_t *expires_s, struct err *err)
    MUST_CHECK;

/* The key that tokens are checked with, as a JSON Web Key Set. */
void auth_print_keys(const struct auth *auth, struct text *out);

/* ---- the certificate ---- */

struct certificate {
    const char *chain, *key; /* PEM */
    int64_t not_after_s;
};

/* The one to show now; stays readable until auth_free(). NULL without TLS. */
const struct certificate *auth_certificate(const struct auth *auth);
/* Replaces the private CA's certificate when it ends soon. */
bool auth_renew(struct auth *auth, struct err *err) MUST_CHECK;

AUTO_TYPE(auth);

#endif
