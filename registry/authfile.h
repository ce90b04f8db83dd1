/* A registry's credential in the form containers-auth.json(5) knows, in memory only.
 * Threads: any; pure.   Owner: wipe texts before they are freed. */
#ifndef REGISTRY_AUTHFILE_H
#define REGISTRY_AUTHFILE_H

#include "base/text.h"
#include "registry/registry.h"

/* base64(user:password), as HTTP's basic authentication sends it. NULL when out of memory. */
struct text *authfile_basic(const struct image_credential *credential) MUST_CHECK;

/* Names this credential for `registry`, or no credential at all: so that the machine's own logins
 * are never used on behalf of a group. NULL when it failed. */
struct text *authfile_new(const char *registry, const struct image_credential *credential,
                          struct err *err) MUST_CHECK;

#endif
