#include "api/auth/x509.h"

#include "api/auth/names.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <time.h>

enum { SERIAL_BYTES = 16, VERSION_3 = 2 };

static void bio_free_at(BIO **bio)
{
    BIO_free(*bio);
}
#define AUTO_BIO __attribute__((cleanup(bio_free_at))) BIO

static void extension_free_at(X509_EXTENSION **extension)
{
    X509_EXTENSION_free(*extension);
}
#define AUTO_EXTENSION __attribute__((cleanup(extension_free_at))) X509_EXTENSION

/* ---- making ---- */

/* 128 random bits, positive. */
static bool set_serial(X509 *certificate)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number = NULL;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7F) | 0x40);
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool set = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return set;
}

static bool set_times(X509 *certificate, int64_t from_s, int64_t until_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)from_s) &&
           ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)until_s);
}

static bool set_subject(X509 *certificate, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);

    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"Berth", -1,
                                      -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name,
                                      -1, -1, 0) == 1;
}

static bool add_extension(X509 *certificate, X509V3_CTX *context, const char *name,
                          const char *value)
{
    AUTO_EXTENSION *extension = X509V3_EXT_nconf(NULL, context, name, value);

    return extension && X509_add_ext(certificate, extension, -1) == 1;
}

static bool add_extensions(X509 *certificate, const struct x509_wanted *wanted)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, wanted->issuer ? wanted->issuer : certificate, certificate, NULL, NULL,
                   0);
    for (size_t i = 0; wanted->extensions[i]; i += 2) {
        if (!add_extension(certificate, &context, wanted->extensions[i], wanted->extensions[i + 1]))
            return false;
    }
    return !wanted->subject_names ||
           add_extension(certificate, &context, "subjectAltName", wanted->subject_names);
}

static bool fill(X509 *certificate, const struct x509_wanted *wanted)
{
    const X509 *issuer = wanted->issuer ? wanted->issuer : certificate;

    return X509_set_version(certificate, VERSION_3) == 1 && set_serial(certificate) &&
           set_times(certificate, wanted->from_s, wanted->until_s) &&
           set_subject(certificate, wanted->common_name) &&
           X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
           X509_set_pubkey(certificate, wanted->key) == 1 && add_extensions(certificate, wanted) &&
           X509_sign(certificate, wanted->issuer_key, EVP_sha256()) > 0;
}

X509 *x509_make(const struct x509_wanted *wanted, struct err *err)
{
    X509 *certificate = X509_new();

    if (certificate && fill(certificate, wanted))
        return certificate;
    X509_free(certificate);
    err_set(err, ERR_INTERNAL, "a certificate for '%.80s' cannot be made", wanted->common_name);
    return NULL;
}

/* ---- texts ---- */

bool x509_print(X509 *certificate, struct text *out, struct err *err)
{
    AUTO_BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;

    if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
        return err_set(err, ERR_INTERNAL, "a certificate cannot be written as PEM");
    long size = BIO_get_mem_data(bio, &bytes);
    text_add_n(out, bytes, (size_t)size);
    return text_ok(out) || err_set(err, ERR_BUSY, "out of memory for a certificate");
}

X509 *x509_parse(const char *pem, size_t size)
{
    AUTO_BIO *bio = BIO_new_mem_buf(pem, (int)size);

    return bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
}

int64_t x509_not_after_s(const X509 *certificate)
{
    struct tm parts = {0};

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1)
        return 0;
    return (int64_t)timegm(&parts);
}

/* ---- names ---- */

void x509_names_print(const struct text_list *names, struct text *out)
{
    for (size_t i = 0; i < names->count; i++)
        text_addf(out, "%s%s:%s", i > 0 ? "," : "", name_is_address(names->items[i]) ? "IP" : "DNS",
                  names->items[i]);
}

bool x509_names_are(X509 *certificate, const char *subject_names)
{
    X509V3_CTX context;
    int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
    const X509_EXTENSION *found = at >= 0 ? X509_get_ext(certificate, at) : NULL;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    AUTO_EXTENSION *wanted = X509V3_EXT_nconf(NULL, &context, "subjectAltName", subject_names);
    return found && wanted &&
           ASN1_OCTET_STRING_cmp(X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)found),
                                 X509_EXTENSION_get_data(wanted)) == 0;
}
