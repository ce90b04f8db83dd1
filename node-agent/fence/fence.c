/* The agent's side: the file, the process, and the moves of the lease. */
#include "node-agent/fence/fence.h"

#include "node-agent/fence/lease.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

enum {
    PATH_SIZE = 512,
    CGROUPS_MAX = 16,
    ARGUMENTS_MAX = CGROUPS_MAX + 1, /* and the addresses */
    START_MS = 5000,
    STOP_MS = 2000,
    SWEEP_WAIT_MS = 2000
};

struct fence {
    char program[PATH_SIZE], path[PATH_SIZE];
    char folders[LEASE_FOLDERS_SIZE]; /* its arguments after the lease, one a line */
    int fd, pidfd;
    struct lease *lease;
};

/* ---- the process ---- */

/* Who holds the lock; 0: nobody. */
static pid_t holder_of(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_GETLK, &whole) != 0 || whole.l_type == F_UNLCK)
        return 0;
    return whole.l_pid;
}

/* The number may have been given to another process in between: then the lock is not its. */
static int holder_open(int fd)
{
    pid_t pid = holder_of(fd);
    if (pid <= 0)
        return -1;
    AUTO_CLOSE int pidfd = pidfd_open(pid, 0);
    return pidfd >= 0 && holder_of(fd) == pid ? TAKE_FD(pidfd) : -1;
}

static bool ended(int pidfd, int wait_ms)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    return poll(&poll_fd, 1, wait_ms) > 0;
}

static bool holder_end(int fd, struct err *err)
{
    AUTO_CLOSE int pidfd = holder_open(fd);
    if (pidfd < 0)
        return true;
    if (pidfd_send_signal(pidfd, SIGTERM, NULL, 0) == 0 && ended(pidfd, STOP_MS))
        return true;
    if ((pidfd_send_signal(pidfd, SIGKILL, NULL, 0) == 0 || errno == ESRCH) &&
        ended(pidfd, STOP_MS))
        return true;
    return err_set(err, ERR_TIMEOUT, "the fence process does not end");
}

/* argv points into `folders`, which is cut into its lines. */
static bool argv_fill(const struct fence *fence, char *folders, const char *argv[ARGUMENTS_MAX + 3])
{
    size_t count = 2;
    argv[0] = fence->program;
    argv[1] = fence->path;
    for (char *line = folders; *line;) {
        size_t size = strcspn(line, "\n");
        if (count == ARGUMENTS_MAX + 2)
            return false;
        argv[count++] = line;
        line += size + (line[size] == '\n');
        line[-1] = '\0';
    }
    argv[count] = NULL;
    return count > 3;
}

static bool process_start(struct fence *fence, struct err *err)
{
    char folders[LEASE_FOLDERS_SIZE];
    const char *argv[ARGUMENTS_MAX + 3];
    AUTO(text) *errors = text_new(1024);
    struct process process = {.argv = argv, .timeout_ms = START_MS};
    struct process_result result;
    memcpy(folders, fence->folders, sizeof folders);
    if (!errors || !argv_fill(fence, folders, argv))
        return err_set(err, ERR_INVALID, "a fence needs 1 to %d cgroup folders", CGROUPS_MAX);
    if (!process_run(&process, NULL, errors, &result, err))
        return err_add(err, "cannot run %s", fence->program);
    fence->pidfd = holder_open(fence->fd);
    if (result.exit_code == 0 && fence->pidfd >= 0)
        return true;
    return err_set(err, ERR_IO, "%s did not start: %.*s", fence->program,
                   (int)strcspn(errors->bytes, "\n"), errors->bytes);
}

/* ---- the file ---- */

static bool boot_id_read(char out[LEASE_BOOT_ID_SIZE], struct err *err)
{
    AUTO_FREE char *bytes = NULL;
    size_t size;
    if (!file_read("/proc/sys/kernel/random/boot_id", LEASE_BOOT_ID_SIZE, &bytes, &size, err))
        return false;
    bytes[strcspn(bytes, "\n")] = '\0';
    return text_copy(out, LEASE_BOOT_ID_SIZE, bytes);
}

static bool lease_map(struct fence *fence, struct err *err)
{
    fence->fd = open(fence->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fence->fd < 0 || ftruncate(fence->fd, sizeof *fence->lease) != 0)
        return err_set_os(err, ERR_IO, errno, "cannot make the lease %s", fence->path);
    void *mapped =
        mmap(NULL, sizeof *fence->lease, PROT_READ | PROT_WRITE, MAP_SHARED, fence->fd, 0);
    if (mapped == MAP_FAILED)
        return err_set_os(err, ERR_IO, errno, "cannot map the lease %s", fence->path);
    fence->lease = mapped;
    return true;
}

/* A lease of this boot goes on. Any other is none: its instants mean nothing. */
static bool lease_settle(struct fence *fence, struct err *err)
{
    char boot_id[LEASE_BOOT_ID_SIZE] = {0};
    struct lease *lease = fence->lease;
    if (!boot_id_read(boot_id, err))
        return false;
    if (lease->magic == LEASE_MAGIC && strncmp(lease->boot_id, boot_id, sizeof boot_id) == 0)
        return true;
    if (!holder_end(fence->fd, err))
        return false;
    lease->deadline_ns = LEASE_NONE;
    lease->fired_ms = 0;
    lease->finished = 0;
    memcpy(lease->boot_id, boot_id, sizeof boot_id);
    lease->magic = LEASE_MAGIC;
    return true;
}

/* Adopted when it guards the same folders; else ended, and its lease handed to a new one. */
static bool process_adopt(struct fence *fence, struct err *err)
{
    struct lease *lease = fence->lease;
    if (memcmp(lease->folders, fence->folders, sizeof lease->folders) == 0) {
        fence->pidfd = holder_open(fence->fd);
        if (fence->pidfd >= 0)
            return true;
    }
    if (!holder_end(fence->fd, err))
        return false;
    memcpy(lease->folders, fence->folders, sizeof lease->folders);
    return process_start(fence, err);
}

/* ---- the front door ---- */

static bool program_find(const char *given, char out[PATH_SIZE])
{
    return given ? text_copy(out, PATH_SIZE, given) : process_beside("berth-fence", out, PATH_SIZE);
}

static bool argument_add(struct fence *fence, const char *argument)
{
    size_t used = strlen(fence->folders);
    return text_format(fence->folders + used, sizeof fence->folders - used, "%s\n", argument);
}

static bool options_take(struct fence *fence, const struct fence_options *options, struct err *err)
{
    const char *none = "-"; /* no folder: berth-fence stands in "/" */
    bool fits = argument_add(fence, options->addresses ? options->addresses : none);
    for (size_t i = 0; fits && i < options->cgroups_count; i++)
        fits = argument_add(fence, options->cgroups[i]);
    if (!fits)
        return err_set(err, ERR_INVALID, "too many or too long cgroup folders for a fence");
    if (!program_find(options->program, fence->program) ||
        !text_format(fence->path, sizeof fence->path, "%s/fence", options->run_dir))
        return err_set(err, ERR_INVALID, "the fence's program or folder has too long a name");
    return file_make_folders(options->run_dir, 0755, err);
}

struct fence *fence_start(const struct fence_options *options, struct err *err)
{
    struct fence *made = calloc(1, sizeof *made);
    if (!made) {
        err_set(err, ERR_BUSY, "no memory for the fence");
        return NULL;
    }
    made->fd = made->pidfd = -1;
    AUTO(fence) *fence = made;
    if (options_take(fence, options, err) && lease_map(fence, err) && lease_settle(fence, err) &&
        process_adopt(fence, err))
        return TAKE(fence);
    err_add(err, "while starting the fence");
    return NULL;
}

void fence_free(struct fence *fence)
{
    if (!fence)
        return;
    if (fence->lease)
        munmap(fence->lease, sizeof *fence->lease);
    auto_close_fd(&fence->pidfd);
    auto_close_fd(&fence->fd);
    free(fence);
}

bool fence_stop(const char *run_dir, struct err *err)
{
    char path[PATH_SIZE];
    if (!text_format(path, sizeof path, "%s/fence", run_dir))
        return err_set(err, ERR_INVALID, "the run folder's name is too long");
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return err_set_os(err, ERR_IO, errno, "cannot open the lease %s", path);
    if (!holder_end(fd, err))
        return false;
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_os(err, ERR_IO, errno, "cannot remove the lease %s", path);
    return true;
}

int fence_fd(const struct fence *fence)
{
    return fence->pidfd;
}

bool fence_restart(struct fence *fence, struct err *err)
{
    auto_close_fd(&fence->pidfd);
    return process_adopt(fence, err) || err_add(err, "while restarting the fence");
}

bool fence_renew(struct fence *fence, int64_t until_boot_ns)
{
    int64_t deadline_ns = fence->lease->deadline_ns;
    while (deadline_ns != LEASE_FIRED) {
        if (until_boot_ns <= deadline_ns ||
            atomic_compare_exchange_weak(&fence->lease->deadline_ns, &deadline_ns, until_boot_ns))
            return true;
    }
    return false;
}

bool fence_fenced_at(const struct fence *fence, int64_t *unix_ms)
{
    if (fence->lease->deadline_ns != LEASE_FIRED)
        return false;
    *unix_ms = fence->lease->fired_ms;
    return true;
}

bool fence_finished(const struct fence *fence)
{
    return fence->lease->deadline_ns == LEASE_FIRED && fence->lease->finished;
}

void fence_reset(struct fence *fence, int64_t until_boot_ns)
{
    struct timespec pause = {.tv_nsec = 1000000};
    fence->lease->deadline_ns = until_boot_ns;
    /* A sweep under way may still kill: what starts now must not be among it. A dead fence sweeps nothing. */
    for (int i = 0; i < SWEEP_WAIT_MS && fence->lease->sweeping && !ended(fence->pidfd, 0); i++)
        nanosleep(&pause, NULL);
}
