/* Looks at registries: is the image there, and does it run on our nodes? A bounded pool of workers asks
 * them; what they find is kept for a short time. All who ask the same at once wait for one look.
 *
 * The same means: the same image, for nodes of the same location, with the same credential. Credentials
 * are told apart by a keyed hash, so nobody profits from another one's right password.
 *
 * Not for: what a group's images are, and what clients are told (image_check.h).
 * Threads: any; nothing here blocks but image_looks_stop(). The end of a look ends the waits of the
 * kind WAIT_IMAGE for its number.   Owner: image_looks_free(). */
#ifndef API_IMAGE_LOOKS_H
#define API_IMAGE_LOOKS_H

#include "api/api.h"
#include "registry/registry.h"

struct image_looks;
struct waits;

/* ERR_INVALID: the options make no sense, or there is no such program. */
struct image_looks *image_looks_new(const struct api_image_check *options, struct store *store,
                                    struct waits *waits, struct err *err) MUST_CHECK;
/* Ends the looks under way and begins none any more. */
void image_looks_stop(struct image_looks *looks);
void image_looks_free(struct image_looks *looks); /* NULL is fine */
AUTO_TYPE(image_looks);

struct image_look_key {
    char image[IMAGE_REFERENCE_SIZE]; /* its normal form */
    char location[64];
    char credential[DIGEST_SIZE]; /* keyed hash; "" without one */
};
void image_look_key(const struct image_looks *looks, const struct image_reference *reference,
                    const char *location, const struct image_credential *credential,
                    struct image_look_key *out);

enum image_known { IMAGE_KNOWN_GOOD, IMAGE_KNOWN_BAD, IMAGE_NOT_KNOWN };

struct image_found {
    char digest[DIGEST_SIZE]; /* what a good one means */
    struct err outcome;       /* what is bad */
};
/* What is known by a look that is still fresh (unless `anew`), or that ended after `since_ns` (clock_boot_ns()). */
enum image_known image_look_find(struct image_looks *looks, const struct image_look_key *key,
                                 int64_t since_ns, bool anew, struct image_found *found);
/* Begins a look, or joins the one under way; `number` is its key for wait_for(). The credential is
 * copied. ERR_BUSY: too many wait already; ERR_CLOSED. */
bool image_look_begin(struct image_looks *looks, const struct image_look_key *key,
                      const struct image_reference *reference,
                      const struct image_credential *credential, int64_t *number, struct err *err)
    MUST_CHECK;

#endif
