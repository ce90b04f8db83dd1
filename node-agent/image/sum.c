/* What a layer looks like, as one number: names, kinds, owners, modes, sizes and times of all its files, in
 * any order. A file that is missing, cut, replaced or re-owned gives another one. Content of the same size
 * and time is believed: reading it all would cost what unpacking does. */
#include "node-agent/image/sum.h"

#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 2 * LIMIT_IMAGE_DEPTH_MAX + 2 };

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001B3);
    return mix(hash, 1);
}

/* A folder's own size and times belong to the file system, not to the image. */
static uint64_t sum_of(uint64_t above, const char *name, const struct stat *seen)
{
    uint64_t hash = mix_text(above, name);

    hash = mix(hash, seen->st_mode);
    hash = mix(hash, (uint64_t)seen->st_uid << 32 | seen->st_gid);
    hash = mix(hash, seen->st_rdev);
    if (S_ISDIR(seen->st_mode))
        return hash;
    hash = mix(hash, (uint64_t)seen->st_size);
    return mix(mix(hash, (uint64_t)seen->st_mtim.tv_sec), (uint64_t)seen->st_mtim.tv_nsec);
}

/* Takes the descriptor. */
static bool walk(int fd, uint64_t above, int depth, uint64_t *sum)
{
    DIR *folder = fdopendir(fd);
    struct dirent *entry;
    struct stat seen;
    bool whole = folder && depth < DEPTH_MAX;

    if (!folder)
        close(fd);
    while (whole && (errno = 0, entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        whole = fstatat(dirfd(folder), name, &seen, AT_SYMLINK_NOFOLLOW) == 0;
        uint64_t hash = whole ? sum_of(above, name, &seen) : 0;
        *sum += hash;
        if (whole && S_ISDIR(seen.st_mode)) {
            int below =
                openat(dirfd(folder), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            whole = below >= 0 && walk(below, hash, depth + 1, sum);
        }
    }
    whole = whole && errno == 0;
    if (folder)
        closedir(folder);
    return whole;
}

bool sum_folder(const char *path, uint64_t *sum)
{
    struct stat seen;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &seen) != 0) {
        auto_close_fd(&fd);
        return false;
    }
    *sum = sum_of(0, "", &seen);
    return walk(fd, *sum, 0, sum);
}
