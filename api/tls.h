/* TLS for http_server.c: which protocols, and which certificate a handshake shows. tls.c is the only
 * file that sees GnuTLS, which libmicrohttpd speaks TLS with.
 * Threads: tls_begin() and tls_end() from one, between them the library's.
 * Owner: one server of a process has TLS at a time; tls_end(). */
#ifndef API_TLS_H
#define API_TLS_H

#include "api/auth/auth.h"

/* TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers, nothing older. */
extern const char tls_priorities[];

/* Takes the certificate of `auth`, and each that follows it: a handshake shows the one that holds
 * when it begins. */
bool tls_begin(const struct auth *auth, struct err *err) MUST_CHECK;
void tls_end(void);
/* For the library: a gnutls_certificate_retrieve_function2 underneath. */
typedef void (*tls_callback_fn)(void);
tls_callback_fn tls_callback(void);

/* How a session's bytes go out. `more`: what goes out next is held for what follows it, so that the head and the body of
 * a reply, which the library makes two records, travel as one and with one call. */
struct tls_sender {
    int fd;
    bool more;
    unsigned char *held;
    size_t held_size;
};
/* For a session that has sent nothing yet. `sender` outlives it, and is zero but for its fd. */
void tls_send_by(void *session, struct tls_sender *sender);
/* The session is over: what it held goes nowhere. */
void tls_sender_end(struct tls_sender *sender);

/* A session of the library's whose connection was taken over: bytes moved, 0: not now, -1: it is over. Bytes that were
 * not taken must be given again. */
ssize_t tls_read(void *session, void *bytes, size_t size);
ssize_t tls_write(void *session, const void *bytes, size_t size);
void tls_say_end(void *session);

#endif
