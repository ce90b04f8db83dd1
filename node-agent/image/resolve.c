/* From a reference to documents whose digests are right: reference -> (index ->) manifest ->
 * configuration. Each link is checked here, whatever skopeo checked before. */
#include "node-agent/image/pull.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

static void name_with(const struct pull *pull, const char *mark, const char *what,
                      char out[IMAGE_REFERENCE_SIZE])
{
    bool whole = text_format(out, IMAGE_REFERENCE_SIZE, "%s/%s%s%s", pull->reference.registry,
                             pull->reference.repository, mark, what);

    CHECK(whole);
}

static bool check_digest(const struct pull *pull, const struct text *document, const char *expected,
                         struct err *err)
{
    char found[DIGEST_SIZE];

    digest_of(document->bytes, document->size, found);
    if (strcmp(found, expected) == 0)
        return true;
    return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: the registry sent %s where %s was asked for",
                   pull->text, found, expected);
}

/* The manifest called `digest`, or what the tag means when it is NULL. */
static bool fetch_manifest(struct pull *pull, const char *digest, struct err *err)
{
    char name[IMAGE_REFERENCE_SIZE];

    name_with(pull, digest ? "@" : ":", digest ? digest : pull->reference.tag, name);
    if (!skopeo_manifest(&pull->skopeo, name, pull->manifest_json, err))
        return false;
    digest_of(pull->manifest_json->bytes, pull->manifest_json->size, pull->digest);
    if (digest && !check_digest(pull, pull->manifest_json, digest, err))
        return false;
    return manifest_read(pull->manifest_json->bytes, pull->manifest_json->size, pull->arena,
                         &pull->manifest, err) ||
           err_add(err, "%s", pull->text);
}

bool pull_resolve(struct pull *pull, struct err *err)
{
    const char *digest = *pull->reference.digest ? pull->reference.digest : NULL;
    const struct descriptor *chosen;

    if (!fetch_manifest(pull, digest, err))
        return false;
    if (!manifest_is_index(&pull->manifest))
        return true;
    chosen = manifest_choose(&pull->manifest, &pull->store->platform, err);
    if (!chosen)
        return err_add(err, "%s", pull->text);
    if (!fetch_manifest(pull, chosen->digest, err))
        return false;
    if (manifest_is_index(&pull->manifest))
        return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: an index of indexes is not supported",
                       pull->text);
    return true;
}

static bool check_config(struct pull *pull, struct err *err)
{
    struct image_config config;

    if (!image_config_read(pull->config_json->bytes, pull->config_json->size, pull->arena, &config,
                           err) ||
        !image_config_fits(&config, &pull->store->platform, err))
        return err_add(err, "%s", pull->text);
    if (config.diff_ids.count != pull->manifest.layers_count)
        return err_set(err, ERR_IMAGE_INACCESSIBLE,
                       "%s: its configuration names %zu layers, its manifest %zu", pull->text,
                       config.diff_ids.count, pull->manifest.layers_count);
    for (size_t i = 0; i < config.diff_ids.count; i++)
        pull->diff_ids[i] = config.diff_ids.items[i];
    return true;
}

bool pull_describe(struct pull *pull, struct err *err)
{
    char name[IMAGE_REFERENCE_SIZE];
    size_t count = pull->manifest.layers_count;

    name_with(pull, "@", pull->digest, name);
    pull->diff_ids = arena_array(pull->arena, count, sizeof *pull->diff_ids);
    pull->names = arena_array(pull->arena, count + 1, sizeof *pull->names);
    pull->claimed = arena_array(pull->arena, count + 1, sizeof *pull->claimed);
    if (!pull->diff_ids || !pull->names || !pull->claimed)
        return err_set(err, ERR_BUSY, "%s: no memory for its description", pull->text);
    if (!skopeo_config(&pull->skopeo, name, pull->config_json, err) ||
        !check_digest(pull, pull->config_json, pull->manifest.config->digest, err) ||
        !check_config(pull, err))
        return false;
    pull->image = image_new(pull->digest, pull->config_json->bytes, pull->config_json->size, err);
    if (!pull->image)
        return false;
    for (size_t i = 0; i < count; i++)
        pull->names[i] = pull->image->layers.items[i];
    pull->names[count] = pull->image->digest;
    return true;
}
