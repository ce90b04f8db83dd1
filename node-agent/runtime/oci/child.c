/* posix_spawn because the agent is large and has threads: it shares memory with the child until exec, where fork would
 * copy page tables. */
#include "node-agent/runtime/oci/child.h"

#include "base/err.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <unistd.h>

enum { ENVIRONMENT_MAX = 8 };

static void files_fill(posix_spawn_file_actions_t *files, const struct child *child)
{
    posix_spawn_file_actions_init(files);
    if (child->folder)
        posix_spawn_file_actions_addchdir_np(files, child->folder);
    if (child->errors_fd >= 0)
        posix_spawn_file_actions_adddup2(files, child->errors_fd, STDERR_FILENO);
    posix_spawn_file_actions_addopen(files, STDIN_FILENO,
                                     child->terminal ? child->terminal : "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(files, child->output_fd >= 0 ? child->output_fd : STDIN_FILENO,
                                     STDOUT_FILENO);
    if (child->errors_fd < 0)
        posix_spawn_file_actions_adddup2(files, STDOUT_FILENO, STDERR_FILENO);
    if (child->extra_fd >= 0)
        posix_spawn_file_actions_adddup2(files, child->extra_fd, CHILD_EXTRA_FD);
    posix_spawn_file_actions_addclosefrom_np(files, child->extra_fd >= 0 ? CHILD_EXTRA_FD + 1
                                                                         : CHILD_EXTRA_FD);
}

static void attributes_fill(posix_spawnattr_t *attributes, const struct child *child)
{
    static const short flags[] = {
        [CHILD_GROUP] = POSIX_SPAWN_SETPGROUP, [CHILD_SESSION] = POSIX_SPAWN_SETSID};
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(
        attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags[child->apart]));
}

int child_start(const struct child *child, pid_t *pid)
{
    const char *environment[ENVIRONMENT_MAX] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    size_t count = 1;
    for (const char *const *one = child->more; one && *one; one++) {
        CHECK(count < ENVIRONMENT_MAX - 1);
        environment[count++] = *one;
    }
    files_fill(&files, child);
    attributes_fill(&attributes, child);
    int failed = posix_spawn(pid, child->words[0], &files, &attributes,
                             (char *const *)(const void *)child->words,
                             (char *const *)(const void *)environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

bool child_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int above = fcntl(ends[1], F_DUPFD_CLOEXEC, CHILD_ABOVE_FD);
    close(ends[1]);
    ends[1] = above;
    return above >= 0;
}
