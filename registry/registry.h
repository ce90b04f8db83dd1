/* What a registry says of an image: its documents (OCI's and Docker's), their digests verified, the
 * platform chosen; and its blobs. Shared by the nodes, which fetch, and the plane, which only looks.
 *
 *     struct registry_facts facts;
 *     if (!registry_look(&question, &facts, err)) ...        is it there, and does it run here?
 *
 *     AUTO(registry) *registry = registry_new(&question, err);
 *     if (!registry || !registry_resolve(registry, err)) ... registry->image.digest is known
 *     if (!registry_describe(registry, err) || !registry_fetch(registry, folder, bytes, err)) ...
 *
 * Not for: what is done with images (node-agent/image), the names of images (model/image_reference.h).
 * Threads: any; calls block, one at a time for one conversation.   Owner: registry_free(). */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "base/digest.h"
#include "base/fields.h"
#include "model/image_reference.h"

/* ---- documents: an index (one image for several platforms), a manifest (its layers), a
 * configuration (what to run). Pure; everything lives in the arena ---- */

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
struct platform platform_of_machine(void);
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

/* ---- asking a registry ---- */

struct image_credential {
    const char *server, *username, *password;
};
/* The one that is meant for the image's registry; NULL when there is none. */
const struct image_credential *image_credential_find(const struct image_credential *credentials,
                                                     size_t count,
                                                     const struct image_reference *reference);

/* Outlives the conversation. */
struct registry_question {
    const char *skopeo;        /* program */
    struct text_list insecure; /* registries spoken to without TLS: "127.0.0.1:5000", "127.0.0.1" */
    const char
        *certs; /* folder of CAs, one folder for each registry: "<certs>/host:port/ca.crt"; NULL */
    const struct image_reference *reference;
    const struct image_credential *credential; /* NULL: none */
    struct platform platform;                  /* the image must run on */
    int cancel_fd;                             /* readable: give up with ERR_CLOSED; -1: never */
    int64_t for_ms; /* for everything, tries included; 0: as long as each call may take */
    /* Told before transient trouble is tried again; NULL. */
    void (*retrying)(const struct err *why, void *context);
    void *context;
};

struct registry {
    const struct registry_question *question;
    char text[IMAGE_REFERENCE_SIZE]; /* the image's name in its normal form */
    struct {
        char meant[DIGEST_SIZE];  /* what the reference means: an index, or the manifest itself */
        char digest[DIGEST_SIZE]; /* of the manifest for the platform */
        bool chosen;              /* from an index, which named the platform */
        struct manifest manifest;
        struct image_config config; /* after registry_describe() */
        int64_t bytes;              /* compressed, all layers */
    } image;
    struct text *manifest_json, *config_json; /* as they came */
    struct arena *arena;                      /* of the documents; the caller may use it too */
    struct skopeo *skopeo;
};

/* All of these fail with ERR_IMAGE_INACCESSIBLE (not found, not allowed, damaged, too large),
 * ERR_IMAGE_PLATFORM (naming the platforms there are), ERR_REGISTRY_RESPONSE (unreachable, busy, rate
 * limited: tried LIMIT_PULL_RETRIES times), ERR_CLOSED (cancelled), ERR_IO and ERR_BUSY (this
 * machine's own trouble), in the registry's own words, without secrets. */
struct registry *registry_new(const struct registry_question *question, struct err *err) MUST_CHECK;
void registry_free(struct registry *registry); /* NULL is fine */
AUTO_TYPE(registry);

/* What the reference means now: manifest and digest. */
bool registry_resolve(struct registry *registry, struct err *err) MUST_CHECK;
/* Its configuration; agrees with the manifest and the platform. */
bool registry_describe(struct registry *registry, struct err *err) MUST_CHECK;
/* The layers that are not yet below folder/blobs/sha256, several at a time, none larger than
 * bytes_max. Their digests are not verified here: they are when unpacked. */
bool registry_fetch(struct registry *registry, const char *folder, int64_t bytes_max,
                    struct err *err) MUST_CHECK;

struct registry_facts {
    char digest[DIGEST_SIZE]; /* what the reference means, on any platform */
    int64_t bytes;            /* compressed */
};
/* Whether the image can be had and runs on the platform; asks no more than that needs. */
bool registry_look(const struct registry_question *question, struct registry_facts *facts,
                   struct err *err) MUST_CHECK;

/* A program that can be run: a path, or a name found in PATH. */
bool registry_program_there(const char *program);

#endif
