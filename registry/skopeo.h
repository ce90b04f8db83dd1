/* Talking to registries, by running skopeo: it knows their protocols, tokens, mirrors and the
 * machine's signature policy. The password of a registry reaches it as its standard input, a file
 * that exists in memory only and under no name; what it says comes back with secrets struck out.
 * Not for: believing what arrives; the caller verifies digests.
 * Threads: one at a time for one conversation; calls block.   Owner: skopeo_end(). */
#ifndef REGISTRY_SKOPEO_H
#define REGISTRY_SKOPEO_H

#include "base/text.h"
#include "registry/registry.h"

struct skopeo {
    const struct registry_question *question;
    bool insecure;     /* no TLS */
    char certs[4096];  /* folder of the registry's CA; what the system trusts when there is none */
    int64_t until_ns;  /* when all of it must have ended; 0: not set */
    struct text *auth; /* an authfile */
};

bool skopeo_begin(struct skopeo *skopeo, const struct registry_question *question, struct err *err)
    MUST_CHECK;
void skopeo_end(struct skopeo *skopeo);

/* `image` is "registry/repository:tag" or "...@sha256:...". Transient trouble is tried again
 * LIMIT_PULL_RETRIES times before it is returned. */
bool skopeo_manifest(struct skopeo *skopeo, const char *image, struct text *out, struct err *err)
    MUST_CHECK;
bool skopeo_config(struct skopeo *skopeo, const char *image, struct text *out, struct err *err)
    MUST_CHECK;
/* Fetches the blobs of one manifest that are not yet below folder/blobs/sha256, several at a time,
 * none larger than bytes_max. */
bool skopeo_fetch(struct skopeo *skopeo, const char *image, const char *folder, int64_t bytes_max,
                  struct err *err) MUST_CHECK;

/* What skopeo printed as an error: its code and its useful words. Pure. */
bool skopeo_failure(const char *image, const char *printed,
                    const struct image_credential *credential, struct err *err);

#endif
