/* What an agent finds when it begins, and what ends while it is there. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* ---- all of them ---- */

struct listing {
    struct oci *oci;
    struct arena *arena;
    struct runtime_found *items;
    size_t count, capacity;
};

static struct runtime_found *next_slot(struct listing *listing)
{
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity ? listing->capacity * 2 : 32;
        struct runtime_found *items = arena_array(listing->arena, capacity, sizeof *items);
        if (!items)
            return NULL;
        if (listing->count > 0)
            memcpy(items, listing->items, listing->count * sizeof *items);
        listing->items = items;
        listing->capacity = capacity;
    }
    return &listing->items[listing->count];
}

/* Those that run are watched from now on: by their conmon, or without one by their first
 * process. */
static bool adopt(struct oci *oci, const struct record *record, const struct runtime_found *found,
                  struct err *err)
{
    if (found->phase != RUNTIME_RUNNING)
        return true;
    int fd = process_open(record->conmon, record->conmon_began);
    if (fd < 0)
        fd = process_open(record->pid, record->pid_began);
    return watch_add(&oci->watch, found->uid, found->name, fd, err);
}

struct state {
    const char *status;
};
static const struct field state_fields[] = {
    FIELD(struct state, status, "status", .doc = "creating, created, running or stopped."),
};
static const struct schema state_schema =
    SCHEMA("State", struct state, state_fields, "What an OCI runtime says of a container.");

static bool is_created(const struct oci *oci, const struct oci_place *place)
{
    const char *words[] = {"state", place->id, NULL};
    struct err ignored;
    struct state state = {0};
    AUTO(text) *said = text_new(256 * 1024);
    AUTO(arena) *arena = arena_new(1024 * 1024);
    return arena && oci_run(oci, place, words, said, &ignored) && text_ok(said) &&
           fields_read(&state_schema, said->bytes, said->size, arena, &state, &ignored) &&
           state.status && strcmp(state.status, "created") == 0;
}

/* Whether it still waits to be let go: at a pipe, or in a way that only its runtime knows. */
static bool still_waits(const struct oci *oci, const struct oci_place *place)
{
    char pipe[OCI_PATH_SIZE];
    oci_file(place->state, "exec.fifo", pipe);
    return place->class->traits->start == START_BY_PROGRAM ? is_created(oci, place)
                                                           : file_exists(pipe);
}

/* Its start was written down, but the agent died before it let it go: it never ran. */
static bool take_back_start(const struct oci *oci, const struct oci_place *place,
                            struct record *record, struct runtime_found *found, struct err *err)
{
    if (found->phase != RUNTIME_RUNNING || !still_waits(oci, place))
        return true;
    found->phase = RUNTIME_CREATED;
    found->started_ms = record->started_ms = 0;
    return record_write(place, record, err);
}

static bool list_one(struct listing *listing, const char *uid, const char *name, struct err *err)
{
    struct oci_place place;
    struct record record;
    struct err why;
    AUTO(arena) *arena = arena_new(64 * 1024);
    struct runtime_found *slot = next_slot(listing);
    oci_place(listing->oci, uid, name, &place);
    if (!arena || !slot)
        return err_set(err, ERR_BUSY, "out of memory while listing containers");
    if (!oci_look(listing->oci, uid, name, &place, &record, arena, slot, &why)) {
        log_info("container_half_created", "container=%s text=%s", place.id, LOG_QUOTE(why.text));
        return oci_remove(&listing->oci->base, uid, name, err);
    }
    listing->count++;
    return take_back_start(listing->oci, &place, &record, slot, err) &&
           adopt(listing->oci, &record, slot, err);
}

static bool list_group(struct listing *listing, const char *uid, struct err *err)
{
    char folder[OCI_PATH_SIZE];
    text_format(folder, sizeof folder, "%s/c/%s", listing->oci->root, uid);
    DIR *entries = opendir(folder);
    if (!entries)
        return err_set_os(err, ERR_IO, errno, "cannot list %s", folder);
    bool listed = true;
    for (const struct dirent *entry; listed && (entry = readdir(entries));)
        if (runtime_name_valid(entry->d_name))
            listed = list_one(listing, uid, entry->d_name, err);
    closedir(entries);
    return listed;
}

bool oci_list(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
              size_t *count, struct err *err)
{
    struct listing listing = {.oci = (struct oci *)runtime, .arena = arena};
    char folder[OCI_PATH_SIZE];
    oci_file(listing.oci->root, "c", folder);
    DIR *entries = opendir(folder);
    if (!entries)
        return err_set_os(err, ERR_IO, errno, "cannot list %s", folder);
    bool listed = true;
    for (const struct dirent *entry; listed && (entry = readdir(entries));)
        if (id_valid(entry->d_name))
            listed = list_group(&listing, entry->d_name, err);
    closedir(entries);
    if (!listed)
        return false;
    *found = listing.items;
    *count = listing.count;
    return true;
}

/* ---- ends ---- */

/* True when it has ended. Its conmon was killed and it lives on: its first process is watched
 * instead. Nobody reads its output any more, and its exit code will not be known. */
static bool has_ended(struct oci *oci, const char *uid, const char *name)
{
    struct oci_place place;
    struct record record;
    struct err ignored;
    struct stat about;
    char path[OCI_PATH_SIZE];
    AUTO(arena) *arena = arena_new(64 * 1024);
    oci_place(oci, uid, name, &place);
    oci_file(place.folder, "exit", path);
    if (stat(path, &about) == 0 || !arena || !record_read(&place, arena, &record, &ignored))
        return true;
    int fd = process_open(record.pid, record.pid_began);
    if (fd < 0)
        return true;
    log_warn("conmon_lost", "container=%s pid=%lld", place.id, (long long)record.pid);
    return !watch_add(&oci->watch, uid, name, fd, &ignored);
}

bool oci_exit_next(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE])
{
    struct oci *oci = (struct oci *)runtime;
    while (watch_next(&oci->watch, uid, name))
        if (has_ended(oci, uid, name))
            return true;
    return false;
}
