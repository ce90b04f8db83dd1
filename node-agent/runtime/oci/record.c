/* What we know of a container, as a small JSON file in its folder, and whether its processes
 * still live. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>

enum { RECORD_MAX = 16384 };

/* clang-format off */
static const struct field record_fields[] = {
    FIELD(struct record, incarnation, "incarnation", .doc = "Of the group, as the agent gave it."),
    FIELD(struct record, restarts, "restarts", .doc = "Likewise."),
    FIELD(struct record, created_ms, "created_ms", .doc = "Unix time."),
    FIELD(struct record, started_ms, "started_ms", .doc = "Unix time; 0: not started."),
    FIELD(struct record, cpu_milli, "cpu_milli", .doc = "Its ceiling; 0: none."),
    FIELD(struct record, cpu_weight_milli, "cpu_weight_milli", .doc = "Its share beside others; 0: as its ceiling."),
    FIELD(struct record, pid, "pid", .doc = "Its first process."),
    FIELD(struct record, pid_began, "pid_began", .doc = "When that began, in ticks since boot."),
    FIELD(struct record, conmon, "conmon", .doc = "Its conmon."),
    FIELD(struct record, conmon_began, "conmon_began", .doc = "When that began."),
    FIELD(struct record, log_path, "log_path", .doc = "Where conmon writes its output."),
};
/* clang-format on */
static const struct schema record_schema =
    SCHEMA("Record", struct record, record_fields, "A container of this node.");

bool record_read(const struct oci_place *place, struct arena *arena, struct record *out,
                 struct err *err)
{
    char path[OCI_PATH_SIZE];
    AUTO_FREE char *json = NULL;
    size_t size;
    oci_file(place->folder, "record", path);
    if (!file_read(path, RECORD_MAX, &json, &size, err))
        return err->code == ERR_NOT_FOUND
                   ? err_set(err, ERR_NOT_FOUND, "there is no container %s", place->name)
                   : false;
    if (!fields_read(&record_schema, json, size, arena, out, err))
        return err_add(err, "the record of container %s", place->id);
    return true;
}

bool record_write(const struct oci_place *place, const struct record *record, struct err *err)
{
    char path[OCI_PATH_SIZE];
    AUTO(text) *json = text_new(RECORD_MAX);
    fields_print(&record_schema, record, FIELDS_ALL, json, NULL);
    if (!text_ok(json))
        return err_set(err, ERR_TOO_LARGE, "the record of container %s is too long", place->name);
    oci_file(place->folder, "record", path);
    return file_replace(path, json->bytes, json->size, 0600, false, err);
}

/* ---- processes ---- */

/* "123 (name with ) in it) S 1 …": the state is the first field behind the last bracket, the
 * start the 20th. */
int64_t process_began(int64_t pid)
{
    char path[64];
    AUTO_FREE char *stat = NULL;
    size_t size;
    int64_t ticks = 0;
    struct err ignored;
    text_format(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if (pid <= 0 || !file_read(path, 4096, &stat, &size, &ignored))
        return 0;
    char *at = strrchr(stat, ')');
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return 0;
    at += 2;
    for (int skipped = 0; skipped < 19 && at; skipped++)
        at = (at = strchr(at, ' ')) ? at + 1 : NULL;
    if (!at)
        return 0;
    at[strcspn(at, " ")] = '\0';
    return text_to_int(at, &ticks) ? ticks : 0;
}

/* The start time is compared after the descriptor is held: from then on the number cannot be
 * given to another. */
int process_open(int64_t pid, int64_t began)
{
    if (pid <= 0 || began <= 0)
        return -1;
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    return fd >= 0 && process_lives(pid, began) ? TAKE_FD(fd) : -1;
}

bool process_wait(int process_fd, int64_t timeout_ms)
{
    struct pollfd ended = {.fd = process_fd, .events = POLLIN};
    return process_fd < 0 || poll(&ended, 1, (int)timeout_ms) == 1;
}
