/* Hold the resources, have the images, bring up network and cgroup. Each part finds what an earlier try left. */
#include "node-agent/supervise/job_steps.h"

#include "base/file.h"
#include "base/log.h"

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

struct pulling {
    struct job *job;
    const char *container;
};

static void pull_progress(const char *words, void *context)
{
    struct pulling *pulling = context;
    struct progress *progress = calloc(1, sizeof *progress);

    if (!progress)
        return;
    progress->message.deliver = job_progress;
    text_copy(progress->uid, sizeof progress->uid, pulling->job->uid);
    progress->incarnation = pulling->job->incarnation;
    text_copy(progress->member_name, sizeof progress->member_name, pulling->container);
    text_copy(progress->text, sizeof progress->text, words);
    inbox_put(pulling->job->jobs->inbox, &progress->message);
}

static bool images_pull(struct job *job, const struct group_properties *properties, struct err *err)
{
    struct image_credential credentials[64];
    size_t credentials_count = 0;

    for (size_t i = 0; i < properties->credentials_count && i < COUNT_OF(credentials); i++)
        credentials[credentials_count++] = (struct image_credential){
            properties->credentials[i].server, properties->credentials[i].username,
            properties->credentials[i].password};
    for (size_t i = 0; i < properties->containers_count; i++) {
        char holder[HOLDER_SIZE];
        struct pulling pulling = {job, properties->containers[i].name};
        struct image_request request = {
            .reference = properties->containers[i].properties->image,
            .credentials = credentials,
            .credentials_count = credentials_count,
            .policy = IMAGE_USUAL,
            .holder = image_holder(job->uid, properties->containers[i].name, holder),
            .cancel_fd = job->cancel_fd,
            .progress = pull_progress,
            .context = &pulling,
        };
        job->member = i; /* whose pull failed */
        AUTO(image) *image = image_pull(job->jobs->parts.images, &request, err);
        if (!image)
            return false;
    }
    return true;
}

/* The log of an earlier incarnation becomes that of the run before; volumes begin empty. */
static bool folders_make(struct job *job, const struct group_properties *properties,
                         struct err *err)
{
    char folder[PATH_SIZE], path[PATH_SIZE];

    group_folder(&job->jobs->parts, job->uid, folder);
    text_format(path, sizeof path, "%s/logs", folder);
    if (!file_make_folders(path, 0700, err))
        return false;
    for (size_t i = 0; i < properties->containers_count; i++) {
        text_format(path, sizeof path, "%s/logs/%s.log", folder, properties->containers[i].name);
        if (!runtime_log_keep(path, err))
            return false;
    }
    for (size_t i = 0; i < properties->volumes_count; i++) {
        text_format(path, sizeof path, "%s/volumes/%s", folder, properties->volumes[i].name);
        if (!file_make_folders(path, 0777, err))
            return false;
    }
    return true;
}

static bool network_up(struct job *job, const struct assignment *assignment, struct err *err)
{
    const struct dns_config *dns = assignment->group->properties->dns;
    struct network_group group;
    struct network_spec spec = {.uid = job->uid, .hostname = assignment->name};

    if (dns) {
        spec.dns_servers = dns->name_servers.items;
        spec.dns_servers_count = dns->name_servers.count;
        spec.dns_search = dns->search_domains;
        spec.dns_options = dns->options;
    }
    if (!network_group_up(job->jobs->parts.network, &spec, &group, err))
        return false;
    text_copy(job->address, sizeof job->address, group.address);
    return true;
}

static bool limits_set(struct job *job, const struct assignment *assignment, struct err *err)
{
    struct runtime_group ceiling = {
        .uid = job->uid,
        .cpu_milli = assignment->cpu_milli,
        .memory_bytes = assignment->memory_mib * 1024 * 1024,
    };

    return runtime_group_up(job->jobs->parts.runtime, &ceiling, err);
}

bool job_prepare(struct job *job, struct err *err)
{
    const struct assignment *assignment = job->order->assignment;
    const struct group_properties *properties = assignment->group->properties;

    job->part = PART_USAGE;
    if (!meter_begin(job->jobs->parts.meter, job->uid, job->incarnation, assignment->cpu_milli,
                     assignment->memory_mib, 0, err))
        return false;
    job->part = PART_IMAGE;
    if (!images_pull(job, properties, err))
        return false;
    job->part = PART_FOLDERS;
    if (!folders_make(job, properties, err))
        return false;
    job->part = PART_NETWORK;
    if (!network_up(job, assignment, err))
        return false;
    job->part = PART_LIMITS;
    return limits_set(job, assignment, err);
}
