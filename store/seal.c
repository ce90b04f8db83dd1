#include "store/seal.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

enum { KEY_SIZE = 32, NONCE_SIZE = 12, PROOF_SIZE = 16, VERSION = 1 };

struct seal {
    unsigned char key[KEY_SIZE];
};

/* ---- the key file ---- */

static bool read_key(int fd, const char *path, struct seal *seal, struct err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return err_set_os(err, ERR_STORAGE, errno, "cannot look at the key file %s", path);
    if ((status.st_mode & 077) != 0)
        return err_set(err, ERR_STORAGE, "the key file %s can be read by others: chmod 600 it",
                       path);
    if (!S_ISREG(status.st_mode) || status.st_size != KEY_SIZE)
        return err_set(err, ERR_STORAGE, "the key file %s is no key: it must hold %d bytes", path,
                       KEY_SIZE);
    ssize_t size = read(fd, seal->key, KEY_SIZE);
    if (size != KEY_SIZE)
        return err_set_os(err, ERR_STORAGE, size < 0 ? errno : EIO, "cannot read the key file %s",
                          path);
    return true;
}

static bool sync_folder_of(const char *path, struct err *err)
{
    AUTO_FREE char *folder = strdup(path);
    if (!folder)
        return err_set(err, ERR_BUSY, "no memory");
    char *slash = strrchr(folder, '/');
    if (slash)
        *(slash == folder ? slash + 1 : slash) = '\0';
    return file_sync_folder(slash ? folder : ".", err);
}

static bool write_key(int fd, const char *path, struct seal *seal, struct err *err)
{
    CHECK(RAND_bytes(seal->key, KEY_SIZE) == 1);
    ssize_t size = write(fd, seal->key, KEY_SIZE);
    if (size != KEY_SIZE || fsync(fd) != 0) {
        err_set_os(err, ERR_STORAGE, size < 0 || size == KEY_SIZE ? errno : ENOSPC,
                   "cannot write the key file %s", path);
        unlink(path);
        return false;
    }
    return sync_folder_of(path, err);
}

static bool make_key(const char *path, struct seal *seal, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set_os(err, ERR_STORAGE, errno, "cannot make the key file %s", path);
    return write_key(fd, path, seal, err);
}

struct seal *seal_open(const char *key_path, bool make, struct err *err)
{
    AUTO(seal) *seal = calloc(1, sizeof *seal);
    if (!seal) {
        err_set(err, ERR_BUSY, "no memory for a key");
        return NULL;
    }
    AUTO_CLOSE int fd = open(key_path, O_RDONLY | O_CLOEXEC);
    bool ok = false;
    if (fd >= 0)
        ok = read_key(fd, key_path, seal, err);
    else if (errno == ENOENT && make)
        ok = make_key(key_path, seal, err);
    else
        err_set_os(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_STORAGE, errno,
                   "cannot open the key file %s", key_path);
    return ok ? TAKE(seal) : NULL;
}

void seal_free(struct seal *seal)
{
    if (seal)
        OPENSSL_cleanse(seal->key, sizeof seal->key);
    free(seal);
}

/* ---- sealing ---- */

static void free_cipher(EVP_CIPHER_CTX **cipher)
{
    EVP_CIPHER_CTX_free(*cipher);
}
#define AUTO_CIPHER __attribute__((cleanup(free_cipher)))

static bool encrypt(const struct seal *seal, const char *place, const char *text, size_t size,
                    const unsigned char *nonce, unsigned char *out, unsigned char *proof)
{
    AUTO_CIPHER EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int made = 0;
    return cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, seal->key, nonce) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &made, (const unsigned char *)place,
                             (int)strlen(place)) == 1 &&
           EVP_EncryptUpdate(cipher, out, &made, (const unsigned char *)text, (int)size) == 1 &&
           EVP_EncryptFinal_ex(cipher, out + made, &made) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, PROOF_SIZE, proof) == 1;
}

bool seal_close(const struct seal *seal, const char *place, const char *text, size_t size,
                unsigned char *out, struct err *err)
{
    unsigned char *nonce = out + 1, *body = nonce + NONCE_SIZE;
    if (size > INT32_MAX)
        return err_set(err, ERR_TOO_LARGE, "the secrets are too large");
    out[0] = VERSION;
    if (RAND_bytes(nonce, NONCE_SIZE) != 1 ||
        !encrypt(seal, place, text, size, nonce, body, body + size))
        return err_set(err, ERR_INTERNAL, "the secrets could not be sealed");
    return true;
}

static bool decrypt(const struct seal *seal, const char *place, const unsigned char *nonce,
                    const unsigned char *body, size_t size, char *out)
{
    AUTO_CIPHER EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    unsigned char proof[PROOF_SIZE];
    int made = 0;
    memcpy(proof, body + size, PROOF_SIZE);
    return cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, seal->key, nonce) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &made, (const unsigned char *)place,
                             (int)strlen(place)) == 1 &&
           EVP_DecryptUpdate(cipher, (unsigned char *)out, &made, body, (int)size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, PROOF_SIZE, proof) == 1 &&
           EVP_DecryptFinal_ex(cipher, (unsigned char *)out + made, &made) == 1;
}

const char *seal_text(const struct seal *seal, const char *place, const unsigned char *sealed,
                      size_t size, struct arena *arena, struct err *err)
{
    if (size < SEAL_OVERHEAD || size > INT32_MAX || sealed[0] != VERSION) {
        err_set(err, ERR_STORAGE, "these are no sealed secrets");
        return NULL;
    }
    size_t text_size = size - SEAL_OVERHEAD;
    char *text = arena_alloc(arena, text_size + 1);
    if (!text) {
        err_set(err, ERR_BUSY, "an answer does not fit in its memory");
        return NULL;
    }
    const unsigned char *nonce = sealed + 1;
    if (decrypt(seal, place, nonce, nonce + NONCE_SIZE, text_size, text))
        return text;
    OPENSSL_cleanse(text, text_size); /* what came before the proof failed */
    err_set(err, ERR_STORAGE,
            "sealed secrets do not open: another key sealed them, or they were changed");
    return NULL;
}

void seal_forget(const char *text)
{
    if (text)
        OPENSSL_cleanse((char *)(uintptr_t)text, strlen(text));
}
