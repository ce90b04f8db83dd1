/* Ending: ask, then take everything back. Each part succeeds when there is nothing to do, so a clear that failed in
 * the middle is simply done again. */
#include "node-agent/supervise/job_steps.h"

#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

static int stop_signal_of(struct job *job, const char *container)
{
    char holder[HOLDER_SIZE];
    struct err err = { 0 };
    AUTO(image) *image = image_held(job->jobs->parts.images, image_holder(job->uid, container, holder), &err);
    int number = image && image->stop_signal ? runtime_signal_number(image->stop_signal) : 0;

    return number > 0 ? number : SIGTERM;
}

bool job_signal(struct job *job, struct err *err)
{
    for (size_t i = 0; i < job->running_count; i++) {
        const char *name = job->running[i].name;
        struct err gone = { 0 };
        if (!runtime_signal(job->jobs->parts.runtime, job->uid, name, stop_signal_of(job, name), &gone) &&
            gone.code != ERR_NOT_FOUND)
            *err = gone;
    }
    return err->code == ERR_OK;
}

/* Every container the group ever had here: the folders tell, whatever the orders said. */
static bool roots_unmount(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    char folder[PATH_SIZE], path[PATH_SIZE], holder[HOLDER_SIZE];
    bool whole = true;

    group_folder(parts, job->uid, folder);
    text_format(path, sizeof path, "%s/containers", folder);
    DIR *containers = opendir(path);
    if (!containers)
        return true;
    for (struct dirent *entry; whole && (entry = readdir(containers));) {
        if (entry->d_name[0] == '.')
            continue;
        container_folder(parts, job->uid, entry->d_name, folder);
        whole = text_format(path, sizeof path, "%s/root", folder) && image_unmount(path, err) &&
                file_remove_tree(folder, err);
        image_release(parts->images, image_holder(job->uid, entry->d_name, holder));
    }
    closedir(containers);
    return whole;
}

static void images_release(struct job *job)
{
    char holder[HOLDER_SIZE];

    if (!job->order || !job->order->assignment->group)
        return;
    const struct group_properties *properties = job->order->assignment->group->properties;
    for (size_t i = 0; i < properties->containers_count; i++)
        image_release(job->jobs->parts.images, image_holder(job->uid, properties->containers[i].name, holder));
}

bool job_clear(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    char folder[PATH_SIZE], volumes[PATH_SIZE];

    group_folder(parts, job->uid, folder);
    text_format(volumes, sizeof volumes, "%s/volumes", folder);
    if (!runtime_group_down(parts->runtime, job->uid, err) || !roots_unmount(job, err) ||
        !file_remove_tree(volumes, err))
        return false;
    images_release(job);
    /* The next incarnation takes over the address and, without a gap, the held resources. */
    if (job->keep_network)
        return true;
    return network_group_down(parts->network, job->uid, err) &&
           meter_end(parts->meter, job->uid, job->incarnation, 0, err);
}

bool job_forget(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    char path[PATH_SIZE];

    unlink(group_order_path(parts, job->uid, path));
    return file_remove_tree(group_folder(parts, job->uid, path), err);
}
