/* Commands in a container that runs. The OCI runtime itself stays with the command and ends with its code; no supervisor
 * and no files are left.
 *
 *   crun:    agent <=> the container's terminal <=> command      handed over through a socket; crun only waits
 *   runc:    agent <=> terminal <=> runc exec <=> the container's terminal <=> command
 *              ^---- pipe ----- the runtime's standard error: what it has to say itself
 *   runsc:   agent <=> terminal <=> command                      its kernel uses the terminal that runsc exec has, for
 *                                                                which it takes any of its three descriptors
 *
 * (crun 1.8 sits between two terminals as well, but does not hand on the size.) When the agent lets go of its end, or
 * dies, the command is hung up. It is in the container's cgroup, with the runtime, and ends with it at the latest. */
#include "node-agent/runtime/oci/oci.h"

#include "base/clock.h"
#include "base/limits.h"
#include "node-agent/runtime/oci/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>

enum { WORDS_MAX = OCI_WORDS_MAX + 8 };

/* ---- its terminal ---- */

/* Raw when there is one within, whose line discipline is the one that counts. */
static int terminal_open(const struct runtime_exec *exec, bool raw, char path[64], struct err *err)
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
    if (raw)
        cfmakeraw(&modes);
    if (tcsetattr(fd, TCSANOW, &modes) != 0 || ioctl(fd, TIOCSWINSZ, &size) != 0) {
        err_set_os(err, ERR_IO, errno, "cannot set up a terminal");
        return -1;
    }
    return TAKE_FD(fd);
}

/* Its input is that terminal; NULL: it needs none. What it says itself goes to `out`. */
static bool start(const struct oci_place *place, const char *const *words, int process_fd,
                  const char *terminal, struct runtime_terminal *out, struct err *err)
{
    int ends[2] = {-1, -1};
    bool piped = child_pipe(ends) && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
    AUTO_CLOSE int said = ends[0];
    AUTO_CLOSE int child_said = ends[1];
    if (!piped)
        return err_set_os(err, ERR_IO, errno, "cannot make a pipe");
    struct child child = {.words = words,
                          .terminal = terminal,
                          .output_fd = -1,
                          .errors_fd = place->class->traits->shares_terminal ? -1 : child_said,
                          .extra_fd = process_fd,
                          .apart = CHILD_SESSION};
    int failed = child_start(&child, &out->pid);
    if (failed)
        return err_set_os(err, ERR_IO, failed, "cannot start %s", place->class->program);
    out->said_fd = TAKE_FD(said);
    return true;
}

/* ---- a terminal that is handed over ---- */

struct handing {
    int folder_fd, listen_fd;
    char socket[64], socket_seen[64];
};

/* Through /proc, as a socket's path must be short and the folder's need not be. */
static bool socket_make(struct handing *handing, const struct oci_place *place, struct err *err)
{
    static atomic_uint last;
    unsigned number = atomic_fetch_add(&last, 1);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    handing->folder_fd = open(place->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    handing->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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
    auto_close_fd(&handing->listen_fd);
    auto_close_fd(&handing->folder_fd);
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

static bool begin_handing(const struct oci_place *place, const char **words, size_t count,
                          int process_fd, struct runtime_terminal *out, struct err *err)
{
    struct handing handing = {.folder_fd = -1, .listen_fd = -1};
    bool ready = socket_make(&handing, place, err);
    if (ready) {
        const char *more[] = {"--console-socket", handing.socket_seen, place->id, NULL};
        memcpy(words + count, more, sizeof more);
        ready = start(place, words, process_fd, NULL, out, err);
    }
    if (ready)
        out->fd = terminal_take(&handing, out->pid);
    handing_done(&handing);
    return ready;
}

/* ---- a terminal of our own ---- */

static bool begin(const struct oci_place *place, const char **words, size_t count, int process_fd,
                  const struct runtime_exec *exec, struct runtime_terminal *out, struct err *err)
{
    char path[64];
    AUTO_CLOSE int fd = terminal_open(exec, !place->class->traits->shares_terminal, path, err);
    words[count] = place->id;
    words[count + 1] = NULL;
    if (fd < 0 || !start(place, words, process_fd, path, out, err))
        return false;
    out->fd = TAKE_FD(fd);
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
    size_t count = arena ? oci_words(oci, &place, arena, words) : 0;
    if (count == 0)
        return err_set(err, ERR_BUSY, "out of memory");
    if (!oci_find(runtime, exec->uid, exec->name, &found, err))
        return false;
    if (found.phase != RUNTIME_RUNNING)
        return err_set(err, ERR_NOT_FOUND, "container %s does not run", place.name);
    AUTO_CLOSE int process_fd = oci_process_open(&place, exec->args, exec, err);
    if (process_fd < 0)
        return false;
    words[count++] = "exec";
    words[count++] = "--process";
    words[count++] = OCI_PROCESS_SEEN;
    return place.class->traits->gives_terminal
               ? begin_handing(&place, words, count, process_fd, out, err)
               : begin(&place, words, count, process_fd, exec, out, err);
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
