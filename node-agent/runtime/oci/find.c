/* What became of a container. conmon's exit file is the truth; without one its processes are
 * asked. */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/file.h"

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
    /* Or by a child that was killed and took it along: a shell ends with its command's code or one of its own. */
    out->oom_killed = code != 0 && cgroup_oom_kills(&oci->cgroups, place->cgroup) > 0;
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

bool oci_look(const struct oci *oci, const char *uid, const char *name,
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
    return arena && oci_look(oci, uid, name, &place, &record, arena, out, err);
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
    if (place.class->traits->is_plain) {
        if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0)
            return true;
        return errno == ESRCH
                   ? no_such_process(&place, err)
                   : err_set_os(err, ERR_INVALID, errno, "cannot send signal %d", number);
    }
    text_format(text, sizeof text, "%d", number);
    const char *words[] = {"kill", place.id, text, NULL};
    return oci_run(oci, &place, words, NULL, err);
}
