#include "api/auth/jwk.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

enum { NUMBER_BYTES = 1024, NUMBER_TEXT = 1400, DIGEST_BYTES = 32 };

/* base64 for URLs, without padding. */
static bool base64url(const unsigned char *bytes, size_t size, char *out, size_t out_size)
{
    if (size / 3 * 4 + 5 > out_size)
        return false;
    int length = EVP_EncodeBlock((unsigned char *)out, bytes, (int)size);
    while (length > 0 && out[length - 1] == '=')
        length--;
    out[length] = '\0';
    for (char *at = out; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    return true;
}

static bool number_text(EVP_PKEY *key, const char *name, char *out, size_t size)
{
    unsigned char bytes[NUMBER_BYTES];
    BIGNUM *number = NULL;
    bool fits = EVP_PKEY_get_bn_param(key, name, &number) == 1 && BN_num_bytes(number) > 0 &&
                BN_num_bytes(number) <= NUMBER_BYTES;

    if (fits)
        fits = base64url(bytes, (size_t)BN_bn2bin(number, bytes), out, size);
    BN_free(number);
    return fits;
}

/* SHA-256 of the members that matter, in the order of their names. */
static bool thumbprint(const char *e, const char *n, char id[JWK_ID_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t size = 0;
    char letters[JWK_ID_SIZE + 4];
    AUTO(text) *canonical = text_new(NUMBER_TEXT * 2);

    text_addf(canonical, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
    return text_ok(canonical) &&
           EVP_Q_digest(NULL, "SHA256", NULL, canonical->bytes, canonical->size, digest, &size) ==
               1 &&
           size == DIGEST_BYTES && base64url(digest, size, letters, sizeof letters) &&
           text_copy(id, JWK_ID_SIZE, letters);
}

bool jwk_print(EVP_PKEY *key, struct text *out, char id[JWK_ID_SIZE], struct err *err)
{
    char n[NUMBER_TEXT], e[NUMBER_TEXT];

    if (!number_text(key, OSSL_PKEY_PARAM_RSA_N, n, sizeof n) ||
        !number_text(key, OSSL_PKEY_PARAM_RSA_E, e, sizeof e) || !thumbprint(e, n, id))
        return err_set(err, ERR_INTERNAL, "the token key cannot be described");
    text_addf(out,
              "{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\",\"n\":\"%s\","
              "\"e\":\"%s\"}",
              id, n, e);
    return true;
}
