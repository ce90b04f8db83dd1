/* Commands in a container that runs. The OCI runtime itself stays with the command and ends with its code; no supervisor
 * and no files are left.
 *
 *   crun:    agent <=> the container's terminal <=> command      handed over through a socket; crun only waits
 *   others:  agent <=> terminal <=> runc exec --tty <=> the container's terminal <=> command
 *              ^---- pipe ----- the runtime's standard error: what it has to say itself
 *
 * (crun 1.8 sits between two terminals as well, but does not hand on the size.) When the agent lets go of its end, or
 * dies, the command is hung up. It is in the container's cgroup, with the runtime, and ends with it at the latest. */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>

enum {
    WORDS_MAX = OCI_WORDS_MAX + LIMIT_EXEC_WORDS_MAX + 8,
    STATUS_MAX = 16 * 1024,
    PROCESS_MAX = 256 * 1024
};

/* ---- its words ---- */

/* The runtime inherits all from the container's configuration but this. */
static bool keeps_privileges_down(pid_t pid)
{
    char path[64];
    AUTO_FREE char *status = NULL;
    size_t size;
    struct err ignored;
    text_format(path, sizeof path, "/proc/%d/status", (int)pid);
    return !file_read(path, STATUS_MAX, &status, &size, &ignored) ||
           !strstr(status, "\nNoNewPrivs:\t0");
}

static bool fill(const struct oci *oci, const struct oci_place *place, pid_t pid,
                 const struct text_list *args, struct arena *arena, const char *words[WORDS_MAX],
                 struct err *err)
{
    size_t count = oci_words(oci, place, arena, words);
    if (count == 0)
        return err_set(err, ERR_BUSY, "out of memory");
    words[count++] = "exec";
    words[count++] = "--tty";
    if (place->class->traits->is_plain && keeps_privileges_down(pid))
        words[count++] = "--no-new-privs";
    words[count++] = place->id;
    for (size_t i = 0; i < args->count && count < WORDS_MAX - 1; i++)
        words[count++] = args->items[i];
    words[count] = NULL;
    return true;
}

/* ---- its terminal ---- */

/* Raw: the line discipline that counts is that of the container's terminal. */
static int terminal_open(const struct runtime_exec *exec, char path[64], struct err *err)
{
    struct winsize size = {.ws_row = (unsigned short)exec->rows,
                           .ws_col = (unsigned short)exec->columns};
    struct termios modes;
    AUTO_CLOSE int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, path, 64) != 0 ||
        tcgetattr(fd, &modes) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot open a terminal");
        return -1;
    }
    cfmakeraw(&modes);
    if (tcsetattr(fd, TCSANOW, &modes) != 0 || ioctl(fd, TIOCSWINSZ, &size) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot set up a terminal");
        return -1;
    }
    return TAKE_FD(fd);
}

/* `terminal` NULL: none. A new session, in which the first terminal that is opened becomes the controlling one: it is hung up with it. */
static int spawn(const char *const *words, const char *terminal, int said_fd, pid_t *pid)
{
    static const char *const environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&files, said_fd, 2);
    posix_spawn_file_actions_addopen(&files, 0, terminal ? terminal : "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn(pid, words[0], &files, &attributes, (char *const *)(const void *)words,
                             (char *const *)(const void *)environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return failed;
}

/* The child's end must not be one of those that are replaced in it. */
static bool open_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int above = fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    close(ends[1]);
    ends[1] = above;
    return above >= 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

/* ---- a terminal that is handed over ---- */

struct handing {
    int folder_fd, listen_fd;
    char socket[64], socket_seen[64], process[OCI_PATH_SIZE];
};

/* Through /proc, as a socket's path must be short and the folder's need not be. */
static bool socket_make(struct handing *handing, const struct oci_place *place, struct err *err)
{
    static atomic_uint last;
    unsigned number = atomic_fetch_add(&last, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    handing->folder_fd = open(place->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    handing->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    text_format(handing->process, sizeof handing->process, "%s/exec-%u.json", place->folder,
                number);
    text_format(handing->socket, sizeof handing->socket, "/proc/self/fd/%d/exec-%u",
                handing->folder_fd, number);
    text_format(handing->socket_seen, sizeof handing->socket_seen, "/proc/%d/fd/%d/exec-%u",
                (int)getpid(), handing->folder_fd, number);
    text_copy(address.sun_path, sizeof address.sun_path, handing->socket);
    if (handing->folder_fd >= 0 && handing->listen_fd >= 0 &&
        bind(handing->listen_fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        listen(handing->listen_fd, 1) == 0)
        return true;
    return err_set_os(err, ERR_IO, errno, "cannot make a socket in %s", place->folder);
}

static void handing_done(struct handing *handing)
{
    if (handing->listen_fd >= 0)
        unlink(handing->socket);
    unlink(handing->process);
    auto_close_fd(&handing->listen_fd);
    auto_close_fd(&handing->folder_fd);
}

/* What it leaves out is as in the container's configuration. */
static bool process_write(const struct handing *handing, const struct runtime_exec *exec,
                          const struct record *record, bool no_new_privileges, struct err *err)
{
    AUTO(text) *json = text_new(PROCESS_MAX);
    text_addf(json, "{\"terminal\":true,\"consoleSize\":{\"height\":%d,\"width\":%d},\"cwd\":",
              exec->rows, exec->columns);
    text_add_json(json, record->working_dir ? record->working_dir : "/");
    if (record->user)
        text_addf(json, ",\"user\":%s", record->user);
    text_addf(json, ",\"noNewPrivileges\":%s,\"args\":[", no_new_privileges ? "true" : "false");
    for (size_t i = 0; i < exec->args->count; i++) {
        text_add(json, i > 0 ? "," : "");
        text_add_json(json, exec->args->items[i]);
    }
    text_add(json, "]}");
    if (!text_ok(json))
        return err_set(err, ERR_TOO_LARGE, "the command is too long");
    return file_replace(handing->process, json->bytes, json->size, 0600, false, err);
}

/* The descriptor that comes with a message; -1. */
static int descriptor_take(int fd)
{
    char byte[256];
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr head;
    } control = {0};
    struct iovec data = {byte, sizeof byte};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    int taken = -1;
    if (recvmsg(fd, &message, MSG_CMSG_CLOEXEC) < 0)
        return -1;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
        memcpy(&taken, CMSG_DATA(head), sizeof taken);
    return taken;
}

/* Readable in time, while that process lives. */
static bool wait_for(int fd, int process_fd, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = process_fd, .events = POLLIN}};
    int64_t left_ms = until_ms - clock_boot_ns() / 1000000;
    return left_ms > 0 && poll(fds, 2, (int)left_ms) > 0 && (fds[0].revents & POLLIN) != 0;
}

/* -1: the runtime ended without it, which its words and its code explain. */
static int terminal_take(const struct handing *handing, pid_t pid)
{
    int64_t until_ms = clock_boot_ns() / 1000000 + LIMIT_RUNTIME_CALL_MS;
    AUTO_CLOSE int process_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    AUTO_CLOSE int fd = wait_for(handing->listen_fd, process_fd, until_ms)
                            ? accept4(handing->listen_fd, NULL, NULL, SOCK_CLOEXEC)
                            : -1;
    int terminal = fd >= 0 && wait_for(fd, process_fd, until_ms) ? descriptor_take(fd) : -1;
    if (terminal >= 0)
        (void)fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
    return terminal;
}

static bool begin_handing(const struct oci *oci, const struct oci_place *place,
                          const struct runtime_exec *exec, const struct runtime_found *found,
                          struct arena *arena, struct runtime_terminal *out, struct err *err)
{
    const char *words[WORDS_MAX];
    struct handing handing = {.folder_fd = -1, .listen_fd = -1};
    struct record record;
    int ends[2] = {-1, -1};
    size_t count = oci_words(oci, place, arena, words);
    bool ready = count > 0 && record_read(place, arena, &record, err) &&
                 socket_make(&handing, place, err) &&
                 process_write(&handing, exec, &record, keeps_privileges_down(found->pid), err) &&
                 open_pipe(ends);
    AUTO_CLOSE int said = ends[0];
    AUTO_CLOSE int child_said = ends[1];
    if (ready) {
        words[count++] = "exec";
        words[count++] = arena_format(arena, "--process=%s", handing.process);
        words[count++] = arena_format(arena, "--console-socket=%s", handing.socket_seen);
        words[count++] = place->id;
        words[count] = NULL;
        int failed = spawn(words, NULL, child_said, &out->pid);
        ready = failed == 0 ||
                err_set_os(err, ERR_IO, failed, "cannot start %s", place->class->program);
    }
    if (ready) {
        auto_close_fd(&child_said);
        out->fd = terminal_take(&handing, out->pid);
        out->said_fd = TAKE_FD(said);
    }
    handing_done(&handing);
    return ready || err->code != ERR_OK ? ready : err_set(err, ERR_BUSY, "out of memory");
}

/* ---- a terminal of our own ---- */

static bool begin(const struct oci_place *place, const char *const *words,
                  const struct runtime_exec *exec, struct runtime_terminal *out, struct err *err)
{
    char path[64];
    int ends[2] = {-1, -1};
    AUTO_CLOSE int fd = terminal_open(exec, path, err);
    if (fd < 0)
        return false;
    bool piped = open_pipe(ends);
    AUTO_CLOSE int said = ends[0];
    AUTO_CLOSE int child_said = ends[1];
    if (!piped)
        return err_set_os(err, ERR_IO, errno, "cannot make a pipe");
    int failed = spawn(words, path, child_said, &out->pid);
    if (failed)
        return err_set_os(err, ERR_IO, failed, "cannot start %s", place->class->program);
    out->fd = TAKE_FD(fd);
    out->said_fd = TAKE_FD(said);
    return true;
}

bool oci_exec(struct runtime *runtime, const struct runtime_exec *exec,
              struct runtime_terminal *out, struct err *err)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct runtime_found found;
    const char *words[WORDS_MAX];
    AUTO(arena) *arena = arena_new(128 * 1024);
    oci_place(oci, exec->uid, exec->name, &place);
    if (!arena)
        return err_set(err, ERR_BUSY, "out of memory");
    if (!oci_find(runtime, exec->uid, exec->name, &found, err))
        return false;
    if (found.phase != RUNTIME_RUNNING)
        return err_set(err, ERR_NOT_FOUND, "container %s does not run", place.name);
    if (place.class->traits->gives_terminal)
        return begin_handing(oci, &place, exec, &found, arena, out, err);
    return fill(oci, &place, found.pid, exec->args, arena, words, err) &&
           begin(&place, words, exec, out, err);
}

int oci_end_fd(struct runtime *runtime, const char *uid, const char *name)
{
    struct oci *oci = (struct oci *)runtime;
    struct oci_place place;
    struct record record;
    struct err ignored;
    AUTO(arena) *arena = arena_new(64 * 1024);
    oci_place(oci, uid, name, &place);
    return arena && record_read(&place, arena, &record, &ignored)
               ? process_open(record.conmon, record.conmon_began)
               : -1;
}
