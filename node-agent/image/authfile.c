#include "node-agent/image/authfile.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>

enum { SECRET_MAX = 64 * 1024 };

void authfile_wipe(struct text *text)
{
    if (text && text->bytes)
        OPENSSL_cleanse(text->bytes, text->capacity);
}

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

static bool write_all(int fd, const struct text *text)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t put = write(fd, text->bytes + at, text->size - at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        at += (size_t)put;
    }
    return true;
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
    authfile_wipe(basic);
    return text_ok(out);
}

int authfile_open(const char *registry, const struct image_credential *credential, struct err *err)
{
    AUTO(text) *content = text_new(4 * SECRET_MAX);
    AUTO_CLOSE int fd = memfd_create("auth.json", MFD_CLOEXEC);

    if (fd < 0) {
        err_set_os(err, ERR_IO, errno, "cannot make a memory file for a registry's credential");
        return -1;
    }
    text_reserve(content, 2 * SECRET_MAX);
    bool written = print(content, registry, credential) && write_all(fd, content);
    authfile_wipe(content);
    if (!written) {
        err_set(err, ERR_IMAGE_INACCESSIBLE, "the credential of the registry %s is too large",
                registry);
        return -1;
    }
    return TAKE_FD(fd);
}
