/* A command in a running container: `<runtime> exec`, entered into the container's cgroup as its creation is.
 *
 *   agent ─ posix_spawn ▶ berth-enter ▶ crun exec ─ fork ▶ the command
 *     ▲        its process, from a memory file ▲                │
 *     └── one epoll descriptor: outputs, end ◀─┴────────────────┘
 *
 * Nobody waits: the caller polls. */
#include "node-agent/runtime/oci/oci.h"

#include "base/file.h"
#include "base/limits.h"
#include "node-agent/runtime/oci/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum {
    CHUNK = 16 * 1024,
    CHUNKS_AT_ONCE = 4,
    DEPTH_MAX = 16 /* of processes below the runtime's own that are looked for */
};

struct oci_command {
    struct runtime_command base;
    pid_t pid; /* of the runtime; 0: reaped */
    int pid_fd, output_fd;
    int exit_code;
};

/* ---- starting it ---- */

static bool watch_fd(int epoll_fd, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool start(const struct oci *oci, const struct oci_place *place, int process_fd,
                  struct oci_command *running, struct err *err)
{
    AUTO(arena) *arena = arena_new(64 * 1024);
    const char *words[OCI_WORDS_MAX + 8];
    size_t count = 0;
    int ends[2] = {-1, -1};
    bool piped = child_pipe(ends);
    AUTO_CLOSE int output_fd = ends[1];
    running->output_fd = ends[0];
    running->base.fd = epoll_create1(EPOLL_CLOEXEC);
    running->base.output = text_new(LIMIT_PROBE_OUTPUT_MAX);
    if (!arena || !piped || running->base.fd < 0 || !running->base.output ||
        fcntl(running->output_fd, F_SETFL, O_NONBLOCK) != 0 ||
        !watch_fd(running->base.fd, running->output_fd) ||
        !(count = oci_words(oci, place, arena, words)))
        return err_set_os(err, ERR_BUSY, errno, "cannot prepare a command for container %s",
                          place->name);
    const char *more[] = {"exec", "--process", OCI_PROCESS_SEEN, place->id, NULL};
    CHECK(count + COUNT_OF(more) <= COUNT_OF(words));
    memcpy(words + count, more, sizeof more);
    struct child child = {.words = words,
                          .output_fd = output_fd,
                          .errors_fd = output_fd,
                          .extra_fd = process_fd,
                          .apart = CHILD_GROUP};
    int failed = child_start(&child, &running->pid);
    if (failed)
        return err_set_os(err, ERR_IO, failed, "cannot start %s", words[0]);
    running->pid_fd = (int)syscall(SYS_pidfd_open, running->pid, 0);
    return watch_fd(running->base.fd, running->pid_fd) ||
           err_set_os(err, ERR_BUSY, errno, "cannot watch a command in container %s", place->name);
}

struct runtime_command *oci_command_begin(struct runtime *runtime, const char *uid,
                                          const char *name, const struct text_list *command,
                                          struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    oci_place(oci, uid, name, &place);
    AUTO_CLOSE int process_fd = oci_process_open(&place, command, NULL, err);
    struct oci_command *running = process_fd >= 0 ? calloc(1, sizeof *running) : NULL;
    if (!running) {
        if (process_fd >= 0)
            err_set(err, ERR_BUSY, "out of memory");
        return NULL;
    }
    running->base = (struct runtime_command){.driver = runtime->driver, .fd = -1};
    running->pid_fd = running->output_fd = -1;
    if (start(oci, &place, process_fd, running, err))
        return &running->base;
    oci_command_free(&running->base);
    return NULL;
}

/* ---- while it runs ---- */

/* A little at a time: others wait. An end that is closed would be readable for ever. */
static void drain(struct oci_command *running)
{
    char chunk[CHUNK];
    for (int round = 0; round < CHUNKS_AT_ONCE && running->output_fd >= 0; round++) {
        ssize_t got = read(running->output_fd, chunk, sizeof chunk);
        if (got > 0)
            text_add_cut(running->base.output, chunk, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            auto_close_fd(&running->output_fd);
        else if (errno == EAGAIN)
            return;
    }
}

static bool reap(struct oci_command *running, int options)
{
    int status;
    pid_t reaped;
    do
        reaped = waitpid(running->pid, &status, options);
    while (reaped < 0 && errno == EINTR);
    if (reaped == 0)
        return false;
    CHECK(reaped == running->pid); /* nobody else reaps our children */
    running->exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    running->pid = 0;
    return true;
}

bool oci_command_ended(struct runtime_command *base, int *exit_code)
{
    struct oci_command *running = (struct oci_command *)base;
    bool ended = running->pid == 0 || reap(running, WNOHANG);
    drain(running); /* after the look: what it wrote last is there */
    if (ended)
        *exit_code = running->exit_code;
    return ended;
}

/* ---- ending it ---- */

static void kill_below(pid_t pid, int depth);

static void kill_listed(const char *path, int depth)
{
    AUTO_FREE char *pids = NULL;
    size_t size;
    int64_t pid;
    struct err ignored;
    if (!file_read(path, CHUNK, &pids, &size, &ignored))
        return;
    for (char *word, *rest = pids; (word = strsep(&rest, " \n"));) {
        if (!text_to_int(word, &pid) || pid <= 1)
            continue;
        kill_below((pid_t)pid, depth - 1);
        kill((pid_t)pid, SIGKILL);
    }
}

static void kill_below(pid_t pid, int depth)
{
    char path[64];
    text_format(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *threads = depth > 0 ? opendir(path) : NULL;
    if (!threads)
        return;
    for (const struct dirent *entry; (entry = readdir(threads));) {
        if (entry->d_name[0] != '.' &&
            text_format(path, sizeof path, "/proc/%d/task/%s/children", (int)pid, entry->d_name))
            kill_listed(path, depth);
    }
    closedir(threads);
}

/* The command is a child of the runtime, which is held still meanwhile: it reaps none of them, so their numbers stay
 * theirs. */
static void end_processes(struct oci_command *running)
{
    kill(running->pid, SIGSTOP);
    kill_below(running->pid, DEPTH_MAX);
    kill(running->pid, SIGKILL);
    reap(running, 0);
}

void oci_command_free(struct runtime_command *base)
{
    struct oci_command *running = (struct oci_command *)base;
    if (running->pid > 0)
        end_processes(running);
    auto_close_fd(&running->pid_fd);
    auto_close_fd(&running->output_fd);
    auto_close_fd(&running->base.fd);
    text_free(running->base.output);
    free(running);
}
