/* The file `ready` beside a volume's data: written when the volume is whole, it says what must still be there for the
 * volume to be up. After a reboot the mounts are gone and the file is not. */
#include "base/file.h"
#include "node-agent/volume/inside.h"

#include <string.h>

enum { MARK_MAX = 64 };

static const char *const words[] = {
    [MADE_NOT] = "", [MADE_FOLDER] = "folder", [MADE_MOUNT] = "mount", [MADE_SERVED] = "served"};

bool mark_write(const char *folder, enum made made, struct err *err)
{
    char path[VOLUME_PATH_SIZE];

    if (!text_format(path, sizeof path, "%s/ready", folder))
        return err_set(err, ERR_INVALID, "the path %s is too long", folder);
    return file_replace(path, words[made], strlen(words[made]), 0600, false, err);
}

void mark_remove(const char *folder)
{
    char path[VOLUME_PATH_SIZE];

    if (text_format(path, sizeof path, "%s/ready", folder))
        unlink(path);
}

static enum made mark_read(const char *folder)
{
    char path[VOLUME_PATH_SIZE];
    AUTO_FREE char *bytes = NULL;
    struct err absent = {0};
    size_t size;

    if (!text_format(path, sizeof path, "%s/ready", folder) ||
        !file_read(path, MARK_MAX, &bytes, &size, &absent))
        return MADE_NOT;
    for (size_t i = MADE_FOLDER; i < COUNT_OF(words); i++) {
        if (strcmp(bytes, words[i]) == 0)
            return (enum made)i;
    }
    return MADE_NOT;
}

bool mark_holds(const char *folder)
{
    char data[VOLUME_PATH_SIZE];

    if (!text_format(data, sizeof data, "%s/data", folder))
        return false;
    switch (mark_read(folder)) {
    case MADE_NOT:
        return false;
    case MADE_FOLDER:
        return file_exists(data);
    case MADE_MOUNT:
        return mount_is_here(data);
    case MADE_SERVED:
        return mount_is_here(data) && share_rclone_serves(folder);
    }
    return false;
}
