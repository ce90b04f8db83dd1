/* Local disks, volumes of Berth's own (docs/adr/0034): their names and sizes. */
#include "model/check/inside.h"
#include "model/local_disk.h"

#include <string.h>

static void refuse(struct check *check, size_t index, const char *member, const char *why)
{
    check_problem(check, ERR_VOLUME,
                  check_path(check, "properties.volumes[%zu].localDisk.%s", index, member),
                  "The volume '%.63s' in container group '%.63s' is invalid: %s.",
                  check->group->properties->volumes[index].name, check->name, why);
}

/* One folder under two names of volumes would be a riddle. */
static bool is_named_before(const struct check *check, size_t index, const char *name)
{
    const struct volume *volumes = check->group->properties->volumes;

    for (size_t i = 0; i < index; i++) {
        const struct local_disk_volume *disk = volumes[i].local_disk;
        if (disk && disk->name && strcmp(disk->name, name) == 0)
            return true;
    }
    return false;
}

static void check_disk(struct check *check, size_t index, const struct local_disk_volume *disk)
{
    int64_t bytes;
    const char *fault = local_disk_size(disk, &bytes);

    if (fault)
        refuse(check, index, "sizeLimit", fault);
    if (!disk->name)
        return; /* told as missing by its table */
    if (!word_hyphened(disk->name, 1, 63, false))
        refuse(check, index, "name",
               "the name of a local disk has 1 to 63 lower-case letters, digits or hyphens, no "
               "hyphen first, last or doubled");
    else if (is_named_before(check, index, disk->name))
        refuse(check, index, "name", "another volume of the group is this local disk already");
}

void check_disks(struct check *check)
{
    const struct group_properties *properties = check->group->properties;

    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (properties->volumes[i].name && properties->volumes[i].local_disk)
            check_disk(check, i, properties->volumes[i].local_disk);
    }
}
