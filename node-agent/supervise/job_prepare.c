/* Hold the resources, have the images, bring up network and cgroup. Each part finds what an earlier try left. */
#include "node-agent/supervise/job_steps.h"

#include "base/file.h"
#include "base/log.h"
#include "model/quota.h"

const char *image_holder(const char *uid, const char *container, char out[HOLDER_SIZE])
{
    text_format(out, HOLDER_SIZE, "%s.%s", uid, container);
    return out;
}

const char *container_folder(const struct agent_parts *parts, const char *uid,
                             const char *container, char out[PATH_SIZE])
{
    char folder[PATH_SIZE];

    group_folder(parts, uid, folder);
    text_format(out, PATH_SIZE, "%s/containers/%s", folder, container);
    return out;
}

/* The log of an earlier incarnation becomes that of the run before. */
static bool folders_make(struct job *job, const struct group_properties *properties,
                         struct err *err)
{
    char folder[PATH_SIZE], path[PATH_SIZE];

    group_folder(&job->jobs->parts, job->uid, folder);
    text_format(path, sizeof path, "%s/logs", folder);
    if (!file_make_folders(path, 0700, err))
        return false;
    for (size_t i = 0; i < group_containers_total(properties); i++) {
        const char *name = group_container_at(properties, i)->name;
        struct runtime_found found;
        struct err none = {0};
        if (runtime_find(job->jobs->parts.runtime, job->uid, name, &found, &none))
            continue; /* it writes its log: the group is prepared again beside it */
        text_format(path, sizeof path, "%s/logs/%s.log", folder, name);
        if (!runtime_log_keep(path, err))
            return false;
    }
    return true;
}

static bool limits_set(struct job *job, const struct assignment *assignment, struct err *err)
{
    struct runtime_group ceiling = {
        .uid = job->uid,
        .users_first = job->users.first,
        .cpu_milli = assignment->cpu_milli,
        .memory_bytes = assignment->memory_mib * 1024 * 1024,
    };

    return runtime_group_up(job->jobs->parts.runtime, &ceiling, err);
}

/* What the bill is made of: from before the first pull on. */
static bool usage_begin(struct job *job, const struct assignment *assignment, struct err *err)
{
    struct meter_amounts held = {
        .cpu_milli = assignment->cpu_milli,
        .memory_mib = assignment->memory_mib,
        .gpus = group_shape(assignment->group).gpus,
        .price_class = quota_class_of(assignment->group),
    };

    return meter_begin(job->jobs->parts.meter, job->uid, job->incarnation, &held, 0, err);
}

bool job_prepare(struct job *job, struct err *err)
{
    const struct assignment *assignment = job->order->assignment;
    const struct group_properties *properties = assignment->group->properties;

    job->part = PART_USAGE;
    if (!usage_begin(job, assignment, err))
        return false;
    job->part = PART_USERS;
    if (!job_users_begin(job, err))
        return false;
    job->part = PART_VOLUMES; /* a key that is refused is told before an image is pulled */
    if (!job_volumes_up(job, err))
        return false;
    job->part = PART_IMAGE;
    if (!job_images(job, err))
        return false;
    job->part = PART_FOLDERS;
    if (!folders_make(job, properties, err))
        return false;
    job->part = PART_NETWORK;
    if (!job_network_up(job, assignment, err))
        return false;
    job->part = PART_LIMITS;
    return limits_set(job, assignment, err);
}
