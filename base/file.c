#include "base/file.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum err_code code_of(int os_errno)
{
    switch (os_errno) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case ENOSPC:
    case EDQUOT:
        return ERR_STORAGE;
    default:
        return ERR_IO;
    }
}

/* ---- reading ---- */

/* Files of /proc say they have no size, so the end is found by reading. */
static bool read_all(int fd, size_t size_max, struct text *bytes)
{
    char chunk[16 * 1024];
    for (;;) {
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0;
        text_add_n(bytes, chunk, (size_t)got);
        if (bytes->size > size_max || !text_ok(bytes)) {
            errno = EFBIG;
            return false;
        }
    }
}

bool file_read(const char *path, size_t size_max, char **bytes, size_t *size, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set_os(err, code_of(errno), errno, "cannot open %s", path);
    AUTO(text) *content = text_new(size_max);
    struct stat about;
    if (fstat(fd, &about) == 0 && about.st_size > 0 && (size_t)about.st_size <= size_max)
        text_reserve(content, (size_t)about.st_size);
    if (!read_all(fd, size_max, content)) {
        if (errno == EFBIG)
            return err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path, size_max);
        return err_set_os(err, ERR_IO, errno, "cannot read %s", path);
    }
    size_t length;
    char *taken = text_take(content, &length);
    if (!taken)
        return err_set(err, ERR_BUSY, "out of memory reading %s", path);
    *bytes = taken;
    if (size)
        *size = length;
    return true;
}

bool file_exists(const char *path)
{
    struct stat about;
    return lstat(path, &about) == 0;
}

/* ---- writing ---- */

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static void folder_of(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        text_copy(folder, size, ".");
    else
        text_format(folder, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

bool file_sync_folder(const char *path, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return err_set_os(err, code_of(errno), errno, "cannot sync folder %s", path);
    return true;
}

static bool fill_temporary(const char *temporary, int fd, const char *bytes, size_t size,
                           mode_t mode, bool durable, struct err *err)
{
    if (fchmod(fd, mode) != 0 || !write_all(fd, bytes, size) || (durable && fsync(fd) != 0))
        return err_set_os(err, code_of(errno), errno, "cannot write %s", temporary);
    return true;
}

bool file_replace(const char *path, const char *bytes, size_t size, mode_t mode, bool durable,
                  struct err *err)
{
    char temporary[PATH_MAX], folder[PATH_MAX];
    if (!text_format(temporary, sizeof temporary, "%s.XXXXXX", path))
        return err_set(err, ERR_INVALID, "the path %s is too long", path);
    AUTO_CLOSE int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return err_set_os(err, code_of(errno), errno, "cannot make a file beside %s", path);
    if (!fill_temporary(temporary, fd, bytes, size, mode, durable, err)) {
        unlink(temporary);
        return false;
    }
    if (rename(temporary, path) != 0) {
        err_set_os(err, code_of(errno), errno, "cannot replace %s", path);
        unlink(temporary);
        return false;
    }
    folder_of(path, folder, sizeof folder);
    return !durable || file_sync_folder(folder, err);
}

/* ---- folders ---- */

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool make_folder(const char *path, mode_t mode, struct err *err)
{
    if (mkdir(path, mode) == 0)
        return true;
    int why = errno;
    if (is_folder(path))
        return true;
    if (why == EEXIST)
        return err_set(err, ERR_CONFLICT, "%s is there and is not a folder", path);
    return err_set_os(err, code_of(why), why, "cannot make folder %s", path);
}

bool file_make_folders(const char *path, mode_t mode, struct err *err)
{
    char part[PATH_MAX];
    if (!text_copy(part, sizeof part, path))
        return err_set(err, ERR_INVALID, "the path %s is too long", path);
    if (mkdir(path, mode) == 0 || is_folder(path)) /* mostly only the last is missing, or none */
        return true;
    for (char *at = part + 1; part[0] && *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (!make_folder(part, mode, err))
            return false;
        *at = '/';
    }
    return make_folder(part, mode, err);
}
