#include "registry/authfile.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum { SECRET_MAX = 64 * 1024 };

/* Sizes are reserved first: a text that grows leaves copies behind. */
struct text *authfile_basic(const struct image_credential *credential)
{
    size_t plain_size = strlen(credential->username) + 1 + strlen(credential->password);
    AUTO_FREE char *plain = malloc(plain_size + 1);
    AUTO_FREE unsigned char *coded = malloc(plain_size / 3 * 4 + 8);
    AUTO(text) *out = text_new(2 * SECRET_MAX);

    if (!plain || !coded || !out || plain_size > SECRET_MAX)
        return NULL;
    text_reserve(out, plain_size / 3 * 4 + 8);
    bool whole =
        text_format(plain, plain_size + 1, "%s:%s", credential->username, credential->password);
    int size = EVP_EncodeBlock(coded, (const unsigned char *)plain, (int)plain_size);
    text_add_n(out, (const char *)coded, (size_t)size);
    OPENSSL_cleanse(plain, plain_size + 1);
    OPENSSL_cleanse(coded, (size_t)size);
    return whole && text_ok(out) ? TAKE(out) : NULL;
}

static bool print(struct text *out, const char *registry, const struct image_credential *credential)
{
    if (!credential) {
        text_add(out, "{\"auths\":{}}");
        return text_ok(out);
    }
    AUTO(text) *basic = authfile_basic(credential);
    if (!text_ok(basic))
        return false;
    text_add(out, "{\"auths\":{");
    text_add_json(out, registry);
    text_add(out, ":{\"auth\":");
    text_add_json(out, basic->bytes);
    text_add(out, "}}}");
    text_wipe(basic);
    return text_ok(out);
}

struct text *authfile_new(const char *registry, const struct image_credential *credential,
                          struct err *err)
{
    AUTO(text) *content = text_new(4 * SECRET_MAX);

    text_reserve(content, 2 * SECRET_MAX);
    if (print(content, registry, credential))
        return TAKE(content);
    text_wipe(content);
    err_set(err, ERR_IMAGE_INACCESSIBLE, "the credential of the registry %s is too large",
            registry);
    return NULL;
}
