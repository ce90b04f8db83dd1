/* Talking to registries, by running skopeo: it knows their protocols, tokens, mirrors and the
 * machine's signature policy. The password of a registry reaches it through a file that exists in
 * memory only and under no name; what it says comes back with secrets struck out.
 * Not for: believing what arrives; the caller verifies digests.
 * Threads: one at a time for one conversation; calls block.   Owner: skopeo_end(). */
#ifndef IMAGE_SKOPEO_H
#define IMAGE_SKOPEO_H

#include "base/text.h"
#include "model/image_reference.h"
#include "node-agent/image/image.h"

struct skopeo {
    const char *program;
    bool insecure;                             /* no TLS */
    const struct image_request *request;       /* to be told of tries, and to be cancelled by */
    const struct image_credential *credential; /* NULL: none */
    int auth_fd;
    char auth_path[48];
};

/* Fills what the fields above do not say; they are set by the caller. */
bool skopeo_begin(struct skopeo *skopeo, const char *registry, struct err *err) MUST_CHECK;
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
