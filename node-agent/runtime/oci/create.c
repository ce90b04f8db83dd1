/* Creating a container and letting it go: each step has one call site and one line of the debug
 * log with its time. */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/process.h"
#include "node-agent/runtime/oci/config.h"
#include "node-agent/runtime/oci/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CONFIG_MAX = 8 * 1024 * 1024, /* ENVIRONMENT_MAX values and a profile fit many times */
    DEVICES_ARENA_MAX = 1024 * 1024,
};

bool oci_makes_cgroup(const struct oci *oci, const struct oci_place *place)
{
    return place->class->traits->cgroups_off && oci->cgroups.layout != CGROUP_V2;
}

static int64_t step(const char *name, const struct oci_place *place, int64_t since_ns)
{
    int64_t now = clock_boot_ns();
    log_debug("runtime_step", "step=%s container=%s us=%lld", name, place->id,
              (long long)((now - since_ns) / 1000));
    return now;
}

/* ---- create ---- */

/* What a command that is run in it later shares with it (command.c). */
static bool write_process(const struct oci_place *place, const struct runtime_container *container,
                          const struct config_node *node, struct err *err)
{
    char path[OCI_PATH_SIZE];
    AUTO(text) *json = text_new(CONFIG_MAX);
    config_add_process(json, container, node);
    if (!text_ok(json))
        return err_set(err, ERR_BUSY, "out of memory");
    oci_file(place->folder, "process", path);
    return file_replace(path, json->bytes, json->size, 0600, false, err);
}

static bool write_config(const struct oci *oci, const struct oci_place *place,
                         const struct runtime_container *container, struct err *err)
{
    char path[OCI_PATH_SIZE], shm[OCI_PATH_SIZE], devices[OCI_PATH_SIZE], cgroup[CGROUP_PATH_SIZE];
    AUTO(text) *json = text_new(CONFIG_MAX);
    if (!device_nodes_make(oci, place, container, devices, err))
        return false;
    text_format(shm, sizeof shm, "%s/shm/%s", oci->root, container->uid);
    text_format(cgroup, sizeof cgroup, "/%s/%s", oci->cgroups.name, place->cgroup);
    struct config_node node = {
        .cgroup_path = cgroup,
        .with_limits = !oci_makes_cgroup(oci, place),
        .root_path = place->staged ? oci->stage : NULL,
        .maps_users = place->class->maps_users,
        .devices_path = devices,
        .shm_path = shm,
        .seccomp_json = oci->seccomp_json,
        .seccomp_bpf = place->class->traits->takes_bpf ? oci->seccomp_bpf : NULL,
        .capabilities_held = oci->capabilities_held,
        .files_max = oci->files_max,
    };
    config_add(json, container, &node);
    if (!text_ok(json))
        return err_set(err, ERR_TOO_LARGE,
                       "the configuration of container %s is larger than %d bytes", place->name,
                       CONFIG_MAX);
    oci_file(place->folder, "config.json", path);
    return file_replace(path, json->bytes, json->size, 0600, false, err) &&
           write_process(place, container, &node, err);
}

/* Without the ceiling on CPU: the runtime runs in here too, and a small one would let it wait for the
 * next 100 ms in the middle of its work. It is set before the container's own first instruction. */
static bool make_cgroup(const struct oci *oci, const struct oci_place *place,
                        const struct runtime_container *container, struct err *err)
{
    struct cgroup_limits ceiling = {
        .memory_bytes = container->memory_bytes,
        .pids_max = container->pids_max > 0 ? container->pids_max : LIMIT_CONTAINER_PIDS_MAX,
    };
    return cgroup_make(&oci->cgroups, place->cgroup, err) &&
           cgroup_limit(&oci->cgroups, place->cgroup, &ceiling, err) &&
           ((container->rights && container->rights->privileged) ||
            cgroup_limit_devices(&oci->cgroups, place->cgroup, container->devices,
                                 container->devices_count, err));
}

/* The runtime keeps what it needs of the configuration in its own folder; its copy of the
 * secrets is enough. */
static void forget_config(const struct oci_place *place)
{
    char path[OCI_PATH_SIZE];
    oci_file(place->folder, "config.json", path);
    unlink(path);
}

static bool record_new(const struct oci_place *place, const struct runtime_container *container,
                       int64_t pid, struct err *err)
{
    struct record record = {
        .incarnation = container->incarnation,
        .restarts = container->restarts,
        .created_ms = clock_now_ms(),
        .cpu_milli = container->cpu_milli,
        .cpu_weight_milli = container->cpu_weight_milli,
        .pid = pid,
        .pid_began = process_began(pid),
        .conmon = conmon_find(place),
        .log_path = container->log_path,
    };
    record.conmon_began = process_began(record.conmon);
    return record_write(place, &record, err);
}

static bool create_in(const struct oci *oci, const struct oci_place *place,
                      const struct runtime_container *container, struct err *err)
{
    int64_t pid = 0, at = clock_boot_ns();
    /* A runtime that outlived the agent that was removing its container may have left its state. */
    if (!oci_remove_state(oci, place, err) || !write_config(oci, place, container, err))
        return false;
    at = step("config", place, at);
    if (oci_makes_cgroup(oci, place) && !make_cgroup(oci, place, container, err))
        return false;
    at = step("cgroup", place, at);
    bool created = conmon_create(oci, place, container->log_path, &pid, err);
    at = step("conmon", place, at);
    if (place->class->traits->start != START_BY_PROGRAM)
        forget_config(place); /* others read it again when they start */
    if (!created || !record_new(place, container, pid, err))
        return false;
    step("record", place, at);
    return true;
}

/* A privileged container has the node's devices beside those it was given. */
static bool create_with_devices(const struct oci *oci, const struct oci_place *place,
                                const struct runtime_container *container, struct err *err)
{
    struct runtime_container whole = *container;
    struct runtime_device *all;
    size_t count;
    if (!rights_of(container)->privileged)
        return create_in(oci, place, container, err);
    AUTO(arena) *arena = arena_new(DEVICES_ARENA_MAX);
    if (!arena ||
        !devices_of_node(arena, container->devices, container->devices_count, &all, &count))
        return err_set(err, ERR_BUSY, "no memory for the devices of the node");
    whole.devices = all;
    whole.devices_count = count;
    return create_in(oci, place, &whole, err);
}

bool oci_create(struct runtime *runtime, const struct runtime_container *container, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    oci_place(oci, container->uid, container->name, &place);
    if (mkdir(place.folder, 0700) != 0) {
        if (errno == EEXIST)
            return err_set(err, ERR_CONFLICT, "there is a container %s already", place.name);
        return err_set_os(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
                          "group %s is not up", container->uid);
    }
    if (oci_class_take(oci, &place, container->runtime_class, err) &&
        oci_users_take(&place, container, err) && create_with_devices(oci, &place, container, err))
        return true;
    struct err ignored;
    bool removed UNUSED = oci_remove(runtime, container->uid, container->name, &ignored);
    return false;
}

/* ---- start ---- */

static bool run_failed(const char *program, const char *command, const struct text *said,
                       struct err *err)
{
    return err_set(err, ERR_IO, "%s %s: %.*s", program, command,
                   said && said->size < 400 ? (int)said->size : 400,
                   said && said->bytes ? said->bytes : "");
}

bool oci_run(const struct oci *oci, const struct oci_place *place, const char *const *words,
             struct text *said, struct err *err)
{
    char root[OCI_PATH_SIZE + 16];
    const struct oci_class *class = place->class;
    const char *argv[16] = {class->program, root};
    size_t count = 2;
    struct process_result result;
    AUTO(text) *own = said ? NULL : text_new(16 * 1024);
    struct text *to = said ? said : own;
    text_format(root, sizeof root, "--root=%s/oci", oci->root);
    if (class->traits->option)
        argv[count++] = class->traits->option;
    for (const char *const *word = words; *word; word++) {
        CHECK(count < COUNT_OF(argv) - 1);
        argv[count++] = *word;
    }
    struct process process = {.argv = argv, .timeout_ms = LIMIT_RUNTIME_CALL_MS};
    if (!process_run(&process, to, to, &result, err))
        return false;
    return result.exit_code == 0 || run_failed(class->program, words[0], to, err);
}

/* crun's first process reads a byte from the pipe, runc's writes one to it, and either goes on.
 * What `<runtime> start` would do, without starting it: 4 ms. */
static bool start_by_pipe(const struct oci_place *place)
{
    char path[OCI_PATH_SIZE], byte = 0;
    bool writes = place->class->traits->start == START_BY_WRITING;
    oci_file(place->state, "exec.fifo", path);
    AUTO_CLOSE int fd = open(path, (writes ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (writes)
        return unlink(path) == 0 && write(fd, &byte, 1) == 1;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    bool read_ = poll(&ready, 1, (int)LIMIT_RUNTIME_CALL_MS) == 1 && read(fd, &byte, 1) == 1;
    unlink(path);
    return read_;
}

/* Of the group first: v1 takes no ceiling above that of the folder around it. */
static bool limit_cpu(const struct oci *oci, const char *uid, const struct oci_place *place,
                      const struct record *record, struct err *err)
{
    struct cgroup_limits ceiling = {.cpu_milli = record->cpu_milli,
                                    .cpu_weight_milli = record->cpu_weight_milli};
    return oci_group_limit_cpu(oci, uid, err) &&
           (!oci_makes_cgroup(oci, place) ||
            cgroup_limit(&oci->cgroups, place->cgroup, &ceiling, err));
}

static bool let_go(const struct oci *oci, const struct oci_place *place, struct err *err)
{
    if (place->class->traits->start != START_BY_PROGRAM && start_by_pipe(place))
        return true;
    const char *words[] = {"start", place->id, NULL};
    return oci_run(oci, place, words, NULL, err);
}

/* The time is written down first: an agent that dies in between takes the container for started,
 * never for fresh. */
bool oci_start(struct runtime *runtime, const char *uid, const char *name, int64_t *started_ms,
               struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct record record;
    AUTO(arena) *arena = arena_new(64 * 1024);
    int64_t at = clock_boot_ns();
    oci_place(oci, uid, name, &place);
    if (!arena || !record_read(&place, arena, &record, err))
        return false;
    if (record.started_ms > 0)
        return err_set(err, ERR_CONFLICT, "container %s was started before", place.name);
    if (!process_lives(record.pid, record.pid_began))
        return err_set(err, ERR_CONFLICT, "container %s ended before it was started", place.name);
    record.started_ms = clock_now_ms();
    if (!watch_add(&oci->watch, uid, name, process_open(record.conmon, record.conmon_began), err) ||
        !limit_cpu(oci, uid, &place, &record, err) || !record_write(&place, &record, err) ||
        !let_go(oci, &place, err))
        return false;
    forget_config(&place);
    step("start", &place, at);
    *started_ms = record.started_ms;
    return true;
}
