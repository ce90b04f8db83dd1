/* All volumes of a group: up one after the other, down whatever is found. */
#include "base/file.h"
#include "base/thread.h"
#include "node-agent/volume/inside.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

struct volumes *volumes_open(const struct volumes_options *options, struct err *err)
{
    struct volumes *volumes = calloc(1, sizeof *volumes);

    if (!volumes) {
        err_set(err, ERR_BUSY, "no memory for volumes");
        return NULL;
    }
    volumes->disks_lock = malloc(sizeof *volumes->disks_lock);
    if (!volumes->disks_lock) {
        err_set(err, ERR_BUSY, "no memory for volumes");
        free(volumes);
        return NULL;
    }
    lock_init(volumes->disks_lock, LOCK_VOLUME_DISKS);
    volumes->options = *options;
    volumes->unsized = sized_why_not(options);
    return volumes;
}

void volumes_free(struct volumes *volumes)
{
    if (!volumes)
        return;
    lock_done(volumes->disks_lock);
    free(volumes->disks_lock);
    free(volumes);
}

bool volumes_are_sized(const struct volumes *volumes, const char **why_not)
{
    *why_not = volumes->unsized;
    return !volumes->unsized;
}

bool volume_is_read_only(const struct volume *volume)
{
    const struct azure_file_volume *share = volume->azure_file;

    return volume->secret.given ||
           (share && share->read_only.given == GIVEN_VALUE && share->read_only.value);
}

/* ---- up ---- */

static enum made make(const struct making *making, struct err *err)
{
    const struct volume *volume = making->volume;

    if (volume->azure_file)
        return share_make(making, err);
    if (volume->secret.given)
        return secret_make(making, err);
    if (volume->git)
        return git_make(making, err);
    if (volume->local_disk)
        return local_disk_make(making, err);
    if (volume->empty_dir.text)
        return empty_dir_make(making, err);
    err_set(err, ERR_NOT_IMPLEMENTED, "a volume of this kind is not known");
    return MADE_NOT;
}

/* What an earlier try left goes, but for writes that wait for a share: they are found again by their cache. */
static bool begin(const struct making *making, struct err *err)
{
    char image[VOLUME_PATH_SIZE];

    mark_remove(making->folder);
    share_rclone_end(making->folder, false);
    return mounts_take_down(making->data, err) && file_remove_tree(making->data, err) &&
           text_format(image, sizeof image, "%s/image", making->folder) &&
           file_remove_tree(image, err) && file_make_folders(making->data, 0755, err);
}

static bool volume_up(const struct making *making, struct err *err)
{
    uint32_t first = making->group->users.first;

    if (mark_holds_for(making->folder, first))
        return true;
    enum made made = begin(making, err) ? make(making, err) : MADE_NOT;
    return made != MADE_NOT && mark_write(making->folder, made, first, err);
}

static bool is_cancelled(const struct volume_group *group)
{
    struct pollfd bell = {.fd = group->cancel_fd, .events = POLLIN};

    return group->cancel_fd >= 0 && poll(&bell, 1, 0) > 0;
}

bool volumes_up(struct volumes *volumes, const struct volume_group *group, struct err *err)
{
    if (group->count > 0 && !file_make_folders(group->folder, 0700, err))
        return false;
    for (size_t i = 0; i < group->count; i++) {
        const char *name = group->volumes[i].name;
        struct making making = {.volumes = volumes, .group = group, .volume = &group->volumes[i]};
        if (is_cancelled(group))
            return err_set(err, ERR_CLOSED, "volumes are not wanted any more");
        if (!name[0] || name[0] == '.' || strchr(name, '/') ||
            !text_format(making.folder, sizeof making.folder, "%s/%s", group->folder, name) ||
            !text_format(making.data, sizeof making.data, "%s/data", making.folder))
            return err_set(err, ERR_INVALID, "the path of volume '%.63s' is too long", name);
        if (!volume_up(&making, err))
            return err_add(err, "volume '%s'", name);
    }
    return true;
}

bool volume_find(struct volumes *volumes UNUSED, const char *folder, const char *name,
                 char path[VOLUME_PATH_SIZE], struct err *err)
{
    char own[VOLUME_PATH_SIZE];

    if (!text_format(own, sizeof own, "%s/%s", folder, name) ||
        !text_format(path, VOLUME_PATH_SIZE, "%s/data", own) || !mark_holds(own))
        return err_set(err, ERR_NOT_FOUND, "volume '%.63s' is not there any more", name);
    return true;
}

/* ---- down ---- */

static bool volume_down(const char *group, const char *name, struct err *err)
{
    char folder[VOLUME_PATH_SIZE];

    if (!text_format(folder, sizeof folder, "%s/%s", group, name))
        return err_set(err, ERR_INVALID, "the path of volume '%.63s' is too long", name);
    share_rclone_end(folder, mark_holds(folder));
    mark_remove(folder);
    return mounts_take_down(folder, err) && file_remove_tree(folder, err);
}

bool volumes_down(struct volumes *volumes UNUSED, const char *folder, struct err *err)
{
    DIR *entries = opendir(folder);
    bool whole = true;

    if (!entries)
        return errno == ENOENT || err_set_os(err, ERR_IO, errno, "cannot read %s", folder);
    for (struct dirent *entry; whole && (entry = readdir(entries));) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            whole = volume_down(folder, entry->d_name, err);
    }
    closedir(entries);
    return whole && mounts_take_down(folder, err) && file_remove_tree(folder, err);
}
