/* configMaps: the files of a container before it starts, and those of a group that runs when a newer order of its
 * incarnation came. */
#include "node-agent/supervise/job_steps.h"

#include "base/log.h"
#include "node-agent/supervise/config_files.h"

#include <string.h>

const char *config_folder(const struct agent_parts *parts, const char *uid, const char *container,
                          char out[PATH_SIZE])
{
    char folder[PATH_SIZE];

    group_folder(parts, uid, folder);
    text_format(out, PATH_SIZE, "%s/config/%s", folder, container);
    return out;
}

static bool has_files(const struct container *container)
{
    const struct config_map *map = container->properties->config_map;

    return map && map->pairs.count > 0;
}

bool config_of_spec(struct job *job, const struct container *container, struct arena *arena,
                    struct runtime_container *out, struct err *err)
{
    char folder[PATH_SIZE];
    size_t count = out->mounts_count;
    struct runtime_mount *mounts;

    if (!has_files(container))
        return true;
    config_folder(&job->jobs->parts, job->uid, container->name, folder);
    if (!config_files_write(folder, job->order->assignment->revision,
                            &container->properties->config_map->pairs, out->users.first, err))
        return false;
    mounts = arena_array(arena, count + 1, sizeof *mounts);
    if (!mounts)
        return err_set(err, ERR_BUSY, "no memory for mounts");
    memcpy(mounts, out->mounts, count * sizeof *mounts);
    mounts[count] = (struct runtime_mount){
        arena_text(arena, folder), arena_format(arena, "/mnt/configmap/%s", container->name), true};
    out->mounts = mounts;
    out->mounts_count = count + 1;
    return (mounts[count].source && mounts[count].target) ||
           err_set(err, ERR_BUSY, "no memory for mounts");
}

/* ---- while it runs ---- */

struct renewing {
    struct work work;
    struct jobs *jobs;
    struct order *order;
};

static void renewing_drop(struct work *work)
{
    struct renewing *renewing = CONTAINER_OF(work, struct renewing, work);

    order_free(renewing->order);
    free(renewing);
}

/* What fails is said; the next start of the container tries again. */
static void renewing_run(struct work *work)
{
    struct renewing *renewing = CONTAINER_OF(work, struct renewing, work);
    const struct assignment *assignment = renewing->order->assignment;
    const struct group_properties *properties = assignment->group->properties;
    struct network_group group;
    char folder[PATH_SIZE];
    struct err err = {0};

    if (!network_group_find(renewing->jobs->parts.network, assignment->uid, &group))
        group.users.first = 0; /* nothing runs: they are written anew at the next start */
    for (size_t i = 0; i < properties->containers_count; i++) {
        const struct container *container = &properties->containers[i];
        if (has_files(container) &&
            !config_files_write(
                config_folder(&renewing->jobs->parts, assignment->uid, container->name, folder),
                assignment->revision, &container->properties->config_map->pairs, group.users.first,
                &err))
            log_failure("config_not_renewed", &err);
    }
    renewing_drop(work);
}

void job_renew_config(struct jobs *jobs, struct order *order)
{
    struct renewing *renewing = calloc(1, sizeof *renewing);

    if (!renewing || !jobs->workers) {
        free(renewing);
        return;
    }
    *renewing =
        (struct renewing){{.run = renewing_run, .drop = renewing_drop}, jobs, order_hold(order)};
    workers_submit(jobs->workers, &renewing->work);
}
