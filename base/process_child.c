/* Between vfork and exec: in the memory of the parent, whose other threads run on and may hold any lock.
 * Nothing here allocates, formats or logs, nothing is written but to the stack and errno: system calls
 * only. What they change (signals, descriptors, group, limits) is the child's own. */
#include "base/process_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static void fail(int saying, enum process_step step) NORETURN;

static void fail(int saying, enum process_step step)
{
    struct process_word word = {step, errno};
    ssize_t written UNUSED = write(saying, &word, sizeof word);
    _exit(127);
}

static void reset_signals(void)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &by_default, NULL); /* fails for KILL, STOP and the library's own: fine */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* All are above their places first, so that none is overwritten before it is moved. */
static bool place_descriptors(const struct run *run)
{
    int above[3 + PROCESS_FDS_MAX];
    const int count = 3 + (int)run->process->fds_count;

    for (int i = 0; i < count; i++) {
        int fd = i < 3 ? run->childs[i] : run->process->fds[i - 3];
        if ((above[i] = fcntl(fd, F_DUPFD_CLOEXEC, count)) < 0)
            return false;
    }
    for (int i = 0; i < count; i++)
        if (dup2(above[i], i) < 0)
            return false;
    return true;
}

/* All but those that were placed close at exec; the pipe to the parent does anyhow. */
static void close_inherited(const struct run *run)
{
    const int first = 3 + (int)run->process->fds_count;

    if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    long count = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < (count > 0 && count < 65536 ? (int)count : 65536); fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void process_become(const struct run *run)
{
    const struct process *process = run->process;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever waits for it is gone, so it goes too */
    if (getppid() != run->parent)
        _exit(127);
    reset_signals();
    int saying = fcntl(run->saying, F_DUPFD_CLOEXEC, 3 + (int)process->fds_count);
    if (saying < 0)
        fail(run->saying, PROCESS_EXEC);
    if (!place_descriptors(run))
        fail(saying, PROCESS_EXEC);
    if (process->in_child && !process->in_child(process->context))
        fail(saying, PROCESS_HOOK);
    close_inherited(run);
    char *const *argv = (char *const *)(const void *)process->argv;
    if (process->envp)
        execvpe(argv[0], argv, (char *const *)(const void *)process->envp);
    else
        execvp(argv[0], argv);
    fail(saying, PROCESS_EXEC);
}
