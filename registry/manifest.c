#include "registry/registry.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>
#include <sys/utsname.h>

/* ---- tables ---- */

static const struct field platform_fields[] = {
    FIELD(struct platform, os, "os"),
    FIELD(struct platform, architecture, "architecture"),
    FIELD(struct platform, variant, "variant"),
};
static const struct schema platform_schema =
    SCHEMA("ImagePlatform", struct platform, platform_fields, "What an image runs on.");

static const struct field descriptor_fields[] = {
    FIELD(struct descriptor, media_type, "mediaType"),
    FIELD(struct descriptor, digest, "digest", .flags = FIELD_REQUIRED),
    FIELD(struct descriptor, size, "size", .flags = FIELD_REQUIRED),
    FIELD_STRUCT(struct descriptor, platform, "platform", &platform_schema),
};
static const struct schema descriptor_schema =
    SCHEMA("ImageDescriptor", struct descriptor, descriptor_fields, "A blob and where it fits.");

static const struct field manifest_fields[] = {
    FIELD(struct manifest, schema_version, "schemaVersion", .flags = FIELD_REQUIRED),
    FIELD_STRUCT(struct manifest, config, "config", &descriptor_schema),
    FIELD_ITEMS(struct manifest, layers, "layers", &descriptor_schema),
    FIELD_ITEMS(struct manifest, manifests, "manifests", &descriptor_schema),
};
static const struct schema manifest_schema =
    SCHEMA("ImageManifest", struct manifest, manifest_fields, "An image, or an index of images.");

/* ---- manifests ---- */

static bool refuse(struct err *err, const char *why)
{
    return err_set(err, ERR_IMAGE_INACCESSIBLE, "the image's manifest %s", why);
}

bool manifest_is_index(const struct manifest *manifest)
{
    return manifest->manifests_count > 0;
}

static bool layer_kind_known(const char *media_type)
{
    static const char *const known[] = {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "application/vnd.docker.image.rootfs.diff.tar.zstd",
    };

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        if (media_type && strcmp(media_type, known[i]) == 0)
            return true;
    }
    return false;
}

static bool check_layers(const struct manifest *manifest, struct err *err)
{
    int64_t bytes = 0;

    if (manifest->layers_count == 0)
        return refuse(err, "names no layers");
    if (manifest->layers_count > (size_t)LIMIT_IMAGE_LAYERS_MAX)
        return refuse(err, "names more layers than can be stacked");
    for (size_t i = 0; i < manifest->layers_count; i++) {
        const struct descriptor *layer = &manifest->layers[i];
        if (!digest_valid(layer->digest))
            return refuse(err, "names a layer by something that is no sha256 digest");
        if (!layer_kind_known(layer->media_type))
            return err_set(err, ERR_IMAGE_INACCESSIBLE,
                           "the image has a layer of a kind unknown here: %s",
                           LOG_QUOTE(layer->media_type));
        if (layer->size < 0 || layer->size > (int64_t)LIMIT_IMAGE_BYTES_MAX - bytes)
            return refuse(err, "names layers that are too large (an image may have 15 GB)");
        bytes += layer->size;
    }
    return true;
}

static bool check_index(const struct manifest *index, struct err *err)
{
    for (size_t i = 0; i < index->manifests_count; i++) {
        if (!digest_valid(index->manifests[i].digest))
            return refuse(err, "names an image by something that is no sha256 digest");
    }
    return true;
}

bool manifest_read(const char *json, size_t size, struct arena *arena, struct manifest *out,
                   struct err *err)
{
    struct manifest read = {0};

    if (!fields_read(&manifest_schema, json, size, arena, &read, err)) {
        err->code = ERR_IMAGE_INACCESSIBLE;
        return err_add(err, "the image's manifest cannot be read");
    }
    if (read.schema_version != 2)
        return refuse(err, "is of a format older than Docker's schema 2, which is not supported");
    if (manifest_is_index(&read)) {
        if (!check_index(&read, err))
            return false;
    } else {
        if (!read.config || !digest_valid(read.config->digest))
            return refuse(err, "names no configuration");
        if (!check_layers(&read, err))
            return false;
    }
    *out = read;
    return true;
}

/* ---- platforms ---- */

struct platform platform_of_machine(void)
{
    static const struct {
        const char *machine, *architecture, *variant;
    } names[] = {
        {"x86_64", "amd64", NULL},    {"aarch64", "arm64", NULL},   {"armv7l", "arm", "v7"},
        {"riscv64", "riscv64", NULL}, {"ppc64le", "ppc64le", NULL}, {"s390x", "s390x", NULL},
    };
    struct utsname node;

    if (uname(&node) == 0) {
        for (size_t i = 0; i < COUNT_OF(names); i++) {
            if (strcmp(node.machine, names[i].machine) == 0)
                return (struct platform){"linux", names[i].architecture, names[i].variant};
        }
    }
    return (struct platform){"linux", "amd64", NULL};
}

/* A variant matters only where both sides name one: arm64 and arm64/v8 are the same. */
static bool fits(const char *os, const char *architecture, const char *variant,
                 const struct platform *wanted)
{
    return os && architecture && text_equal_nocase(os, wanted->os) &&
           text_equal_nocase(architecture, wanted->architecture) &&
           (!variant || !*variant || !wanted->variant || strcmp(variant, wanted->variant) == 0);
}

static void add_name(struct text *out, const char *os, const char *architecture,
                     const char *variant)
{
    if (out->size > 0)
        text_add(out, ", ");
    text_addf(out, "%.32s/%.32s", os && *os ? os : "?",
              architecture && *architecture ? architecture : "?");
    if (variant && *variant)
        text_addf(out, "/%.32s", variant);
}

static bool refuse_platform(const struct platform *wanted, const struct text *found,
                            struct err *err)
{
    return err_set(err, ERR_IMAGE_PLATFORM, "the image runs on %s, %s/%s%s%s is wanted",
                   found && found->size > 0 ? LOG_QUOTE(found->bytes) : "no platform it names",
                   wanted->os, wanted->architecture, wanted->variant ? "/" : "",
                   wanted->variant ? wanted->variant : "");
}

const struct descriptor *manifest_choose(const struct manifest *index,
                                         const struct platform *wanted, struct err *err)
{
    AUTO(text) *found = text_new(2048);

    for (size_t i = 0; i < index->manifests_count; i++) {
        const struct platform *has = index->manifests[i].platform;
        if (has && fits(has->os, has->architecture, has->variant, wanted))
            return &index->manifests[i];
        /* Attestations stand in an index as images for "unknown". */
        if (has && has->os && strcmp(has->os, "unknown") != 0)
            add_name(found, has->os, has->architecture, has->variant);
    }
    refuse_platform(wanted, found, err);
    return NULL;
}

bool image_config_fits(const struct image_config *config, const struct platform *wanted,
                       struct err *err)
{
    if (fits(config->os, config->architecture, config->variant, wanted))
        return true;
    AUTO(text) *found = text_new(256);
    add_name(found, config->os, config->architecture, config->variant);
    return refuse_platform(wanted, found, err);
}
