/* One container: a fresh root from its image, what the spec says over what the image says, created and started. */
#include "node-agent/supervise/job_steps.h"

#include "base/arena.h"
#include "node-agent/supervise/record.h"

#include <string.h>

enum { RUN_ARENA_MAX = 8 << 20, MOUNTS_MAX = 64, FIXED_MOUNTS = 3 };

struct making {
    struct job *job;
    struct arena *arena;
    const struct assignment *assignment;
    const struct container *container;
    const struct image *image;
    struct network_group network;
    struct image_user user;
    char folder[PATH_SIZE], root[PATH_SIZE];
};

/* ---- command and environment ---- */

static bool list_add(struct text_list *list, const char *item)
{
    if (!item)
        return false;
    list->items[list->count++] = item;
    return true;
}

/* The spec's command replaces entrypoint and arguments of the image (§7.3). */
static bool args_of(struct making *making, struct text_list *args, struct err *err)
{
    const struct text_list *command = &making->container->properties->command;
    const struct image *image = making->image;

    if (command->count > 0) {
        *args = *command;
        return true;
    }
    args->items =
        arena_array(making->arena, image->entrypoint.count + image->cmd.count + 1, sizeof(char *));
    if (!args->items)
        return err_set(err, ERR_BUSY, "no memory for a command");
    for (size_t i = 0; i < image->entrypoint.count; i++)
        list_add(args, image->entrypoint.items[i]);
    for (size_t i = 0; i < image->cmd.count; i++)
        list_add(args, image->cmd.items[i]);
    if (args->count == 0)
        return err_set(err, ERR_INVALID, "neither the container nor its image '%s' names a command",
                       making->container->properties->image);
    return true;
}

static size_t env_find(const struct text_list *env, const char *pair)
{
    size_t name_size = strcspn(pair, "=");

    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], pair, name_size + 1) == 0)
            return i;
    }
    return env->count;
}

/* A later one of the same name replaces an earlier one. */
static bool env_put(struct text_list *env, const char *pair)
{
    size_t at;

    if (!pair)
        return false;
    at = env_find(env, pair);
    env->items[at] = pair;
    env->count += at == env->count;
    return true;
}

static bool env_of(struct making *making, struct text_list *env, struct err *err)
{
    const struct container_properties *properties = making->container->properties;
    struct arena *arena = making->arena;
    bool whole;

    env->items = arena_array(arena, making->image->env.count + properties->environment_count + 3,
                             sizeof(char *));
    whole = env->items &&
            env_put(env, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") &&
            env_put(env, arena_format(arena, "HOME=%s", making->user.home)) &&
            env_put(env, arena_format(arena, "HOSTNAME=%s", making->assignment->name));
    for (size_t i = 0; whole && i < making->image->env.count; i++)
        whole = env_put(env, making->image->env.items[i]);
    for (size_t i = 0; whole && i < properties->environment_count; i++) {
        const struct environment_variable *variable = &properties->environment[i];
        const char *value = variable->secure_value ? variable->secure_value : variable->value;
        whole = env_put(env, arena_format(arena, "%s=%s", variable->name, value ? value : ""));
    }
    return whole ? true : err_set(err, ERR_BUSY, "no memory for the environment");
}

/* ---- mounts ---- */

static size_t depth_of(const char *path)
{
    size_t depth = 0;

    for (; *path; path++)
        depth += *path == '/' && path[1] && path[1] != '/';
    return depth;
}

/* Outer ones first, whatever order they were named in: a mount over a folder hides what is mounted below it. The first
 * FIXED_MOUNTS are the node's own. */
static void mount_put(struct runtime_mount *mounts, size_t *count, struct runtime_mount mount)
{
    size_t at = (*count)++;

    for (; at > FIXED_MOUNTS && depth_of(mounts[at - 1].target) > depth_of(mount.target); at--)
        mounts[at] = mounts[at - 1];
    mounts[at] = mount;
}

static bool mounts_of(struct making *making, struct runtime_mount *mounts, size_t *count,
                      struct err *err)
{
    const struct container_properties *properties = making->container->properties;
    *count = 0;
    mounts[(*count)++] = (struct runtime_mount){making->network.hosts_path, "/etc/hosts", false};
    mounts[(*count)++] =
        (struct runtime_mount){making->network.hostname_path, "/etc/hostname", false};
    mounts[(*count)++] =
        (struct runtime_mount){making->network.resolv_path, "/etc/resolv.conf", false};
    for (size_t i = 0; i < properties->mounts_count && *count < MOUNTS_MAX; i++) {
        const struct volume_mount *mount = &properties->mounts[i];
        char *source = arena_alloc(making->arena, VOLUME_PATH_SIZE);
        bool read_only = false;
        if (!source)
            return err_set(err, ERR_BUSY, "no memory for mounts");
        if (!job_volume_find(making->job, mount, source, &read_only, err))
            return false;
        mount_put(mounts, count, (struct runtime_mount){source, mount->mount_path, read_only});
    }
    return true;
}

/* ---- the container ---- */

static int64_t milli_of(const struct resource_requirements *resources, bool memory)
{
    const struct resource_amounts *limits = resources->limits, *requests = resources->requests;
    struct opt_decimal limit = {0};

    /* Without a limit the request is the container's ceiling (§8.7). */
    if (limits)
        limit = memory ? limits->memory_gb : limits->cpu;
    if (limit.given == GIVEN_VALUE)
        return limit.milli;
    return memory ? requests->memory_gb.milli : requests->cpu.milli;
}

/* An init container runs alone and may use all that the group holds (§9.4). */
static void ceilings_set(const struct making *making, struct runtime_container *container)
{
    const struct resource_requirements *resources = making->container->properties->resources;

    container->cpu_milli = resources ? milli_of(resources, false) : making->assignment->cpu_milli;
    container->cpu_weight_milli =
        resources ? resources->requests->cpu.milli : making->assignment->cpu_milli;
    container->memory_bytes = resources ? milli_of(resources, true) * 1024 * 1024 * 1024 / 1000
                                        : making->assignment->memory_mib * 1024 * 1024;
}

static bool container_create(struct making *making, struct err *err)
{
    const struct agent_parts *parts = &making->job->jobs->parts;
    const struct container_properties *properties = making->container->properties;
    struct runtime_mount mounts[MOUNTS_MAX];
    char log_path[PATH_SIZE], folder[PATH_SIZE];
    struct runtime_container container = {
        .uid = making->job->uid,
        .name = making->container->name,
        .incarnation = making->job->incarnation,
        .restarts = making->job->restarts,
        .runtime_class = making->assignment->runtime_class,
        .root = making->root,
        .working_dir = making->image->working_dir,
        .user = making->user.uid,
        .user_group = making->user.gid,
        .groups = making->user.groups,
        .groups_count = making->user.groups_count,
        .net_path = making->network.net_path,
        .ipc_path = making->network.ipc_path,
        .uts_path = making->network.uts_path,
        .users = idmap_of(&making->network.users),
        .mounts = mounts,
        .log_path = log_path,
    };
    struct runtime_rights *rights;

    if (!rights_of_spec(properties->security, making->arena, &rights, err))
        return false;
    container.rights = rights;

    ceilings_set(making, &container);
    group_folder(parts, making->job->uid, folder);
    text_format(log_path, sizeof log_path, "%s/logs/%s.log", folder, making->container->name);
    return runtime_log_keep(log_path, err) && args_of(making, &container.args, err) &&
           env_of(making, &container.env, err) &&
           mounts_of(making, mounts, &container.mounts_count, err) &&
           config_of_spec(making->job, making->container, making->arena, &container, err) &&
           devices_of_spec(making->job, making->container, making->arena, &container, err) &&
           runtime_create(parts->runtime, &container, err);
}

static bool user_find(struct making *making, struct err *err)
{
    const char *user =
        rights_user(making->container->properties->security, making->image->user, making->arena);

    if (!user)
        return err_set(err, ERR_BUSY, "no memory for a user");
    return image_user_find(making->root, user, &making->user, err) &&
           user_check(&making->user, &making->network.users, err);
}

/* What an earlier run left goes; then an empty writable layer over the image. */
static bool root_mount(struct making *making, struct err *err)
{
    const struct agent_parts *parts = &making->job->jobs->parts;
    struct idmap users = idmap_of(&making->network.users);

    container_folder(parts, making->job->uid, making->container->name, making->folder);
    if (!text_format(making->root, sizeof making->root, "%s/root", making->folder))
        return err_set(err, ERR_INVALID, "the state folder's path is too long");
    return runtime_remove(parts->runtime, making->job->uid, making->container->name, err) &&
           image_unmount(making->root, err) &&
           image_mount(parts->images, making->image, &users, making->folder, making->root, err) &&
           user_find(making, err);
}

static bool may_run(struct job *job, const char *container, struct err *err)
{
    char folder[PATH_SIZE];

    if (!job->once || record_may_run(group_folder(&job->jobs->parts, job->uid, folder), container,
                                     job->incarnation, err))
        return true;
    job->refused_second_run = err->code == ERR_CONFLICT;
    return false;
}

/* Of a container that was created: its only run is spent from the mark on, unless it certainly never began. */
static bool container_start(struct job *job, const char *container, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    struct runtime_found found;
    struct err none = {0};
    char folder[PATH_SIZE];

    group_folder(parts, job->uid, folder);
    if (job->once && !record_mark_run(folder, container, job->incarnation, err))
        return false;
    if (runtime_start(parts->runtime, job->uid, container, &job->started_ms, err))
        return true;
    job->spent = job->once && (!runtime_find(parts->runtime, job->uid, container, &found, &none) ||
                               found.phase != RUNTIME_CREATED ||
                               !record_unmark_run(folder, container, job->incarnation, &none));
    return false;
}

/* A layer that a power cut took, a network that someone removed, an address that the fence took off the link, a share whose
 * program was killed: prepared again, not the container's fault. */
static bool is_prepared(struct making *making, struct err *err)
{
    struct job *job = making->job;
    const struct agent_parts *parts = &job->jobs->parts;

    job->unprepared = !network_group_find(parts->network, job->uid, &making->network);
    if (job->unprepared)
        return err_set(err, ERR_NOT_FOUND, "the group's network is gone");
    const char *address = job->order->assignment->public_address;
    job->unprepared = address && !network_has_public(parts->network, address);
    if (job->unprepared)
        return err_set(err, ERR_NOT_FOUND, "the group's public address was given up");
    job->unprepared = !job_volumes_are_up(job, making->container, err);
    return !job->unprepared;
}

bool job_run(struct job *job, struct err *err)
{
    const struct agent_parts *parts = &job->jobs->parts;
    AUTO(arena) *arena = arena_new(RUN_ARENA_MAX);
    char holder[HOLDER_SIZE];
    struct making making = {
        .job = job,
        .arena = arena,
        .assignment = job->order->assignment,
        .container = group_container_at(job->order->assignment->group->properties, job->member),
    };
    const char *name = making.container->name;
    AUTO(image) *image = image_held(parts->images, image_holder(job->uid, name, holder), err);

    job->unprepared = !image;
    if (!image || !is_prepared(&making, err) || !may_run(job, name, err))
        return false;
    making.image = image;
    if (root_mount(&making, err) && container_create(&making, err) &&
        container_start(job, name, err))
        return true;
    job->unprepared = err->code == ERR_NOT_FOUND && !job->spent; /* a layer, the group's cgroup */
    return false;
}
