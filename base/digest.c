#include "base/digest.h"

#include "base/err.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <string.h>

/* The context is the hash: callers never see OpenSSL. */
struct hash *hash_new(void)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(context);
        context = NULL;
    }
    return (struct hash *)context;
}

void hash_free(struct hash *hash)
{
    EVP_MD_CTX_free((EVP_MD_CTX *)hash);
}

void hash_add(struct hash *hash, const void *bytes, size_t size)
{
    CHECK(EVP_DigestUpdate((EVP_MD_CTX *)hash, bytes, size) == 1);
}

static void print(const unsigned char *raw, unsigned size, char out[DIGEST_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    char *at = out + strlen("sha256:");

    CHECK(size == 32 && text_copy(out, DIGEST_SIZE, "sha256:"));
    for (unsigned i = 0; i < size; i++) {
        *at++ = hex[raw[i] >> 4];
        *at++ = hex[raw[i] & 15];
    }
    *at = '\0';
}

void hash_end(struct hash *hash, char out[DIGEST_SIZE])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    CHECK(EVP_DigestFinal_ex((EVP_MD_CTX *)hash, raw, &size) == 1);
    print(raw, size, out);
}

void digest_of(const void *bytes, size_t size, char out[DIGEST_SIZE])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_size = 0;

    CHECK(EVP_Digest(bytes, size, raw, &raw_size, EVP_sha256(), NULL) == 1);
    print(raw, raw_size, out);
}

void digest_keyed(const char *key, const void *bytes, size_t size, char out[DIGEST_SIZE])
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned raw_size = 0;

    CHECK(HMAC(EVP_sha256(), key, (int)strlen(key), bytes, size, raw, &raw_size));
    print(raw, raw_size, out);
}

bool digest_slow(const char *salt, const void *secret, size_t size, char out[DIGEST_SIZE])
{
    unsigned char raw[32];

    if (EVP_PBE_scrypt(secret, size, (const unsigned char *)salt, strlen(salt), 16384, 8, 1, 0, raw,
                       sizeof raw) != 1)
        return false;
    print(raw, sizeof raw, out);
    return true;
}

bool digest_valid(const char *digest)
{
    return digest && text_has_prefix(digest, "sha256:") && strlen(digest) == DIGEST_SIZE - 1 &&
           strspn(digest_hex(digest), "0123456789abcdef") == DIGEST_HEX_SIZE - 1;
}

const char *digest_hex(const char *digest)
{
    return digest + strlen("sha256:");
}

void digest_chain(const char *below, const char *diff_id, char out[DIGEST_SIZE])
{
    char pair[2 * DIGEST_SIZE];
    bool whole;

    if (!below) {
        whole = text_copy(out, DIGEST_SIZE, diff_id);
        CHECK(whole);
        return;
    }
    whole = text_format(pair, sizeof pair, "%s %s", below, diff_id);
    CHECK(whole);
    digest_of(pair, strlen(pair), out);
}
