/* Devices of a container with users of its own. Nobody inside a user namespace can make a device, and one that is mounted
 * from the node belongs to a user who is nobody there: they are made here, belong to the container's users, and are
 * mounted into it one by one. The folder is a tmpfs that devices work on; where specs are kept they need not. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void nodes_path(const struct oci *oci, const char *id, char out[OCI_PATH_SIZE])
{
    CHECK(text_format(out, OCI_PATH_SIZE, "%s/dev%s%s", oci->root, *id ? "/" : "", id));
}

bool device_nodes_open(const struct oci *oci, struct err *err)
{
    char folder[OCI_PATH_SIZE];
    nodes_path(oci, "", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return err_set_os(err, ERR_IO, errno, "cannot make %s", folder);
    if (oci_is_mounted(folder) ||
        mount("berth", folder, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0700,size=1m") == 0)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot mount a folder of devices at %s", folder);
}

void device_nodes_close(const char *root)
{
    char folder[OCI_PATH_SIZE];
    oci_file(root, "dev", folder);
    while (umount2(folder, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        continue;
}

static mode_t type_of(const struct runtime_device *device)
{
    if (device->type == 'p')
        return S_IFIFO;
    return device->type == 'b' ? S_IFBLK : S_IFCHR;
}

static bool node_make(const char *path, const struct runtime_device *device, uint32_t first,
                      struct err *err)
{
    dev_t number = device->type == 'p' ? 0 : makedev(device->major, device->minor);
    return (mknod(path, type_of(device) | 0600, number) == 0 &&
            chown(path, first + device->user, first + device->user_group) == 0 &&
            chmod(path, device->mode) == 0) ||
           err_set_os(err, ERR_IO, errno, "cannot make the device %s", device->path);
}

bool device_nodes_make(const struct oci *oci, const struct oci_place *place,
                       const struct runtime_container *container, char folder[OCI_PATH_SIZE],
                       struct err *err)
{
    char path[OCI_PATH_SIZE];
    nodes_path(oci, place->id, folder);
    if (container->devices_count == 0 || !container->users.path)
        return true;
    if (!file_remove_tree(folder, err) || !file_make_folders(folder, 0700, err))
        return false;
    for (size_t i = 0; i < container->devices_count; i++) {
        text_format(path, sizeof path, "%s/%zu", folder, i);
        if (!node_make(path, &container->devices[i], container->users.first, err))
            return false;
    }
    return true;
}

bool device_nodes_remove(const struct oci *oci, const struct oci_place *place, struct err *err)
{
    char folder[OCI_PATH_SIZE];
    nodes_path(oci, place->id, folder);
    return file_remove_tree(folder, err);
}
