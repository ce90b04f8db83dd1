/* Which users the namespaces of a folder belong to, and whose ids are taken: in the kernel and in the file "users" of
 * each folder, so that an agent that restarts goes on with them. */
#include "node-agent/network/inside.h"

#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <sys/stat.h>

enum { NAMES_ARENA = 16 << 20 };

static bool ids_take(struct network *network, uint32_t *first, struct err *err)
{
    WITH_LOCK(&network->lock);
    return users_take(&network->users, first, err);
}

static void ids_mark(struct network *network, uint32_t first, bool taken)
{
    WITH_LOCK(&network->lock);
    users_mark(&network->users, first, taken);
}

/* Users that are there already stay. On failure what was made stays for spaces_remove(). */
bool spaces_make(struct network *network, const char *folder, bool own_users, struct err *err)
{
    struct namespaces_plan plan = {.folder = folder, .make = true};
    bool kept = own_users && namespaces_users_there(folder);
    if (kept && !users_read(folder, &plan.users_first))
        return err_set(err, ERR_IO, "cannot read %s/users", folder);
    if (own_users && !kept && !ids_take(network, &plan.users_first, err))
        return false;
    if (namespaces_work(&plan, err))
        return true;
    uint32_t written;
    if (own_users && !kept && !users_read(folder, &written))
        ids_mark(network, plan.users_first, false); /* nobody else would know of them */
    return false;
}

bool spaces_remove(struct network *network, const char *folder, struct err *err)
{
    uint32_t first;
    bool own = users_read(folder, &first);
    if (!namespaces_remove(folder, err))
        return false;
    if (own)
        ids_mark(network, first, false);
    return true;
}

bool spaces_take(struct network *network, const char *folder, bool own_users, struct err *err)
{
    if (namespaces_there(folder) && namespaces_users_there(folder) == own_users)
        return true;
    if (!file_exists(folder) && pool_take(network, folder, own_users))
        return true;
    return file_make_folders(folder, 0755, err) && spaces_make(network, folder, own_users, err);
}

uint32_t network_users_count(const struct network *network)
{
    return network->users.count;
}

void network_users_stop(struct network *network)
{
    struct err ignored;
    network->users.first = 0;
    network->users.count = 0;
    if (!spaces_recover(network, &ignored)) /* spares that have some: nobody would take them */
        log_warn("spares_stay", "text=%s", LOG_QUOTE(ignored.text));
}

/* ---- after a restart ---- */

/* Others may go through the run folder (runtime/oci/users.c), and see nothing of the groups in it. */
static bool close_folders(const struct network *network, struct err *err)
{
    char path[NETWORK_PATH_SIZE];
    CHECK(network_path(network, path, "ns"));
    return chmod(path, 0700) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot close %s to others", path);
}

bool spaces_recover(struct network *network, struct err *err)
{
    static const char *const prefixes[] = {NULL, ".spare-"};
    AUTO(arena) *arena = arena_new(NAMES_ARENA);
    char path[NETWORK_PATH_SIZE];
    if (!arena)
        return err_set(err, ERR_BUSY, "no memory to list groups");
    if (!close_folders(network, err))
        return false;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++) {
        struct text_list names;
        if (!folder_names(network, prefixes[i], arena, &names, err))
            return false;
        for (size_t k = 0; k < names.count; k++) {
            uint32_t first;
            group_path(network, names.items[k], "", path);
            bool own = users_read(path, &first);
            if (own)
                ids_mark(network, first, true);
            if (prefixes[i] && own != (network->users.first != 0) &&
                !spaces_remove(network, path, err))
                return false;
        }
    }
    return true;
}
