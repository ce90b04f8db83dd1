/* secret (§14.4): a file for each name, in memory that is never swapped, which nobody can write once it is filled. */
#include "base/file.h"
#include "base/limits.h"
#include "model/group_check.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

enum { FILE_MODE = 0444, PAGE_BYTES = 4096, SPARE_PAGES = 16 };

/* A page for each file and one for each page of it, and some for the folder. */
static int64_t bytes_needed(const struct text_map *files)
{
    int64_t pages = SPARE_PAGES;

    for (size_t i = 0; i < files->count; i++)
        pages += 2 + (int64_t)strlen(files->items[i].value) / PAGE_BYTES;
    return pages * PAGE_BYTES;
}

/* tmpfs has learnt to keep out of swap with Linux 6.4; ramfs, which knows no size, always did. */
static bool mount_memory(const char *at, const struct text_map *files, struct err *err)
{
    unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char options[96];

    text_format(options, sizeof options, "mode=0755,size=%lld,noswap",
                (long long)bytes_needed(files));
    if (mount("berth", at, "tmpfs", flags, options) == 0 ||
        (errno == EINVAL && mount("berth", at, "ramfs", flags, "mode=0755") == 0))
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot mount a folder in memory");
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno != EINTR)
            return false;
        bytes += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

static bool write_file(int folder, uid_t owner, const struct text_pair *file, struct err *err)
{
    size_t size = 0, room = strlen(file->value) + PAGE_BYTES;
    AUTO(arena) *arena = arena_new(room);
    const char *bytes = arena ? word_base64_text(file->value, arena, &size) : NULL;

    if (!bytes)
        return err_set(err, ERR_VOLUME, "the value of its secret '%.63s' is not base64", file->key);
    AUTO_CLOSE int fd =
        openat(folder, file->key, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    bool written = fd >= 0 && fchown(fd, owner, owner) == 0 && fchmod(fd, FILE_MODE) == 0 &&
                   write_all(fd, bytes, size);
    int failed = errno;
    explicit_bzero((char *)(uintptr_t)bytes, size);
    return written || err_set_os(err, ERR_IO, failed, "cannot write its secret '%.63s'", file->key);
}

enum made secret_make(const struct making *making, struct err *err)
{
    const struct text_map *files = &making->volume->secret;

    if (!mount_memory(making->data, files, err))
        return MADE_NOT;
    AUTO_CLOSE int folder = open(making->data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    uid_t owner = making->group->users.first;
    if (folder < 0 || fchown(folder, owner, owner) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot give it to its group");
        return MADE_NOT;
    }
    for (size_t i = 0; i < files->count; i++) {
        if (strchr(files->items[i].key, '/') || !write_file(folder, owner, &files->items[i], err))
            return MADE_NOT;
    }
    if (mount(NULL, making->data, NULL,
              MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
        return MADE_MOUNT;
    err_set_os(err, ERR_IO, errno, "cannot make its files read-only");
    return MADE_NOT;
}
