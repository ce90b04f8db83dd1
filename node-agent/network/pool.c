/* Spares: namespaces made before anybody needs them. Taking one is a rename of its folder, so two threads never take
 * the same, and an agent that restarts finds them where they were. */
#include "node-agent/network/inside.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <stdio.h>

enum { NAMES_ARENA = 1 << 20 };

static bool spares_list(const struct network *network, struct arena **arena,
                        struct text_list *names, struct err *err)
{
    *arena = arena_new(NAMES_ARENA);
    if (!*arena)
        return err_set(err, ERR_BUSY, "no memory to list namespaces");
    return folder_names(network, ".spare-", *arena, names, err);
}

bool pool_take(struct network *network, const char *folder, bool own_users)
{
    AUTO(arena) *arena = NULL;
    struct text_list names;
    struct err ignored;
    char path[NETWORK_PATH_SIZE];
    if (!spares_list(network, &arena, &names, &ignored))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        group_path(network, names.items[i], "", path);
        if (namespaces_there(path) && namespaces_users_there(path) == own_users &&
            rename(path, folder) == 0)
            return true;
    }
    return false;
}

static bool spare_make(struct network *network, struct err *err)
{
    char id[ID_SIZE], name[64], building[NETWORK_PATH_SIZE], path[NETWORK_PATH_SIZE];
    struct err ignored;
    id_random(id);
    text_format(name, sizeof name, ".new-%s", id);
    group_path(network, name, "", building);
    text_format(name, sizeof name, ".spare-%s", id);
    group_path(network, name, "", path);
    bool made = file_make_folders(building, 0755, err) &&
                spaces_make(network, building, network->users.first != 0, err);
    if (made && rename(building, path) == 0)
        return true;
    if (made)
        err_set_os(err, ERR_IO, errno, "cannot keep namespaces made in advance");
    if (!spaces_remove(network, building, &ignored))
        return err_add(err, "(and what was made cannot be removed: %s)", ignored.text);
    return false;
}

bool network_prepare(struct network *network, int count, struct err *err)
{
    AUTO(arena) *arena = NULL;
    struct text_list names;
    char path[NETWORK_PATH_SIZE];
    if (count > LIMIT_NETWORK_PREPARED_MAX)
        count = (int)LIMIT_NETWORK_PREPARED_MAX;
    if (!spares_list(network, &arena, &names, err))
        return false;
    for (size_t i = (size_t)count; i < names.count; i++) {
        group_path(network, names.items[i], "", path);
        if (!spaces_remove(network, path, err))
            return false;
    }
    for (size_t i = names.count; i < (size_t)count; i++) {
        if (!spare_make(network, err))
            return false;
    }
    return true;
}
