/* OpenSSL as a client. Its memory counts: buffers are given back between records, its configuration file is not read
 * (what matters is said here), and it is set up when the first connection needs it. */
#include "node-agent/http/inner.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>

struct http_trust {
    SSL_CTX *context;
    bool anyone;
};

static void library_start(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void http_trust_free(struct http_trust *trust)
{
    if (!trust)
        return;
    SSL_CTX_free(trust->context);
    free(trust);
}

static struct http_trust *trust_new(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct http_trust *trust = calloc(1, sizeof *trust);

    pthread_once(&once, library_start);
    if (trust)
        trust->context = SSL_CTX_new(TLS_client_method());
    if (!trust || !trust->context ||
        SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION) != 1) {
        http_trust_free(trust);
        err_set(err, ERR_BUSY, "no memory for TLS");
        return NULL;
    }
    SSL_CTX_set_mode(trust->context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(trust->context, SSL_SESS_CACHE_OFF);
    return trust;
}

struct http_trust *http_trust_new(const char *ca_file, struct err *err)
{
    AUTO(http_trust) *trust = trust_new(err);

    if (!trust)
        return NULL;
    SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, NULL);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(trust->context), X509_V_FLAG_PARTIAL_CHAIN);
    int loaded = ca_file ? SSL_CTX_load_verify_file(trust->context, ca_file)
                         : SSL_CTX_set_default_verify_paths(trust->context);
    ERR_clear_error();
    if (loaded == 1)
        return TAKE(trust);
    err_set(err, ERR_INVALID, "%s holds no certificate in PEM",
            ca_file ? ca_file : "what the system trusts");
    return NULL;
}

struct http_trust *http_trust_anyone(struct err *err)
{
    struct http_trust *trust = trust_new(err);

    if (trust) {
        trust->anyone = true;
        SSL_CTX_set_verify(trust->context, SSL_VERIFY_NONE, NULL);
    }
    return trust;
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool expect_host(SSL *ssl, const struct http_trust *trust, const char *host)
{
    bool address = is_address(host);

    if (!address && SSL_set_tlsext_host_name(ssl, host) != 1)
        return false;
    if (trust->anyone)
        return true;
    return address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                   : SSL_set1_host(ssl, host) == 1;
}

SSL *wire_tls_begin(const struct http_trust *trust, int fd, const char *host)
{
    SSL *ssl = SSL_new(trust->context);

    if (ssl && SSL_set_fd(ssl, fd) == 1 && expect_host(ssl, trust, host)) {
        SSL_set_connect_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    ERR_clear_error();
    return NULL;
}

bool wire_tls_failed(SSL *ssl, struct err *err)
{
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    bool distrusted = ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;

    ERR_clear_error();
    if (distrusted && verdict != X509_V_OK)
        return err_set(err, ERR_FORBIDDEN, "%s", X509_verify_cert_error_string(verdict));
    return err_set(err, ERR_IO, "TLS: %s", reason ? reason : "the connection was closed");
}
