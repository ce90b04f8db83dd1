/* What became of a container. conmon's exit file is the truth; without one its processes are
 * asked. */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The code conmon wrote, and when. */
static bool read_exit(const struct oci_place *place, int64_t *code, int64_t *finished_ms)
{
    char path[OCI_PATH_SIZE];
    AUTO_FREE char *number = NULL;
    size_t size;
    struct stat about;
    struct err ignored;
    oci_file(place->folder, "exit", path);
    if (!file_read(path, 64, &number, &size, &ignored) || stat(path, &about) != 0 ||
        !text_to_int(number, code))
        return false;
    *finished_ms = (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
    return true;
}

static void tell_exit(const struct oci *oci, const struct oci_place *place, int64_t code,
                      struct runtime_found *out)
{
    out->phase = RUNTIME_EXITED;
    out->exit_code = (int)code;
    if (out->finished_ms <
        out->started_ms) /* a file's time is that of the last tick of the kernel's clock */
        out->finished_ms = out->started_ms;
    out->oom_killed = code == 128 + SIGKILL && cgroup_oom_kills(&oci->cgroups, place->cgroup) > 0;
}

/* The order matters: conmon writes the file before it ends, so the file is looked for again once
 * conmon was seen dead. */
static void tell(const struct oci *oci, const struct oci_place *place, const struct record *record,
                 struct runtime_found *out)
{
    int64_t code;
    bool supervised = process_lives(record->conmon, record->conmon_began);
    if (read_exit(place, &code, &out->finished_ms)) {
        tell_exit(oci, place, code, out);
        return;
    }
    if (supervised || process_lives(record->pid, record->pid_began)) {
        out->phase = record->started_ms > 0 ? RUNTIME_RUNNING : RUNTIME_CREATED;
        out->pid = (pid_t)record->pid;
        return;
    }
    out->phase = RUNTIME_GONE;
    out->finished_ms = clock_now_ms();
}

static bool find_in(const struct oci *oci, const char *uid, const char *name,
                    const struct oci_place *place, struct record *record, struct arena *arena,
                    struct runtime_found *out, struct err *err)
{
    struct runtime_found found = {0};
    if (!record_read(place, arena, record, err))
        return false;
    text_copy(found.uid, sizeof found.uid, uid);
    text_copy(found.name, sizeof found.name, name);
    found.incarnation = record->incarnation;
    found.restarts = record->restarts;
    found.started_ms = record->started_ms;
    tell(oci, place, record, &found);
    *out = found;
    return true;
}

bool oci_find(struct runtime *runtime, const char *uid, const char *name, struct runtime_found *out,
              struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct record record;
    AUTO(arena) *arena = arena_new(64 * 1024);
    oci_place(oci, uid, name, &place);
    return arena && find_in(oci, uid, name, &place, &record, arena, out, err);
}

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
    if (!find_in(listing->oci, uid, name, &place, &record, arena, slot, &why)) {
        log_info("container_half_created", "container=%s text=%s", place.id, LOG_QUOTE(why.text));
        return oci_remove(&listing->oci->base, uid, name, err);
    }
    listing->count++;
    return adopt(listing->oci, &record, slot, err);
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

/* ---- signals ---- */

static bool no_such_process(const struct oci_place *place, struct err *err)
{
    return err_set(err, ERR_NOT_FOUND, "container %s does not run", place->name);
}

bool oci_signal(struct runtime *runtime, const char *uid, const char *name, int number,
                struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct record record;
    char text[16];
    AUTO(arena) *arena = arena_new(64 * 1024);
    oci_place(oci, uid, name, &place);
    if (!arena || !record_read(&place, arena, &record, err))
        return false;
    AUTO_CLOSE int fd = process_open(record.pid, record.pid_began);
    if (fd < 0)
        return no_such_process(&place, err);
    if (oci->traits->is_plain) {
        if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0)
            return true;
        return errno == ESRCH
                   ? no_such_process(&place, err)
                   : err_set_os(err, ERR_INVALID, errno, "cannot send signal %d", number);
    }
    text_format(text, sizeof text, "%d", number);
    const char *words[] = {"kill", place.id, text, NULL};
    return oci_run(oci, words, err);
}
