/* Images of this node: pulled once, verified, unpacked into layers that containers share.
 *
 *     struct image_request request = {.reference = "alpine", .holder = id, .cancel_fd = -1};
 *     AUTO(image) *image = image_pull(store, &request, err);
 *     if (!image || !image_mount(store, image, &users, container_folder, root_folder, err)) ...
 *     ... the container runs and ends ...
 *     image_unmount(root_folder, err);
 *     image_release(store, container_id);
 *
 * Not for: starting containers (node-agent/runtime); volumes; building images (tools/make-image).
 * Threads: any thread may call anything; calls block. Two pulls of one image, or of images with a
 * layer in common, do the work once. LOCK_IMAGE_STORE guards the table and is never held during
 * input or output.
 * Owner: image_store_close(), image_free(). An image stays valid as memory after it was collected. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fields.h"
#include "base/idmap.h"
#include "registry/registry.h"

#include <stdint.h>

struct image_store;

struct image_store_options {
    const char *skopeo;   /* program; NULL: "skopeo" from PATH */
    const char *unpacker; /* berth-unpack; NULL: beside the running program */
    const char *certs;    /* folder of registries' CAs (registry.h); NULL: the system's alone */
    struct text_list insecure; /* registries spoken to without TLS: "127.0.0.1:5000" */
    int64_t bytes_max; /* what the layers may hold; 0: no ceiling; -1: a share of the disk */
    int64_t keep_ms;   /* unused this long: collected whatever the space; 0: never by age */
    int64_t
        stall_ms; /* a registry that sends nothing this long is given up; 0: LIMIT_PULL_STALL_MS */
};

/* Opens or creates the store below `root`; removes what a crash left half-done. One process at a
 * time (ERR_CONFLICT). Layers that were not yet known to be on disk are believed only until the
 * next boot. */
struct image_store *image_store_open(const char *root, const struct image_store_options *options,
                                     struct err *err) MUST_CHECK;
/* After the last call of any thread; NULL is fine. */
void image_store_close(struct image_store *store);

/* What an image says about the containers made of it. Plain data, never changes. */
struct image {
    const char *digest; /* "sha256:…" of the manifest for this node's platform */
    struct text_list entrypoint, cmd, env; /* env: "NAME=value" */
    const char *working_dir;               /* NULL when the image has none */
    const char *user;                      /* "", "1000", "app:app"; NULL when the image has none */
    const char *stop_signal;               /* "SIGQUIT"; NULL when the image has none */
    struct text_list exposed_ports;        /* "80/tcp" */
    struct text_list layers;               /* chain ids, lowest first: names inside the store */
    int64_t bytes; /* unpacked, all layers; shared ones are counted in each image */
};

void image_free(struct image *image); /* NULL is fine */
AUTO_TYPE(image);

/* ---- pulling ---- */

enum image_policy {
    /* A reference resolved before is enough: no registry is asked. An image that was pulled with a
     * credential is "present" only for callers that bring the same one. */
    IMAGE_IF_MISSING,
    /* The registry is asked what the tag means now; layers at hand are not fetched again. */
    IMAGE_ALWAYS,
    /* As people expect: the tag "latest" is asked for, other tags and digests are taken as present. */
    IMAGE_USUAL,
};

struct image_request {
    const char *reference; /* as written by the client */
    /* "sha256:…": what that means, whatever the registry says by now; NULL: as the policy says */
    const char *pin;
    const struct image_credential *credentials; /* those of other servers are ignored */
    size_t credentials_count;
    enum image_policy policy;
    const char *holder; /* held for this name before the call returns; NULL: not held */
    int cancel_fd;      /* readable: give up with ERR_CLOSED; -1: cannot be cancelled */
    /* Words for the group's events: `pulling image "alpine"`. Not called on the fast path; NULL. */
    void (*progress)(const char *text, void *context);
    void *context;
};

/* NULL with a sentence: ERR_IMAGE_REFERENCE, ERR_IMAGE_INACCESSIBLE (not found, not allowed,
 * damaged, too large), ERR_IMAGE_PLATFORM (naming the platforms there are), ERR_REGISTRY_RESPONSE
 * (unreachable, busy, rate limited), ERR_CLOSED (cancelled), ERR_STORAGE (the disk is full), ERR_IO
 * and ERR_BUSY (this node's own trouble). err_code_retry(err->code) says whether trying later may
 * help; a few tries were made here already. */
struct image *image_pull(struct image_store *store, const struct image_request *request,
                         struct err *err) MUST_CHECK;

/* ---- using ---- */

/* A held image and its layers are never collected, not even after this process was killed. The name
 * is 1 to 128 of [A-Za-z0-9._-]; one name holds one image (a second call replaces the first). */
bool image_hold(struct image_store *store, const struct image *image, const char *holder,
                struct err *err) MUST_CHECK;
void image_release(struct image_store *store, const char *holder); /* unknown names are fine */
/* Releases every holder for which `keep` says false: for the start of an agent that knows what
 * runs. */
void image_release_others(struct image_store *store,
                          bool (*keep)(const char *holder, void *context), void *context);
/* The image held under this name, for an agent that was restarted; NULL with ERR_NOT_FOUND. */
struct image *image_held(struct image_store *store, const char *holder, struct err *err) MUST_CHECK;

/* Mounts the image at `target` (made when absent), writable; writes go to `folder`/upper, which
 * begins empty at each mount and is not synced (it does not survive a reboot, as containers do
 * not). Already mounted is success. Whoever is root among `users` owns what is root's in the image; what they write is
 * stored under the numbers that they have on the node. */
bool image_mount(struct image_store *store, const struct image *image, const struct idmap *users,
                 const char *folder, const char *target, struct err *err) MUST_CHECK;
/* Whether users of their own can have images here: tried with a file of the store. */
bool image_users_try(struct image_store *store, const struct idmap *users, struct err *err)
    MUST_CHECK;
/* Not mounted is success. Does not remove `folder`. */
bool image_unmount(const char *target, struct err *err) MUST_CHECK;

/* "", "0", "1000:100", "app", "app:staff" by the passwd and group files of a mounted image; a
 * symlink in the image cannot lead outside. ERR_INVALID when the image knows no such name. */
struct image_user {
    uint32_t uid, gid;
    uint32_t groups[64]; /* additional groups */
    size_t groups_count;
    char home[256]; /* "/" when the user has none */
};
bool image_user_find(const char *root, const char *user, struct image_user *out, struct err *err)
    MUST_CHECK;

/* ---- keeping house ---- */

struct image_collected {
    int images, layers;
    int64_t bytes;
};
/* Removes images unused for keep_ms, then the longest unused while the store is above bytes_max,
 * never held ones; then layers no image needs. Also makes sure that new layers are on disk. Call it
 * every minute or so. */
bool image_collect(struct image_store *store, int64_t now_ms, struct image_collected *out,
                   struct err *err) MUST_CHECK;

struct image_row {
    const char *reference, *digest;
    int64_t bytes, last_used_ms;
    bool held;
    bool open_to_all; /* was once fetched under this name without a credential */
};
/* Changes whenever image_list() would tell other names or digests. */
int64_t image_list_version(struct image_store *store);
/* One row for each reference that somebody wrote, in the arena. */
bool image_list(struct image_store *store, struct arena *arena, struct image_row **rows,
                size_t *count, struct err *err) MUST_CHECK;

#endif
