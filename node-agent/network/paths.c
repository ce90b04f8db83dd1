/* Names and small files of the run folder. */
#include "node-agent/network/inside.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { NAMES_ARENA = 16 << 20 };

bool network_path(const struct network *network, char out[NETWORK_PATH_SIZE], const char *name)
{
    return text_format(out, NETWORK_PATH_SIZE, "%s/%s", network->run_dir, name);
}

void group_path(const struct network *network, const char *uid, const char *name,
                char out[NETWORK_PATH_SIZE])
{
    CHECK(text_format(out, NETWORK_PATH_SIZE, "%s/ns/%s%s%s", network->run_dir, uid,
                      *name ? "/" : "", name));
}

bool uid_valid(const char *uid)
{
    size_t size = strspn(uid, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-");
    return size > 0 && size < ID_SIZE && uid[size] == '\0' && uid[0] != '-';
}

/* FNV-1a, 48 bits of it: a thousand names meet once in five hundred million nodes. */
void link_name(const char *bridge, const char *uid, char out[NETWORK_LINK_SIZE])
{
    uint64_t hash = 0xcbf29ce484222325u;
    const char *parts[] = {bridge, "/", uid};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        for (const char *c = parts[i]; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    CHECK(text_format(out, NETWORK_LINK_SIZE, "bv%012llx", (unsigned long long)(hash >> 16)));
}

bool line_read(const char *path, char *out, size_t size)
{
    AUTO_FREE char *bytes = NULL;
    size_t read;
    struct err ignored;
    if (!file_read(path, size, &bytes, &read, &ignored))
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    return text_copy(out, size, bytes);
}

bool line_write(const char *path, const char *line, struct err *err)
{
    char content[NETWORK_PATH_SIZE];
    if (!text_format(content, sizeof content, "%s\n", line))
        return err_set(err, ERR_INVALID, "%s does not fit into %s", line, path);
    return file_replace(path, content, strlen(content), 0644, false, err);
}

bool setting_write(const char *path, const char *value, struct err *err)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return err_set_os(err, ERR_IO, errno, "cannot write %s to %s", value, path);
    return true;
}

void setting_try(const char *path, const char *value)
{
    struct err ignored;
    if (!setting_write(path, value, &ignored))
        return;
}

struct folder {
    DIR *stream;
};

static void folder_close(struct folder *folder)
{
    if (folder->stream)
        closedir(folder->stream);
}

static bool name_wanted(const char *name, const char *prefix)
{
    if (!prefix)
        return uid_valid(name);
    return text_has_prefix(name, prefix) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool name_add(struct text_list *names, const char *name, struct arena *arena,
                     struct err *err)
{
    if ((names->count & (names->count - 1)) == 0) { /* full: a power of two */
        const char **grown = arena_array(arena, names->count ? names->count * 2 : 1, sizeof *grown);
        if (!grown)
            return err_set(err, ERR_BUSY, "too many groups for the memory given to list them");
        if (names->count)
            memcpy(grown, names->items, names->count * sizeof *grown);
        names->items = grown;
    }
    names->items[names->count] = arena_text(arena, name);
    if (!names->items[names->count])
        return err_set(err, ERR_BUSY, "too many groups for the memory given to list them");
    names->count++;
    return true;
}

bool folder_names(const struct network *network, const char *prefix, struct arena *arena,
                  struct text_list *names, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    group_path(network, "", "", path);
    __attribute__((cleanup(folder_close))) struct folder folder = {opendir(path)};
    *names = (struct text_list){.given = true};
    if (!folder.stream && errno == ENOENT)
        return true;
    if (!folder.stream)
        return err_set_os(err, ERR_IO, errno, "cannot list %s", path);
    for (struct dirent *entry; (entry = readdir(folder.stream));) {
        if (name_wanted(entry->d_name, prefix) && !name_add(names, entry->d_name, arena, err))
            return false;
    }
    return true;
}

bool folders_remove(const struct network *network, const char *prefix, struct err *err)
{
    AUTO(arena) *arena = arena_new(NAMES_ARENA);
    struct text_list names;
    char path[NETWORK_PATH_SIZE];
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list groups");
    if (!folder_names(network, prefix, arena, &names, err))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        group_path(network, names.items[i], "", path);
        if (!namespaces_remove(path, err))
            return false;
    }
    return true;
}
