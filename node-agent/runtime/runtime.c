/* The front door: checks names, which become parts of paths, and hands on to the driver. */
#include "node-agent/runtime/runtime.h"

#include "node-agent/runtime/driver.h"

#include <signal.h>
#include <string.h>

bool runtime_name_valid(const char *name)
{
    size_t size = name ? strlen(name) : 0;
    return size > 0 && size < RUNTIME_NAME_SIZE &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

static bool group_ok(const char *uid, struct err *err)
{
    if (uid && id_valid(uid))
        return true;
    return err_set(err, ERR_INVALID, "a group is named by its UUID");
}

static bool names_ok(const char *uid, const char *name, struct err *err)
{
    if (!group_ok(uid, err))
        return false;
    if (runtime_name_valid(name))
        return true;
    return err_set(err, ERR_CONTAINER_NAME, "a container's name has 1 to 63 of a-z, 0-9 and '-'");
}

static bool absolute(const char *path, const char *what, struct err *err)
{
    if (path && path[0] == '/')
        return true;
    return err_set(err, ERR_INVALID, "%s of a container is an absolute path", what);
}

static bool is_at_or_below(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

/* What the kernel shows there belongs to the container's confinement. */
static bool target_ok(const char *target, struct err *err)
{
    if (!absolute(target, "the target of a mount", err))
        return false;
    size_t end = strlen(target);
    if (strspn(target, "/") == end || is_at_or_below(target, "/proc") ||
        is_at_or_below(target, "/sys") || strcmp(target, "/dev") == 0 || strstr(target, "/../") ||
        strstr(target, "//") || (end >= 3 && strcmp(target + end - 3, "/..") == 0))
        return err_set(err, ERR_VOLUME_MOUNT, "a volume cannot be mounted on %s", target);
    return true;
}

static bool container_ok(const struct runtime_container *container, struct err *err)
{
    if (!names_ok(container->uid, container->name, err) ||
        !absolute(container->root, "the root", err) ||
        !absolute(container->log_path, "the log", err))
        return false;
    if (container->working_dir && !absolute(container->working_dir, "the working folder", err))
        return false;
    for (size_t i = 0; i < container->mounts_count; i++)
        if (!absolute(container->mounts[i].source, "the source of a mount", err) ||
            !target_ok(container->mounts[i].target, err))
            return false;
    if (container->args.count == 0 || container->args.items[0][0] == '\0')
        return err_set(err, ERR_INVALID,
                       "container %s has no command: neither its image nor its spec gives one",
                       container->name);
    return true;
}

/* ---- handed on ---- */

struct runtime *runtime_open(const struct runtime_options *options, struct err *err)
{
    return oci_open(options, err);
}

void runtime_free(struct runtime *runtime)
{
    if (runtime)
        runtime->driver->free(runtime);
}

bool runtime_close_all(const struct runtime_options *options, struct err *err)
{
    return oci_close_all(options, err);
}

const char *runtime_cgroup_layout(const struct runtime *runtime)
{
    return runtime->driver->cgroup_layout(runtime);
}

const struct text_list *runtime_cgroup_folders(const struct runtime *runtime)
{
    return runtime->driver->cgroup_folders(runtime);
}

const struct text_list *runtime_classes(const struct runtime *runtime)
{
    return runtime->driver->classes(runtime);
}

bool runtime_takes_users(const struct runtime *runtime, const char *class_name)
{
    return runtime->driver->takes_users(runtime, class_name);
}

bool runtime_users_try(const struct runtime *runtime, struct err *err)
{
    return runtime->driver->users_try(runtime, err);
}

bool runtime_group_up(struct runtime *runtime, const struct runtime_group *group, struct err *err)
{
    return group_ok(group->uid, err) && runtime->driver->group_up(runtime, group, err);
}

bool runtime_group_down(struct runtime *runtime, const char *uid, struct err *err)
{
    return group_ok(uid, err) && runtime->driver->group_down(runtime, uid, err);
}

bool runtime_group_kill(struct runtime *runtime, const char *uid, struct err *err)
{
    return group_ok(uid, err) && runtime->driver->group_kill(runtime, uid, err);
}

bool runtime_create(struct runtime *runtime, const struct runtime_container *container,
                    struct err *err)
{
    return container_ok(container, err) && runtime->driver->create(runtime, container, err);
}

bool runtime_start(struct runtime *runtime, const char *uid, const char *name, int64_t *started_ms,
                   struct err *err)
{
    return names_ok(uid, name, err) && runtime->driver->start(runtime, uid, name, started_ms, err);
}

bool runtime_signal(struct runtime *runtime, const char *uid, const char *name, int signal_number,
                    struct err *err)
{
    return names_ok(uid, name, err) &&
           runtime->driver->signal(runtime, uid, name, signal_number, err);
}

bool runtime_remove(struct runtime *runtime, const char *uid, const char *name, struct err *err)
{
    return names_ok(uid, name, err) && runtime->driver->remove(runtime, uid, name, err);
}

bool runtime_find(struct runtime *runtime, const char *uid, const char *name,
                  struct runtime_found *out, struct err *err)
{
    return names_ok(uid, name, err) && runtime->driver->find(runtime, uid, name, out, err);
}

bool runtime_list(struct runtime *runtime, struct arena *arena, struct runtime_found **found,
                  size_t *count, struct err *err)
{
    return runtime->driver->list(runtime, arena, found, count, err);
}

int runtime_exit_fd(const struct runtime *runtime)
{
    return runtime->driver->exit_fd(runtime);
}

bool runtime_exit_next(struct runtime *runtime, char uid[ID_SIZE], char name[RUNTIME_NAME_SIZE])
{
    return runtime->driver->exit_next(runtime, uid, name);
}

bool runtime_exec(struct runtime *runtime, const struct runtime_exec *exec,
                  struct runtime_terminal *out, struct err *err)
{
    if (!names_ok(exec->uid, exec->name, err))
        return false;
    if (exec->args->count == 0 || !exec->args->items[0][0])
        return err_set(err, ERR_EXEC_COMMAND, "the command is empty");
    return runtime->driver->exec(runtime, exec, out, err);
}

int runtime_end_fd(struct runtime *runtime, const char *uid, const char *name)
{
    struct err ignored;
    return names_ok(uid, name, &ignored) ? runtime->driver->end_fd(runtime, uid, name) : -1;
}

bool runtime_use(struct runtime *runtime, const char *uid, const char *name,
                 struct runtime_use *out, struct err *err)
{
    bool valid = name ? names_ok(uid, name, err) : group_ok(uid, err);
    return valid && runtime->driver->use(runtime, uid, name, out, err);
}

bool runtime_log_rotate(struct runtime *runtime, const char *uid, const char *name, struct err *err)
{
    return names_ok(uid, name, err) && runtime->driver->log_rotate(runtime, uid, name, err);
}

/* ---- commands ---- */

struct runtime_command *runtime_command_begin(struct runtime *runtime, const char *uid,
                                              const char *name, const struct text_list *command,
                                              struct err *err)
{
    if (!names_ok(uid, name, err))
        return NULL;
    if (command->count > 0 && command->items[0][0])
        return runtime->driver->command_begin(runtime, uid, name, command, err);
    err_set(err, ERR_INVALID, "there is no command to run in container %s", name);
    return NULL;
}

int runtime_command_fd(const struct runtime_command *running)
{
    return running->fd;
}

bool runtime_command_ended(struct runtime_command *running, int *exit_code)
{
    return running->driver->command_ended(running, exit_code);
}

const char *runtime_command_output(const struct runtime_command *running)
{
    return running->output && running->output->bytes ? running->output->bytes : "";
}

void runtime_command_free(struct runtime_command *running)
{
    if (running)
        running->driver->command_free(running);
}

/* ---- signals ---- */

int runtime_signal_number(const char *name)
{
    int64_t number;
    if (!name)
        return 0;
    if (text_to_int(name, &number))
        return number > 0 && number <= SIGRTMAX ? (int)number : 0;
    if (strlen(name) > 3 && (name[0] | 32) == 's' && (name[1] | 32) == 'i' && (name[2] | 32) == 'g')
        name += 3;
    for (int one = 1; one < SIGRTMIN; one++) {
        const char *known = sigabbrev_np(one);
        if (known && text_equal_nocase(known, name))
            return one;
    }
    bool from_end = strncasecmp(name, "RTMAX-", 6) == 0;
    if (!from_end && strncasecmp(name, "RTMIN+", 6) != 0)
        return 0;
    if (!text_to_int(name + 6, &number) || number < 0 || number > SIGRTMAX - SIGRTMIN)
        return 0;
    return from_end ? SIGRTMAX - (int)number : SIGRTMIN + (int)number;
}
