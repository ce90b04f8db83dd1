/* The documents that describe an image: an index (one image for several platforms), a manifest (its
 * layers) and a configuration (what to run). In the forms of OCI and of Docker's schema 2.
 * Not for: fetching them (skopeo.h), or believing them: digests are the caller's business.
 * Threads: any; pure.   Owner: everything lives in the arena. */
#ifndef IMAGE_MANIFEST_H
#define IMAGE_MANIFEST_H

#include "base/fields.h"

struct platform {
    const char *os, *architecture, *variant; /* variant: NULL when there is none */
};

struct descriptor {
    const char *media_type, *digest;
    int64_t size;
    struct platform *platform; /* in an index */
};

struct manifest {
    int64_t schema_version;
    struct descriptor *config; /* of an image */
    struct descriptor *layers; /* lowest first */
    size_t layers_count;
    struct descriptor *manifests; /* of an index: the images */
    size_t manifests_count;
};

/* Checked: digests are digests, sizes and counts are below their ceilings. */
bool manifest_read(const char *json, size_t size, struct arena *arena, struct manifest *out,
                   struct err *err) MUST_CHECK;
bool manifest_is_index(const struct manifest *manifest);

/* The platform of this machine. */
struct platform platform_of_node(void);
/* The image of an index for `wanted`; NULL with ERR_IMAGE_PLATFORM and the platforms there are. */
const struct descriptor *manifest_choose(const struct manifest *index,
                                         const struct platform *wanted, struct err *err) MUST_CHECK;

struct image_config {
    const char *os, *architecture, *variant;
    struct text_list entrypoint, cmd, env, exposed_ports;
    const char *working_dir, *user, *stop_signal;
    struct text_list diff_ids; /* lowest first */
};

bool image_config_read(const char *json, size_t size, struct arena *arena, struct image_config *out,
                       struct err *err) MUST_CHECK;
/* ERR_IMAGE_PLATFORM when it does not run on `wanted`. */
bool image_config_fits(const struct image_config *config, const struct platform *wanted,
                       struct err *err) MUST_CHECK;

#endif
