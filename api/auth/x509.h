/* X.509 certificates as issue.c and certificate_read() need them: made, read, compared.
 * Threads: any.   Owner: who got one, X509_free(). */
#ifndef API_AUTH_X509_H
#define API_AUTH_X509_H

#include "base/err.h"
#include "base/fields.h"

#include <openssl/x509.h>

static inline void x509_free_at(X509 **certificate)
{
    X509_free(*certificate);
}
#define AUTO_X509 __attribute__((cleanup(x509_free_at))) X509

struct x509_wanted {
    X509 *issuer; /* NULL: signed by itself */
    EVP_PKEY *issuer_key;
    EVP_PKEY *key;
    const char *common_name;
    int64_t from_s, until_s;
    const char *const *extensions; /* name, value, name, value, …, NULL */
    const char *subject_names;     /* "IP:::1,DNS:localhost"; NULL: none */
};

X509 *x509_make(const struct x509_wanted *wanted, struct err *err) MUST_CHECK;
/* Appends PEM. */
bool x509_print(X509 *certificate, struct text *out, struct err *err) MUST_CHECK;
/* The first certificate of the PEM; NULL when there is none. */
X509 *x509_parse(const char *pem, size_t size);
int64_t x509_not_after_s(const X509 *certificate);
bool x509_names_are(X509 *certificate, const char *subject_names);
/* "IP:127.0.0.1,DNS:localhost" */
void x509_names_print(const struct text_list *names, struct text *out);

#endif
