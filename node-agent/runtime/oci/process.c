/* What a command in a container is given: the process that the container itself is, with other arguments. In a memory
 * file, as its environment has secrets. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "node-agent/runtime/oci/child.h"
#include "node-agent/runtime/oci/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

enum { PROCESS_MAX = 8 * 1024 * 1024 }; /* as the configuration it is part of */

static int memory_file(const struct text *json)
{
    AUTO_CLOSE int fd = memfd_create("process", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < json->size) {
        ssize_t written = write(fd, json->bytes + done, json->size - done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? fcntl(fd, F_DUPFD_CLOEXEC, CHILD_ABOVE_FD) : -1;
}

/* In the place of what config_add_process() says of it: a container has none. */
static void add_terminal(struct text *json, const struct runtime_exec *exec)
{
    text_addf(json, "\"terminal\":true,\"consoleSize\":{\"height\":%d,\"width\":%d}", exec->rows,
              exec->columns);
}

/* Up to where its environment begins, which says what kind of terminal it has, as others who give one say. */
static const char *add_kind(struct text *json, const char *members)
{
    static const char begin[] = "\"env\":[";
    const char *at = strstr(members, begin);
    if (!at || strstr(at, "\"TERM="))
        return members;
    at += strlen(begin);
    text_add_n(json, members, (size_t)(at - members));
    text_add(json, *at == ']' ? "\"TERM=xterm\"" : "\"TERM=xterm\",");
    return at;
}

static void process_fill(struct text *json, const char *members, const struct text_list *args,
                         const struct runtime_exec *terminal)
{
    static const char none[] = "\"terminal\":false";
    text_add_char(json, '{');
    config_add_args(json, args);
    text_add_char(json, ',');
    if (terminal) {
        CHECK(text_has_prefix(members, none));
        add_terminal(json, terminal);
        members = add_kind(json, members + strlen(none));
    }
    text_add(json, members);
    text_add_char(json, '}');
}

int oci_process_open(const struct oci_place *place, const struct text_list *args,
                     const struct runtime_exec *terminal, struct err *err)
{
    char path[OCI_PATH_SIZE];
    AUTO_FREE char *members = NULL;
    AUTO(text) *json = text_new(PROCESS_MAX);
    size_t size;
    oci_file(place->folder, "process", path);
    if (!file_read(path, PROCESS_MAX, &members, &size, err)) {
        if (err->code == ERR_NOT_FOUND)
            err_set(err, ERR_NOT_FOUND, "there is no container %s", place->name);
        return -1;
    }
    process_fill(json, members, args, terminal);
    int fd = text_ok(json) ? memory_file(json) : -1;
    text_wipe(json);
    explicit_bzero(members, size);
    if (fd < 0)
        err_set_os(err, ERR_BUSY, errno, "cannot prepare a command for container %s", place->name);
    return fd;
}
