/* The volumes of a group as jobs see them: up before its images, found for each container, down with the group. */
#include "node-agent/supervise/job_steps.h"

#include <string.h>

const char *volumes_folder(const struct agent_parts *parts, const char *uid, char out[PATH_SIZE])
{
    char folder[PATH_SIZE];

    group_folder(parts, uid, folder);
    text_format(out, PATH_SIZE, "%s/volumes", folder);
    return out;
}

bool job_volumes_up(struct job *job, struct err *err)
{
    const struct assignment *assignment = job->order->assignment;
    const struct group_properties *properties = assignment->group->properties;
    char folder[PATH_SIZE];
    struct volume_group group = {
        .folder = volumes_folder(&job->jobs->parts, job->uid, folder),
        .volumes = properties->volumes,
        .count = properties->volumes_count,
        .disks = assignment->disks,
        .disks_count = assignment->disks_count,
        .memory_bytes = assignment->memory_mib * 1024 * 1024,
        .users = idmap_of(&job->users),
        .cancel_fd = job->cancel_fd,
    };

    return volumes_up(job->jobs->parts.volumes, &group, err);
}

static const struct volume *volume_named(const struct group_properties *properties,
                                         const char *name)
{
    for (size_t i = 0; i < properties->volumes_count; i++) {
        if (strcmp(properties->volumes[i].name, name) == 0)
            return &properties->volumes[i];
    }
    return NULL;
}

bool job_volume_find(struct job *job, const struct volume_mount *mount,
                     char source[VOLUME_PATH_SIZE], bool *read_only, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    const struct volume *volume =
        volume_named(job->order->assignment->group->properties, mount->name);
    char folder[PATH_SIZE];

    if (!volume)
        return err_set(err, ERR_NOT_FOUND, "there is no volume '%.63s'", mount->name);
    *read_only = (mount->read_only.given == GIVEN_VALUE && mount->read_only.value) ||
                 volume_is_read_only(volume);
    return volume_find(parts->volumes, volumes_folder(parts, job->uid, folder), mount->name, source,
                       err);
}

bool job_volumes_are_up(struct job *job, const struct container *container, struct err *err)
{
    const struct container_properties *properties = container->properties;
    char source[VOLUME_PATH_SIZE];
    bool read_only;

    for (size_t i = 0; i < properties->mounts_count; i++) {
        if (!job_volume_find(job, &properties->mounts[i], source, &read_only, err))
            return false;
    }
    return true;
}

bool job_volumes_down(struct job *job, struct err *err)
{
    char folder[PATH_SIZE];

    return volumes_down(job->jobs->parts.volumes,
                        volumes_folder(&job->jobs->parts, job->uid, folder), err);
}
