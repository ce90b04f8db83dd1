/* Ending: ask, then take everything back. Each part succeeds when there is nothing to do, so a clear that failed in
 * the middle is simply done again. */
#include "node-agent/supervise/job_steps.h"

#include "base/file.h"
#include "node-agent/device/device.h"
#include "node-agent/stream/stream.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

static int stop_signal_of(struct job *job, const char *container)
{
    char holder[HOLDER_SIZE];
    struct err err = {0};
    AUTO(image) *image =
        image_held(job->jobs->parts.images, image_holder(job->uid, container, holder), &err);
    int number = image && image->stop_signal ? runtime_signal_number(image->stop_signal) : 0;

    return number > 0 ? number : SIGTERM;
}

bool job_signal(struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->running_count; i++) {
        const char *name = job->running[i].name;
        struct err gone = {0};
        int number = job->signal_number ? job->signal_number : stop_signal_of(job, name);
        if (!runtime_signal(job->jobs->parts.runtime, job->uid, name, number, &gone) &&
            gone.code != ERR_NOT_FOUND)
            *err = gone;
    }
    return err->code == ERR_OK;
}

/* Calls `each` for the names in a folder; an absent folder has none. */
static bool folder_walk(const char *path,
                        bool (*each)(const char *name, void *context, struct err *err),
                        void *context, struct err *err)
{
    DIR *folder = opendir(path);
    bool whole = true;

    if (!folder)
        return true;
    for (struct dirent *entry; whole && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.')
            whole = each(entry->d_name, context, err);
    }
    closedir(folder);
    return whole;
}

static bool root_take(const char *container, void *context, struct err *err)
{
    struct job *job = context;
    char folder[PATH_SIZE], root[PATH_SIZE], holder[HOLDER_SIZE];

    container_folder(&job->jobs->parts, job->uid, container, folder);
    if (!text_format(root, sizeof root, "%s/root", folder) || !image_unmount(root, err) ||
        !file_remove_tree(folder, err))
        return false;
    image_release(job->jobs->parts.images, image_holder(job->uid, container, holder));
    return true;
}

/* Every container the group ever had here: the folders tell, whatever the orders said. */
static bool roots_take(struct job *job, struct err *err)
{
    char folder[PATH_SIZE], containers[PATH_SIZE];

    group_folder(&job->jobs->parts, job->uid, folder);
    text_format(containers, sizeof containers, "%s/containers", folder);
    return folder_walk(containers, root_take, job, err);
}

static bool root_unmount(const char *container, void *context, struct err *err)
{
    char root[PATH_SIZE];

    return text_format(root, sizeof root, "%s/%s/root", (const char *)context, container) &&
           image_unmount(root, err);
}

static bool group_unmount(const char *uid, void *context, struct err *err)
{
    char containers[PATH_SIZE];

    char volumes[PATH_SIZE];

    return text_format(containers, sizeof containers, "%s/%s/containers", (const char *)context,
                       uid) &&
           text_format(volumes, sizeof volumes, "%s/%s/volumes", (const char *)context, uid) &&
           folder_walk(containers, root_unmount, containers, err) &&
           volumes_down(NULL, volumes, err);
}

bool agent_unmount_roots(const char *state_dir, struct err *err)
{
    char groups[PATH_SIZE];

    return text_format(groups, sizeof groups, "%s/groups", state_dir) &&
           folder_walk(groups, group_unmount, groups, err) && volumes_disks_unmount(state_dir, err);
}

static void images_release(struct job *job)
{
    char holder[HOLDER_SIZE];

    if (!job->order || !job->order->assignment->group)
        return;
    const struct group_properties *properties = job->order->assignment->group->properties;
    for (size_t i = 0; i < group_containers_total(properties); i++)
        image_release(job->jobs->parts.images,
                      image_holder(job->uid, group_container_at(properties, i)->name, holder));
}

bool job_clear(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    char folder[PATH_SIZE], config[PATH_SIZE];

    metadata_close(job->jobs->metadata, job->uid);
    text_format(config, sizeof config, "%s/config", group_folder(parts, job->uid, folder));
    if (!runtime_group_down(parts->runtime, job->uid, err) || !roots_take(job, err) ||
        !job_volumes_down(job, err) || !file_remove_tree(config, err))
        return false;
    images_release(job);
    if (parts->streams && !job->keep_network)
        streams_group_over(parts->streams, job->uid);
    /* The next incarnation takes over the address and, without a gap, the held resources. */
    if (job->keep_network)
        return true;
    return network_group_down(parts->network, job->uid, err) &&
           devices_give(parts->devices, job->uid, err) &&
           meter_end(parts->meter, job->uid, job->incarnation, 0, err);
}

bool job_forget(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    char path[PATH_SIZE];

    unlink(group_order_path(parts, job->uid, path));
    unlink(group_newest_path(parts, job->uid, path));
    return file_remove_tree(group_folder(parts, job->uid, path), err);
}
