/* Fetching the layers that this node does not have, side by side, and how far that is. skopeo writes each
 * beside its place and renames it when it is whole: a layer that is there can be unpacked while others
 * are still on their way. */
#include "node-agent/image/layers.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool layer_blob_path(const char *folder, const char *digest, char out[PATH_MAX])
{
    return text_format(out, PATH_MAX, "%s/blobs/sha256/%s", folder, digest_hex(digest));
}

static bool must_fetch(const struct pull *pull, const char *digest)
{
    for (size_t i = 0; i < pull->registry->image.manifest.layers_count; i++) {
        if (pull->claimed[i] &&
            strcmp(pull->registry->image.manifest.layers[i].digest, digest) == 0)
            return true;
    }
    return false;
}

/* skopeo fetches what it does not find: for layers we have unpacked it finds an empty file. */
static bool place_stand_ins(const struct pull *pull, const char *folder, struct err *err)
{
    char path[PATH_MAX];

    if (!text_format(path, sizeof path, "%s/blobs/sha256", folder) ||
        !file_make_folders(path, 0700, err))
        return false;
    for (size_t i = 0; i < pull->registry->image.manifest.layers_count; i++) {
        const char *digest = pull->registry->image.manifest.layers[i].digest;
        if (must_fetch(pull, digest))
            continue;
        AUTO_CLOSE int fd = layer_blob_path(folder, digest, path)
                                ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)
                                : -1;
        if (fd < 0)
            return err_set_os(err, ERR_IO, errno, "cannot make %s", path);
    }
    return true;
}

/* What skopeo writes beside layers is small. */
static int64_t largest(const struct manifest *manifest)
{
    int64_t bytes = (int64_t)LIMIT_IMAGE_MANIFEST_MAX;

    for (size_t i = 0; i < manifest->layers_count; i++) {
        if (manifest->layers[i].size > bytes)
            bytes = manifest->layers[i].size;
    }
    return bytes;
}

bool layers_fetch(struct pull *pull, const char *folder, struct err *err)
{
    return place_stand_ins(pull, folder, err) &&
           registry_fetch(pull->registry, folder, largest(&pull->registry->image.manifest), err);
}

/* ---- how far it is ---- */

/* The first of those with one digest: it is fetched once. */
static bool is_counted(const struct pull *pull, size_t index)
{
    const struct descriptor *layers = pull->registry->image.manifest.layers;

    for (size_t i = 0; i < index; i++) {
        if (pull->claimed[i] && strcmp(layers[i].digest, layers[index].digest) == 0)
            return false;
    }
    return pull->claimed[index];
}

int64_t layers_bytes(const struct pull *pull)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < pull->registry->image.manifest.layers_count; i++) {
        if (is_counted(pull, i))
            bytes += pull->registry->image.manifest.layers[i].size;
    }
    return bytes;
}

static int64_t bytes_on_their_way(const char *folder)
{
    char path[PATH_MAX];
    int64_t bytes = 0;
    struct stat seen;
    DIR *layout = text_format(path, sizeof path, "%s/layout", folder) ? opendir(path) : NULL;

    for (struct dirent *entry; layout && (entry = readdir(layout)) != NULL;) {
        if (text_has_prefix(entry->d_name, "oci-put-blob") &&
            fstatat(dirfd(layout), entry->d_name, &seen, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += seen.st_size;
    }
    if (layout)
        closedir(layout);
    return bytes;
}

int64_t layers_bytes_fetched(const struct pull *pull, const char *folder)
{
    int64_t bytes = bytes_on_their_way(folder);
    char path[PATH_MAX];
    struct stat seen;

    for (size_t i = 0; i < pull->registry->image.manifest.layers_count; i++) {
        if (is_counted(pull, i) &&
            layer_blob_path(folder, pull->registry->image.manifest.layers[i].digest, path) &&
            stat(path, &seen) == 0)
            bytes += seen.st_size;
    }
    return bytes;
}
