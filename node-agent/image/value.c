/* Images as values: made once from their documents, then shared and never changed. */
#include "base/digest.h"
#include "node-agent/image/table.h"
#include "registry/registry.h"

#include "base/limits.h"

#include <stdatomic.h>

struct image_owned {
    struct image image; /* first: the two are one pointer */
    struct arena *arena;
    atomic_uint owners;
};

static struct image_owned *owned(struct image *image)
{
    return (struct image_owned *)image;
}

void image_free(struct image *image)
{
    if (image && atomic_fetch_sub(&owned(image)->owners, 1) == 1) {
        struct arena *arena = owned(image)->arena;
        arena_free(arena); /* holds the image too */
    }
}

struct image *image_keep(struct image *image)
{
    atomic_fetch_add(&owned(image)->owners, 1);
    return image;
}

void image_set_bytes(struct image *image, int64_t bytes)
{
    image->bytes = bytes;
}

static bool name_layers(const struct image_config *config, struct arena *arena, struct image *image)
{
    const char **items = arena_array(arena, config->diff_ids.count, sizeof *items);
    char chain[DIGEST_SIZE];
    const char *below = NULL;

    for (size_t i = 0; items && i < config->diff_ids.count; i++) {
        digest_chain(below, config->diff_ids.items[i], chain);
        below = items[i] = arena_text(arena, chain);
        if (!below)
            return false;
    }
    image->layers = (struct text_list){true, items, config->diff_ids.count};
    return items != NULL;
}

static bool fill(struct image *image, const char *digest, const char *config_json, size_t size,
                 struct arena *arena, struct err *err)
{
    struct image_config config;

    if (!image_config_read(config_json, size, arena, &config, err))
        return false;
    image->digest = arena_text(arena, digest);
    image->entrypoint = config.entrypoint;
    image->cmd = config.cmd;
    image->env = config.env;
    image->working_dir = config.working_dir;
    image->user = config.user;
    image->stop_signal = config.stop_signal;
    image->exposed_ports = config.exposed_ports;
    if (!image->digest || !name_layers(&config, arena, image))
        return err_set(err, ERR_BUSY, "no memory for an image");
    return true;
}

struct image *image_new(const char *digest, const char *config, size_t config_size, struct err *err)
{
    AUTO(arena) *arena = arena_new(4 * (size_t)LIMIT_IMAGE_MANIFEST_MAX);
    struct image_owned *made = arena ? ARENA_NEW(arena, struct image_owned) : NULL;

    if (!made) {
        err_set(err, ERR_BUSY, "no memory for an image");
        return NULL;
    }
    if (!fill(&made->image, digest, config, config_size, arena, err))
        return NULL;
    atomic_init(&made->owners, 1);
    made->arena = TAKE(arena);
    return &made->image;
}
