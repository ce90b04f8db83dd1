#include "api/auth/keys.h"

#include "base/file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>
#include <sys/stat.h>

enum { RSA_BITS = 2048, PEM_SIZE_MAX = 16384 };

void key_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

void key_text_free(struct text *text)
{
    if (text && text->bytes)
        OPENSSL_cleanse(text->bytes, text->capacity);
    text_free(text);
}

static void text_free_at(struct text **text)
{
    key_text_free(*text);
}
#define AUTO_SECRET __attribute__((cleanup(text_free_at))) struct text

static void bio_free_at(BIO **bio)
{
    BIO_free(*bio);
}
#define AUTO_BIO __attribute__((cleanup(bio_free_at))) BIO

/* ---- printing ---- */

static bool bio_to_text(BIO *bio, struct text *out)
{
    char *bytes = NULL;
    long size = BIO_get_mem_data(bio, &bytes);

    if (size <= 0)
        return false;
    text_add_n(out, bytes, (size_t)size);
    OPENSSL_cleanse(bytes, (size_t)size);
    return text_ok(out);
}

bool key_print(EVP_PKEY *key, struct text *out, struct err *err)
{
    AUTO_BIO *bio = BIO_new(BIO_s_mem());

    return (bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
            bio_to_text(bio, out)) ||
           err_set(err, ERR_INTERNAL, "a key cannot be written as PEM");
}

bool key_print_public(EVP_PKEY *key, struct text *out, struct err *err)
{
    AUTO_BIO *bio = BIO_new(BIO_s_mem());

    return (bio && PEM_write_bio_PUBKEY(bio, key) == 1 && bio_to_text(bio, out)) ||
           err_set(err, ERR_INTERNAL, "a public key cannot be written as PEM");
}

/* ---- reading ---- */

bool key_file_check(const char *path, bool group_may, struct err *err)
{
    struct stat about;
    mode_t others = S_IRWXO | (group_may ? S_IWGRP : S_IRWXG);

    if (stat(path, &about) != 0)
        return err_set_os(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                          "cannot look at the key file %s", path);
    if (!S_ISREG(about.st_mode))
        return err_set(err, ERR_INVALID, "the key file %s is no file", path);
    return (about.st_mode & others) == 0 ||
           err_set(err, ERR_INVALID, "the key file %s can be read by others: chmod 600 it", path);
}

/* A key that asks for a password would stop the start on a terminal. */
static int no_password(char *out UNUSED, int size UNUSED, int writes UNUSED, void *data UNUSED)
{
    return -1;
}

static bool key_fits(EVP_PKEY *key, enum key_kind kind)
{
    return kind == KEY_P256 ? EVP_PKEY_is_a(key, "EC") == 1
                            : EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) >= RSA_BITS;
}

static EVP_PKEY *key_read(const char *path, enum key_kind kind, struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;

    if (!key_file_check(path, false, err) || !file_read(path, KEY_FILE_MAX, &bytes, &size, err))
        return NULL;
    AUTO_BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    OPENSSL_cleanse(bytes, size);
    if (key && key_fits(key, kind))
        return key;
    key_free(key);
    err_set(err, ERR_INVALID,
            "the key file %s holds no %s key in PEM: bring it back from a copy, %s", path,
            kind == KEY_P256 ? "P-256" : "RSA", "or remove it and a new one is made");
    return NULL;
}

/* ---- making ---- */

EVP_PKEY *key_new(enum key_kind kind, struct err *err)
{
    EVP_PKEY *key = kind == KEY_P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(RSA_BITS);

    if (!key)
        err_set(err, ERR_INTERNAL, "a key cannot be made");
    return key;
}

static EVP_PKEY *key_make(const char *path, enum key_kind kind, struct err *err)
{
    AUTO_SECRET *pem = text_new(PEM_SIZE_MAX);
    EVP_PKEY *key = key_new(kind, err);

    if (key && key_print(key, pem, err) &&
        file_replace(path, pem->bytes, pem->size, 0600, true, err))
        return key;
    key_free(key);
    return NULL;
}

EVP_PKEY *key_open(const char *path, enum key_kind kind, struct err *err)
{
    return file_exists(path) ? key_read(path, kind, err) : key_make(path, kind, err);
}
