/* A log that has grown is renamed, and conmon told to go on in a new file. Until it does, it
 * writes into the renamed one: nothing is lost. An agent that died in between finds no file and
 * tells conmon again. */
#include "node-agent/runtime/oci/oci.h"

#include "base/limits.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* conmon holds the other end as long as it lives. */
static bool tell_conmon(const struct oci_place *place, struct err *err)
{
    static const char reopen[] = "2 0 0\n";
    char path[OCI_PATH_SIZE];
    oci_file(place->folder, "ctl", path);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && write(fd, reopen, strlen(reopen)) == (ssize_t)strlen(reopen))
        return true;
    if (errno == ENXIO || errno == ENOENT)
        return true; /* it has ended: nobody writes any more */
    return err_set_os(err, ERR_IO, errno, "cannot tell conmon of %s to open its log again",
                      place->name);
}

bool oci_log_rotate(struct runtime *runtime, const char *uid, const char *name, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct record record;
    struct stat about;
    char previous[OCI_PATH_SIZE];
    AUTO(arena) *arena = arena_new(64 * 1024);
    oci_place(oci, uid, name, &place);
    if (!arena || !record_read(&place, arena, &record, err))
        return false;
    if (!text_format(previous, sizeof previous, "%s.1", record.log_path))
        return err_set(err, ERR_INVALID, "the path of the log of %s is too long", place.id);
    if (stat(record.log_path, &about) == 0 && about.st_size < LIMIT_CONTAINER_LOG_FILE_MAX)
        return true;
    if (rename(record.log_path, previous) != 0 && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot rename the log of %s", place.id);
    log_debug("log_rotated", "container=%s", place.id);
    return tell_conmon(&place, err);
}
