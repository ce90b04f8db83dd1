/* The layers of an image that this node does not have: fetched side by side into a folder of their
 * own, unpacked one after the other, each moved to its place as soon as it is whole. */
#include "node-agent/image/pull.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "node-agent/image/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static bool blob_path(const char *folder, const char *digest, char out[PATH_MAX])
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
        AUTO_CLOSE int fd =
            blob_path(folder, digest, path) ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
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

static bool fetch(struct pull *pull, const char *folder, struct err *err)
{
    return place_stand_ins(pull, folder, err) &&
           registry_fetch(pull->registry, folder, largest(&pull->registry->image.manifest), err);
}

/* ---- unpacking ---- */

struct stack {
    int fds
        [LIMIT_IMAGE_LAYERS_MAX]; /* of the layers below, nearest first, at the end of the array */
    size_t count;
};

static int *stack_top(struct stack *stack)
{
    return stack->fds + COUNT_OF(stack->fds) - stack->count;
}

static void stack_close(struct stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        close(stack_top(stack)[i]);
    stack->count = 0;
}

static bool stack_push(struct stack *stack, const struct disk *disk, const char *chain,
                       struct err *err)
{
    char path[PATH_MAX];

    disk_path(disk, path, "layers/%s/fs", digest_hex(chain));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open %s", path);
    CHECK(stack->count < COUNT_OF(stack->fds));
    stack->count++;
    *stack_top(stack) = fd;
    return true;
}

static bool unpack_into(const struct pull *pull, size_t index, const char *folder,
                        struct stack *below, int64_t bytes_max, struct unpacked *out,
                        struct err *err)
{
    char fs[PATH_MAX], blob[PATH_MAX];

    if (!text_format(fs, sizeof fs, "%s/fs", folder) || mkdir(fs, 0755) != 0 ||
        chmod(fs, 0755) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make a folder for a layer");
    AUTO_CLOSE int root = open(fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSE int source = -1;
    /* The blobs lie beside the layers' folders. */
    if (text_format(blob, sizeof blob, "%s/../blobs/sha256/%s", folder,
                    digest_hex(pull->registry->image.manifest.layers[index].digest)))
        source = open(blob, O_RDONLY | O_CLOEXEC);
    if (root < 0 || source < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open a layer that was fetched");
    const struct unpack unpack = {.blob = source,
                                  .root = root,
                                  .lowers = stack_top(below),
                                  .lowers_count = below->count,
                                  .digest = pull->registry->image.manifest.layers[index].digest,
                                  .diff_id = pull->registry->image.config.diff_ids.items[index],
                                  .bytes_max = bytes_max,
                                  .files_max = LIMIT_IMAGE_FILES_MAX,
                                  .cancel_fd = pull->request->cancel_fd};
    return unpack_layer(&unpack, out, err);
}

static bool add_layer(struct pull *pull, const char *chain, int64_t bytes, struct err *err)
{
    WITH_LOCK(&pull->store->table.lock);
    return table_add_layer(&pull->store->table, chain, bytes, false, err);
}

static bool make_layer(struct pull *pull, size_t index, const char *temp, struct stack *below,
                       int64_t bytes_max, int64_t *bytes, struct err *err)
{
    const char *chain = pull->names[index];
    char folder[PATH_MAX];
    struct unpacked unpacked;

    if (!text_format(folder, sizeof folder, "%s/layer-%zu", temp, index) ||
        mkdir(folder, 0700) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make a folder for a layer");
    if (!unpack_into(pull, index, folder, below, bytes_max, &unpacked, err))
        return err_add(err, "%s", pull->text);
    if (!disk_put_layer(&pull->store->disk, folder, chain, unpacked.bytes, unpacked.files, err))
        return false;
    *bytes = unpacked.bytes;
    return add_layer(pull, chain, unpacked.bytes, err);
}

static int64_t bytes_of_layer(struct pull *pull, const char *chain)
{
    WITH_LOCK(&pull->store->table.lock);
    const struct layer *layer = table_layer(&pull->store->table, chain);

    CHECK(layer); /* named by our job, so it stays */
    return layer->bytes;
}

static bool make_layers(struct pull *pull, const char *temp, struct stack *below, struct err *err)
{
    int64_t total = 0;

    for (size_t i = 0; i < pull->registry->image.manifest.layers_count; i++) {
        int64_t bytes = 0;
        int64_t left = (int64_t)LIMIT_IMAGE_BYTES_MAX - total;
        if (!pull->claimed[i])
            bytes = bytes_of_layer(pull, pull->names[i]);
        else if (!make_layer(pull, i, temp, below, left, &bytes, err))
            return false;
        total += bytes;
        if (!stack_push(below, &pull->store->disk, pull->names[i], err))
            return false;
    }
    image_set_bytes(pull->image, total);
    return true;
}

bool pull_layers(struct pull *pull, struct err *err)
{
    char temp[PATH_MAX];
    struct stack below = {.count = 0};
    bool made;

    if (!disk_temp(&pull->store->disk, temp, err))
        return false;
    made = fetch(pull, temp, err) && make_layers(pull, temp, &below, err);
    stack_close(&below);
    disk_remove(temp);
    return made;
}
