/* The parent's side: start, carry bytes out, watch the clock, reap. */
#include "base/process_inner.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

/* ---- descriptors ---- */

/* Input goes through a memory file: no program blocks on us, and none can kill us by not reading.
 */
static int open_input(const struct process *process)
{
    if (!process->input)
        return open("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int fd = memfd_create("input", MFD_CLOEXEC);
    size_t done = 0;
    while (fd >= 0 && done < process->input_size) {
        ssize_t written = write(fd, process->input + done, process->input_size - done);
        if (written < 0 && errno != EINTR)
            return -1;
        done += written > 0 ? (size_t)written : 0;
    }
    return fd >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? TAKE_FD(fd) : -1;
}

static bool open_output(struct text *into, int *ours, int *childs)
{
    int ends[2];
    if (!into) {
        *childs = open("/dev/null", O_WRONLY | O_CLOEXEC);
        return *childs >= 0;
    }
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *ours = ends[0];
    *childs = ends[1];
    return fcntl(*ours, F_SETFL, O_NONBLOCK) == 0;
}

static bool open_all(struct run *run, struct err *err)
{
    const struct process *process = run->process;
    int ends[2];
    run->childs[0] = open_input(process);
    bool ready =
        run->childs[0] >= 0 && open_output(run->texts[0], &run->outputs[0], &run->childs[1]);
    if (ready && run->texts[0] && run->texts[0] == run->texts[1])
        ready = (run->childs[2] = fcntl(run->childs[1], F_DUPFD_CLOEXEC, 0)) >= 0;
    else if (ready)
        ready = open_output(run->texts[1], &run->outputs[1], &run->childs[2]);
    if (ready && pipe2(ends, O_CLOEXEC) == 0) {
        run->said = ends[0];
        run->saying = ends[1];
        return true;
    }
    return err_set_os(err, ERR_BUSY, errno, "cannot prepare to run %s", process->argv[0]);
}

static void close_all(struct run *run)
{
    for (size_t i = 0; i < 3; i++)
        auto_close_fd(&run->childs[i]);
    for (size_t i = 0; i < 2; i++)
        auto_close_fd(&run->outputs[i]);
    auto_close_fd(&run->said);
    auto_close_fd(&run->saying);
    auto_close_fd(&run->pidfd);
}

/* ---- start ---- */

/* Nothing is said when the program runs: the pipe closes with exec. */
static bool hear_of_start(struct run *run, struct err *err)
{
    struct process_word word;
    ssize_t got;
    auto_close_fd(&run->saying);
    do
        got = read(run->said, &word, sizeof word);
    while (got < 0 && errno == EINTR);
    if (got != sizeof word)
        return true;
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    const char *program = run->process->argv[0];
    if (word.step == PROCESS_HOOK)
        return err_set_os(err, ERR_IO, word.os_errno, "cannot prepare the child that runs %s",
                          program);
    return err_set_os(err, word.os_errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, word.os_errno,
                      "cannot run %s", program);
}

/* The child runs in our memory, on this thread's stack, until its program begins; the other threads go
 * on meanwhile. fork() copies the page tables first: 33 ms with a heap of 1 GiB, against 0.5. */
static pid_t spawn(const struct run *run)
{
    pid_t pid = vfork(); /* NOLINT(clang-analyzer-security.insecureAPI.vfork) */

    if (pid == 0)
        process_become(run); /* NOLINT(clang-analyzer-unix.Vfork): system calls, then exec */
    return pid;
}

static bool start(struct run *run, struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours runs in the child */
    run->parent = getpid();
    run->pid = spawn(run);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (run->pid < 0)
        return err_set_os(err, ERR_BUSY, failed, "cannot start a process for %s",
                          run->process->argv[0]);
    for (size_t i = 0; i < 3; i++)
        auto_close_fd(&run->childs[i]);
    if (!hear_of_start(run, err))
        return false;
    run->pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0); /* without one, we look now and then */
    return true;
}

/* ---- while it runs ---- */

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Takes what there is; closes at the end. */
static void drain(struct run *run, size_t which)
{
    char chunk[16 * 1024];
    while (run->outputs[which] >= 0) {
        ssize_t got = read(run->outputs[which], chunk, sizeof chunk);
        if (got > 0)
            text_add_cut(run->texts[which], chunk, (size_t)got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            auto_close_fd(&run->outputs[which]);
        else if (errno == EAGAIN)
            return;
    }
}

static bool has_ended(struct run *run)
{
    int status = 0;
    pid_t reaped = waitpid(run->pid, &status, WNOHANG);
    if (reaped == 0 || (reaped < 0 && errno == EINTR))
        return false;
    CHECK(reaped == run->pid); /* nobody else reaps our children */
    run->result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

/* First ask, then insist. The whole process group hears it. */
static void end_it(struct run *run, int64_t now_ms)
{
    if (run->kill_at_ms == 0) {
        run->kill_at_ms = now_ms + LIMIT_PROCESS_KILL_MS;
        kill(-run->pid, SIGTERM);
    } else if (now_ms >= run->kill_at_ms) {
        run->kill_at_ms = now_ms + LIMIT_PROCESS_KILL_MS;
        kill(-run->pid, SIGKILL);
    }
}

static int next_wait_ms(const struct run *run, int64_t now_ms)
{
    int64_t wait = run->pidfd >= 0 ? 60000 : 5;
    int64_t until = run->kill_at_ms > 0 ? run->kill_at_ms : run->deadline_ms;
    if (until > 0 && until - now_ms < wait)
        wait = until > now_ms ? until - now_ms : 0;
    return (int)wait;
}

static void watch(struct run *run)
{
    const int *cancel = run->process->cancel_fd;
    while (!has_ended(run)) {
        int64_t now = steady_ms();
        bool ending = run->kill_at_ms > 0;
        if (!ending && run->deadline_ms > 0 && now >= run->deadline_ms)
            run->result.timed_out = ending = true;
        if (ending || run->result.cancelled)
            end_it(run, now);
        struct pollfd ready[4] = {
            {.fd = run->pidfd, .events = POLLIN},
            {.fd = run->outputs[0], .events = POLLIN},
            {.fd = run->outputs[1], .events = POLLIN},
            {.fd = cancel && !ending && !run->result.cancelled ? *cancel : -1, .events = POLLIN},
        };
        poll(ready, COUNT_OF(ready), next_wait_ms(run, now));
        for (size_t i = 0; i < 2; i++)
            if (ready[1 + i].revents)
                drain(run, i);
        if (ready[3].revents & POLLIN)
            run->result.cancelled = true;
    }
    for (size_t i = 0; i < 2; i++)
        drain(run,
              i); /* what it left behind; nobody waits for those it started to close their end */
}

bool process_run(const struct process *process, struct text *out, struct text *errors,
                 struct process_result *result, struct err *err)
{
    CHECK(process->fds_count <= PROCESS_FDS_MAX);
    struct run run = {.process = process,
                      .texts = {out, errors},
                      .childs = {-1, -1, -1},
                      .outputs = {-1, -1},
                      .said = -1,
                      .saying = -1,
                      .pidfd = -1};
    if (process->timeout_ms > 0)
        run.deadline_ms = steady_ms() + process->timeout_ms;
    bool ran = open_all(&run, err) && start(&run, err);
    if (ran) {
        watch(&run);
        *result = run.result;
    }
    close_all(&run);
    return ran;
}

bool process_beside(const char *name, char *out, size_t size)
{
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);

    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    return slash && text_format(out, size, "%.*s/%s", (int)(slash - self), self, name);
}
