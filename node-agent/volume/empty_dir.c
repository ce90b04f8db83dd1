/* emptyDir (§14.3): an empty folder of limited size, on disk or in memory. It lives as long as the group's incarnation
 * runs on this boot of the node: restarts of containers keep it, a restart of the group does not. */
#include "model/empty_dir.h"
#include "base/limits.h"
#include "node-agent/volume/inside.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_TO_ALL = 0777 };

/* Scratch: it is stored under the numbers that the group's users have on the node. */
static bool open_to_all(const struct making *making, struct err *err)
{
    uid_t owner = making->group->users.first;

    return (chown(making->data, owner, owner) == 0 && chmod(making->data, OPEN_TO_ALL) == 0) ||
           err_set_os(err, ERR_IO, errno, "cannot open %s to all users", making->data);
}

/* Counts as memory of the container that writes it, so that the group's own ceiling holds too. */
static enum made in_memory(const struct making *making, int64_t size_bytes, struct err *err)
{
    int64_t most = making->group->memory_bytes;
    uint32_t owner = making->group->users.first;
    char options[96];

    if (size_bytes == 0 || (most > 0 && size_bytes > most))
        size_bytes = most > 0 ? most : (int64_t)LIMIT_VOLUME_BYTES_MAX;
    text_format(options, sizeof options, "mode=0777,size=%lld,uid=%u,gid=%u", (long long)size_bytes,
                owner, owner);
    if (mount("berth", making->data, "tmpfs", MS_NOSUID | MS_NODEV, options) == 0)
        return MADE_MOUNT;
    err_set_os(err, ERR_IO, errno, "cannot mount a folder in memory");
    return MADE_NOT;
}

static enum made on_disk(const struct making *making, int64_t size_bytes, struct err *err)
{
    char image[VOLUME_PATH_SIZE];

    text_format(image, sizeof image, "%s/image", making->folder);
    return sized_mount(making, image, making->data,
                       size_bytes ? size_bytes : (int64_t)LIMIT_VOLUME_BYTES_MAX, err) &&
                   open_to_all(making, err)
               ? MADE_MOUNT
               : MADE_NOT;
}

enum made empty_dir_make(const struct making *making, struct err *err)
{
    struct empty_dir asked;
    const char *fault = empty_dir_parse(&making->volume->empty_dir, &asked);

    if (fault) {
        err_set(err, ERR_VOLUME, "%s", fault);
        return MADE_NOT;
    }
    if (asked.in_memory)
        return in_memory(making, asked.size_bytes, err);
    if (!making->volumes->unsized)
        return on_disk(making, asked.size_bytes, err);
    if (asked.size_bytes > 0) {
        err_set(err, ERR_NOT_IMPLEMENTED, "this node holds no folder to a 'sizeLimit': %s",
                making->volumes->unsized);
        return MADE_NOT;
    }
    return open_to_all(making, err) ? MADE_FOLDER : MADE_NOT;
}
