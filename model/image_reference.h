/* The name of an image, taken apart: registry, repository, tag, digest.
 *
 *     alpine                          docker.io/library/alpine:latest
 *     127.0.0.1:5000/web@sha256:...   registry 127.0.0.1:5000, repository web, no tag
 *
 * Not for: asking whether the image exists (node-agent/image).
 * Threads: any; pure.   Owner: plain values, nothing to free. */
#ifndef MODEL_IMAGE_REFERENCE_H
#define MODEL_IMAGE_REFERENCE_H

#include "base/err.h"

enum { IMAGE_REFERENCE_SIZE = 512 }; /* of the whole normal form, with the NUL */

struct image_reference {
    char registry[256];   /* "docker.io" when none is written */
    char repository[256]; /* "library/alpine" */
    char tag[129];   /* "latest" when neither tag nor digest is written; "" beside a digest alone */
    char digest[72]; /* "sha256:<64 hex>"; "" when none is written. It decides when a tag stands
                        beside it */
};

/* ERR_IMAGE_REFERENCE with a sentence that says what is wrong. */
bool image_reference_parse(const char *text, struct image_reference *out, struct err *err)
    MUST_CHECK;

/* A host name or an address, IPv6 in brackets, with or without a port: "example.com:5000". */
bool image_registry_valid(const char *registry);

/* The normal form: two texts that mean the same image give the same form. */
void image_reference_text(const struct image_reference *reference, char out[IMAGE_REFERENCE_SIZE]);

/* True when a credential for `server` ("index.docker.io", "example.com:5000") is meant for this
 * registry. */
bool image_reference_served_by(const struct image_reference *reference, const char *server);

#endif
