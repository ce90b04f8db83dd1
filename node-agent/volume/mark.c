/* The file `ready` beside a volume's data: written when the volume is whole, it says what must still be there for the
 * volume to be up, and the first id of the users it was made for, if they are not the node's: "mount 1879048192". After
 * a reboot the mounts are gone and the file is not. */
#include "base/file.h"
#include "node-agent/volume/inside.h"

#include <string.h>

enum { MARK_MAX = 64 };

static const char *const words[] = {
    [MADE_NOT] = "", [MADE_FOLDER] = "folder", [MADE_MOUNT] = "mount", [MADE_SERVED] = "served"};

bool mark_write(const char *folder, enum made made, uint32_t users_first, struct err *err)
{
    char path[VOLUME_PATH_SIZE], line[MARK_MAX];

    text_format(line, sizeof line, users_first ? "%s %u" : "%s", words[made], users_first);
    if (!text_format(path, sizeof path, "%s/ready", folder))
        return err_set(err, ERR_INVALID, "the path %s is too long", folder);
    return file_replace(path, line, strlen(line), 0600, false, err);
}

void mark_remove(const char *folder)
{
    char path[VOLUME_PATH_SIZE];

    if (text_format(path, sizeof path, "%s/ready", folder))
        unlink(path);
}

static enum made mark_read(const char *folder, uint32_t *users_first)
{
    char path[VOLUME_PATH_SIZE];
    AUTO_FREE char *bytes = NULL;
    struct err absent = {0};
    size_t size;
    int64_t number = 0;

    *users_first = 0;
    if (!text_format(path, sizeof path, "%s/ready", folder) ||
        !file_read(path, MARK_MAX, &bytes, &size, &absent))
        return MADE_NOT;
    char *blank = strchr(bytes, ' ');
    if (blank) {
        *blank = '\0';
        *users_first = text_to_int(blank + 1, &number) ? (uint32_t)number : 0;
    }
    for (size_t i = MADE_FOLDER; i < COUNT_OF(words); i++) {
        if (strcmp(bytes, words[i]) == 0)
            return (enum made)i;
    }
    return MADE_NOT;
}

bool mark_holds_for(const char *folder, uint32_t users_first)
{
    uint32_t made_for;

    return mark_read(folder, &made_for) != MADE_NOT && made_for == users_first &&
           mark_holds(folder);
}

bool mark_holds(const char *folder)
{
    char data[VOLUME_PATH_SIZE];
    uint32_t made_for;

    if (!text_format(data, sizeof data, "%s/data", folder))
        return false;
    switch (mark_read(folder, &made_for)) {
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
