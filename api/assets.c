#include "api/assets.h"

#include "api/openapi.h"
#include "base/file.h"
#include "base/id.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

struct assets {
    struct asset items[LIMIT_ASSETS_MAX];
    size_t count;
};

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json; charset=utf-8"},
    {".txt", "text/plain; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
};

static const char *type_of(const char *name)
{
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending && i < COUNT_OF(types); i++) {
        if (strcmp(ending, types[i].ending) == 0)
            return types[i].type;
    }
    return NULL;
}

/* Takes the bytes, in any case. */
static bool add(struct assets *assets, const char *name, char *bytes, size_t size, struct err *err)
{
    char *kept = strdup(name), hash[65];

    if (!kept || assets->count == LIMIT_ASSETS_MAX) {
        free(kept);
        free(bytes);
        return kept ? err_set(err, ERR_TOO_LARGE, "there are more than %d files", LIMIT_ASSETS_MAX)
                    : err_set(err, ERR_BUSY, "out of memory");
    }
    struct asset *asset = &assets->items[assets->count++];
    *asset = (struct asset){.name = kept, .type = type_of(name), .bytes = bytes, .size = size};
    id_hash(bytes, hash);
    (void)text_format(asset->etag, sizeof asset->etag, "\"%s\"", hash);
    return true;
}

static bool add_contract(struct assets *assets, struct err *err)
{
    AUTO(text) *out = text_new(LIMIT_ASSET_BYTES_MAX);
    size_t size = 0;
    char *bytes;

    openapi_print(out);
    if (!text_ok(out))
        return err_set(err, ERR_BUSY, "no memory for the contract");
    bytes = text_take(out, &size);
    return add(assets, "openapi.json", bytes, size, err);
}

static bool add_file(struct assets *assets, const char *folder, const char *name, struct err *err)
{
    char path[PATH_SIZE], *bytes = NULL;
    size_t size = 0;

    if (!type_of(name))
        return true;
    if (!text_format(path, sizeof path, "%s/%s", folder, name))
        return err_set(err, ERR_IO, "the path %s/… is too long", folder);
    return file_read(path, LIMIT_ASSET_BYTES_MAX, &bytes, &size, err) &&
           add(assets, name, bytes, size, err);
}

static bool add_folder(struct assets *assets, const char *path, struct err *err)
{
    DIR *folder = opendir(path);
    bool whole = true;

    if (!folder)
        return err_set_os(err, ERR_NOT_FOUND, errno, "cannot read the folder %s of the docs page",
                          path);
    for (struct dirent *entry; whole && (entry = readdir(folder));)
        whole = entry->d_name[0] == '.' || add_file(assets, path, entry->d_name, err);
    closedir(folder);
    return whole;
}

struct assets *assets_new(const char *docs_dir, struct err *err)
{
    AUTO(assets) *assets = calloc(1, sizeof *assets);

    if (!assets) {
        err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    if (!add_contract(assets, err) || (docs_dir && !add_folder(assets, docs_dir, err)))
        return NULL;
    return TAKE(assets);
}

void assets_free(struct assets *assets)
{
    if (!assets)
        return;
    for (size_t i = 0; i < assets->count; i++) {
        free((char *)assets->items[i].name);
        free((char *)assets->items[i].bytes);
    }
    free(assets);
}

const struct asset *assets_find(const struct assets *assets, const char *name)
{
    for (size_t i = 0; i < assets->count; i++) {
        if (strcmp(assets->items[i].name, name) == 0)
            return &assets->items[i];
    }
    return NULL;
}
