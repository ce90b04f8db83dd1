/* Between tls.c and wire.c alone. */
#ifndef HTTP_INNER_H
#define HTTP_INNER_H

#include "node-agent/http/http.h"

#include <openssl/ssl.h>

/* NULL: no memory. The certificate must name `host`, where anybody's is not believed. */
SSL *wire_tls_begin(const struct http_trust *trust, int fd, const char *host);
/* Why the last call failed, in words. */
bool wire_tls_failed(SSL *ssl, struct err *err);

#endif
