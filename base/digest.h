/* SHA-256 of what passes by, and digests as text: "sha256:<64 hex>".
 * Threads: one at a time for one hash.   Owner: hash_free(). */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include "base/auto.h"

#include <stddef.h>

enum { DIGEST_SIZE = 72, DIGEST_HEX_SIZE = 65 }; /* with the NUL */

struct hash;

struct hash *hash_new(void); /* NULL when out of memory */
void hash_free(struct hash *hash);
void hash_add(struct hash *hash, const void *bytes, size_t size);
void hash_end(struct hash *hash, char out[DIGEST_SIZE]); /* once, last */
AUTO_TYPE(hash);

void digest_of(const void *bytes, size_t size, char out[DIGEST_SIZE]);
/* Depends on the key: tells nothing to who does not have it. */
void digest_keyed(const char *key, const void *bytes, size_t size, char out[DIGEST_SIZE]);
/* Costs 16 MiB and tens of milliseconds, so that nobody finds the secret by trying; false: no memory. */
bool digest_slow(const char *salt, const void *secret, size_t size, char out[DIGEST_SIZE])
    MUST_CHECK;
bool digest_valid(const char *digest);      /* NULL is not */
const char *digest_hex(const char *digest); /* of a valid one */
/* The name of a stack of layers: the digest of the one below and of the top one's content. */
void digest_chain(const char *below, const char *diff_id, char out[DIGEST_SIZE]);

#endif
