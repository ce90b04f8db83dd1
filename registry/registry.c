/* From a reference to documents whose digests are right: reference -> (index ->) manifest ->
 * configuration. Each link is checked here, whatever skopeo checked before. */
#include "registry/registry.h"

#include "base/limits.h"
#include "base/text.h"
#include "registry/skopeo.h"

#include <string.h>

const struct image_credential *image_credential_find(const struct image_credential *credentials,
                                                     size_t count,
                                                     const struct image_reference *reference)
{
    for (size_t i = 0; i < count; i++) {
        const struct image_credential *credential = &credentials[i];
        if (credential->server && credential->username && credential->password &&
            image_reference_served_by(reference, credential->server))
            return credential;
    }
    return NULL;
}

bool registry_program_there(const char *program)
{
    const char *searched = getenv("PATH");
    AUTO_FREE char *folders = NULL;
    char path[4096];
    char *rest, *folder;

    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    folders = strdup(searched ? searched : "/usr/local/bin:/usr/bin:/bin");
    rest = folders;
    while (rest && (folder = strsep(&rest, ":")) != NULL) {
        if (text_format(path, sizeof path, "%s/%s", folder, program) && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* ---- a conversation ---- */

struct registry *registry_new(const struct registry_question *question, struct err *err)
{
    AUTO(registry) *registry = calloc(1, sizeof *registry);
    struct skopeo *skopeo = registry ? calloc(1, sizeof *skopeo) : NULL;

    if (registry) {
        registry->question = question;
        registry->skopeo = skopeo;
        registry->arena = arena_new(16 * (size_t)LIMIT_IMAGE_MANIFEST_MAX);
        registry->manifest_json = text_new(LIMIT_IMAGE_MANIFEST_MAX);
        registry->config_json = text_new(LIMIT_IMAGE_MANIFEST_MAX);
        image_reference_text(question->reference, registry->text);
    }
    if (!skopeo || !registry->arena || !registry->manifest_json || !registry->config_json) {
        err_set(err, ERR_BUSY, "no memory to ask a registry");
        return NULL;
    }
    return skopeo_begin(skopeo, question, err) ? TAKE(registry) : NULL;
}

void registry_free(struct registry *registry)
{
    if (!registry)
        return;
    if (registry->skopeo)
        skopeo_end(registry->skopeo);
    free(registry->skopeo);
    text_free(registry->config_json);
    text_free(registry->manifest_json);
    arena_free(registry->arena);
    free(registry);
}

static void name_with(const struct registry *registry, const char *mark, const char *what,
                      char out[IMAGE_REFERENCE_SIZE])
{
    const struct image_reference *reference = registry->question->reference;
    bool whole = text_format(out, IMAGE_REFERENCE_SIZE, "%s/%s%s%s", reference->registry,
                             reference->repository, mark, what);

    CHECK(whole);
}

static bool check_digest(const struct registry *registry, const struct text *document,
                         const char *expected, struct err *err)
{
    char found[DIGEST_SIZE];

    digest_of(document->bytes, document->size, found);
    if (strcmp(found, expected) == 0)
        return true;
    return err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: the registry sent %s where %s was asked for",
                   registry->text, found, expected);
}

/* ---- the manifest ---- */

/* The manifest called `digest`, or what the tag means when it is NULL. */
static bool fetch_manifest(struct registry *registry, const char *digest, struct err *err)
{
    char name[IMAGE_REFERENCE_SIZE];
    struct text *json = registry->manifest_json;

    name_with(registry, digest ? "@" : ":", digest ? digest : registry->question->reference->tag,
              name);
    if (!skopeo_manifest(registry->skopeo, name, json, err))
        return false;
    digest_of(json->bytes, json->size, registry->image.digest);
    if (digest && !check_digest(registry, json, digest, err))
        return false;
    return manifest_read(json->bytes, json->size, registry->arena, &registry->image.manifest,
                         err) ||
           err_add(err, "%s", registry->text);
}

/* Whose platform is wrong: people compare the digest with what they pushed. */
static bool name_what_was_found(const struct registry *registry, struct err *err)
{
    return err_add(err, "%s (%s)", registry->text, registry->image.digest);
}

static bool choose(struct registry *registry, struct err *err)
{
    const struct descriptor *chosen =
        manifest_choose(&registry->image.manifest, &registry->question->platform, err);

    if (!chosen)
        return name_what_was_found(registry, err);
    if (!fetch_manifest(registry, chosen->digest, err))
        return false;
    registry->image.chosen = true;
    return !manifest_is_index(&registry->image.manifest) ||
           err_set(err, ERR_IMAGE_INACCESSIBLE, "%s: an index of indexes is not supported",
                   registry->text);
}

bool registry_resolve(struct registry *registry, struct err *err)
{
    const char *digest = registry->question->reference->digest;
    const struct manifest *manifest = &registry->image.manifest;

    if (!fetch_manifest(registry, *digest ? digest : NULL, err))
        return false;
    memcpy(registry->image.meant, registry->image.digest, sizeof registry->image.meant);
    if (manifest_is_index(manifest) && !choose(registry, err))
        return false;
    registry->image.bytes = 0;
    for (size_t i = 0; i < manifest->layers_count; i++)
        registry->image.bytes += manifest->layers[i].size;
    return true;
}

/* ---- the configuration ---- */

static bool check_config(struct registry *registry, struct err *err)
{
    struct image_config *config = &registry->image.config;
    const struct text *json = registry->config_json;

    if (!image_config_read(json->bytes, json->size, registry->arena, config, err))
        return err_add(err, "%s", registry->text);
    if (!image_config_fits(config, &registry->question->platform, err))
        return name_what_was_found(registry, err);
    if (config->diff_ids.count != registry->image.manifest.layers_count)
        return err_set(err, ERR_IMAGE_INACCESSIBLE,
                       "%s: its configuration names %zu layers, its manifest %zu", registry->text,
                       config->diff_ids.count, registry->image.manifest.layers_count);
    return true;
}

bool registry_describe(struct registry *registry, struct err *err)
{
    char name[IMAGE_REFERENCE_SIZE];

    name_with(registry, "@", registry->image.digest, name);
    return skopeo_config(registry->skopeo, name, registry->config_json, err) &&
           check_digest(registry, registry->config_json, registry->image.manifest.config->digest,
                        err) &&
           check_config(registry, err);
}

/* ---- the rest ---- */

bool registry_fetch(struct registry *registry, const char *folder, int64_t bytes_max,
                    struct err *err)
{
    char name[IMAGE_REFERENCE_SIZE];

    name_with(registry, "@", registry->image.digest, name);
    return skopeo_fetch(registry->skopeo, name, folder, bytes_max, err);
}

bool registry_look(const struct registry_question *question, struct registry_facts *facts,
                   struct err *err)
{
    AUTO(registry) *registry = registry_new(question, err);

    if (!registry || !registry_resolve(registry, err) ||
        (!registry->image.chosen && !registry_describe(registry, err)))
        return false;
    memcpy(facts->digest, registry->image.meant, sizeof facts->digest);
    facts->bytes = registry->image.bytes;
    return true;
}
