/* User namespaces of groups: who is root inside is a user without rights on the node. Each group has a range of user
 * ids that no other group of this node has, which its namespaces belong to. */
#include "node-agent/network/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

enum { CHILD_STACK = 64 << 10, NUMBER_SIZE = 16 };

/* ---- ranges of ids ---- */

/* One for each address and each spare; fewer when the ids end before. */
bool users_init(struct users *users, uint32_t first, uint32_t addresses, struct err *err)
{
    int64_t most = ((int64_t)LIMIT_USERS_END - first) / LIMIT_GROUP_USERS;
    *users = (struct users){.first = first};
    if (first == 0)
        return true;
    if (first % LIMIT_GROUP_USERS != 0 || most < 1)
        return err_set(err, ERR_INVALID,
                       "the first user id of groups, %u, is no multiple of %d from %d to %lld",
                       first, (int)LIMIT_GROUP_USERS, (int)LIMIT_GROUP_USERS,
                       (long long)(LIMIT_USERS_END - LIMIT_GROUP_USERS));
    int64_t wanted = (int64_t)addresses + LIMIT_NETWORK_PREPARED_MAX;
    users->count = (uint32_t)(wanted < most ? wanted : most);
    users->taken = calloc(users->count, sizeof *users->taken);
    return users->taken || err_set(err, ERR_BUSY, "no memory for the user ids of groups");
}

void users_done(struct users *users)
{
    free(TAKE(users->taken));
}

/* Handed out in turn, as addresses are. */
bool users_take(struct users *users, uint32_t *first, struct err *err)
{
    for (uint32_t i = 0; i < users->count; i++) {
        uint32_t at = (users->next + i) % users->count;
        if (users->taken[at])
            continue;
        users->taken[at] = true;
        users->next = at + 1;
        *first = users->first + at * (uint32_t)LIMIT_GROUP_USERS;
        return true;
    }
    return err_set(err, ERR_NO_CAPACITY, "all %u ranges of user ids of this node are in use",
                   users->count);
}

/* Ranges begin at multiples of their size: those of another setting are one of ours, or none. */
void users_mark(struct users *users, uint32_t first, bool taken)
{
    uint32_t at = first >= users->first ? (first - users->first) / (uint32_t)LIMIT_GROUP_USERS : 0;
    if (users->taken && first >= users->first && at < users->count)
        users->taken[at] = taken;
}

bool users_read(const char *folder, uint32_t *first)
{
    char path[NETWORK_PATH_SIZE], line[NUMBER_SIZE];
    int64_t number;
    if (!text_format(path, sizeof path, "%s/users", folder) ||
        !line_read(path, line, sizeof line) || !text_to_int(line, &number) || number <= 0 ||
        number > UINT32_MAX)
        return false;
    *first = (uint32_t)number;
    return true;
}

bool users_write(const char *folder, uint32_t first, struct err *err)
{
    char path[NETWORK_PATH_SIZE], line[NUMBER_SIZE];
    text_format(line, sizeof line, "%u", first);
    return text_format(path, sizeof path, "%s/users", folder)
               ? line_write(path, line, err)
               : err_set(err, ERR_INVALID, "the folder name %s is too long", folder);
}

/* ---- namespaces that belong to them ---- */

/* A process that the kernel begins inside: one with threads cannot go there. It shares our memory and descriptors, and
 * this thread waits until it has ended, as it does around exec. */
struct birth {
    int user_fd; /* joined; -1: it is born in a new one */
    int *fds, folder_fd;
    int failed;
};

static int born(void *context)
{
    struct birth *birth = context;
    if (birth->user_fd >= 0 && (setns(birth->user_fd, CLONE_NEWUSER) != 0 ||
                                unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) != 0)) {
        birth->failed = errno;
        return 1;
    }
    birth->folder_fd = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < NAMESPACE_KINDS && !birth->failed; i++) {
        birth->fds[i] = openat(birth->folder_fd, namespace_kinds[i].name, O_RDONLY | O_CLOEXEC);
        birth->failed = birth->fds[i] < 0 ? errno : 0;
    }
    return birth->failed != 0;
}

/* No handler of ours runs in it. It has ended, and is there until it is waited for. */
static pid_t bear(struct birth *birth)
{
    int flags = CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD;
    AUTO_FREE char *stack = malloc(CHILD_STACK);
    sigset_t all, before;
    if (birth->user_fd < 0)
        flags |= CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = stack ? clone(born, stack + CHILD_STACK, flags, birth) : -1;
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return pid;
}

static bool map_write(pid_t pid, const char *name, uint32_t first, struct err *err)
{
    char path[64], line[64];
    text_format(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    text_format(line, sizeof line, "0 %u %d\n", first, (int)LIMIT_GROUP_USERS);
    return setting_write(path, line, err);
}

bool users_bear(uint32_t first, int user_fd, int fds[NAMESPACE_KINDS], struct err *err)
{
    struct birth birth = {.user_fd = user_fd, .fds = fds, .folder_fd = -1};
    pid_t pid = bear(&birth);
    AUTO_CLOSE UNUSED int folder = birth.folder_fd;
    if (pid < 0)
        return err_set_os(err, ERR_IO, errno, "cannot make a user namespace");
    bool made = birth.failed == 0 ||
                err_set_os(err, ERR_IO, birth.failed, "cannot work in a user namespace");
    if (made && user_fd < 0)
        made = map_write(pid, "uid_map", first, err) && map_write(pid, "gid_map", first, err);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    return made;
}
