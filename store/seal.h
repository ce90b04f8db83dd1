/* Secrets under a key that is not in the database: AES-256-GCM, bound to the place they belong to.
 *
 * A sealed text is: one byte of version, 12 random bytes, the encrypted bytes, 16 bytes that prove them. Its
 * `place` (group uid and generation) is proved too: moved elsewhere it does not open.
 * Not for: tokens (hashes are kept of those, base/id.h).
 * Threads: any, the key does not change.   Owner: seal_free() clears the key. */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/arena.h"
#include "base/err.h"

enum { SEAL_OVERHEAD = 1 + 12 + 16 };

struct seal;

/* Reads the key file, or makes one when `make` (then it is on the disk before this returns). ERR_NOT_FOUND when it
 * is missing and not to be made. */
struct seal *seal_open(const char *key_path, bool make, struct err *err) MUST_CHECK;
void seal_free(struct seal *seal);
AUTO_TYPE(seal);

/* `out` has room for size + SEAL_OVERHEAD bytes. */
bool seal_close(const struct seal *seal, const char *place, const char *text, size_t size,
                unsigned char *out, struct err *err) MUST_CHECK;
/* ERR_STORAGE: another key or place, or the bytes were changed. The text is NUL-terminated, in the arena. */
const char *seal_text(const struct seal *seal, const char *place, const unsigned char *sealed,
                      size_t size, struct arena *arena, struct err *err) MUST_CHECK;

/* Opened secrets that are not needed any more. NULL is allowed. */
void seal_forget(const char *text);

#endif
