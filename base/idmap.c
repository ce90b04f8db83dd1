#include "base/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

const struct idmap node_users;

int idmap_clone(const char *folder, const struct idmap *map, uint64_t flags, struct err *err)
{
    AUTO_CLOSE int users = open(map->path, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int clone =
        open_tree(AT_FDCWD, folder, (unsigned)(OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    struct mount_attr attr = {.attr_set = flags | MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)users};
    if (users >= 0 && clone >= 0 &&
        mount_setattr(clone, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0)
        return TAKE_FD(clone);
    err_set_os(err, ERR_IO, errno, "cannot show %s to the users of %s", folder, map->path);
    return -1;
}

bool idmap_mount(const char *from, const char *to, const struct idmap *map, uint64_t flags,
                 struct err *err)
{
    AUTO_CLOSE int clone = idmap_clone(from, map, flags, err);
    if (clone < 0)
        return false;
    return move_mount(clone, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH) == 0 ||
           err_set_os(err, ERR_IO, errno, "cannot mount %s at %s", from, to);
}
