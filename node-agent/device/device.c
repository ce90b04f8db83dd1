/* The table of devices, and who holds them. */
#include "node-agent/device/device.h"

#include "base/file.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/thread.h"
#include "node-agent/device/cdi.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES_ARENA_MAX = 64 << 20, DEVICE_PATH_SIZE = 512, HOLDER_NAME_SIZE = 64 };

struct device {
    const struct cdi_device *is;
    const struct cdi_file *file;
    char uid[ID_SIZE]; /* of the group that holds it; "": none */
    char container[HOLDER_NAME_SIZE];
};

struct devices {
    struct arena *arena;
    struct device *items;
    size_t count;
    const char *kinds[GPU_SKUS]; /* NULL: this node has none of that sku */
    const char *folder;
    struct lock lock; /* over who holds what */
};

/* ---- files ---- */

static struct device *find(struct devices *devices, const char *kind, const char *name)
{
    for (size_t i = 0; i < devices->count; i++) {
        struct device *device = &devices->items[i];
        if (device->is && strcmp(device->file->kind, kind) == 0 &&
            strcmp(device->is->name, name) == 0)
            return device;
    }
    return NULL;
}

static bool add_file(struct devices *devices, const char *path, struct err *err)
{
    AUTO_FREE char *json = NULL;
    size_t size;
    struct cdi_file *file = ARENA_NEW(devices->arena, struct cdi_file);
    if (!file || !file_read(path, LIMIT_CDI_FILE_MAX, &json, &size, err) ||
        !cdi_read(json, size, devices->arena, file, err))
        return err_add(err, "the CDI file %s", path);
    for (size_t i = 0; i < file->devices_count; i++) {
        struct device *known = find(devices, file->kind, file->devices[i].name);
        if (!known && devices->count == LIMIT_NODE_DEVICES_MAX)
            return err_set(err, ERR_INVALID, "CDI files name more than %lld devices",
                           (long long)LIMIT_NODE_DEVICES_MAX);
        struct device *device = known ? known : &devices->items[devices->count++];
        *device = (struct device){.is = &file->devices[i], .file = file};
    }
    return true;
}

static int is_cdi(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && strcmp(entry->d_name + size - 5, ".json") == 0;
}

/* In the order of their names, so that the same files always make the same table. */
static bool add_folder(struct devices *devices, const char *folder, struct err *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_cdi, alphasort);
    bool added = true;
    if (count < 0)
        return true;
    for (int i = 0; i < count; i++) {
        char path[DEVICE_PATH_SIZE];
        added = added && text_format(path, sizeof path, "%s/%s", folder, entries[i]->d_name) &&
                add_file(devices, path, err);
        free(entries[i]);
    }
    free(entries);
    return added;
}

static bool add_kinds(struct devices *devices, const struct text_map *kinds, struct err *err)
{
    for (size_t i = 0; i < kinds->count; i++) {
        int sku = fields_word(gpu_sku_words, kinds->items[i].key);
        if (sku < 0 || sku >= GPU_SKUS)
            return err_set(err, ERR_INVALID, "gpu_kinds: '%.60s' is no sku (K80, P100 or V100)",
                           kinds->items[i].key);
        devices->kinds[sku] = arena_text(devices->arena, kinds->items[i].value);
        if (!devices->kinds[sku])
            return err_set(err, ERR_BUSY, "no memory for devices");
    }
    return true;
}

/* ---- who holds what: "<container> <kind>=<name>", a line for each ---- */

static bool holder_path(const struct devices *devices, const char *uid, char out[DEVICE_PATH_SIZE])
{
    return text_format(out, DEVICE_PATH_SIZE, "%s/%s", devices->folder, uid);
}

/* A device that is gone from the files is held by nobody. */
static void hold_line(struct devices *devices, const char *uid, char *line)
{
    char *kind = strchr(line, ' '), *name = kind ? strchr(kind, '=') : NULL;
    if (!name)
        return;
    *kind++ = '\0';
    *name++ = '\0';
    struct device *device = find(devices, kind, name);
    if (!device)
        return;
    text_copy(device->uid, sizeof device->uid, uid);
    text_copy(device->container, sizeof device->container, line);
}

static bool holder_load(struct devices *devices, const char *uid, struct err *err)
{
    char path[DEVICE_PATH_SIZE];
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!holder_path(devices, uid, path) ||
        !file_read(path, LIMIT_CDI_FILE_MAX, &bytes, &size, err))
        return false;
    char *rest = bytes;
    for (char *line; (line = strsep(&rest, "\n"));)
        hold_line(devices, uid, line);
    return true;
}

static bool holders_load(struct devices *devices, struct err *err)
{
    DIR *folder;
    bool loaded = true;
    if (!file_make_folders(devices->folder, 0700, err))
        return false;
    if (!(folder = opendir(devices->folder)))
        return err_set(err, ERR_IO, "cannot read %s", devices->folder);
    for (const struct dirent *entry; loaded && (entry = readdir(folder));)
        if (id_valid(entry->d_name))
            loaded = holder_load(devices, entry->d_name, err);
    closedir(folder);
    return loaded;
}

/* Before anything is handed out: it is on disk. */
static bool holder_save(const struct devices *devices, const char *uid, struct err *err)
{
    char path[DEVICE_PATH_SIZE];
    AUTO(text) *lines = text_new(LIMIT_CDI_FILE_MAX);
    for (size_t i = 0; i < devices->count; i++) {
        const struct device *device = &devices->items[i];
        if (strcmp(device->uid, uid) == 0)
            text_addf(lines, "%s %s=%s\n", device->container, device->file->kind, device->is->name);
    }
    return text_ok(lines) && holder_path(devices, uid, path)
               ? file_replace(path, lines->bytes, lines->size, 0600, true, err)
               : err_set(err, ERR_BUSY, "no memory for devices");
}

/* ---- opening ---- */

struct devices *devices_open(const struct devices_options *options, struct err *err)
{
    struct devices *devices = calloc(1, sizeof *devices);
    bool opened;
    if (!devices) {
        err_set(err, ERR_BUSY, "no memory for devices");
        return NULL;
    }
    lock_init(&devices->lock, LOCK_DEVICES);
    devices->arena = arena_new(DEVICES_ARENA_MAX);
    devices->items = calloc((size_t)LIMIT_NODE_DEVICES_MAX, sizeof *devices->items);
    devices->folder = devices->arena ? arena_text(devices->arena, options->folder) : NULL;
    opened = devices->items && devices->folder ? add_kinds(devices, &options->kinds, err)
                                               : err_set(err, ERR_BUSY, "no memory for devices");
    for (size_t i = 0; opened && i < options->dirs.count; i++)
        opened = add_folder(devices, options->dirs.items[i], err);
    if (opened && holders_load(devices, err))
        return devices;
    devices_free(devices);
    return NULL;
}

void devices_free(struct devices *devices)
{
    if (!devices)
        return;
    lock_done(&devices->lock);
    free(devices->items);
    arena_free(devices->arena);
    free(devices);
}

static bool is_of(const struct device *device, const char *kind)
{
    /* nvidia's tool also names "all": not a device of its own. */
    return kind && strcmp(device->file->kind, kind) == 0 && strcmp(device->is->name, "all") != 0;
}

void devices_gpus(const struct devices *devices, int64_t counts[GPU_SKUS])
{
    for (int sku = 0; sku < GPU_SKUS; sku++) {
        counts[sku] = 0;
        for (size_t i = 0; i < devices->count; i++)
            counts[sku] += is_of(&devices->items[i], devices->kinds[sku]);
    }
}

/* ---- handing out ---- */

static bool holds(const struct device *device, const char *uid, const char *container)
{
    return strcmp(device->uid, uid) == 0 && strcmp(device->container, container) == 0;
}

/* Theirs, or free ones; `taken` gets them. False: too few. */
static bool choose(struct devices *devices, const char *uid, const char *container,
                   const char *kind, int64_t count, struct device **taken)
{
    int64_t found = 0;
    for (int free_ones = 0; free_ones < 2; free_ones++)
        for (size_t i = 0; i < devices->count && found < count; i++) {
            struct device *device = &devices->items[i];
            if (is_of(device, kind) &&
                (free_ones ? !device->uid[0] : holds(device, uid, container)))
                taken[found++] = device;
        }
    return found == count;
}

/* The edits of a file come once, however many of its devices there are. */
static bool gather(struct device *const *taken, int64_t count, struct arena *arena,
                   struct device_edits *edits)
{
    *edits = (struct device_edits){0};
    for (int64_t i = 0; i < count; i++) {
        bool seen = false;
        for (int64_t k = 0; k < i; k++)
            seen |= taken[k]->file == taken[i]->file;
        if ((!seen && !cdi_add(edits, taken[i]->file->edits, arena)) ||
            !cdi_add(edits, taken[i]->is->edits, arena))
            return false;
    }
    return true;
}

bool devices_take(struct devices *devices, const char *uid, const char *container, int sku,
                  int64_t count, struct arena *arena, struct device_edits *edits, struct err *err)
{
    struct device *taken[64];
    if (!devices || count < 1 || count > (int64_t)COUNT_OF(taken) || sku < 0 || sku >= GPU_SKUS)
        return err_set(err, ERR_NO_CAPACITY, "this node hands out no devices");
    WITH_LOCK(&devices->lock);
    if (!choose(devices, uid, container, devices->kinds[sku], count, taken))
        return err_set(err, ERR_NO_CAPACITY, "fewer than %lld devices of %s are free on the node",
                       (long long)count, gpu_sku_words[sku]);
    for (int64_t i = 0; i < count; i++) {
        text_copy(taken[i]->uid, sizeof taken[i]->uid, uid);
        text_copy(taken[i]->container, sizeof taken[i]->container, container);
    }
    return holder_save(devices, uid, err) &&
           (gather(taken, count, arena, edits) || err_set(err, ERR_BUSY, "no memory for devices"));
}

bool devices_give(struct devices *devices, const char *uid, struct err *err)
{
    char path[DEVICE_PATH_SIZE];
    if (!devices)
        return true;
    WITH_LOCK(&devices->lock);
    if (!holder_path(devices, uid, path))
        return err_set(err, ERR_INVALID, "the folder of devices has too long a path");
    for (size_t i = 0; i < devices->count; i++)
        if (strcmp(devices->items[i].uid, uid) == 0)
            devices->items[i].uid[0] = '\0';
    unlink(path);
    return true;
}
