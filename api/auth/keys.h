/* Private keys on disk: PEM files that nobody else may read, made when they are absent.
 * Threads: any.   Owner: who opened it, EVP_PKEY_free(). */
#ifndef API_AUTH_KEYS_H
#define API_AUTH_KEYS_H

#include "base/err.h"
#include "base/text.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

enum key_kind {
    KEY_P256,    /* of certificates: small and quick in handshakes */
    KEY_RSA2048, /* of tokens: what every verifier knows */
};

enum { KEY_FILE_MAX = 65536, AUTH_PATH_SIZE = 4096 };

/* Reads it, or makes it and has it on the disk before this returns. */
struct evp_pkey_st *key_open(const char *path, enum key_kind kind, struct err *err) MUST_CHECK;
struct evp_pkey_st *key_new(enum key_kind kind, struct err *err) MUST_CHECK;
/* Appends PEM. */
bool key_print(struct evp_pkey_st *key, struct text *out, struct err *err) MUST_CHECK;
bool key_print_public(struct evp_pkey_st *key, struct text *out, struct err *err) MUST_CHECK;
void key_free(struct evp_pkey_st *key);
/* PEM that holds a key is not left in memory that is given back. */
void key_text_free(struct text *text);

/* ERR_INVALID when others than owner (and group, with `group_may`) may read the file. */
bool key_file_check(const char *path, bool group_may, struct err *err) MUST_CHECK;

#endif
