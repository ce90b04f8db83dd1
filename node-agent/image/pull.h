/* One pull under way, passed between the steps of it.
 * Threads: the one that leads the job.   Owner: pull.c. */
#ifndef IMAGE_PULL_H
#define IMAGE_PULL_H

#include "node-agent/image/job.h"
#include "node-agent/image/store.h"
#include "registry/registry.h"

struct pull {
    struct image_store *store;
    const struct image_request *request;
    struct image_reference reference;
    char text[IMAGE_REFERENCE_SIZE];    /* the normal form of what is asked for */
    char written[IMAGE_REFERENCE_SIZE]; /* of what the client wrote: the same without a pin */
    const struct image_credential *credential;
    char grant[DIGEST_SIZE]; /* slow hash of the credential */
    struct job *job;
    struct bell stop;          /* rung when a part of the work failed: the rest need not go on */
    int cancel_fd;             /* readable then, and when the caller gives up */
    struct registry *registry; /* the conversation: documents and their digests */
    struct image *image;       /* being made; not in the table yet */
    const char **names;        /* chain ids, lowest first, then the digest */
    bool *claimed;             /* those this job makes */
};

/* grant.c: who asks, as references remember it. */
bool grant_make(struct image_store *store, const struct image_credential *credential,
                char out[DIGEST_SIZE], struct err *err) MUST_CHECK;

/* Fetches and unpacks the claimed layers. */
bool pull_layers(struct pull *pull, struct err *err) MUST_CHECK;

#endif
