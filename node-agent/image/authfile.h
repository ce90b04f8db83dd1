/* A registry's credential in the form containers-auth.json(5) knows, in memory only.
 * Threads: any; pure but for authfile_open().   Owner: wipe texts before they are freed. */
#ifndef IMAGE_AUTHFILE_H
#define IMAGE_AUTHFILE_H

#include "base/text.h"
#include "node-agent/image/image.h"

/* base64(user:password), as HTTP's basic authentication sends it. NULL when out of memory. */
struct text *authfile_basic(const struct image_credential *credential) MUST_CHECK;
void authfile_wipe(struct text *text); /* overwrites the bytes; NULL is fine */

/* A memory file naming this credential for `registry`, or no credential at all: so that the node's
 * own logins are never used on behalf of a group. -1 when it failed. */
int authfile_open(const char *registry, const struct image_credential *credential, struct err *err)
    MUST_CHECK;

#endif
