/* The private CA, and the certificates it signs.
 *
 * STATE_DIR/ca.pem is for copying to clients, ca-key.pem never leaves; server.pem holds the server's
 * certificate and its key in one file, so that it is replaced as one.
 * Threads: one at a time.   Owner: ca_free(). */
#ifndef API_AUTH_ISSUE_H
#define API_AUTH_ISSUE_H

#include "api/auth/auth.h"

struct ca;

/* Reads it from the folder; made when neither certificate nor key is there. */
struct ca *ca_open(const char *state_dir, struct err *err) MUST_CHECK;
void ca_free(struct ca *ca);
AUTO_TYPE(ca);

/* The server's certificate for these names: the one on disk while it fits and does not end soon, else
 * a new one. Texts are in the arena. */
bool ca_server_certificate(const struct ca *ca, const char *state_dir,
                           const struct text_list *names, struct arena *arena,
                           struct certificate *out, struct err *err) MUST_CHECK;

/* A certificate and its key that somebody else made: read, and checked that they belong together. */
bool certificate_read(const char *certificate_file, const char *key_file, struct arena *arena,
                      struct certificate *out, struct err *err) MUST_CHECK;

#endif
