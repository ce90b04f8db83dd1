#include "model/local_disk.h"

#include "base/limits.h"
#include "model/empty_dir.h"

const char *local_disk_size(const struct local_disk_volume *disk, int64_t *bytes)
{
    int64_t read = 0;

    if (disk->size_limit && !quantity_bytes(disk->size_limit, &read))
        return "its 'sizeLimit' is a quantity of bytes, such as '500Mi' or '2G'";
    if (disk->size_limit &&
        (read < (int64_t)LIMIT_DISK_BYTES_MIN || read > (int64_t)LIMIT_DISK_BYTES_MAX))
        return "its 'sizeLimit' must be between 16 MiB and 16 TiB";
    *bytes = read;
    return NULL;
}

size_t local_disks_of(const struct group_properties *properties, struct disk_ask *asks, size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < properties->volumes_count && count < max; i++) {
        const struct local_disk_volume *disk = properties->volumes[i].local_disk;
        int64_t bytes;
        if (disk && disk->name && !local_disk_size(disk, &bytes))
            asks[count++] = (struct disk_ask){disk->name, bytes};
    }
    return count;
}
