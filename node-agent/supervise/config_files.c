#include "node-agent/supervise/config_files.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { CONFIG_PATH_SIZE = 800 };

/* The plane has checked it; here it becomes a path. Names that begin with two dots are ours. */
static bool key_is_safe(const char *key)
{
    return *key && strlen(key) <= 255 && !strchr(key, '/') && strcmp(key, ".") != 0 &&
           strncmp(key, "..", 2) != 0;
}

static bool join(char out[CONFIG_PATH_SIZE], const char *folder, const char *name, struct err *err)
{
    return text_format(out, CONFIG_PATH_SIZE, "%s/%s", folder, name) ||
           err_set(err, ERR_INVALID, "the path of %s is too long", name);
}

/* 0: there are none yet. */
static int64_t revision_of(const char *folder)
{
    char path[CONFIG_PATH_SIZE], target[32];
    int64_t revision;
    struct err ignored;
    if (!join(path, folder, "..data", &ignored))
        return 0;
    ssize_t size = readlink(path, target, sizeof target - 1);
    target[size > 0 ? size : 0] = '\0';
    return size > 2 && text_to_int(target + 2, &revision) ? revision : 0;
}

static bool give(const char *path, uid_t owner, struct err *err)
{
    return chown(path, owner, owner) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot give %s to its group", path);
}

static bool files_make(const char *place, const struct text_map *pairs, uid_t owner,
                       struct err *err)
{
    char path[CONFIG_PATH_SIZE];
    if (!file_remove_tree(place, err) || !file_make_folders(place, 0755, err) ||
        !give(place, owner, err))
        return false;
    for (size_t i = 0; i < pairs->count; i++) {
        const char *value = pairs->items[i].value ? pairs->items[i].value : "";
        if (!key_is_safe(pairs->items[i].key))
            return err_set(err, ERR_CONFIG_MAP, "a key of the configMap is no name of a file");
        if (!join(path, place, pairs->items[i].key, err) ||
            !file_replace(path, value, strlen(value), 0644, false, err) || !give(path, owner, err))
            return false;
    }
    return true;
}

/* A link in place of what is there, in one step. */
static bool link_put(const char *folder, const char *name, const char *target, struct err *err)
{
    char path[CONFIG_PATH_SIZE], fresh[CONFIG_PATH_SIZE];
    if (!join(path, folder, name, err) || !join(fresh, folder, "..new", err))
        return false;
    unlink(fresh);
    return (symlink(target, fresh) == 0 && rename(fresh, path) == 0) ||
           err_set_os(err, ERR_IO, errno, "cannot make %s", path);
}

static bool is_key(const struct text_map *pairs, const char *name)
{
    for (size_t i = 0; i < pairs->count; i++)
        if (strcmp(pairs->items[i].key, name) == 0)
            return true;
    return false;
}

/* What is neither a key nor the newest revision's goes. */
static bool sweep(const char *folder, const char *kept, const struct text_map *pairs,
                  struct err *err)
{
    char path[CONFIG_PATH_SIZE];
    DIR *entries = opendir(folder);
    bool swept = entries != NULL;
    for (const struct dirent *entry; swept && (entry = readdir(entries));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "..data") == 0 ||
            strcmp(name, kept) == 0 || is_key(pairs, name))
            continue;
        swept = join(path, folder, name, err) && file_remove_tree(path, err);
    }
    if (entries)
        closedir(entries);
    return swept;
}

static bool replace(const char *folder, int64_t revision, const struct text_map *pairs, uid_t owner,
                    struct err *err)
{
    char name[32], place[CONFIG_PATH_SIZE], target[300];
    text_format(name, sizeof name, "..%lld", (long long)revision);
    if (!join(place, folder, name, err) || !files_make(place, pairs, owner, err) ||
        !link_put(folder, "..data", name, err))
        return false;
    for (size_t i = 0; i < pairs->count; i++) {
        text_format(target, sizeof target, "..data/%s", pairs->items[i].key);
        if (!link_put(folder, pairs->items[i].key, target, err))
            return false;
    }
    return sweep(folder, name, pairs, err);
}

bool config_files_write(const char *folder, int64_t revision, const struct text_map *pairs,
                        uid_t owner, struct err *err)
{
    if (!file_make_folders(folder, 0755, err) || !give(folder, owner, err))
        return false;
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot lock %s", folder);
    return revision_of(folder) >= revision || replace(folder, revision, pairs, owner, err);
}
