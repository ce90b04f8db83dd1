/* berth-agent: opens the parts, runs the agent, closes the parts. Containers go on without it. */
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "node-agent/config.h"
#include "node-agent/device/device.h"
#include "node-agent/machine.h"
#include "node-agent/stream/stream.h"
#include "node-agent/supervise/agent.h"
#include "node-agent/users.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>

enum { PATH_SIZE = 512, MAIN_ARENA_MAX = 4 << 20, IMAGES_COLLECT_MS = 60000, HOUR_MS = 3600000 };

static struct agent *running; /* for the signal handler */

static void on_signal(int number UNUSED)
{
    agent_stop(running);
}

struct paths {
    char state[PATH_SIZE], images[PATH_SIZE], devices[PATH_SIZE], meter[PATH_SIZE], lock[PATH_SIZE],
        cgroup[PATH_SIZE], disks[PATH_SIZE];
};

struct parts_options {
    struct runtime_options runtime;
    struct network_options network;
    struct image_store_options images;
    struct meter_options meter;
    struct volumes_options volumes;
    struct devices_options devices;
};

/* The machine's own address serves its public groups, if it is one: it may be a name, too. */
static const char *public_address(const struct agent_config *config)
{
    struct in_addr address;

    if (config->public_address || !config->address)
        return config->public_address;
    return inet_pton(AF_INET, config->address, &address) == 1 ? config->address : NULL;
}

static struct text_list cdi_folders(const struct agent_config *config)
{
    static const char *usual[] = {"/etc/cdi", "/var/run/cdi"};

    return config->cdi_dirs.given ? config->cdi_dirs : (struct text_list){true, usual, 2};
}

/* What the plane is told of GPUs, in `gpus` of GPU_SKUS. */
static void gpus_describe(const struct devices *devices, struct node_gpus *gpus,
                          struct node_capacity *capacity)
{
    int64_t counts[GPU_SKUS];

    devices_gpus(devices, counts);
    for (int sku = 0; sku < GPU_SKUS; sku++)
        gpus[sku] =
            (struct node_gpus){sku, counts[sku] < GPU_COUNT_MAX ? counts[sku] : GPU_COUNT_MAX};
    capacity->gpus = gpus;
    capacity->gpus_count = GPU_SKUS;
}

static void describe_parts(const struct agent_config *config, const char *name, struct paths *paths,
                           struct parts_options *out)
{
    text_format(paths->images, PATH_SIZE, "%s/images", config->state_dir);
    text_format(paths->devices, PATH_SIZE, "%s/devices", config->state_dir);
    text_format(paths->meter, PATH_SIZE, "%s/meter", config->state_dir);
    text_format(paths->disks, PATH_SIZE, "%s/disks", config->state_dir);
    text_format(paths->lock, PATH_SIZE, "%s/agent.lock", config->state_dir);
    text_format(paths->cgroup, PATH_SIZE, "berth/%s", name);
    *out = (struct parts_options){
        .runtime = {.program = config->runtime,
                    .classes = config->runtime_classes,
                    .conmon = config->conmon,
                    .run_dir = config->run_dir,
                    .cgroup = config->cgroup ? config->cgroup : paths->cgroup},
        .network = {.bridge = config->bridge,
                    .range = config->range,
                    .run_dir = config->run_dir,
                    .nat = config->nat,
                    .public_link = config->public_link,
                    .public_address = public_address(config),
                    .outbound = config->outbound,
                    .outbound_closed_ports = config->outbound_closed_ports},
        .images = {.skopeo = config->skopeo,
                   .unpacker = config->unpacker,
                   .certs = config->registry_certs_dir,
                   .insecure = config->insecure_registries,
                   .bytes_max = config->image_bytes_max,
                   .keep_ms = config->image_keep_hours * HOUR_MS,
                   .stall_ms = config->image_stall_ms},
        .meter = {.folder = paths->meter},
        .volumes = {.disks = paths->disks,
                    .git = config->git,
                    .rclone = config->rclone,
                    .share_suffix = config->azure_file_suffix,
                    .share_servers = config->azure_file_servers,
                    .git_protocols = config->git_protocols},
        .devices = {.dirs = cdi_folders(config),
                    .kinds = config->gpu_kinds,
                    .folder = paths->devices},
    };
}

/* One agent for a state folder. The lock ends with the process. */
static int lock_state(const struct agent_config *config, const struct paths *paths, struct err *err)
{
    if (!file_make_folders(config->state_dir, 0700, err))
        return -1;
    int fd = open(paths->lock, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    err_set_os(err, ERR_CONFLICT, errno, "another agent uses %s, or it cannot be locked",
               config->state_dir);
    if (fd >= 0)
        close(fd);
    return -1;
}

static const char *join_token(const struct agent_config *config, struct arena *arena,
                              struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;

    if (config->join_token)
        return config->join_token;
    if (!config->join_token_file) {
        err_set(err, ERR_INVALID, "a join token is needed: --join-token-file FILE");
        return NULL;
    }
    if (!file_read(config->join_token_file, 4096, &bytes, &size, err)) {
        err_add(err, "join_token_file");
        return NULL;
    }
    return arena_text_n(arena, bytes, strcspn(bytes, "\r\n"));
}

static bool agent_serve(struct agent_parts *parts, struct err *err)
{
    AUTO(agent) *agent = agent_new(parts, err);
    struct sigaction action = {.sa_handler = on_signal};

    if (!agent)
        return false;
    running = agent;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    log_info("agent_started", "node=%s cgroups=%s mcpu=%lld mib=%lld", parts->join.name,
             runtime_cgroup_layout(parts->runtime), (long long)parts->join.capacity->cpu_milli,
             (long long)parts->join.capacity->memory_mib);
    bool served = agent_run(agent, err);
    action.sa_handler = SIG_IGN;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return served;
}

/* What a node does not hold to its size, its operator should know. */
static struct volumes *volumes_open_told(const struct volumes_options *options, struct err *err)
{
    struct volumes *volumes = volumes_open(options, err);
    const char *why_not;

    if (volumes && !volumes_are_sized(volumes, &why_not))
        log_warn("volumes_unsized", "text=%s", LOG_QUOTE(why_not));
    return volumes;
}

static bool run(const struct agent_config *config, struct arena *arena, struct err *err)
{
    struct agent_parts parts = {.state_dir = config->state_dir,
                                .run_dir = config->run_dir,
                                .plane_url = config->plane_url,
                                .plane_ca_file = config->plane_ca_file,
                                .networks_prepared = (int)config->networks_prepared,
                                .workers_max = (int)config->workers,
                                .images_collect_ms = IMAGES_COLLECT_MS,
                                .stop_grace_ms = config->stop_grace_ms,
                                .pace = {config->restart_backoff_ms, config->restart_backoff_max_ms,
                                         config->restart_backoff_reset_ms}};
    struct paths paths;
    struct parts_options options;

    if (!machine_describe(config, arena, &parts.join, err) ||
        !(parts.join_token = join_token(config, arena, err)))
        return false;
    describe_parts(config, parts.join.name, &paths, &options);
    if (!users_setting(config, &options.network.users_first, err))
        return false;
    AUTO_CLOSE int lock = lock_state(config, &paths, err);
    if (lock < 0 || !machine_memory_folder(config->run_dir, err))
        return false;
    AUTO(runtime) *runtime = runtime_open(&options.runtime, err);
    if (!runtime)
        return false;
    AUTO(network) *network = network_open(&options.network, err);
    if (!network)
        return false;
    AUTO(streams) *streams = streams_new(err);
    if (!streams)
        return false;
    AUTO(meter) *meter = meter_open(&options.meter, err);
    if (!meter)
        return false;
    options.volumes.cgroups = runtime_cgroup_folders(runtime);
    AUTO(volumes) *volumes = volumes_open_told(&options.volumes, err);
    if (!volumes)
        return false;
    struct node_gpus gpus[GPU_SKUS];
    AUTO(devices) *devices = devices_open(&options.devices, err);
    if (!devices)
        return false;
    gpus_describe(devices, gpus, parts.join.capacity);
    struct image_store *images = image_store_open(paths.images, &options.images, err);
    if (!images)
        return false;
    if (!users_settle(config, network, runtime, images, err)) {
        image_store_close(images);
        return false;
    }
    const struct text_list *folders = runtime_cgroup_folders(runtime);
    char public_addresses[NETWORK_PATH_SIZE];
    CHECK(network_public_folder(config->run_dir, public_addresses)); /* the network is open */
    struct fence_options fence = {.program = config->fence,
                                  .run_dir = config->run_dir,
                                  .cgroups = folders->items,
                                  .cgroups_count = folders->count,
                                  .addresses = public_addresses};
    parts.runtime = runtime;
    parts.join.classes = *runtime_classes(runtime);
    parts.join.user_namespaces = network_users_count(network) > 0;
    parts.network = network;
    parts.meter = meter;
    parts.devices = devices;
    parts.streams = streams;
    parts.images = images;
    parts.volumes = volumes;
    parts.fence = &fence;
    bool served = agent_serve(&parts, err);
    image_store_close(images);
    return served;
}

/* ---- --clean ---- */

static bool groups_take_down(const struct parts_options *options, struct arena *arena,
                             struct err *err)
{
    AUTO(runtime) *runtime = runtime_open(&options->runtime, err);
    struct runtime_found *found;
    size_t count;

    if (!runtime || !runtime_list(runtime, arena, &found, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!runtime_group_down(runtime, found[i].uid, err))
            return false;
    }
    return true;
}

static bool clean(const struct agent_config *config, struct arena *arena, struct err *err)
{
    struct join_request machine;
    struct paths paths;
    struct parts_options options;

    if (!machine_describe(config, arena, &machine, err))
        return false;
    describe_parts(config, machine.name, &paths, &options);
    AUTO_CLOSE int lock = lock_state(config, &paths, err);
    return lock >= 0 && fence_stop(config->run_dir, err) &&
           groups_take_down(&options, arena, err) && agent_unmount_roots(config->state_dir, err) &&
           network_close_all(&options.network, err) && runtime_close_all(&options.runtime, err) &&
           machine_memory_folder_remove(config->run_dir, err);
}

int main(int argc, char **argv)
{
    AUTO(arena) *arena = arena_new(MAIN_ARENA_MAX);
    struct agent_config config;
    struct err err = {0};
    enum log_level level = LOG_INFO;

    machine_no_dumps();
    machine_small_heap();
    machine_many_files();
    signal(SIGPIPE, SIG_IGN);
    switch (options_load(&agent_options, argc, argv, arena, &config, &err)) {
    case OPTIONS_EXIT:
        return 0;
    case OPTIONS_WRONG:
        log_failure("configuration_refused", &err);
        return 2;
    case OPTIONS_RUN:
        break;
    }
    if (!log_level_parse(config.log_level, &level)) {
        log_error("configuration_refused", "log_level=%s", LOG_QUOTE(config.log_level));
        return 2;
    }
    log_configure(level, config.log_json);
    bool done = config.clean ? clean(&config, arena, &err) : run(&config, arena, &err);
    if (!done)
        log_failure(config.clean ? "agent_not_cleaned" : "agent_stopped", &err);
    return done ? 0 : 1;
}
