/* What sign_in.c takes and prints, as tables: for the contract alone (openapi.c), like views.c. */
#include "api/handlers/handlers.h"

/* clang-format off */

#define SHOWN(kind_, ...) { .kind = (kind_), .name = __VA_ARGS__ }
#define SHOWN_SCHEMA(name_, table, doc_) { .name = (name_), .doc = (doc_), .fields = (table), .count = COUNT_OF(table) }

static const struct field openid_fields[] = {
    SHOWN(FIELD_TEXT, "issuer", .doc = "The claim iss of tokens."),
    SHOWN(FIELD_TEXT, "authorization_endpoint", .doc = "Clients want it named; nothing is served there."),
    SHOWN(FIELD_TEXT, "token_endpoint"),
    SHOWN(FIELD_TEXT, "jwks_uri"),
    SHOWN(FIELD_LIST, "token_endpoint_auth_methods_supported"),
    SHOWN(FIELD_LIST, "grant_types_supported"),
    SHOWN(FIELD_LIST, "response_types_supported"),
    SHOWN(FIELD_LIST, "response_modes_supported"),
    SHOWN(FIELD_LIST, "subject_types_supported"),
    SHOWN(FIELD_LIST, "id_token_signing_alg_values_supported"),
    SHOWN(FIELD_LIST, "scopes_supported"),
    SHOWN(FIELD_LIST, "claims_supported"),
};
const struct schema openid_schema =
    SHOWN_SCHEMA("OpenIdConfiguration", openid_fields, "Where clients sign in.");

static const struct field token_key_fields[] = {
    SHOWN(FIELD_TEXT, "kty"),
    SHOWN(FIELD_TEXT, "use"),
    SHOWN(FIELD_TEXT, "alg"),
    SHOWN(FIELD_TEXT, "kid", .doc = "The thumbprint of RFC 7638; tokens name it in their head."),
    SHOWN(FIELD_TEXT, "n"),
    SHOWN(FIELD_TEXT, "e"),
};
static const struct schema token_key_schema =
    SHOWN_SCHEMA("TokenKey", token_key_fields, "A JSON Web Key.");
static const struct field token_keys_fields[] = {
    SHOWN(FIELD_ITEMS_, "keys", .schema = &token_key_schema),
};
const struct schema token_keys_schema =
    SHOWN_SCHEMA("TokenKeys", token_keys_fields, "What tokens are checked with.");

static const struct field token_request_fields[] = {
    SHOWN(FIELD_TEXT, "grant_type", .flags = FIELD_REQUIRED, .doc = "client_credentials"),
    SHOWN(FIELD_TEXT, "client_id", .flags = FIELD_REQUIRED),
    SHOWN(FIELD_TEXT, "client_secret", .flags = FIELD_REQUIRED | FIELD_SECRET),
    SHOWN(FIELD_TEXT, "scope", .doc = "The server's URL with /.default behind it."),
    SHOWN(FIELD_TEXT, "resource", .doc = "Instead of scope: the server's URL."),
};
const struct schema token_request_schema =
    SHOWN_SCHEMA("TokenRequest", token_request_fields, "Who asks, for what.");

static const struct field token_fields[] = {
    SHOWN(FIELD_TEXT, "token_type", .doc = "Bearer."),
    SHOWN(FIELD_INT, "expires_in", .doc = "Seconds."),
    SHOWN(FIELD_INT, "ext_expires_in"),
    SHOWN(FIELD_TEXT, "access_token", .doc = "A JSON Web Token, signed with RS256."),
};
const struct schema token_schema = SHOWN_SCHEMA("Token", token_fields, "For the Authorization header.");

static const struct field sign_in_failure_fields[] = {
    SHOWN(FIELD_TEXT, "error", .doc = "OAuth's word."),
    SHOWN(FIELD_TEXT, "error_description", .doc = "A number that clients know (AADSTS…) and a sentence."),
    SHOWN(FIELD_RAW, "error_codes", .doc = "The number alone."),
    SHOWN(FIELD_TEXT, "timestamp"),
    SHOWN(FIELD_TEXT, "trace_id"),
    SHOWN(FIELD_TEXT, "correlation_id"),
};
const struct schema sign_in_failure_schema =
    SHOWN_SCHEMA("SignInFailure", sign_in_failure_fields, "Failures of signing in, in the form of OAuth.");

/* clang-format on */
