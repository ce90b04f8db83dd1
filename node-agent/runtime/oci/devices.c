/* The device files of the node, for a container that may have them all. */
#include "node-agent/runtime/oci/rights.h"

#include "base/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { DEPTH_MAX = 4 };

/* Every container has its own of these. */
static bool is_own(const char *path)
{
    static const char *const own[] = {"/dev/null",    "/dev/zero", "/dev/full",   "/dev/random",
                                      "/dev/urandom", "/dev/tty",  "/dev/ptmx",   "/dev/console",
                                      "/dev/pts",     "/dev/shm",  "/dev/mqueue", "/dev/fd"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (strcmp(own[i], path) == 0)
            return true;
    return false;
}

struct found {
    struct arena *arena;
    struct runtime_device *items;
    size_t count, max;
};

static bool is_given(const struct found *found, const char *path)
{
    for (size_t i = 0; i < found->count; i++)
        if (strcmp(found->items[i].path, path) == 0)
            return true;
    return false;
}

static bool keep(struct found *found, const char *path, const struct stat *seen)
{
    const char *copy = arena_text(found->arena, path);
    if (!copy)
        return false;
    found->items[found->count++] = (struct runtime_device){
        .path = copy,
        .type = S_ISBLK(seen->st_mode) ? 'b' : 'c',
        .major = major(seen->st_rdev),
        .minor = minor(seen->st_rdev),
        .mode = seen->st_mode & 0777,
        .user = seen->st_uid,
        .user_group = seen->st_gid,
        .access = "rwm",
    };
    return true;
}

static bool walk(struct found *found, const char *folder, int depth)
{
    DIR *entries = opendir(folder);
    bool kept = true;
    if (!entries)
        return true;
    for (const struct dirent *entry;
         kept && (entry = readdir(entries)) && found->count < found->max;) {
        char path[512];
        struct stat seen;
        if (entry->d_name[0] == '.' ||
            !text_format(path, sizeof path, "%s/%s", folder, entry->d_name) || is_own(path) ||
            lstat(path, &seen) != 0)
            continue;
        if (is_given(found, path))
            continue;
        if (S_ISDIR(seen.st_mode) && depth < DEPTH_MAX)
            kept = walk(found, path, depth + 1);
        else if (S_ISCHR(seen.st_mode) || S_ISBLK(seen.st_mode))
            kept = keep(found, path, &seen);
    }
    closedir(entries);
    return kept;
}

bool devices_of_node(struct arena *arena, const struct runtime_device *given, size_t given_count,
                     struct runtime_device **devices, size_t *count)
{
    size_t max = given_count + LIMIT_NODE_DEVICES_MAX;
    struct found found = {arena, arena_array(arena, max, sizeof **devices), 0, max};
    if (!found.items)
        return false;
    for (size_t i = 0; i < given_count; i++)
        found.items[found.count++] = given[i];
    if (!walk(&found, "/dev", 1))
        return false;
    *devices = found.items;
    *count = found.count;
    return true;
}
