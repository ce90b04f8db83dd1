#include "api/auth/issue.h"

#include "api/auth/keys.h"
#include "api/auth/x509.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { DAY_S = 86400, BACKDATED_S = 3600, PEM_MAX = 262144, NAMES_TEXT_MAX = 65536 };

struct ca {
    X509 *certificate;
    EVP_PKEY *key;
};

static const char *const ca_extensions[] = {
    "basicConstraints",
    "critical,CA:TRUE,pathlen:0",
    "keyUsage",
    "critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier",
    "hash",
    NULL,
};

/* The subject's own key id is hashed from its key, the authority's is the CA's: strict verifiers want
 * both. */
static const char *const server_extensions[] = {
    "basicConstraints",
    "critical,CA:FALSE",
    "keyUsage",
    "critical,digitalSignature",
    "extendedKeyUsage",
    "serverAuth",
    "subjectKeyIdentifier",
    "hash",
    "authorityKeyIdentifier",
    "keyid:always",
    NULL,
};

void ca_free(struct ca *ca)
{
    if (!ca)
        return;
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    free(ca);
}

static int64_t now_s(void)
{
    return clock_now_ms() / 1000;
}

static void path_of(char path[AUTH_PATH_SIZE], const char *state_dir, const char *name)
{
    text_format(path, AUTH_PATH_SIZE, "%s/%s", state_dir, name);
}

static void secret_free_at(struct text **text)
{
    key_text_free(*text);
}
#define AUTO_SECRET __attribute__((cleanup(secret_free_at))) struct text

/* ---- the CA ---- */

/* Two of them are told apart by their name when both were copied to one machine. */
static bool ca_make(struct ca *ca, const char *path, struct err *err)
{
    AUTO(text) *pem = text_new(PEM_MAX);
    char id[ID_SIZE], name[64];

    id_random(id);
    text_format(name, sizeof name, "Berth private CA %.8s", id);
    ca->certificate = x509_make(
        &(struct x509_wanted){
            .issuer_key = ca->key,
            .key = ca->key,
            .common_name = name,
            .from_s = now_s() - BACKDATED_S,
            .until_s = now_s() + (int64_t)LIMIT_CA_LIFE_DAYS * DAY_S,
            .extensions = ca_extensions,
        },
        err);
    if (!ca->certificate || !x509_print(ca->certificate, pem, err) ||
        !file_replace(path, pem->bytes, pem->size, 0644, true, err))
        return err_add(err, "while making a private CA");
    log_info("private_ca_made", "path=%s", LOG_QUOTE(path));
    return true;
}

static bool ca_read(struct ca *ca, const char *path, struct err *err)
{
    AUTO_FREE char *pem = NULL;
    size_t size = 0;

    if (!file_read(path, PEM_MAX, &pem, &size, err))
        return false;
    ca->certificate = x509_parse(pem, size);
    if (!ca->certificate)
        return err_set(err, ERR_INVALID, "%s holds no certificate in PEM", path);
    if (X509_check_private_key(ca->certificate, ca->key) != 1)
        return err_set(err, ERR_INVALID, "%s does not belong to the key beside it, ca-key.pem",
                       path);
    int64_t left_days = (x509_not_after_s(ca->certificate) - now_s()) / DAY_S;
    if (left_days < LIMIT_CA_WARN_DAYS)
        log_warn("private_ca_ends_soon", "path=%s days=%lld", LOG_QUOTE(path),
                 (long long)left_days);
    return true;
}

/* The key comes first: one that is alone gets its certificate at the next start. */
struct ca *ca_open(const char *state_dir, struct err *err)
{
    AUTO(ca) *ca = calloc(1, sizeof *ca);
    char path[AUTH_PATH_SIZE], key_path[AUTH_PATH_SIZE];

    path_of(path, state_dir, "ca.pem");
    path_of(key_path, state_dir, "ca-key.pem");
    if (!ca) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    bool known = file_exists(path);
    if (known && !file_exists(key_path)) {
        err_set(err, ERR_NOT_FOUND,
                "%s is there and its key %s is not: bring it back from a copy, or remove both",
                path, key_path);
        return NULL;
    }
    ca->key = key_open(key_path, KEY_P256, err);
    if (!ca->key || !(known ? ca_read(ca, path, err) : ca_make(ca, path, err)))
        return NULL;
    return TAKE(ca);
}

/* ---- the server's certificate ---- */

static bool keep(const char *chain, const char *key, X509 *certificate, struct arena *arena,
                 struct certificate *out, struct err *err)
{
    *out = (struct certificate){
        .chain = arena_text(arena, chain),
        .key = arena_text(arena, key),
        .not_after_s = x509_not_after_s(certificate),
    };
    return (out->chain && out->key) || err_set(err, ERR_BUSY, "out of memory for a certificate");
}

static bool signed_by(const struct ca *ca, X509 *certificate)
{
    return X509_check_issued(ca->certificate, certificate) == X509_V_OK &&
           X509_verify(certificate, ca->key) == 1;
}

static bool lasts(X509 *certificate)
{
    return x509_not_after_s(certificate) - now_s() >
               (int64_t)LIMIT_CERTIFICATE_RENEW_DAYS * DAY_S &&
           X509_cmp_current_time(X509_get0_notBefore(certificate)) < 0;
}

static int no_password(char *out UNUSED, int size UNUSED, int writes UNUSED, void *data UNUSED)
{
    return -1;
}

static EVP_PKEY *key_parse(const char *pem, size_t size)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)size);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;

    BIO_free(bio);
    return key;
}

static bool belong_together(X509 *certificate, const char *key_pem, size_t size)
{
    EVP_PKEY *key = key_parse(key_pem, size);
    bool fits = key && X509_check_private_key(certificate, key) == 1;

    EVP_PKEY_free(key);
    return fits;
}

/* The one on disk, when it is still good; whatever is wrong with it, a new one is made. */
static bool server_read(const struct ca *ca, const char *path, const char *names,
                        struct arena *arena, struct certificate *out)
{
    AUTO_FREE char *pem = NULL;
    size_t size = 0;
    struct err err = {0};

    if (!file_exists(path) || !key_file_check(path, false, &err) ||
        !file_read(path, PEM_MAX, &pem, &size, &err))
        return false;
    AUTO_X509 *certificate = x509_parse(pem, size);
    bool good = certificate && belong_together(certificate, pem, size) &&
                signed_by(ca, certificate) && lasts(certificate) &&
                x509_names_are(certificate, names) && keep(pem, pem, certificate, arena, out, &err);
    OPENSSL_cleanse(pem, size);
    return good;
}

static X509 *server_issue(const struct ca *ca, EVP_PKEY *key, const char *names, struct err *err)
{
    int64_t until_s = now_s() + (int64_t)LIMIT_CERTIFICATE_LIFE_DAYS * DAY_S;
    int64_t ca_until_s = x509_not_after_s(ca->certificate);

    return x509_make(
        &(struct x509_wanted){
            .issuer = ca->certificate,
            .issuer_key = ca->key,
            .key = key,
            .common_name = "berthd",
            .from_s = now_s() - BACKDATED_S,
            .until_s = until_s < ca_until_s ? until_s : ca_until_s,
            .extensions = server_extensions,
            .subject_names = names,
        },
        err);
}

static bool server_make(const struct ca *ca, const char *path, const char *names,
                        struct arena *arena, struct certificate *out, struct err *err)
{
    AUTO_SECRET *pem = text_new(PEM_MAX);
    EVP_PKEY *key = key_new(KEY_P256, err);
    AUTO_X509 *certificate = key ? server_issue(ca, key, names, err) : NULL;

    bool made = certificate && text_reserve(pem, PEM_MAX / 2) &&
                x509_print(certificate, pem, err) && key_print(key, pem, err) &&
                file_replace(path, pem->bytes, pem->size, 0600, true, err) &&
                keep(pem->bytes, pem->bytes, certificate, arena, out, err);
    key_free(key);
    if (!made)
        return err_add(err, "while making the server's certificate");
    log_info("certificate_made", "path=%s names=%s", LOG_QUOTE(path), LOG_QUOTE(names));
    return true;
}

bool ca_server_certificate(const struct ca *ca, const char *state_dir,
                           const struct text_list *names, struct arena *arena,
                           struct certificate *out, struct err *err)
{
    AUTO(text) *wanted = text_new(NAMES_TEXT_MAX);
    char path[AUTH_PATH_SIZE];

    path_of(path, state_dir, "server.pem");
    x509_names_print(names, wanted);
    if (!text_ok(wanted))
        return err_set(err, ERR_BUSY, "out of memory for the server's names");
    return server_read(ca, path, wanted->bytes, arena, out) ||
           server_make(ca, path, wanted->bytes, arena, out, err);
}

/* ---- somebody else's ---- */

static bool pair_check(const char *certificate_file, const char *chain, size_t chain_size,
                       const char *key_file, const char *key, size_t key_size, struct arena *arena,
                       struct certificate *out, struct err *err)
{
    AUTO_X509 *certificate = x509_parse(chain, chain_size);

    if (!certificate)
        return err_set_field(err, ERR_INVALID, "tls_cert_file", "%s holds no certificate in PEM",
                             certificate_file);
    if (!belong_together(certificate, key, key_size))
        return err_set_field(err, ERR_INVALID, "tls_key_file",
                             "%s is no key in PEM that belongs to %s", key_file, certificate_file);
    if (x509_not_after_s(certificate) <= now_s())
        return err_set_field(err, ERR_INVALID, "tls_cert_file", "the certificate in %s has ended",
                             certificate_file);
    return keep(chain, key, certificate, arena, out, err);
}

bool certificate_read(const char *certificate_file, const char *key_file, struct arena *arena,
                      struct certificate *out, struct err *err)
{
    AUTO_FREE char *chain = NULL;
    AUTO_FREE char *key = NULL;
    size_t chain_size = 0, key_size = 0;

    if (!file_read(certificate_file, PEM_MAX, &chain, &chain_size, err))
        return err_add(err, "tls_cert_file");
    if (!key_file_check(key_file, true, err) ||
        !file_read(key_file, KEY_FILE_MAX, &key, &key_size, err))
        return err_add(err, "tls_key_file");
    bool read =
        pair_check(certificate_file, chain, chain_size, key_file, key, key_size, arena, out, err);
    OPENSSL_cleanse(key, key_size);
    return read;
}
