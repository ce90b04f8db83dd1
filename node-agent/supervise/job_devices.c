/* Devices that a container asks for, from CDI's words into the runtime's. */
#include "node-agent/supervise/job_steps.h"

#include "node-agent/device/device.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What the file does not say is as the node's own device is. */
static bool node_take(const struct device_node *node, struct runtime_device *out, struct err *err)
{
    const char *host = node->host_path ? node->host_path : node->path;
    struct stat seen = {0};
    bool there = stat(host, &seen) == 0;

    if (!there && !node->type)
        return err_set_os(err, ERR_IO, errno, "the device %s is not there", host);
    *out = (struct runtime_device){
        .path = node->path,
        .type = node->type ? (node->type[0] == 'u' ? 'c' : node->type[0])
                           : (S_ISBLK(seen.st_mode) ? 'b' : 'c'),
        .major = node->type ? (unsigned)node->major : major(seen.st_rdev),
        .minor = node->type ? (unsigned)node->minor : minor(seen.st_rdev),
        .mode = node->mode.given == GIVEN_VALUE ? (unsigned)node->mode.value & 0777
                                                : (there ? seen.st_mode & 0777 : 0666),
        .user = node->user.given == GIVEN_VALUE ? (unsigned)node->user.value : seen.st_uid,
        .user_group =
            node->user_group.given == GIVEN_VALUE ? (unsigned)node->user_group.value : seen.st_gid,
        .access = node->access ? node->access : "rwm",
    };
    return true;
}

static bool nodes_take(const struct device_edits *edits, struct arena *arena,
                       struct runtime_container *out, struct err *err)
{
    struct runtime_device *devices = arena_array(arena, edits->nodes_count + 1, sizeof *devices);

    if (!devices)
        return err_set(err, ERR_BUSY, "no memory for devices");
    for (size_t i = 0; i < edits->nodes_count; i++)
        if (!node_take(&edits->nodes[i], &devices[i], err))
            return false;
    out->devices = devices;
    out->devices_count = edits->nodes_count;
    return true;
}

static bool is_read_only(const struct text_list *options)
{
    for (size_t i = 0; i < options->count; i++)
        if (strcmp(options->items[i], "ro") == 0)
            return true;
    return false;
}

/* Behind those that the container has already. */
static bool mounts_take(const struct device_edits *edits, struct arena *arena,
                        struct runtime_container *out, struct err *err)
{
    size_t count = out->mounts_count;
    struct runtime_mount *mounts =
        arena_array(arena, count + edits->mounts_count + 1, sizeof *mounts);

    if (!mounts)
        return err_set(err, ERR_BUSY, "no memory for mounts");
    memcpy(mounts, out->mounts, count * sizeof *mounts);
    for (size_t i = 0; i < edits->mounts_count; i++) {
        const struct device_mount *mount = &edits->mounts[i];
        mounts[count++] = (struct runtime_mount){mount->host_path, mount->container_path,
                                                 is_read_only(&mount->options)};
    }
    out->mounts = mounts;
    out->mounts_count = count;
    return true;
}

static bool env_take(const struct device_edits *edits, struct arena *arena,
                     struct runtime_container *out, struct err *err)
{
    const char **env = arena_array(arena, out->env.count + edits->env.count + 1, sizeof(char *));

    if (!env)
        return err_set(err, ERR_BUSY, "no memory for the environment");
    memcpy(env, out->env.items, out->env.count * sizeof *env);
    if (edits->env.count > 0)
        memcpy(env + out->env.count, edits->env.items, edits->env.count * sizeof *env);
    out->env.items = env;
    out->env.count += edits->env.count;
    return true;
}

static bool hooks_take(const struct device_edits *edits, struct arena *arena,
                       struct runtime_container *out, struct err *err)
{
    struct runtime_hook *hooks = arena_array(arena, edits->hooks_count + 1, sizeof *hooks);

    if (!hooks)
        return err_set(err, ERR_BUSY, "no memory for hooks");
    for (size_t i = 0; i < edits->hooks_count; i++) {
        const struct device_hook *hook = &edits->hooks[i];
        hooks[i] =
            (struct runtime_hook){hook->name, hook->path, hook->args, hook->env,
                                  hook->timeout.given == GIVEN_VALUE ? hook->timeout.value : 0};
    }
    out->hooks = hooks;
    out->hooks_count = edits->hooks_count;
    return true;
}

bool devices_of_spec(struct job *job, const struct container *container, struct arena *arena,
                     struct runtime_container *out, struct err *err)
{
    const struct resource_requirements *resources = container->properties->resources;
    const struct gpu *gpu =
        resources ? resources->requests->gpu : NULL; /* none: an init container's */
    struct device_edits edits;

    return !gpu || (devices_take(job->jobs->parts.devices, job->uid, container->name, gpu->sku,
                                 gpu->count.value, arena, &edits, err) &&
                    nodes_take(&edits, arena, out, err) && mounts_take(&edits, arena, out, err) &&
                    env_take(&edits, arena, out, err) && hooks_take(&edits, arena, out, err));
}
